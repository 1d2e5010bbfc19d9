"""Debian packages without root: downloaded, checked by apt against its signed lists, unpacked into one tree."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nuages.engine.programs import ProgramError, work
from nuages.engine.programs.kinds import Debian
from nuages.engine.programs.work import Job
from nuages.engine.sandbox import process

_LISTS = Path("/var/lib/apt/lists")
_STALE = ("404", "Can't find a source to download", "Unable to locate package", "Hash Sum mismatch", "unexpected size")
"""What apt-get says when its lists are older than the archive, or name no archive at all."""
_UPDATE = "sudo apt-get update"
NO_LISTS = "no-lists"
"""Code of the error that `_UPDATE` mends."""


def fetch(job: Job, source: Debian, directory: Path) -> None:
    """Unpack Debian packages into `directory`.

    Raises:
        ProgramError: this is no Debian (code "absent"), or its package lists are empty or old.
    """
    if not (shutil.which("apt-get") and shutil.which("apt-cache") and shutil.which("dpkg")):
        raise ProgramError(f"cannot fetch {job.program}: there is no apt-get here", code="absent")
    # Without a terminal's language and colours: what they print is read.
    environment = {**os.environ, "LC_ALL": "C"}
    job.say(0, source.download, "downloading")
    names = choose(job.program, source.packages, _candidates(job, source.packages, environment), listed=_has_lists())
    log = directory / ".log"
    # Beside the tree: nothing of a package can meet it, and both are gone when the fetch is stopped.
    downloads = directory / ".packages"
    downloads.mkdir()

    def watch() -> None:
        job.say(min(work.size(downloads), source.download), source.download, "downloading")

    try:
        argv = ["apt-get", "download", "-q", *names]
        work.run(job, argv, cwd=downloads, environment=environment, log=log, watch=watch)
    except ProgramError as error:
        raise _explained(job.program, error, log.read_text(errors="replace")) from None
    job.say(source.download, source.download, "unpacking")
    for package in sorted(downloads.glob("*.deb")):
        work.run(job, ["dpkg", "-x", str(package), "."], cwd=directory, environment=environment, log=log)
        package.unlink()
    for folder in source.without:
        shutil.rmtree(directory / folder, ignore_errors=True)  # another release may not have it
    downloads.rmdir()
    log.unlink()
    job.say(source.download, source.download)


def choose(program: str, packages: Sequence[str], candidates: frozenset[str], *, listed: bool) -> list[str]:
    """Return the name of each package in this release: of `new|old` the first one that it has. Pure.

    Raises:
        ProgramError: there is none; without package lists (`listed`) the mend is to fetch them.
    """
    names: list[str] = []
    for package in packages:
        found = next((name for name in package.split("|") if name in candidates), None)
        if found is None:
            name = package.partition("|")[0]
            if not listed:
                raise ProgramError(
                    f"cannot fetch {program}: the package lists of apt are empty", fix=_UPDATE, code=NO_LISTS
                )
            raise ProgramError(f"cannot fetch {program}: apt knows no package {name} for this machine", code="absent")
        names.append(found)
    return names


def parse_candidates(output: str) -> frozenset[str]:
    """Return the packages that `apt-cache policy` says can be had."""
    found = re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (?!\(none\))", output, re.MULTILINE)
    return frozenset(name.partition(":")[0] for name in found)


def _candidates(job: Job, packages: Sequence[str], environment: Mapping[str, str]) -> frozenset[str]:
    names = [name for package in packages for name in package.split("|")]
    result = process.run(["apt-cache", "policy", *names], environment=environment, timeout=120)
    if result.code:
        raise work.failure(job.program, result.err)
    return parse_candidates(result.out)


def _has_lists() -> bool:
    return any(_LISTS.glob("*_Packages*"))


def _explained(program: str, error: ProgramError, output: str) -> ProgramError:
    if error.code == "program" and any(words in output for words in _STALE):
        return ProgramError(
            f"cannot fetch {program}: the package lists of apt are older than the packages", fix=_UPDATE, code=NO_LISTS
        )
    return error
