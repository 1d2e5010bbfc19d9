"""Why this machine refuses namespaces, and what its owner can do about it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nuages.engine.sandbox.errors import NamespacesError

_SWITCHES = {
    "apparmor": "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "clone": "/proc/sys/kernel/unprivileged_userns_clone",
    "limit": "/proc/sys/user/max_user_namespaces",
    "netlimit": "/proc/sys/user/max_net_namespaces",
}
_PROFILE = "/etc/apparmor.d/nuages"


def switches() -> dict[str, str]:
    """Return the kernel's settings that can forbid namespaces, those that exist here."""
    found: dict[str, str] = {}
    for name, path in _SWITCHES.items():
        with contextlib.suppress(OSError):
            found[name] = Path(path).read_text().strip()
    return found


def explain(failures: Sequence[str]) -> NamespacesError:
    """Return the error to raise when no user map worked on this machine."""
    programs = [shutil.which(name) or f"/usr/bin/{name}" for name in ("unshare", "nsenter", "bwrap")]
    contained = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or Path("/run/host").exists()
    return reason(failures, switches(), programs, contained=contained)


def reason(
    failures: Sequence[str], settings: Mapping[str, str], programs: Sequence[str], *, contained: bool
) -> NamespacesError:
    """Return what the failures and the kernel's settings mean, with its mend."""
    if settings.get("clone") == "0":
        return NamespacesError(
            "cannot make pods: kernel.unprivileged_userns_clone is 0, so users may not make namespaces",
            fix=_sysctl("kernel.unprivileged_userns_clone=1"),
        )
    for key, name in (("limit", "user.max_user_namespaces"), ("netlimit", "user.max_net_namespaces")):
        if settings.get(key) == "0":
            return NamespacesError(
                f"cannot make pods: {name} is 0, so nobody may make namespaces",
                fix=_sysctl(f"{name}=10000"),
            )
    if settings.get("apparmor") == "1":
        return NamespacesError(
            "cannot make pods: AppArmor takes the rights out of namespaces that users make "
            "(kernel.apparmor_restrict_unprivileged_userns is 1)",
            fix="allow it for these three programs only, with this profile and two lines:\n"
            f"sudo tee {_PROFILE} <<'END'\n{profile(programs)}END\nsudo apparmor_parser -r {_PROFILE}",
            code="apparmor",
        )
    why = failures[-1].rpartition(": ")[2] if failures else "no map of users fits into this machine's ids"
    if contained:
        return NamespacesError(
            f"cannot make pods: this container may not make namespaces ({why})",
            fix="start the container with --privileged, or run nuages on the machine itself",
        )
    return NamespacesError(
        f"cannot make pods: the kernel refuses a user, network, pid or mount namespace ({why})",
        fix="run nuages on a Linux kernel with user namespaces (WSL2 and Lima have one)",
    )


def _sysctl(setting: str) -> str:
    return f"echo {setting} | sudo tee /etc/sysctl.d/60-nuages.conf && sudo sysctl --system"


def profile(programs: Sequence[str]) -> str:
    """Return the AppArmor profile that lets exactly these programs make user namespaces."""
    blocks = [
        f"profile nuages-{Path(program).name} {program} flags=(unconfined) {{\n  userns,\n}}\n" for program in programs
    ]
    return "abi <abi/4.0>,\ninclude <tunables/global>\n" + "".join(blocks)
