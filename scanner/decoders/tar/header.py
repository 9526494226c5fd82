"""The 512 bytes before a tar member: POSIX ustar, and GNU's and v7's ways with the same fields."""

from __future__ import annotations

from msgspec import Struct

from detectors.patterns import pattern

BLOCK = 512  # bytes: all of a tar archive is counted in them
_FIELD = pattern(rb"[ \0]*[0-7]*[ \0]*\Z")  # octal digits between blanks or NULs; empty is 0
_NAME = pattern(rb"[^\0-\x1f\x7f]+\0*\Z")


class NoHeader(Exception):
    """The block is no header."""


class Header(Struct, frozen=True):
    """What a header says. `kind`: its type flag, one byte; `size`: bytes of data that follow."""

    name: bytes
    size: int
    kind: bytes


def parse(block: bytes) -> Header:
    """Raises NoHeader."""
    if len(block) < BLOCK or not (block[0] or block[257:262] == b"ustar"):
        raise NoHeader
    said = _octal(block[148:156])
    # POSIX: the sum of all bytes, the checksum's own taken as blanks; some old writers added them as signed
    rest = block[:148] + b" " * 8 + block[156:BLOCK]
    total = sum(rest)
    if said != total and said != total - 256 * sum(byte > 127 for byte in rest):
        raise NoHeader
    name = block[:100].split(b"\0", 1)[0]
    if block[257:263] == b"ustar\0" and block[345]:  # GNU writes "ustar  \0" and has other things there
        name = block[345:500].split(b"\0", 1)[0] + b"/" + name
    kind = block[156:157]
    if kind == b"\0" and name.endswith(b"/"):
        kind = b"5"  # v7 had no type for folders
    return Header(name, number(block[124:136]), kind)


def number(field: bytes) -> int:
    """An octal number, or GNU's base 256 (high bit set, then big-endian). Raises NoHeader."""
    if field[0] == 0x80:
        value = int.from_bytes(field[1:], "big")
        if value >> 63:
            raise NoHeader
        return value
    return _octal(field)


def _octal(field: bytes) -> int:
    if not _FIELD.match(field):
        raise NoHeader
    return int(field.strip(b" \0") or b"0", 8)


def may_become_header(head: bytes) -> bool:
    """Whether a beginning shorter than a block could be one of a header: a name, NULs, then numbers.

    A line of a log is no name, since a name has no line's end; so no log is waited on past its first line.
    """
    if not head or not _NAME.match(head[:100]):
        return False
    return all(_FIELD.match(head[low : low + 8]) for low in (100, 108, 116))
