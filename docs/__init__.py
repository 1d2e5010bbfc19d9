"""The documentation: pages by hand, and `generate`, which writes docs/reference from the code's own tables."""
