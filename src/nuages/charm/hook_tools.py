"""Two things that ops does with more effort than a hook can spare, done with its own hook commands instead.

`ops.testing` has no hook tools: there ops's model answers. Every real hook has the variable that tells.
"""

import os

import ops
from ops import hookcmds


def is_real() -> bool:
    """Whether this is a hook, and no test."""
    return "JUJU_CONTEXT_ID" in os.environ


def newest_content(model: ops.Model, uri: str) -> dict[str, str]:
    """Return the newest content of a secret of somebody else.

    ops reads a secret when it is looked up, and once more when it is refreshed.

    Raises:
        ops.SecretNotFoundError: there is no such secret.
        ops.ModelError: it cannot be read.
    """
    if not is_real():
        return model.get_secret(id=uri).get_content(refresh=True)
    try:
        return hookcmds.secret_get(id=uri, refresh=True)
    except hookcmds.Error as error:
        said = error.stderr.strip()
        raise (ops.SecretNotFoundError if "not found" in said.lower() else ops.ModelError)(said) from error


def bind_address(model: ops.Model, endpoint: str) -> str:
    """Return the unit's address in the network of an endpoint; "" when it has none yet.

    ops makes it an object of a module that a hook needs for nothing else.

    Raises:
        ops.ModelError: Juju does not say.
    """
    if not is_real():
        address = model.get_binding(endpoint).network.bind_address
        return "" if address is None else str(address)
    try:
        network = hookcmds.network_get(endpoint)
    except hookcmds.Error as error:
        raise ops.ModelError(error.stderr.strip()) from error
    return next((str(each.value) for bound in network.bind_addresses for each in bound.addresses), "")
