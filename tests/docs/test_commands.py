"""What the pages show can be typed, and where they lead exists."""

from __future__ import annotations

import click
import pytest

from docs.writers.commands import load
from nuages.cli.commands import ALIASES, COMMANDS
from tests.docs import pages

PAGES = pages.by_hand()
ENTRIES = {entry.name: entry for entry in COMMANDS}
SHOWN = [(page, line, words) for page in PAGES for line, words in pages.commands(page)]


def parse(words: list[str], line: int = 1) -> str:
    """Parse a command line as `nuages` would; return what is wrong with it, or "". Line 0 is prose."""
    name = words[0]
    if name in ("-h", "--help", "--version"):
        return ""
    entry = ENTRIES.get(ALIASES.get(name, name))
    if entry is None:
        return f"there is no command {name!r}"
    if not line and len(words) == 1:
        return ""  # a command that prose speaks of by its name
    try:
        load(entry).make_context(name, list(words[1:]))
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return error.format_message()
    return ""


@pytest.mark.parametrize(
    ("page", "line", "words"), SHOWN, ids=[f"{page.name}:{line}:{' '.join(words)}" for page, line, words in SHOWN]
)
def test_a_command_on_a_page_can_be_typed(page: pages.Page, line: int, words: list[str]):
    assert parse(words, line) == "", f"{page.name}:{line}: nuages {' '.join(words)}"


def test_a_command_that_does_not_exist_would_be_found():
    assert "no command" in parse(["pu"])
    assert "--tial" in parse(["debug-log", "--tial"])
    assert parse(["config"]) != ""


def test_there_are_commands_on_the_pages():
    shown = {page.name for page, _, _ in SHOWN}
    assert {"README.md", "docs/tutorial/first-app.md", "docs/how-to/own-project.md"} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: pages.Page):
    for target in pages.links(page):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        assert path.exists(), f"{page.name} leads to {target}"
        if anchor:
            assert anchor in pages.anchors(path), f"{page.name} leads to {target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_test_that_a_page_names_exists(page: pages.Page):
    for path, name in pages.tests(page):
        file = pages.ROOT / path
        assert file.is_file(), f"{page.name} names {path}"
        if name:
            assert f"\ndef {name}(" in file.read_text(), f"{page.name} names {path}::{name}"


def test_every_difference_is_shown_by_a_test():
    page = pages.read(pages.DOCS / "explanation" / "differences.md")
    rows = [
        line for line in page.prose.splitlines() if line.startswith("| ") and not line.startswith(("| there", "| ---"))
    ]
    assert rows
    assert [row for row in rows if "`tests/" not in row] == []
