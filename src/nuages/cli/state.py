"""Our folder on the user's machine, and the few things the command line itself remembers there."""

import errno
import json
import os
import pwd
from pathlib import Path
from typing import cast

from nuages.cli.errors import CliError

MEMORY = "cli.json"


def state_dir() -> Path:
    """Return the state folder: `$XDG_STATE_HOME/nuages`, by default `~/.local/state/nuages`."""
    base = os.environ.get("XDG_STATE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return root / "nuages"


def make_state_dir(directory: Path) -> None:
    """Create the state folder, closed to others.

    Raises `CliError` when it belongs to someone else, or would come to belong to root in another user's home.
    """
    uid = os.geteuid()
    if os.path.lexists(directory) and (owner := directory.stat().st_uid) != uid:
        raise CliError(
            f"cannot use {directory}: it belongs to {_name(owner)}, and you are {_name(uid)}",
            fix=f"run nuages as {_name(owner)}, or set XDG_STATE_HOME to a folder of your own",
            code="other-user",
        )
    refuse_root_elsewhere(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise CliError(
            f"cannot make the state folder {directory}: {error.strerror}",
            fix="set XDG_STATE_HOME to a folder that you can write to",
        ) from error


def has_state_dir() -> bool:
    """Return whether there is a state folder; without one there is no model, and no daemon runs."""
    return os.path.exists(state_dir())  # noqa: PTH110  Path.exists raises where a folder above is closed to us


def refuse_root_elsewhere(directory: Path) -> None:
    """Raise `CliError` when root would write into another user's home, as with a sudo that keeps HOME."""
    while not os.path.lexists(directory) and directory != directory.parent:
        directory = directory.parent
    owner = directory.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise CliError(
            f"cannot run as root in the home of {_name(owner)}: root's files there would lock {_name(owner)} out",
            fix=f"run nuages as {_name(owner)} without sudo, or as root with its own home: sudo -H",
            code="other-user",
        )


def make_cache_dir(directory: Path) -> None:
    """Create the folder of downloads and builds. Raises `CliError` when we cannot write there."""
    import tempfile  # slow to import, and every command imports this module

    refuse_root_elsewhere(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return  # those who write there know how much they need
        raise CliError(
            f"cannot write to the cache folder {directory}: {error.strerror}",
            fix="set XDG_CACHE_HOME to a folder that you can write to",
            code="cache",
        ) from error


def current_model(directory: Path) -> str | None:
    """Return the model last chosen outside of a project, if any."""
    try:
        memory = cast("dict[str, object]", json.loads((directory / MEMORY).read_text()))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CliError(f"cannot read {directory / MEMORY}: {error}", fix=f"rm {directory / MEMORY}") from error
    model = memory.get("current-model")
    return model if isinstance(model, str) else None


def choose_model(directory: Path, model: str | None) -> None:
    """Remember the model for commands outside of a project; None forgets it."""
    path = directory / MEMORY
    if model is None:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"current-model": model}))
    temporary.replace(path)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
