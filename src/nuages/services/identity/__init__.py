"""What the two identity providers have in common: test users, a login page, a server in Python, an address for all."""
