"""reference/README.md: what there is to look up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docs.writers.markdown import page, table

WHAT = {
    "cli/README.md": ("Commands", "every command, its arguments and options"),
    "charmcraft-yaml.md": ("charmcraft.yaml", "every key, and what the extension contributes"),
    "options.md": ("Options", "what the extension contributes to `config.options`, and what your own become"),
    "variables.md": ("Variables", "what your settings find in `os.environ`, and when"),
    "statuses.md": ("Statuses", "what a unit's status can say, and what to type"),
    "problems/README.md": ("Problems", "what `nuages check` finds wrong, code by code, with the fix"),
    "traps.md": ("Traps", "what `nuages diagnose` finds wrong with what runs, and the mend"),
    "applications.md": ("Built-in applications", "PostgreSQL and ingress: endpoints, options, actions, differences"),
    "programs.md": ("Programs", "the real servers and tools: versions, sizes, where they come from"),
    "hook-tools.md": ("Hook tools", "what a charm can call on this engine"),
}


def pages(others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return the page; `others` are the pages that it leads to."""
    rows = ((f"[{title}]({path})", what) for path, (title, what) in WHAT.items() if others[path])
    yield (
        "README.md",
        page(
            "Reference",
            "Written from the code's own tables by `make docs`; a test fails when a page is out of date.",
            table(("page", "what is in it"), rows),
        ),
    )
