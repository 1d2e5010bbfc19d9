"""Which libraries a compiled file asks the program loader for: its DT_NEEDED entries, read without any tool.

Layout from the ELF specification (gABI 4.1) and elf.h.
"""

from __future__ import annotations

import struct
from pathlib import Path

MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRTAB = 1, 5


def needed(path: Path) -> tuple[str, ...]:
    """Return the names of the libraries that a file needs; none for what is no ELF file, or a broken one."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            return ()
        file.seek(0)
        content = file.read()
    try:
        return _needed(content)
    except (struct.error, IndexError, ValueError):
        return ()


def _needed(content: bytes) -> tuple[str, ...]:
    wide = content[4] == 2
    order = "<" if content[5] == 1 else ">"
    if wide:
        (table,) = struct.unpack_from(order + "Q", content, 32)
        size, count = struct.unpack_from(order + "HH", content, 54)
    else:
        (table,) = struct.unpack_from(order + "I", content, 28)
        size, count = struct.unpack_from(order + "HH", content, 42)
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    for index in range(count):
        at = table + index * size
        if wide:
            kind, _, offset, address, _, length = struct.unpack_from(order + "IIQQQQ", content, at)
        else:
            kind, offset, address, _, length = struct.unpack_from(order + "IIIII", content, at)
        if kind == _LOAD:
            loads.append((address, offset, length))
        elif kind == _DYNAMIC:
            dynamic = (offset, length)
    if dynamic is None:
        return ()
    entry = order + ("QQ" if wide else "II")
    step = struct.calcsize(entry)
    entries = [struct.unpack_from(entry, content, at) for at in range(dynamic[0], sum(dynamic) - step + 1, step)]
    strings = next((value for tag, value in entries if tag == _STRTAB), None)
    if strings is None:
        return ()
    start = next(
        (strings - address + offset for address, offset, length in loads if address <= strings < address + length)
    )
    names = [content[start + value : content.index(b"\0", start + value)] for tag, value in entries if tag == _NEEDED]
    return tuple(name.decode(errors="replace") for name in names)
