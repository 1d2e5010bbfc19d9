"""What only files together can tell: charmcraft.yaml, rockcraft.yaml, requirements, settings, services."""
