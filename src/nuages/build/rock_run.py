"""Running the commands that a rock's parts run, in the local rock's own tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from nuages.build import confined
from nuages.build.environment import Environment
from nuages.build.errors import BuildError
from nuages.build.rock_steps import Step
from nuages.contract import layout
from nuages.engine.programs import Progress, ensure
from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError

TIMEOUT = 600.0
"""Seconds for one command: collecting the files of a large project takes a fraction."""


def run(
    steps: Sequence[Step],
    application: Path,
    made: Environment,
    app: str,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Run the steps in `application`, which is `app` to them and may be written.

    Raises:
        BuildError: one failed; the last line that it said.
    """
    if not steps:
        return
    bwrap = str(ensure("bwrap", progress=progress)["bwrap"])
    if os.geteuid() == 0:
        _give(application, layout.UID)
    try:
        for step in steps:
            if progress is not None:
                progress(Progress("rock", 0, None, step.shown))
            _one(step, bwrap, application, made, app)
    finally:
        if os.geteuid() == 0:
            _give(application, 0)


def _one(step: Step, bwrap: str, application: Path, made: Environment, app: str) -> None:
    inside = ["--bind", str(application), app]
    argv = ["/bin/python3", f"{app}/manage.py", *step.arguments]
    words = confined.command(bwrap, made, inside, argv, app=app, directory=step.directory)
    try:
        result = process.run(words, environment={**confined.ENVIRONMENT, **step.environment}, timeout=TIMEOUT)
    except SandboxError as error:
        raise BuildError(f"cannot build the rock: {step.shown}: {error}", fix="see what it waits for") from None
    if result.code:
        lines = (result.err.strip() or result.out.strip() or f"exit code {result.code}").splitlines()
        raise BuildError(
            f"cannot build the rock: part {step.part}: {step.shown}: {lines[-1]}",
            fix=_fix(result.err, step),
            code="step",
        )


def _fix(output: str, step: Step) -> str:
    if "msgfmt" in output:
        return "sudo apt install gettext, and `stage-packages: [gettext]` or `build-packages: [gettext]` in the part"
    if "STATIC_ROOT" in output:
        return 'set STATIC_ROOT = BASE_DIR / "staticfiles" in the settings'
    if any(sign in output for sign in ("KeyError", "ImproperlyConfigured", "environ")):
        return f"give the variables that the settings want in the part: DJANGO_SECRET_KEY=none python3 {step.shown}"
    return f"correct it in rockcraft.yaml, or try it in the project: python3 {step.shown}"


def _give(tree: Path, uid: int) -> None:
    for parent, directories, files in os.walk(tree):
        for path in (parent, *(os.path.join(parent, name) for name in (*directories, *files))):  # noqa: PTH118
            os.chown(path, uid, uid, follow_symlinks=False)
