"""The extension beside the real charmcraft."""
