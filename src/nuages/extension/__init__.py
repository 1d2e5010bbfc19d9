"""From charmcraft.yaml to a checked, expanded charm: documents in, documents and problems out."""
