"""`python -m nuages.cli`: the same as the console script."""

from nuages.cli import main

main()
