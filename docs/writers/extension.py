"""reference/problems.md: what the extension finds wrong with a charm's files, by example: each is really checked."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

from docs.writers.markdown import fenced, page
from nuages.extension import load, rules, shape
from nuages.extension.problems import ExtensionError, Problem
from nuages.extension.project import FILE, Project

SOUND: Mapping[str, str] = {
    "name": "name: notes",
    "type": "type: charm",
    "summary": "summary: Short notes that stay.",
    "description": "description: Write, edit and delete notes.",
    "base": "base: ubuntu@24.04",
    "platforms": "platforms:\n  amd64:",
    "extensions": "extensions:\n  - django-framework",
}
"""A charmcraft.yaml without a fault, key by key."""


class Example(NamedTuple):
    """A charm with one fault."""

    code: str
    keys: Mapping[str, str]
    """Lines that replace those of the sound file or come after them; "" takes a key away."""
    paas_config: str = ""
    cos_custom: tuple[tuple[str, bool], ...] = ()
    text: str = ""
    """The whole of charmcraft.yaml, where it is no YAML at all."""

    @property
    def shown(self) -> str:
        """What the reader sees of it."""
        if self.cos_custom:
            return "\n".join(f"charm/cos_custom/{name}" for name, _ in self.cos_custom)
        if self.paas_config:
            return f"# paas-config.yaml\n{self.paas_config}"
        return self.text or "\n".join(text or f"# no {key}:" for key, text in self.keys.items())


def _option(text: str) -> dict[str, str]:
    return {"config": f"config:\n  options:\n    {text}"}


EXAMPLES = (
    Example("yaml", {}, text="name: notes\nsummary: 'Short notes"),
    Example("yaml", {}, text="name: notes\nname: cards"),
    Example("unknown-key", {"plattforms": "plattforms:\n  amd64:"}),
    Example("not-text", {"title": "title: 24.04"}),
    Example("not-mapping", {"requires": "requires:\n  - postgresql"}),
    Example("not-list", {"extensions": "extensions: django-framework"}),
    Example("name", {"name": "name: My Notes"}),
    Example("unknown-extension", {"extensions": "extensions:\n  - django-framwork"}),
    Example("option", _option("greeting:\n      type: str")),
    Example("option", _option("page-size:\n      type: int\n      default: many")),
    Example("endpoint", {"requires": "requires:\n  postgresql:\n    optional: false"}),
    Example("bases", {"base": "", "platforms": "", "bases": "bases:\n  - name: ubuntu\n    channel: 24.04"}),
    Example("platform", {"platforms": "platforms:\n  amd64:\n    build_on: [amd64]"}),
    Example("type", {"type": "type: bundle"}),
    Example("charm-part", {"parts": "parts:\n  charm:\n    plugin: charm"}),
    Example("refused-key", {"storage": "storage:\n  media:\n    type: filesystem"}),
    Example("reserved-value", {"containers": "containers:\n  web:\n    resource: web-image"}),
    Example("contributed-key", {"requires": "requires:\n  ingress:\n    interface: ingress"}),
    Example("reserved-prefix", _option("django-greeting:\n      type: string")),
    Example("dropped-prefix", _option("app-greeting:\n      type: string")),
    Example("required-default", _option("token:\n      type: string\n      optional: false\n      default: abc")),
    Example("colliding-variable", _option("base-url:\n      type: string")),
    Example("paas-config", {}, paas_config="prometeus:\n  scrape_configs: []"),
    Example("cos-custom", {}, cos_custom=(("dashboards", True),)),
    Example("base", {"base": "base: ubuntu@20.04"}),
    Example("experimental", {"base": "base: ubuntu@26.04"}),
)


def problems(example: Example) -> tuple[Problem, ...]:
    """Return what the extension says of an example."""
    keys = {**SOUND, **example.keys}
    text = example.text or "\n".join(lines for lines in keys.values() if lines)
    try:
        project = Project(
            document=load.load(text, FILE),
            paas_config=load.load(example.paas_config, "paas-config.yaml") if example.paas_config else None,
            cos_custom=example.cos_custom,
        )
    except ExtensionError as error:
        return error.problems
    return tuple(rules.check(project))


def codes() -> set[str]:
    """Return every code that the extension's modules write into a problem."""
    return {found for module in (load, shape, rules) for found in _codes(module)}


def _codes(module: ModuleType) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if called in ("problem", "Problem") and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    by_code: dict[str, list[Example]] = {}
    for example in EXAMPLES:
        by_code.setdefault(example.code, []).append(example)
    yield (
        "problems.md",
        page(
            "Problems",
            "What `nuages expand-extensions`, `nuages pack` and `nuages up` find wrong with a charm's files. All "
            "problems are told at once, each with its place (`charm/charmcraft.yaml:14:7`), its reason and its fix. "
            "An example for each, beside an otherwise sound charmcraft.yaml:",
            *(_section(name, examples) for name, examples in by_code.items()),
        ),
    )


def _section(name: str, examples: list[Example]) -> str:
    return f"## {name}\n\n" + "\n\n".join(_block(example) for example in examples)


def _block(example: Example) -> str:
    (problem,) = problems(example)
    what = f"{problem.what}: " if problem.what else ""
    return (
        fenced(example.shown, "text" if example.cos_custom else "yaml")
        + f"\n\n> {what}{problem.why}\n>\n> fix: {problem.fix}"
    )
