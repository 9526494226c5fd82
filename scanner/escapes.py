"""One layer of textual escapes taken off a stretch of bytes, with the map back.

JSON and C string escapes, percent, HTML entities, syslog's octal and ANSI colours look so unlike
each other that one pass can take off whichever stands there; what was wrapped twice takes two passes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from detectors.patterns import pattern

LONGEST = 12  # bytes of the longest escape decoded (a surrogate pair \uD83D\uDE00)

# JSON: RFC 8259 section 7. C: ISO 9899 6.4.4.4. Percent: RFC 3986 section 2.1. HTML: the five XML entities and
# numeric references. ANSI: ECMA-48 SGR and EL sequences. Syslog: rsyslog's $EscapeControlCharactersOnReceive (#ooo).
_ESCAPES = (
    (b"\\", pattern(rb"""\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[\\"'`/nrtbfv0$]|e(?=\[)|\r?\n)""")),
    (b"%", pattern(rb"%[0-9A-Fa-f]{2}")),
    (b"&", pattern(rb"&(?:quot|amp|apos|lt|gt|#[0-9]{2,3}|#x[0-9A-Fa-f]{2});")),
    (b"\x1b", pattern(rb"\x1b\[[0-9;]{0,12}[mK]")),
    (b"#0", pattern(rb"#0(?:1[0-57]|33)(?![0-9A-Fa-f]{3}(?![0-9A-Za-z+/]))")),
)
# What stands wherever an escape does, for Vectorscan: its lead alone where that is rare, more where it is common.
MARKS = (rb"\\", rb"\x1b", rb"%[0-9A-Fa-f]{2}", b"&quot", b"&amp", b"&apos", b"&lt", b"&gt", b"&#", b"#01", b"#033")
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"0": b"\0", b"e": b"\x1b"}
_ENTITY = {b"&quot;": b'"', b"&amp;": b"&", b"&apos;": b"'", b"&lt;": b"<", b"&gt;": b">"}
_NAME = {b"\\": "json", b"%": "percent", b"&": "html", b"\x1b": "ansi", b"#": "syslog"}


class Unescaped(Struct, frozen=True):
    """`data` with, for each escape taken off, where it stood.

    `at[i]`: index in data just past what escape i became; `raw[i]`: index in the escaped bytes just
    past escape i. Between escapes, bytes stand one to one.
    """

    data: bytes
    depth: bytes  # per byte of data: how many escapes deep it stood
    at: list[int]
    raw: list[int]
    width: list[int]  # bytes escape i took in the escaped text
    made: list[int]  # bytes it became (0 for a colour code)
    names: frozenset[str]


def unescape(data: bytes, depth: bytes | None) -> Unescaped | None:
    """One layer off, or None where there is no escape."""
    found = _escapes(data)
    if not found:
        return None
    changes = [(*escape.span(), decode(escape[0])) for escape in found]
    return rewritten(data, depth, changes, frozenset([_NAME[data[start : start + 1]] for start, _, _ in changes]))


def rewritten(
    data: bytes, depth: bytes | None, changes: list[tuple[int, int, bytes]], names: frozenset[str], deeper: int = 1
) -> Unescaped:
    """`data` with each stretch [start, end) replaced by what it stood for; stretches in order, not touching inside.

    What a stretch became stands `deeper` escapes deeper than the deepest byte of the stretch, but see _OPTIONAL.
    """
    parts: list[bytes] = []
    at: list[int] = []
    position = length = 0
    for start, end, text in changes:
        parts.append(data[position:start])
        parts.append(text)
        length += start - position + len(text)
        at.append(length)
        position = end
    parts.append(data[position:])
    out = b"".join(parts)
    raw = [end for _, end, _ in changes]
    width = [end - start for start, end, _ in changes]
    made = [len(text) for _, _, text in changes]
    if depth is None:
        depths = _first_depths(data, len(out), changes, at, deeper)
    else:
        depths = _more_depths(data, depth, changes, deeper)
    return Unescaped(out, depths, at, raw, width, made, names)


def _first_depths(data: bytes, size: int, changes: list[tuple[int, int, bytes]], at: list[int], deeper: int) -> bytes:
    """The depths where all stood at 0 before."""
    depths = bytearray(size)
    for (start, _, text), end in zip(changes, at, strict=True):
        if text and not (text in _OPTIONAL and data[start] != 0x25):
            depths[end - len(text) : end] = bytes([deeper]) * len(text)
    return bytes(depths)


def _more_depths(data: bytes, before: bytes, changes: list[tuple[int, int, bytes]], deeper: int) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, text in changes:
        depths = before[start:end]
        here = min(255, max(depths) + deeper)
        if text in _OPTIONAL and data[start] != 0x25:
            here = max(depths) if data[start] == 0x3D else min(depths)  # quoted-printable writes no `=` otherwise
        parts.append(before[position:start])
        parts.append(bytes([here]) * len(text))
        position = end
    parts.append(before[position:])
    return b"".join(parts)


# JSON encoders and XML write these escaped in any string, though nothing asks for it: such a delimiter is no deeper
# than its unescaped neighbours, whose depth is that of the escape's digits. In percent it is.
_OPTIONAL = frozenset((b"&", b"<", b">", b"=", b"+"))


def _escapes(data: bytes) -> list[re.Match[bytes]]:
    """The escapes in order. Each mark has an expression of its own: one for all is slower where escapes are few."""
    found: list[re.Match[bytes]] = []
    kinds = 0
    for mark, shape in _ESCAPES:
        if mark in data:
            some = list(shape.finditer(data))
            found += some
            kinds += bool(some)
    if kinds < 2:
        return found
    found.sort(key=re.Match.start)
    apart: list[re.Match[bytes]] = []
    end = 0
    for escape in found:
        if escape.start() >= end:
            end = escape.end()
            apart.append(escape)
    return apart


@lru_cache(maxsize=4096)
def decode(escape: bytes) -> bytes:
    """What one escape stands for; nothing for colour codes and escaped line ends."""
    lead = escape[:1]
    if lead == b"%":
        return bytes([int(escape[1:], 16)])
    if lead == b"&":
        return _ENTITY.get(escape) or _reference(escape)
    if lead == b"#":
        return bytes([int(escape[1:], 8)])
    if lead == b"\x1b":
        return b""
    kind = escape[1:2]
    if kind == b"u":
        return chr(int(escape[2:], 16)).encode("utf-8", "surrogatepass")
    if kind == b"x":
        return bytes([int(escape[2:], 16)])
    if len(escape) == 4:
        return bytes([int(escape[1:], 8)])
    if kind in b"\r\n":
        return b""
    return _SIMPLE.get(kind, kind)


def _reference(entity: bytes) -> bytes:
    number = int(entity[3:-1], 16) if entity[2:3] == b"x" else int(entity[2:-1])
    return chr(number).encode("utf-8", "replace")
