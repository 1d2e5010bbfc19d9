"""The file of `config --file`: options of an application in YAML. Pure.

Juju takes two forms: `APPLICATION: {option: value}`, in which other applications may have parts of their own, and what
`config APPLICATION` prints. A null resets its option. Text is read as the option's type; any other value has to be of
that type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from nuages.cli.errors import CliError
from nuages.cli.root import command_name
from nuages.engine.charm import Option
from nuages.engine.config import nearest, parse

SHOWN = 5
EXAMPLES = {"boolean": "true", "int": "10", "float": "0.5", "secret": "secret:ID"}
KINDS = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:null"}


@dataclass(frozen=True)
class Entry:
    """An option in the file: its line, and its value as it stands there."""

    name: str
    line: int
    value: Node


@dataclass(frozen=True)
class Wrong:
    """Something to mend: the line, what is wrong there, and what to write."""

    line: int
    text: str
    fix: str


def settings(
    text: str, name: str, application: str, options: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, str], list[str]]:
    """Return (what to set, what to reset).

    Args:
        text: the file's content.
        name: the file's name, for messages.
        application: whose options they are.
        options: the type of each option, as the API tells it.

    Raises:
        CliError: with every wrong line, and what to write there.
    """
    values: dict[str, str] = {}
    resets: list[str] = []
    wrong: list[Wrong] = []
    for entry in _entries(text, name, application):
        if entry.name in values or entry.name in resets:
            wrong.append(Wrong(entry.line, f"{entry.name} is there twice", f"keep one line of {entry.name}"))
        elif entry.name not in options:
            said = f"unknown option {entry.name!r}{nearest(entry.name, options)}"
            mend = f"{command_name()} config {application} shows what there is"
            if entry.name == "trust":
                mend = f"take it out; it is a command: {command_name()} trust {application}"
            wrong.append(Wrong(entry.line, said, mend))
        else:
            try:
                value = _value(entry, str(options[entry.name]["type"]))
            except ValueError as error:
                wrong.append(Wrong(entry.line, str(error), _written(entry, str(options[entry.name]["type"]))))
                continue
            if value is None:
                resets.append(entry.name)
            else:
                values[entry.name] = value
    if wrong:
        raise _error(name, application, wrong)
    return values, resets


def _entries(text: str, name: str, application: str) -> list[Entry]:
    root = _compose(text, name, application)
    parts = list(_items(root))
    own = [value for key, _, value in parts if key == application]
    if own:
        if len(own) > 1:
            line = own[1].start_mark.line + 1
            twice = Wrong(line, f"{application} is there twice", f"put all its options below one `{application}:`")
            raise _error(name, application, [twice])
        if not isinstance(own[0], MappingNode):
            line = own[0].start_mark.line + 1
            form = f"write `{application}:` on a line of its own, and below it, indented, OPTION: VALUE"
            raise _error(name, application, [Wrong(line, f"{application} is no mapping of options", form)])
        return [Entry(key, line, value) for key, line, value in _items(own[0])]
    printed = next((value for key, _, value in parts if key == "settings"), None)
    if isinstance(printed, MappingNode):
        shown = [(key, line, value) for key, line, value in _items(printed) if isinstance(value, MappingNode)]
        if len(shown) == len(printed.value):
            return [
                Entry(key, inner, content)
                for key, _, value in shown
                for inside, inner, content in _items(value)
                if inside == "value"
            ]
    there = ", ".join(key for key, _, _ in parts) or "nothing"
    raise CliError(
        f'cannot configure {application} from {name}: no settings found for "{application}"; it has {there}',
        fix=f"write `{application}:` on a line of its own, and below it, indented, OPTION: VALUE",
        code="config-file",
    )


def _compose(text: str, name: str, application: str) -> Node | None:
    try:
        loader: Any = yaml.SafeLoader(text)
        return cast("Node | None", loader.get_single_node())
    except RecursionError:
        reason, line = "it is nested too deeply", 1
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason, line = error.problem or "it is no YAML", mark.line + 1 if mark else 1
    except yaml.YAMLError as error:
        reason, line = str(error).splitlines()[0], 1
    raise _error(name, application, [Wrong(line, f"no YAML: {reason}", f"mend line {line} of {name}")]) from None


def _items(node: Node | None) -> Iterator[tuple[str, int, Node]]:
    """Yield key, line and value of a mapping; nothing for anything else."""
    if isinstance(node, MappingNode):
        pairs = cast("list[tuple[Node, Node]]", node.value)
        for key, value in pairs:
            yield str(key.value) if isinstance(key, ScalarNode) else "?", key.start_mark.line + 1, value


def _value(entry: Entry, kind: str) -> str | None:
    """Return the value as text, None for a null.

    Raises:
        ValueError: it does not fit the option; the text does not repeat it, for it may be a secret.
    """
    node = entry.value
    if not isinstance(node, ScalarNode):
        shape = "a mapping" if isinstance(node, MappingNode) else "a list"
        raise ValueError(f"option {entry.name!r} is of type {kind}, not {shape}")
    value: Any = str(node.value)
    try:
        # A date, or 1:30, is text to Juju, whose YAML knows neither.
        if node.tag in KINDS and not (":" in value and node.tag.endswith(("int", "float"))):
            loader: Any = yaml.SafeLoader("")
            value = loader.construct_object(node)
        if value is None:
            return None
        parse(Option(entry.name, kind), value)
    except (yaml.YAMLError, ValueError):
        raise ValueError(f"option {entry.name!r} is of type {kind}, which its value is not") from None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _written(entry: Entry, kind: str) -> str:
    """Return what to write in place of a value that does not fit."""
    if kind == "string":
        return f'put the value in quotes, {entry.name}: "…"'
    hint = f", which {command_name()} add-secret prints" if kind == "secret" else ""
    return f"for example {entry.name}: {EXAMPLES.get(kind, '…')}{hint}"


def _error(name: str, application: str, wrong: list[Wrong]) -> CliError:
    said = [f"line {each.line}: {each.text}" for each in wrong]
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    fixes = dict.fromkeys(f"line {each.line}: {each.fix}" for each in wrong[:SHOWN])
    return CliError(
        f"cannot configure {application} from {name}: {'; '.join(said[:SHOWN])}{more}",
        fix="\n".join(fixes),
        code="config-file",
    )
