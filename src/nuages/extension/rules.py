"""The rules that a charm with the extension keeps: charmcraft's, and ours for what it drops without a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from nuages.contract.bases import BASES, EXTENSION, Base
from nuages.contract.endpoints import BY_NAME, prefix_of
from nuages.contract.options import DROPPED_PREFIXES, RESERVED_PREFIXES, variable_of
from nuages.extension import juju, model, parts, platforms
from nuages.extension.contribution import MERGED, PROTECTED, contribution, dynamic_options
from nuages.extension.names import listed, nearest
from nuages.extension.problems import Problem
from nuages.extension.project import EXPERIMENTAL, Project

Rule = Callable[[Project], Iterable[Problem]]

_URL_PATH = re.compile(r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
"""RFC 3986, section 3.3: the characters of a path."""

RESOURCE = "django application image."
"""charmcraft's own description of the resource: a document may repeat it so, and in no other words."""

REFUSED = ("devices", "extra-bindings", "storage")
COS_DIRECTORIES = ("grafana_dashboards", "loki_alert_rules", "prometheus_alert_rules")
PAAS_KEYS = ("prometheus", "framework_logging_format")
PAAS_KEYS_MODERN = ("port", "metrics-port", "metrics-path")


def check(project: Project) -> list[Problem]:
    """Return every problem of charmcraft.yaml and what lies beside it, in the order of their places."""
    rules = (*GENERAL, *(RULES if project.extended else ()))
    problems = [problem for rule in rules for problem in rule(project)]
    return sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.column, problem.code))


def _charm_type(project: Project) -> Iterator[Problem]:
    kind = project.document.get("type")
    if kind != "charm":
        why = "is missing" if kind is None else f"is {kind!r}"
        yield project.document.problem("type", ("type",), f"{why}, but {EXTENSION} makes charms", "write `type: charm`")


def _charm_part(project: Project) -> Iterator[Problem]:
    if "charm" in project.document.mapping("parts"):
        yield project.document.problem(
            "charm-part", ("parts", "charm"), f"{EXTENSION} defines this part", "remove it, or give it another name"
        )


def _refused_keys(project: Project) -> Iterator[Problem]:
    for key in REFUSED:
        if key in project.document.data:
            yield project.document.problem("refused-key", (key,), f"does not go together with {EXTENSION}", "remove it")


def _protected_keys(project: Project) -> Iterator[Problem]:
    base = project.base
    if base is None:
        return
    added = contribution(base)
    for key in PROTECTED:
        mine = project.document.get(key)
        if key in project.document.data and mine != added[key] and not _repeats(key, mine, base):
            yield project.document.problem(
                "reserved-value", (key,), f"{EXTENSION} gives this key its value on {base.name}", f"remove `{key}:`"
            )


def _repeats(key: str, mine: object, base: Base) -> bool:
    """Whether `mine` is the contributed resource as charmcraft prints it: ours differs in the description only."""
    return key == "resources" and mine == {base.resource: {"type": "oci-image", "description": RESOURCE}}


def _overlaps(project: Project) -> Iterator[Problem]:
    if project.base is None:
        return
    added = contribution(project.base)
    for path in MERGED:
        contributed: object = added
        for key in path:
            contributed = contributed[key]  # type: ignore[index]
        for name in project.document.mapping(*path):
            if name in contributed:  # type: ignore[operator]
                yield project.document.problem(
                    "contributed-key",
                    (*path, name),
                    f"{EXTENSION} contributes this already",
                    "remove it, or give it another name",
                )


def _reserved_prefixes(project: Project) -> Iterator[Problem]:
    contributed = {option.name for option in project.base.options} if project.base else set[str]()
    for name in project.document.mapping("config", "options"):
        if name in contributed:
            continue
        for prefix in RESERVED_PREFIXES:
            if name.startswith(prefix):
                yield project.document.problem(
                    "reserved-prefix",
                    ("config", "options", name),
                    f"names with {prefix} belong to {EXTENSION}{nearest(name, contributed)}",
                    f"call it {name.removeprefix(prefix) or 'something else'}",
                )


def _dropped_prefixes(project: Project) -> Iterator[Problem]:
    contributed = {option.name for option in project.base.options} if project.base else set[str]()
    for name in project.document.mapping("config", "options"):
        for prefix in DROPPED_PREFIXES:
            if name.startswith(prefix) and name not in contributed:
                yield project.document.problem(
                    "dropped-prefix",
                    ("config", "options", name),
                    f"options that begin with {prefix} never reach the application",
                    f"call it {name.removeprefix(prefix) or 'something else'}",
                )


def _required_defaults(project: Project) -> Iterator[Problem]:
    for name, entry in project.document.mapping("config", "options").items():
        if isinstance(entry, dict) and entry.get("optional") is False and entry.get("default"):
            yield project.document.problem(
                "required-default",
                ("config", "options", name, "default"),
                "an option that must be set (`optional: false`) cannot have a default",
                "remove `default:`, or remove `optional: false`",
            )


def _colliding_variables(project: Project) -> Iterator[Problem]:
    if project.base is None:
        return
    taken = {name: f"{origin}, which the charm sets itself" for name, origin in project.base.variables.items()}
    dynamic = dynamic_options(project.document.mapping("requires"))
    mine = project.document.mapping("config", "options")
    for name in [*mine, *(name for name in dynamic if name not in mine)]:
        variable = variable_of(name)
        if variable in taken:
            yield project.document.problem(
                "colliding-variable",
                ("config", "options", name) if name in mine else ("requires",),
                f"option {name} becomes {variable}, which is already {taken[variable]}",
                "give it another name",
            )
        else:
            taken[variable] = f"option {name}"


def _colliding_endpoints(project: Project) -> Iterator[Problem]:
    """Two endpoints whose variables have one prefix: `my-db` and `my_db`."""
    taken: dict[str, str] = {}
    for name, entry in project.document.mapping("requires").items():
        interface = BY_NAME.get(str(entry.get("interface"))) if isinstance(entry, dict) else None
        prefix = prefix_of(interface, name) if interface is not None and interface.prefix else ""
        if prefix and prefix in taken:
            yield project.document.problem(
                "colliding-variable",
                ("requires", name),
                f"endpoint {name} sets {prefix}_…, which endpoint {taken[prefix]} sets too",
                "give it another name",
            )
        elif prefix:
            taken[prefix] = name


def _paas_config(project: Project) -> Iterator[Problem]:
    document = project.paas_config
    if document is None:
        return
    modern = project.base is not None and project.base.experimental
    known = (*PAAS_KEYS, *PAAS_KEYS_MODERN) if modern else PAAS_KEYS
    for key in document.data:
        if key not in known:
            only = "only known on ubuntu@26.04" if key in PAAS_KEYS_MODERN else f"unknown{nearest(key, known)}"
            yield document.problem("paas-key", (key,), only, f"remove it; known here: {listed(known)}")
    for key in ("port", "metrics-port") if modern else ():
        value = document.get(key)
        if key in document.data and (type(value) is not int or not 1 <= value <= 65535):
            yield document.problem(
                "paas-config", (key,), f"{value!r} is no port", "write a whole number from 1 to 65535"
            )
    path = document.get("metrics-path")
    if modern and "metrics-path" in document.data and not (isinstance(path, str) and _URL_PATH.fullmatch(path)):
        yield document.problem("paas-config", ("metrics-path",), f"{path!r} is no absolute path", "write `/metrics`")
    if document.get("framework_logging_format") not in (None, "none", "json"):
        yield document.problem(
            "paas-key", ("framework_logging_format",), "no known format", "write `json`, `none`, or remove it"
        )


def _cos_custom(project: Project) -> Iterator[Problem]:
    for name, directory in project.cos_custom:
        if name not in COS_DIRECTORIES or not directory:
            why = (
                "this is no directory"
                if name in COS_DIRECTORIES
                else f"has no place here{nearest(name, COS_DIRECTORIES)}"
            )
            yield Problem(
                "cos-custom",
                "cos_custom/" + name,
                0,
                0,
                "",
                why,
                f"keep only the directories {listed(COS_DIRECTORIES)}",
            )


def _entries(project: Project) -> Iterator[Problem]:
    """What charmcraft, and everything after it, takes for mappings without looking."""
    for path, fix in (
        (("config", "options"), "write at least `type: string` below it"),
        (("requires",), "write `interface: ...` below it"),
    ):
        value = project.document.get(*path)
        parent = project.document.get(*path[:-1]) if path[:-1] else project.document.data
        if len(path) > 1 and isinstance(parent, dict) and path[-1] in parent and not isinstance(value, dict):
            if value not in ([], ""):
                yield project.document.problem("not-mapping", path, "is not a mapping", "write options below it")
            continue
        for name, entry in project.document.mapping(*path).items():
            if not isinstance(entry, dict) and ("." not in name or path == ("requires",)):
                code = "option-entry" if path == ("config", "options") else "endpoint-entry"
                yield project.document.problem(code, (*path, name), "is not a mapping", fix)


def _extensions(project: Project) -> Iterator[Problem]:
    extensions = project.document.get("extensions")
    seen: set[str] = set()
    for index, name in enumerate(extensions if isinstance(extensions, list) else []):
        if name != EXTENSION:
            hint = nearest(name, [EXTENSION]) if isinstance(name, str) else ""
            yield project.document.problem(
                "unknown-extension", ("extensions", index), f"unknown extension {name!r}{hint}", f"use {EXTENSION}"
            )
        elif name in seen:
            yield project.document.problem("contributed-key", ("extensions", index), "is here twice", "keep one")
        seen.add(str(name))


def _bases(project: Project) -> Iterator[Problem]:
    known = [base.name for base in BASES]
    for selected in project.selected:
        if selected.name not in known:
            yield project.document.problem(
                "base",
                selected.path,
                f"{EXTENSION} knows no base {selected.name}{nearest(selected.name, known)}",
                f"use one of {listed(known)}",
            )
        elif selected.name != project.selected[0].name:
            yield project.document.problem(
                "base",
                selected.path,
                f"{selected.name} besides {project.selected[0].name}: a charm with {EXTENSION} has one base",
                "keep one of them",
            )
    if project.selected and project.base is not None and project.base.experimental and not project.experimental:
        yield project.document.problem(
            "experimental",
            project.selected[0].path,
            f"{EXTENSION} on {project.base.name} is experimental",
            f"use ubuntu@24.04, or set {EXPERIMENTAL}=1",
        )


GENERAL: tuple[Rule, ...] = (*model.RULES, *platforms.RULES, *parts.RULES, *juju.RULES, _extensions)
RULES: tuple[Rule, ...] = (
    _charm_type,
    _charm_part,
    _refused_keys,
    _protected_keys,
    _overlaps,
    _reserved_prefixes,
    _dropped_prefixes,
    _required_defaults,
    _colliding_variables,
    _colliding_endpoints,
    _paas_config,
    _cos_custom,
    _entries,
    _bases,
)
