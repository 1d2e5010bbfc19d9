"""Running a project's own code while it is built or checked: what the sandbox around it is made of.

No network, nothing of the host but /usr and the project's environment, a /tmp of its own, as a user that is nobody on
the host.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nuages.build.environment import Environment
from nuages.contract import layout

ENVIRONMENT = {"PATH": "/bin:/usr/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108  the sandbox's own
_LENT = ("/etc/ld.so.cache", "/etc/ssl", "/etc/alternatives", "/etc/localtime", "/etc/mime.types")


def command(
    bwrap: str, made: Environment, inside: Sequence[str], words: Sequence[str], *, app: str, directory: str = ""
) -> list[str]:
    """Return the command that runs `words` in the sandbox.

    `inside` are options for the project's files, which are in `app`; the command starts in `directory`, or there.
    """
    found = [bwrap, "--die-with-parent", "--new-session"]
    found += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    user = str(layout.UID)
    drop: list[str] = []
    if os.geteuid() == 0:
        # As root there is no user namespace whose map would hold the host's root: the user is left for good instead.
        drop = ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps", "-all"]
        drop += ["--bounding-set", "-all", "--no-new-privs"]
    else:
        found += ["--unshare-user", "--uid", user, "--gid", user]
    for target in (app, "/etc/ssl", *(mount.target for mount in made.python.mounts())):
        for parent in reversed(Path(target).parents[:-1]):
            found += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap's own would be for its user only
    found += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108  the sandbox's own
    for name in ("bin", "lib", "pyvenv.cfg"):
        found += ["--ro-bind", str(made.directory / name), "/" + name]
    for name in ("sbin", "lib64"):
        if (host := Path("/") / name).is_symlink():
            found += ["--symlink", str(host.readlink()), f"/{name}"]
    for name in _LENT:
        found += ["--ro-bind-try", name, name]
    for mount in made.python.mounts():
        found += ["--ro-bind", str(mount.source), mount.target]
    return [*found, *inside, "--chdir", directory or app, "--", *drop, *words]
