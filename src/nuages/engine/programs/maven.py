"""Jars of a Maven repository: a program for machines without apt, where the user has a way to such a repository.

Nothing here knows an address. `mvn` knows its repositories by itself and by the user's settings; without it, the
variable MAVEN_REPOSITORY names one.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import platform
import shutil
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from nuages.engine.programs import ProgramError, work
from nuages.engine.programs.kinds import Maven
from nuages.engine.programs.work import Job

VARIABLE = "MAVEN_REPOSITORY"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_PIECE = 1 << 18
_TIMEOUT = 60.0  # seconds without a byte


def fetch(job: Job, source: Maven, directory: Path) -> None:
    """Unpack a jar into `directory`, checked by its hash.

    Raises:
        ProgramError: there is no way to a repository, or none for this processor (code "absent"), or the jar is wrong.
    """
    if platform.machine() not in source.machines:
        raise ProgramError(f"cannot fetch {job.program}: its jar is not for {platform.machine()}", code="absent")
    repository, tool = os.environ.get(VARIABLE, ""), shutil.which("mvn")
    if not (repository or tool):
        raise ProgramError(f"cannot fetch {job.program}: there is neither mvn nor {VARIABLE} here", code="absent")
    own = directory / ".maven"
    own.mkdir()
    jar = own / f"{source.artifact}-{source.version}.jar"
    job.say(0, source.download, "downloading")
    if repository:
        _download(job, source, repository, jar)
    elif tool:
        _copy(job, source, tool, jar)
    if _hash(jar) != source.sha256:
        raise ProgramError(f"cannot fetch {job.program}: hash mismatch for {jar.name}")
    job.say(source.download, source.download, "unpacking")
    _unpack(job, jar, directory)
    shutil.rmtree(own)
    job.say(source.download, source.download)


def _copy(job: Job, source: Maven, tool: str, jar: Path) -> None:
    # A local repository of its own: what Maven downloads for itself goes with it.
    argv = ["/bin/sh", "-c", 'exec "$@" >&2', "sh", tool, "-B", "-q", "-Dstyle.color=never"]  # its errors go to stdout
    argv += [f"-Dmaven.repo.local={jar.parent}/local", _COPY]
    argv += [f"-Dartifact={source.group}:{source.artifact}:{source.version}", f"-DoutputDirectory={jar.parent}"]

    def watch() -> None:
        job.say(min(work.size(jar.parent), source.download), source.download, "downloading")

    work.run(job, argv, cwd=jar.parent, environment=os.environ, log=jar.parent / "log", watch=watch)
    shutil.rmtree(jar.parent / "local")


def _download(job: Job, source: Maven, repository: str, jar: Path) -> None:
    if not repository.startswith(("http://", "https://")):
        raise ProgramError(
            f"cannot fetch {job.program}: {VARIABLE} is no address", fix=f"export {VARIABLE}=https://…, then run again"
        )
    url = "/".join([repository.rstrip("/"), *source.group.split("."), source.artifact, source.version, jar.name])
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, jar.open("wb") as file:  # noqa: S310  # checked above
            while piece := answer.read(_PIECE):
                file.write(piece)
                done += len(piece)
                job.say(min(done, source.download), source.download, "downloading")
                if job.stop.is_set():
                    raise work.Stopped
    except urllib.error.HTTPError as error:
        raise ProgramError(
            f"cannot fetch {job.program}: the repository of {VARIABLE} answers {error.code} for {jar.name}"
        ) from None
    except (urllib.error.URLError, http.client.HTTPException) as error:
        raise work.failure(job.program, f"Failed to fetch: {error}") from None


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _unpack(job: Job, jar: Path, directory: Path) -> None:
    """Write the jar's files; those in a folder of programs may be run, which a jar does not say."""
    with zipfile.ZipFile(jar) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if job.stop.is_set():
                raise work.Stopped
            path = Path(archive.extract(entry, directory))  # below the directory, whatever the entry's name
            path.chmod(0o755 if path.parent.name in ("bin", "sbin") else 0o644)
        for folder, _, _ in os.walk(directory):
            Path(folder).chmod(0o755)  # pods have users of their own, whatever the umask here
