"""The log store, run in its pod as `python3 -m logs`: standard library only, importing nothing else of nuages."""
