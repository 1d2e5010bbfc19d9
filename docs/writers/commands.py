"""reference/cli: a page for each command, from the commands themselves."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import click

from docs.writers.markdown import code, fenced, listed, page, table
from nuages.cli.commands import ALIASES, COMMANDS, Entry

GENERAL = "`-h`, `--help` shows a command's help, `--debug` the traceback of an error."
EXIT_CODES = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted with Ctrl-C."


def load(entry: Entry) -> click.Command:
    """Return the click command of a row of the table."""
    command: object = importlib.import_module(entry.module).command
    assert isinstance(command, click.Command), entry.module
    return command


def gaps() -> Iterator[str]:
    """Yield the commands and options without a word of help."""
    for entry in COMMANDS:
        command = load(entry)
        if not command.help or not entry.help:
            yield f"command {entry.name} has no help"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.help:
                yield f"command {entry.name}: option {parameter.opts[0]} has no help"


def pages() -> Iterator[tuple[str, str]]:
    """Return the index and a page for each command."""
    shown = [entry for entry in COMMANDS if not entry.hidden]
    groups = [
        f"## {group}\n\n"
        + table(
            ("command", "what it does"),
            ((f"[{entry.name}]({entry.name}.md)", entry.help) for entry in shown if entry.group == group),
        )
        for group in dict.fromkeys(entry.group for entry in shown)
    ]
    aliases = (
        "Other names: " + listed(f"{code(alias)} is {code(name)}" for alias, name in sorted(ALIASES.items())) + "."
    )
    yield "cli/README.md", page("Commands", GENERAL + " " + EXIT_CODES, *groups, aliases)
    for entry in shown:
        yield f"cli/{entry.name}.md", _page(entry, load(entry))


def _page(entry: Entry, command: click.Command) -> str:
    context = click.Context(command, info_name=f"nuages {entry.name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    aliases = [alias for alias, name in ALIASES.items() if name == entry.name]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return page(
        f"nuages {entry.name}",
        help_text(command),
        fenced(usage),
        "Also called " + listed(code(f"nuages {alias}") for alias in aliases) + "." if aliases else "",
        table(("option", "what it does", "default"), (_option(option, context) for option in options)),
        f"In the group “{entry.group}” of [all commands](README.md). {GENERAL}",
    )


def help_text(command: click.Command) -> str:
    """Return a command's help with each paragraph on one line."""
    paragraphs = (command.help or "").replace("\b", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = listed(code(name) for name in (*option.opts, *option.secondary_opts))
    takes = "" if option.is_flag or option.count else " " + code(_takes(option, context))
    default = option.to_info_dict()["default"] if option.show_default else None
    return names + takes, (option.help or "") + (" Required." if option.required else ""), code(_shown(default))


def _takes(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(str(choice) for choice in option.type.choices)
    number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
    return "NUMBER" if number and not option.metavar else option.make_metavar(context)


def _shown(default: object) -> str:
    return "" if default is None else str(default)
