"""The environment of a hook: exactly Juju's list and nothing of the daemon's."""

from __future__ import annotations

from nuages.engine import config
from nuages.engine.resolver import hook_name
from nuages.engine.resolver.view import OPERATION_KINDS, RELATION_KINDS, SECRET_KINDS, STORAGE_KINDS, WORKLOAD_KINDS
from nuages.engine.state import Hook, Model, Operation, unit_application

JUJU_VERSION = "3.6.9"
TOOLS_DIRECTORY = "/var/lib/juju/tools"
SOCKET = "/run/nuages/agent.socket"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = {
    "JUJU_CHARM_HTTP_PROXY": "juju-http-proxy",
    "JUJU_CHARM_HTTPS_PROXY": "juju-https-proxy",
    "JUJU_CHARM_FTP_PROXY": "juju-ftp-proxy",
    "JUJU_CHARM_NO_PROXY": "juju-no-proxy",
}
LEGACY_PROXIES = ("http-proxy", "https-proxy", "ftp-proxy")


def agent_directory(unit: str) -> str:
    """Return where a unit's agent keeps its things in the charm container."""
    return f"/var/lib/juju/agents/unit-{unit.replace('/', '-')}"


def charm_directory(unit: str) -> str:
    """Return the charm's directory in the charm container."""
    return f"{agent_directory(unit)}/charm"


def environment(model: Model, unit: str, hook: Hook, context_id: str) -> dict[str, str]:
    """Return the whole environment of a hook."""
    name = hook_name(model, unit, hook)
    operation = model.operations.get(hook.operation) if hook.kind in OPERATION_KINDS else None
    is_action = hook.kind == "action"
    charm = charm_directory(unit)
    result = {
        "JUJU_DISPATCH_PATH": f"actions/{name}" if is_action else f"hooks/{name}",
        "JUJU_HOOK_NAME": "" if is_action else name,
        "JUJU_UNIT_NAME": unit,
        "JUJU_MODEL_NAME": model.name,
        "JUJU_MODEL_UUID": model.uuid,
        "JUJU_VERSION": JUJU_VERSION,
        "JUJU_CHARM_DIR": charm,
        "CHARM_DIR": charm,
        "JUJU_CONTEXT_ID": context_id,
        "JUJU_AGENT_SOCKET_ADDRESS": SOCKET,
        "JUJU_AGENT_SOCKET_NETWORK": "unix",
        "JUJU_API_ADDRESSES": "",
        "CLOUD_API_VERSION": "",
        "JUJU_MACHINE_ID": "",
        "JUJU_PRINCIPAL_UNIT": "",
        "JUJU_AVAILABILITY_ZONE": "",
        "PATH": f"{TOOLS_DIRECTORY}:{PATH}",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "DEBIAN_FRONTEND": "noninteractive",
        "APT_LISTCHANGES_FRONTEND": "none",
        **_proxies(model),
        **_of_kind(model, unit, hook),
    }
    if operation is not None and is_action:
        result.update(_action(operation))
    return result


def _proxies(model: Model) -> dict[str, str]:
    """Juju's own variables, which may be empty, and those that every program knows, which are there when set."""
    values = config.effective(config.MODEL_OPTIONS, model.config)
    result = {variable: str(values[option]) for variable, option in PROXIES.items()}
    legacy = [name for name in LEGACY_PROXIES if values[name]]
    for name in [*legacy, "no-proxy"] if legacy else ():
        variable = name.replace("-", "_")
        result[variable] = result[variable.upper()] = str(values[name])
    return result


def _action(operation: Operation) -> dict[str, str]:
    return {
        "JUJU_ACTION_NAME": operation.name,
        "JUJU_ACTION_UUID": operation.id,
        "JUJU_ACTION_TAG": f"action-{operation.id}",
    }


def _of_kind(model: Model, unit: str, hook: Hook) -> dict[str, str]:
    result: dict[str, str] = {}
    if hook.kind in RELATION_KINDS and hook.relation is not None:
        relation = model.relations.get(hook.relation)
        side = relation.side(unit.partition("/")[0]) if relation else None
        endpoint = side.endpoint if side else ""
        result = {
            "JUJU_RELATION": endpoint,
            "JUJU_RELATION_ID": f"{endpoint}:{hook.relation}",
            "JUJU_REMOTE_APP": hook.remote_application,
            "JUJU_REMOTE_UNIT": hook.remote_unit,
        }
        if hook.kind == "relation-departed":
            result["JUJU_DEPARTING_UNIT"] = hook.departing_unit
    elif hook.kind in WORKLOAD_KINDS:
        result = {"JUJU_WORKLOAD_NAME": hook.container}
        if hook.kind == "pebble-custom-notice":
            result["JUJU_NOTICE_ID"] = hook.notice
            result["JUJU_NOTICE_TYPE"] = hook.notice_type
            result["JUJU_NOTICE_KEY"] = hook.notice_key
        elif hook.check:
            result["JUJU_PEBBLE_CHECK_NAME"] = hook.check
    elif hook.kind in SECRET_KINDS:
        result = {"JUJU_SECRET_ID": f"secret:{hook.secret}", "JUJU_SECRET_LABEL": _label(model, unit, hook)}
        if hook.kind in ("secret-expired", "secret-remove"):
            result["JUJU_SECRET_REVISION"] = str(hook.secret_revision)
    elif hook.kind in STORAGE_KINDS:
        result = {
            "JUJU_STORAGE_ID": f"{hook.storage}/0",
            "JUJU_STORAGE_LOCATION": f"/var/lib/juju/storage/{hook.storage}/0",
            "JUJU_STORAGE_KIND": "filesystem",
        }
    return result


def _label(model: Model, unit: str, hook: Hook) -> str:
    secret = model.secrets.get(hook.secret)
    if secret is None:
        return ""
    if hook.kind == "secret-changed":
        consumer = secret.consumers.get(unit)
        own = secret.owner in (unit, unit_application(unit))
        return (consumer.label if consumer else "") or (secret.label if own else "")
    return secret.label
