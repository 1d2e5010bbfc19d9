"""Snappy's block format, as promtail and others push it. Source: google/snappy, format_description.txt."""

from __future__ import annotations


class Corrupt(ValueError):
    """What was sent is no snappy block."""


def decompress(data: bytes, *, most: int) -> bytes:
    """Return what a block holds.

    Raises:
        Corrupt: it is no block, or holds more than `most` bytes.
    """
    size, at = varint(data, 0)
    if size > most:
        raise Corrupt(f"{size} bytes are more than {most}")
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length, at = _literal(data, tag >> 2, at)
            if at + length > len(data):
                raise Corrupt("it ends within a literal")
            out += data[at : at + length]
            at += length
        else:
            length, offset, at = _copy(data, tag, at)
            if offset == 0 or offset > len(out):
                raise Corrupt("it copies from before its beginning")
            # What is copied may overlap what it makes: then the last `offset` bytes repeat.
            start = len(out) - offset
            piece = bytes(out[start : start + length])
            while len(piece) < length:
                piece += piece[: length - len(piece)]
            out += piece
        if len(out) > size:
            raise Corrupt("it holds more than it says")
    if len(out) != size:
        raise Corrupt("it holds less than it says")
    return bytes(out)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends; protobuf writes numbers so too."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Corrupt("a number does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _literal(data: bytes, length: int, at: int) -> tuple[int, int]:
    if length < 60:
        return length + 1, at
    width = length - 59
    if at + width > len(data):
        raise Corrupt("it ends within a length")
    return int.from_bytes(data[at : at + width], "little") + 1, at + width


def _copy(data: bytes, tag: int, at: int) -> tuple[int, int, int]:
    kind = tag & 3
    width = {1: 1, 2: 2, 3: 4}[kind]
    if at + width > len(data):
        raise Corrupt("it ends within an offset")
    offset = int.from_bytes(data[at : at + width], "little")
    if kind == 1:
        return (tag >> 2 & 7) + 4, offset | (tag >> 5) << 8, at + 1
    return (tag >> 2) + 1, offset, at + width
