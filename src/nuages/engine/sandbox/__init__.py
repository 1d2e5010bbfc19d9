"""Namespaces, user maps and bubblewrap: how a pod is shut off from the machine."""
