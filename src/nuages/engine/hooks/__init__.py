"""Charms and what they call: the hook context, the hook tools, their server and the shim."""
