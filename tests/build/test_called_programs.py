"""Which programs a text calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.build import called_programs


@pytest.mark.parametrize(
    ("source", "programs"),
    [
        ("import subprocess\nsubprocess.run(['ffmpeg', '-i', name])", ["ffmpeg"]),
        ("import subprocess as sp\nsp.Popen(('/usr/bin/git', 'log'))", ["git"]),
        ("from subprocess import check_output as out\nout('pandoc')", ["pandoc"]),
        ("import subprocess\nCMD = ['dot', '-Tpng']\nsubprocess.run(CMD, check=True)", ["dot"]),
        ("import subprocess\nsubprocess.run(args=['gs'])", ["gs"]),
        ("import subprocess\nTOOL = 'convert'\nsubprocess.run([TOOL, path])", ["convert"]),
        ("import subprocess\nsubprocess.run('cat a | node b.js && LANG=C psql', shell=True)", ["cat", "node", "psql"]),
        ("import subprocess\nsubprocess.run(f'pdftotext {path} -', shell=True)", ["pdftotext"]),
        ("import subprocess, shlex\nsubprocess.run(shlex.split('wkhtmltopdf - -'))", ["wkhtmltopdf"]),
        ("import os\nos.system('tesseract ' + name)", ["tesseract"]),
        ("import os\nos.spawnlp(os.P_WAIT, 'zip', 'zip')", ["zip"]),
        ("import shutil\nshutil.which('soffice')", ["soffice"]),
        ("from asyncio import create_subprocess_exec as go\nasync def a(): await go('unzip', x)", ["unzip"]),
        ("import subprocess, sys\nsubprocess.run([sys.executable, 'manage.py'])", []),
        ("import subprocess\nsubprocess.run(['python3', 'manage.py'])", []),
        ("import subprocess\nsubprocess.run(['./convert.sh'])", []),
        ("import subprocess\nsubprocess.run(['/opt/tool/bin/run'])", []),
        ("import subprocess\nsubprocess.run([*command])\nsubprocess.run()\nsubprocess.run([])", []),
        ("import subprocess\nsubprocess.run([f'{prefix}ffmpeg'])", []),
        ("def run(words): pass\nrun(['ffmpeg'])  # subprocess", []),
        ("import subprocess\nthis is no Python", []),
    ],
)  # fmt: skip
def test_a_module(source, programs):
    assert list(called_programs.of_module(source.encode())) == programs


def test_a_script():
    script = """\
#!/bin/bash -e
# psql in a comment
export LANG=C
log() { echo "$@"; }
log "starting; node is not called here"
if ! pg_isready -h "$HOST"; then
    exec gosu app python3 manage.py migrate
fi
./own.sh
cat <<END
ffmpeg is text here
END
for f in *.svg; do rsvg-convert "$f"; done
curl -s http://localhost | jq .
"""
    assert list(called_programs.of_script(script.encode())) == [
        "pg_isready", "gosu", "cat", "rsvg-convert", "curl", "jq",
    ]  # fmt: skip


def test_a_script_in_another_language_names_none():
    assert list(called_programs.of_script(b"#!/usr/bin/env python3\nprint\n")) == []


@pytest.mark.parametrize(
    ("name", "is_test"),
    [("app/tests/test_a.py", True), ("test_views.py", True), ("app/tests.py", True), ("conftest.py", True),
     ("app/contest.py", False), ("latest/views.py", False), ("app/protests/models.py", False)],
)  # fmt: skip
def test_what_is_a_test(name, is_test):
    assert called_programs.is_test(name) is is_test


@given(st.text())
def test_any_text_is_read(text):
    for found in (
        called_programs.of_script(text.encode()),
        called_programs.of_module(b"import subprocess\n" + text.encode()),
        called_programs.of_module(f"import os\nos.system({text!r})\n".encode()),
    ):
        assert all(called_programs.name_of(name) == name for name in found)
