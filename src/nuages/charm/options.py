"""From the charm's configuration to settings: typed, complete, or a list of what is wrong with it."""

import json
import re

from nuages.charm import statuses
from nuages.charm.facts import Content, Facts, Option, Value
from nuages.charm.statuses import Status
from nuages.charm.variables import Variable, is_exportable
from nuages.contract import layout
from nuages.contract.options import (
    ALLOWED_HOSTS,
    APP_SECRET_KEY,
    CLASSIC,
    DROPPED_PREFIXES,
    HEALTH_PATH,
    MODERN,
    RESERVED_PREFIXES,
    SECRET_KEY,
    SECRET_KEY_ID,
    variable_of,
)
from nuages.contract.row import NamedTuple

FRAMEWORK = {option.name: option for option in (*CLASSIC, *MODERN)}
NUMBERS = {option.name: option.setting for option in FRAMEWORK.values() if option.type == "int"}
KEY_OPTIONS = (SECRET_KEY.name, SECRET_KEY_ID.name, APP_SECRET_KEY.name)
WORKER_CLASS = "webserver-worker-class"
_PATH = re.compile(r"/(?!/)[!-~]*")
"""A path with its query as it stands in a request's first line: visible ASCII, and no `//host` at its start."""
SETTINGS_MODULE = "DJANGO_SETTINGS_MODULE"
"""What a user's option `settings-module` becomes, by the rule for all of them: web, migrations, workers and actions
have it alike."""
UNEXPORTABLE = "has a NUL in it, or half a character"
SHORT = 40
"""Characters of a list of hosts that a status can show whole."""
GREATEST = 2**31 - 1
"""What gunicorn hands to the operating system as a number of seconds or processes has to fit there."""


class Settings(NamedTuple):
    """What the configuration says."""

    variables: tuple[Variable, ...] = ()
    """Those that follow from one option alone."""
    allowed_hosts: tuple[str, ...] = ()
    secret_key: Variable | None = None
    """Only when an option sets it."""
    webserver: tuple[tuple[str, int], ...] = ()
    """gunicorn settings that options set, sorted by name."""
    worker_class: str = ""
    """"" when no option sets it."""
    problems: tuple[Status, ...] = ()


def read(facts: Facts) -> Settings:
    """Return the settings; with problems in them, the rest is not to be used."""
    problems: list[Status] = []
    for option in facts.options:
        if option.required and option.name not in facts.config:
            problems.append(statuses.OPTION_MISSING(option=option.name, app=facts.app))
    variables: list[Variable] = []
    for option in facts.options:
        if option.name in FRAMEWORK or option.name.startswith((*RESERVED_PREFIXES, *DROPPED_PREFIXES)):
            continue
        if option.name in facts.config:
            variables += _user_option(facts, option, problems)
    if facts.config.get(HEALTH_PATH) and not health_path(facts):
        problems.append(_invalid(facts, HEALTH_PATH, "is no path of a URL", "/healthz"))
    debug = facts.config.get("django-debug")
    if isinstance(debug, bool):
        variables.append(Variable("DJANGO_DEBUG", text(debug), "option django-debug"))
    return Settings(
        variables=tuple(variables),
        allowed_hosts=_hosts(facts, problems),
        secret_key=_secret_key(facts, problems),
        webserver=_webserver(facts, problems),
        worker_class=_worker_class(facts, problems),
        problems=tuple(problems),
    )


def declares_health_path(facts: Facts) -> bool:
    """Whether the charm has an option for the health path, set or not."""
    return any(option.name == HEALTH_PATH for option in facts.options)


def health_path(facts: Facts) -> str:
    """Return the path that tells whether the application is well, with its slash; "" when none is configured.

    It is the value of a user's option named `health-path`; one that cannot be used counts as none (and is a problem).
    """
    value = facts.config.get(HEALTH_PATH)
    if not isinstance(value, str) or not value:
        return ""
    path = value if value.startswith("/") else "/" + value
    return path if _PATH.fullmatch(path) else ""


def text(value: Value) -> str:
    """Write an option's value as a variable: text as it is, anything else as JSON (`true`, `7`, `2.5`)."""
    return value if isinstance(value, str) else json.dumps(value)


def _user_option(facts: Facts, option: Option, problems: list[Status]) -> list[Variable]:
    value = facts.config[option.name]
    name = variable_of(option.name)
    origin = f"option {option.name}"
    if option.type != "secret":
        if name == SETTINGS_MODULE and value == "":
            return []  # Django would look for settings of no name, instead of manage.py's
        if not is_exportable(text(value)):
            problems.append(_invalid(facts, option.name, UNEXPORTABLE, "VALUE"))
            return []
        return [Variable(name, text(value), origin)]
    content = _content(facts, option.name, problems)
    if content is None:
        return []
    return [
        Variable(f"{name}_{key.upper().replace('-', '_')}", content[key], origin, secret=True)
        for key in sorted(content)
    ]


def _content(facts: Facts, option: str, problems: list[Status]) -> Content | None:
    """Return what is in the secret that an option names; without any, say what to type."""
    content = facts.option_secrets.get(option)
    if content is None:
        problems.append(statuses.OPTION_SECRET(option=option, secret=facts.config[option], app=facts.app))
        return None
    if not content:
        problems.append(statuses.OPTION_SECRET_MISSING(option=option, app=facts.app))
        return None
    wrong = next((key for key in sorted(content) if not is_exportable(content[key])), None)
    if wrong is not None:
        problems.append(statuses.OPTION_SECRET_VALUE(option=option, secret=facts.config[option], key=wrong))
        return None
    return content


def _hosts(facts: Facts, problems: list[Status]) -> tuple[str, ...]:
    """Read the allowed hosts: names between commas. Django would never match what is no host name, and say nothing."""
    value = facts.config.get(ALLOWED_HOSTS.name)
    if not isinstance(value, str) or not value:
        return ()
    hosts = tuple(part.strip() for part in value.split(","))
    wrong = next((problem for text in (value, *hosts) if (problem := _host_problem(text))), "")
    if wrong:
        names = [name for part in re.split(r"[\s,\[\]\"']+", value) if (name := _host_of(part))]
        mended = ",".join(names)
        example = mended if mended and len(mended) <= SHORT else "HOST,HOST"
        problems.append(_invalid(facts, ALLOWED_HOSTS.name, wrong, example))
    return hosts


def _host_problem(text: str) -> str:
    """Return what is wrong with one host, or with the whole list; "" when nothing is."""
    if text.startswith(('["', "['", '"', "'", "{", "[]")):
        return "is JSON, not names with commas"
    if "," in text:
        return ""
    literal = re.fullmatch(r"\[[0-9A-Fa-f:.]+\]", text) is not None and ":" in text  # an IPv6 address
    faults = {
        f"has a URL, {text}": "/" in text,
        "has blanks, not commas": bool(re.search(r"\s", text)),
        "has brackets": not literal and bool(set("[]") & set(text)),
        f"has a port, {text}": not literal and ":" in text,
    }
    return next((reason for reason, found in faults.items() if found), "")


def _host_of(text: str) -> str:
    """Return the host in a URL, or in a host with a port."""
    rest = text.partition("://")[2] or text
    return rest.partition("/")[0].partition(":")[0]


def _secret_key(facts: Facts, problems: list[Status]) -> Variable | None:
    given = [name for name in KEY_OPTIONS if name in facts.config]
    if not given:
        return None
    if len(given) > 1:
        problems.append(statuses.OPTION_CLASH(first=given[0], second=given[1], app=facts.app))
        return None
    option = given[0]
    value = facts.config[option]
    if option == SECRET_KEY.name:
        if not value:
            problems.append(_invalid(facts, option, "is empty", "KEY"))
        elif not is_exportable(str(value)):
            problems.append(_invalid(facts, option, UNEXPORTABLE, "KEY"))
        return Variable("DJANGO_SECRET_KEY", str(value), f"option {option}", secret=True)
    content = _content(facts, option, problems)
    if content is None:
        return None
    if set(content) != {"value"} or not content["value"]:
        problems.append(statuses.OPTION_SECRET_KEY(option=option, secret=value))
    else:
        return Variable("DJANGO_SECRET_KEY", content["value"], f"option {option}", secret=True)
    return None


def _webserver(facts: Facts, problems: list[Status]) -> tuple[tuple[str, int], ...]:
    settings: list[tuple[str, int]] = []
    for option, setting in sorted(NUMBERS.items()):
        value = facts.config.get(option)
        if value is None:
            continue
        least = 0 if setting in ("keepalive", "timeout") else 1
        if not isinstance(value, int) or value < least:
            problems.append(_invalid(facts, option, f"is {value}, must be at least {least}", str(least or 30)))
        elif value > GREATEST:
            problems.append(_invalid(facts, option, f"is {value}, must be at most {GREATEST}", str(least or 30)))
        else:
            settings.append((setting, value))
    return tuple(settings)


def _worker_class(facts: Facts, problems: list[Status]) -> str:
    value = facts.config.get(WORKER_CLASS)
    if value is None or value == "":
        return ""
    if value not in layout.WORKER_CLASSES:
        reason = "not one of " + ", ".join(layout.WORKER_CLASSES)
        problems.append(statuses.WORKER_CLASS(worker_class=value, reason=reason, app=facts.app))
    return str(value)


def _invalid(facts: Facts, option: str, reason: str, example: str) -> Status:
    return statuses.OPTION_INVALID(option=option, reason=reason, example=example, app=facts.app)
