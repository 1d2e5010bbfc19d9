"""Where each variable of an application's environment comes from, and what changes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nuages.contract import endpoints, layout, options

MASK = "***"
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|NETLOC|PRIVATE_KEY|ACCESS_KEY|API_KEY|CONNECT_STRING|DSN)")
_USERINFO = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_PROXY_NAMES = ("http_proxy", "https_proxy", "no_proxy")
_URL_VARIABLES = ("DJANGO_BASE_URL", "DJANGO_CSRF_TRUSTED_ORIGINS")


@dataclass(frozen=True)
class Explained:
    """A variable: its value, its origin, the command that changes it ("" when none does), whether it is secret."""

    name: str
    value: str
    origin: str
    change: str
    secret: bool

    @property
    def shown(self) -> str:
        """The value as it may be shown."""
        return MASK if self.secret else self.value


@dataclass(frozen=True)
class Application:
    """What origins depend on: the options with their documents, and each related endpoint with both sides' names."""

    name: str
    settings: Mapping[str, Mapping[str, Any]]
    relations: Mapping[str, tuple[str, str]]
    """Endpoint → (interface, related application)."""


def explain(name: str, value: str, application: Application) -> Explained:
    """Return a variable with where it comes from."""
    origin, change, secret = _origin(name, application)
    secret = secret or _SECRET_NAME.search(name) is not None or _USERINFO.search(value) is not None
    return Explained(name, value, origin, change, secret)


def _origin(name: str, application: Application) -> tuple[str, str, bool]:  # noqa: PLR0911, PLR0912  # one return for each origin
    ingress = next((other for kind, other in application.relations.values() if kind == "ingress"), None)
    if name in {"DJANGO_SECRET_KEY", "DJANGO_SECRET_KEY_FALLBACKS"}:
        return _secret_key(application)
    for option, setting in application.settings.items():
        variable = options.variable_of(option)
        if option == "django-debug":
            variable = "DJANGO_DEBUG"
        hidden = setting.get("type") == "secret"
        if name == variable or (hidden and name.startswith(f"{variable}_")):
            note = " (default)" if setting.get("source") == "default" else ""
            if option == "django-allowed-hosts":
                note = " and the host of the public URL"
            return f"option {option}{note}", f"config {application.name} {option}=…", hidden
    if name == "DJANGO_ALLOWED_HOSTS":
        return "the host of the public URL", f"config {application.name} django-allowed-hosts=…", False
    if name in _URL_VARIABLES:
        return (f"integration ingress with {ingress}" if ingress else "the public URL, without ingress"), "", False
    if name == "DJANGO_PEER_FQDNS":
        return "the other units", f"add-unit {application.name}", False
    if name.lower() in _PROXY_NAMES:
        scheme = name.lower().partition("_")[0]
        return f"model option juju-{scheme}-proxy", f"model-config juju-{scheme}-proxy=…", False
    for endpoint, (kind, other) in application.relations.items():
        interface = endpoints.BY_NAME.get(kind)
        prefix = endpoints.prefix_of(interface, endpoint) if interface else ""
        if prefix and name.startswith(f"{prefix}_"):
            return (
                f"integration {endpoint} with {other}",
                f"remove-relation {application.name}:{endpoint} {other}",
                False,
            )
    if name in options.BUILT_IN_VARIABLES or name in options.MODERN_VARIABLES:
        return f"the charm: {(options.BUILT_IN_VARIABLES | options.MODERN_VARIABLES)[name]}", "", False
    if name == layout.WEB_SERVER_VARIABLE:
        return "the charm: for gunicorn alone, the application does not get it", "", False
    return "the rock", "", False


def _secret_key(application: Application) -> tuple[str, str, bool]:
    for option in ("django-secret-key", "django-secret-key-id", "app-secret-key"):
        if application.settings.get(option, {}).get("source") == "user":
            return f"option {option}", f"config {application.name} {option}=…", True
    return "the application's secret, made by the charm", f"run {application.name}/0 rotate-secret-key", True
