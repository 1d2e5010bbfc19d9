"""Runs a command with the refusals that Ubuntu's AppArmor makes inside a user's own user namespace.

    python restricted.py mount,link FOLDER COMMAND …

Its profile `unprivileged_userns` denies every capability there: a mount is EACCES, a request to make a link EPERM. Here
a seccomp filter answers so for the command and all that it starts, whichever namespace they are in; and FOLDER, a copy
of /proc/sys/kernel in which the switch is on, is bound over that in the (private) mount namespace that we run in.
Only for root: an ordinary user's filter would also forbid newuidmap, which Ubuntu does not.
"""

import ctypes
import errno
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

SWITCH = "apparmor_restrict_unprivileged_userns"
KERNEL = Path("/proc/sys/kernel")

# <asm/unistd.h>: mount, open_tree, move_mount, fsopen, fsmount, mount_setattr; sendmsg, which `ip` asks netlink with
MACHINES = {
    "x86_64": (0xC000003E, {"mount": (165, 428, 429, 430, 432, 442), "link": (46,)}),
    "aarch64": (0xC00000B7, {"mount": (40, 428, 429, 430, 432, 442), "link": (211,)}),
}
ERRNO = {"mount": errno.EACCES, "link": errno.EPERM}
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


def program(kinds: list[str]) -> bytes:
    """Return the filter: struct sock_filter, one after the other."""
    arch, numbers = MACHINES[platform.machine()]
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, arch), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, 0)]
    for kind in kinds:
        for number in numbers[kind]:
            lines += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | ERRNO[kind])]
    return b"".join(struct.pack("HBBI", *line) for line in [*lines, (RETURN, 0, 0, ALLOW)])


def install(kinds: list[str]) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    code = program(kinds)
    libc = ctypes.CDLL(None, use_errno=True)
    found = Program(len(code) // 8, code)
    if libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(found), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


def switched_on(folder: Path) -> None:
    """Bind a copy of the kernel's settings, with the switch on, over them."""
    folder.mkdir()
    folder.chmod(0o755)
    for path in KERNEL.iterdir():
        if path.is_file() and os.access(path, os.R_OK) and path.stat().st_mode & 0o444:
            try:
                (folder / path.name).write_bytes(path.read_bytes())
            except OSError:
                continue  # some can be opened and not read
    (folder / SWITCH).write_text("1\n")
    subprocess.run(["mount", "--bind", str(folder), str(KERNEL)], check=True)


if __name__ == "__main__":
    switched_on(Path(sys.argv[2]))
    install(sys.argv[1].split(","))
    os.execvp(sys.argv[3], sys.argv[3:])
