"""Rules about the parts that a user adds to charmcraft.yaml; the extension's own is `charm`.

Facts from charmcraft 4.5.0 and craft-parts 2.37.
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.extension.names import nearest
from nuages.extension.problems import Problem
from nuages.extension.project import Project

PLUGINS = [
    "ant",
    "autotools",
    "bazel",
    "cargo-use",
    "charm",
    "cmake",
    "dotnet",
    "dump",
    "go",
    "go-use",
    "gradle",
    "gradle-use",
    "jlink",
    "make",
    "maven",
    "maven-use",
    "meson",
    "nil",
    "npm",
    "npm-use",
    "poetry",
    "python",
    "qmake",
    "reactive",
    "ruby",
    "rust",
    "scons",
    "uv",
]
WITHOUT_SOURCE = ("charm", "jlink", "nil", "reactive")
KEYS = [
    "plugin",
    "source",
    "source-checksum",
    "source-channel",
    "source-branch",
    "source-commit",
    "source-depth",
    "source-subdir",
    "source-submodules",
    "source-tag",
    "source-type",
    "disable-parallel",
    "after",
    "overlay-packages",
    "overlay-recommended-packages",
    "stage-snaps",
    "stage-packages",
    "stage-slices",
    "build-snaps",
    "build-packages",
    "build-slices",
    "build-environment",
    "build-attributes",
    "organize",
    "overlay",
    "stage",
    "prime",
    "override-pull",
    "overlay-script",
    "override-overlay",
    "override-build",
    "override-stage",
    "override-prime",
    "permissions",
]
LISTS = [
    "source-submodules",
    "after",
    "overlay-packages",
    "stage-snaps",
    "stage-packages",
    "stage-slices",
    "build-snaps",
    "build-packages",
    "build-slices",
    "build-environment",
    "build-attributes",
    "overlay",
    "stage",
    "prime",
    "permissions",
]


def _parts(project: Project) -> Iterator[Problem]:
    document = project.document
    parts = document.mapping("parts")
    if not parts and not document.get("extensions") and "bases" not in document.data:
        yield document.problem("missing-key", ("parts",), "is missing", "add `extensions:` with `- django-framework`")
    for name, part in parts.items():
        path = ("parts", name)
        if project.extended and name == "charm":
            continue
        if "/" in name:
            yield document.problem("part", path, "a part's name has no slash", "rename it")
        if not isinstance(part, dict):
            yield document.problem("part", path, "is not a mapping", "write `plugin: dump` and `source: .` below it")
            continue
        plugin = part.get("plugin", name)
        if not isinstance(plugin, str) or plugin not in PLUGINS:
            hint = nearest(str(plugin), PLUGINS)
            yield document.problem("part", (*path, "plugin"), f"there is no plugin {plugin!r}{hint}", "use another one")
            continue
        if part.get("source") is None and plugin not in WITHOUT_SOURCE:
            yield document.problem("part", path, f"plugin {plugin} needs a source", "write `source: .` below it")
        for key, value in part.items():
            if key not in KEYS and not key.startswith(plugin + "-"):
                yield document.problem("part", (*path, key), f"unknown{nearest(key, KEYS)}", "remove or rename it")
            elif key in LISTS and value is not None and not isinstance(value, list):
                yield document.problem("part", (*path, key), "is not a list", "write `- item` lines below it")


RULES = (_parts,)
