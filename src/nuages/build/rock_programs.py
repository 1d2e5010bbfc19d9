"""Which programs an application calls that its rock would lack, though this machine lends them to the local one.

Three places name programs: the application's own code and shell scripts, the commands of services in rockcraft.yaml,
and packages that are known to be a door to a program. Code is read, never run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nuages.build import called_programs
from nuages.build.environment import Environment
from nuages.engine.programs import cache_dir
from nuages.extension.in_rock import IN_BARE, IN_UBUNTU, PACKAGES
from nuages.extension.load import Document
from nuages.extension.names import listed

DOORS: Mapping[str, tuple[str, ...]] = {
    "django_dbbackup": ("pg_dump",),
    "django_tex": ("lualatex",),
    "django_wkhtmltopdf": ("wkhtmltopdf",),
    "ffmpeg_python": ("ffmpeg", "ffprobe"),
    "gitpython": ("git",),
    "graphviz": ("dot",),
    "imgkit": ("wkhtmltoimage",),
    "ocrmypdf": ("tesseract", "gs"),
    "pdf2image": ("pdftoppm",),
    "pdfkit": ("wkhtmltopdf",),
    "pydot": ("dot",),
    "pydub": ("ffmpeg",),
    "pyexiftool": ("exiftool",),
    "pypandoc": ("pandoc",),
    "pytesseract": ("tesseract",),
    "python_gnupg": ("gpg",),
    "unoserver": ("soffice",),
}
"""Distributions that do nothing without a program: its name."""

HOST = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""Where this machine lends programs from."""

_SHELLS = ("sh", "bash", "dash")


@dataclass(frozen=True)
class Program:
    """A program that is neither in the environment nor in the rock's base."""

    name: str
    wanted_by: str
    """The file, service or distribution that calls it."""
    here: bool
    """Whether this machine has it, so that the local rock has it too."""


def lent(
    made: Environment, document: Document, files: Sequence[tuple[str, Path]], content: str, *, bare: bool
) -> list[Program]:
    """Return the programs that the rock would lack, each once; code is read once for each content of the files."""
    calls = [*_remembered(files, content), *_services(document), *_doors(made.site_packages)]
    there = made.commands | (IN_BARE if bare else IN_BARE | IN_UBUNTU)
    found: dict[str, Program] = {}
    for name, wanted_by, certain in calls:
        if name in there or name in found:
            continue
        here = shutil.which(name, path=HOST) is not None
        if here or certain:
            found[name] = Program(name, wanted_by, here)
    return list(found.values())


def notes(found: Iterable[Program], staged: Sequence[str]) -> list[str]:
    """Return what to say of programs, but for those that a staged package brings; one note for each package."""
    found = list(found)
    packages = _packages([program.name for program in found])
    grouped: dict[str, list[Program]] = {}
    for program in found:
        package = packages.get(program.name, "")
        if package not in staged:
            grouped.setdefault(package or program.name, []).append(program)
    told: list[str] = []
    for those in grouped.values():
        first, package = those[0], packages.get(those[0].name, "")
        names = listed(program.name for program in those)
        fix = f"stage-packages: [{package}]" if package else "stage-packages with the package of Ubuntu that has it"
        if first.here:
            told.append(f"{first.wanted_by} calls {names} of this machine, and the rock would lack it: {fix}"
                        " in rockcraft.yaml")  # fmt: skip
        else:
            told.append(f"{first.wanted_by} calls {names}, which neither this machine nor the rock has: {fix}"
                        f" in rockcraft.yaml, and `sudo apt install {package or names}` here")  # fmt: skip
    return told


def _remembered(files: Sequence[tuple[str, Path]], content: str) -> list[tuple[str, str, bool]]:
    memory = cache_dir() / "lent" / f"{content}.programs.json"
    try:
        return [(str(name), str(file), False) for name, file in json.loads(memory.read_text())]
    except (OSError, ValueError, TypeError):
        pass  # not looked for yet
    found = list(dict.fromkeys(_of_files(files)))
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(found))
    return [(name, file, False) for name, file in found]


def _of_files(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, str]]:
    """Yield program and file for each call in the application's modules and shell scripts."""
    for name, path in files:
        if name.endswith(".py"):
            if not called_programs.is_test(name):
                yield from ((program, name) for program in called_programs.of_module(path.read_bytes()))
        elif name.endswith(".sh") or name == "migrate":
            yield from ((program, name) for program in called_programs.of_script(path.read_bytes()))


def _services(document: Document) -> Iterator[tuple[str, str, bool]]:
    for service, entry in document.mapping("services").items():
        command = entry.get("command") if isinstance(entry, dict) else None
        if not isinstance(command, str):
            continue
        try:
            words = shlex.split(command)
        except ValueError:
            continue  # another rule's matter
        if not words:
            continue
        program = called_programs.name_of(words[0])
        if program:
            yield program, f"service {service}", False
        if program in _SHELLS:
            for word, after in zip(words[1:], [*words[2:], ""], strict=True):
                if re.fullmatch(r"-[a-z]*c", word):
                    yield from (
                        (name, f"service {service}", False) for name in called_programs.of_script(after.encode())
                    )


def _doors(packages: Path) -> Iterator[tuple[str, str, bool]]:
    for path in sorted(packages.glob("*.dist-info")):
        distribution = path.name.split("-")[0]
        for program in DOORS.get(re.sub(r"[-.]+", "_", distribution).lower(), ()):
            yield program, distribution, True


def _packages(names: Sequence[str]) -> dict[str, str]:
    """Return Ubuntu's package for each program: known here, or as this machine's dpkg has it."""
    known = {name: PACKAGES[name] for name in names if name in PACKAGES}
    unknown = {found: name for name in names if name not in known and (found := shutil.which(name, path=HOST))}
    if unknown and shutil.which("dpkg-query"):
        merged = {path.removeprefix("/usr"): name for path, name in unknown.items()}  # /bin and /usr/bin are one
        words = ["dpkg-query", "-S", *unknown, *merged]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        for line in done.stdout.splitlines():
            packages, _, path = line.partition(": ")
            name = unknown.get(path) or merged.get(path)
            if name and "diversion" not in packages:
                known.setdefault(name, packages.split(",")[0].partition(":")[0])
    return known
