"""The one-machine Juju: charms, units, relations, secrets and pods. It knows no Django."""
