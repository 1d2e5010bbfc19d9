"""A jar from a repository of our own, at an address that a variable names."""

import functools
import hashlib
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nuages.engine.programs import ProgramError, maven
from nuages.engine.programs.kinds import Maven
from nuages.engine.programs.work import Job

PLACE = "org/example/tools/thing/1.2/thing-1.2.jar"


@pytest.fixture
def repository(tmp_path):
    """Serve a repository with one jar; yield its address and the row of the table that fits it."""
    jar = tmp_path / "repository" / PLACE
    jar.parent.mkdir(parents=True)
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("tree/bin/thing", "#!/bin/sh\necho works\n")
        archive.writestr("tree/share/words", "hello")
        archive.writestr("../../outside", "no")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "repository")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    digest = hashlib.sha256(jar.read_bytes()).hexdigest()
    row = Maven("org.example.tools", "thing", "1.2", digest, "tree/bin/thing", 500, 500, machines=("x86_64", "aarch64"))
    yield f"http://127.0.0.1:{server.server_port}", row
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "deep" / "below" / "target"
    path.mkdir(parents=True)
    return path


def job(seen=None):
    return Job("thing", lambda progress: seen.append(progress) if seen is not None else None)


def test_a_jar_is_unpacked_and_its_programs_run(repository, directory, monkeypatch):
    address, row = repository
    monkeypatch.setenv(maven.VARIABLE, f"{address}/")
    seen = []
    maven.fetch(job(seen), row, directory)
    assert (directory / row.path).stat().st_mode & 0o777 == 0o755
    assert (directory / "tree/share/words").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in directory.iterdir()) == ["outside", "tree"], "nothing outside, nothing left"
    assert {progress.note for progress in seen} == {"downloading", "unpacking", ""}


def test_a_jar_with_other_bytes_is_refused(repository, directory, monkeypatch):
    address, row = repository
    monkeypatch.setenv(maven.VARIABLE, address)
    wrong = Maven(row.group, row.artifact, row.version, "0" * 64, row.path, 500, 500, machines=row.machines)
    with pytest.raises(ProgramError, match=r"hash mismatch for thing-1\.2\.jar"):
        maven.fetch(job(), wrong, directory)
    assert not (directory / "tree").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{address}/nowhere", "answers 404 for thing-1.2.jar"),
        ("ftp://x", "MAVEN_REPOSITORY is no address"),
        ("/srv", "MAVEN_REPOSITORY is no address"),
        ("http://127.0.0.1:1", "cannot be reached"),
        ("", "neither mvn nor MAVEN_REPOSITORY"),
    ],
)
def test_no_way_to_a_repository_is_one_line(repository, directory, monkeypatch, value, words):
    address, row = repository
    monkeypatch.setenv(maven.VARIABLE, value.format(address=address))
    with pytest.raises(ProgramError) as caught:
        maven.fetch(job(), row, directory)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_another_processor_is_told(repository, directory, monkeypatch):
    _, row = repository
    monkeypatch.setattr(maven.platform, "machine", lambda: "riscv64")
    with pytest.raises(ProgramError, match="its jar is not for riscv64"):
        maven.fetch(job(), row, directory)
