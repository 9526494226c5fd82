"""One layer of textual escapes taken off a stretch of bytes, with the map back.

JSON and C string escapes, percent, HTML entities, syslog's octal and ANSI colours look so unlike
each other that one pass can take off whichever stands there; what was wrapped twice takes two passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MARKS = (b"\\", b"%", b"&", b"\x1b", b"#0")  # no escape without one of these:
LONGEST = 12  # bytes of the longest escape decoded (a surrogate pair \uD83D\uDE00)

# JSON: RFC 8259 section 7. C: ISO 9899 6.4.4.4. Percent: RFC 3986 section 2.1. HTML: the five XML entities and
# numeric references. ANSI: ECMA-48 SGR and EL sequences. Syslog: rsyslog's $EscapeControlCharactersOnReceive (#ooo).
_ESCAPE = re.compile(
    rb"""\\u[0-9A-Fa-f]{4} | \\x[0-9A-Fa-f]{2} | \\[0-3][0-7]{2} | \\[\\"'`/nrtbfv0$] | \\e(?=\[) | \\\r?\n
       | %[0-9A-Fa-f]{2}
       | &(?:quot|amp|apos|lt|gt|\#[0-9]{2,3}|\#x[0-9A-Fa-f]{2});
       | \x1b\[[0-9;]{0,12}[mK]
       | \#0(?:1[0-57]|33)(?![0-9A-Fa-f]{3}(?![0-9A-Za-z]))""",
    re.VERBOSE,
)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"0": b"\0", b"e": b"\x1b"}
_ENTITY = {b"&quot;": b'"', b"&amp;": b"&", b"&apos;": b"'", b"&lt;": b"<", b"&gt;": b">"}
_NAME = {b"\\": "json", b"%": "percent", b"&": "html", b"\x1b": "ansi", b"#": "syslog"}


@dataclass(frozen=True, slots=True)
class Unescaped:
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
    found = list(_escapes(data))
    if not found:
        return None
    names = frozenset(_NAME[data[escape.start() : escape.start() + 1]] for escape in found)
    return rewritten(data, depth, [(*escape.span(), decode(escape[0])) for escape in found], names)


def rewritten(
    data: bytes, depth: bytes | None, changes: list[tuple[int, int, bytes]], names: frozenset[str], deeper: int = 1
) -> Unescaped:
    """`data` with each stretch [start, end) replaced by what it stood for; stretches in order, not touching inside.

    What a stretch became stands `deeper` escapes deeper than the deepest byte of the stretch.
    """
    before = depth if depth is not None else bytes(len(data))
    parts: list[bytes] = []
    depths: list[bytes] = []
    at: list[int] = []
    raw: list[int] = []
    position = length = 0
    for start, end, text in changes:
        parts += (data[position:start], text)
        depths += (
            before[position:start],
            bytes([_depth(data[start], text, max(before[start:end]), deeper)]) * len(text),
        )
        length += start - position + len(text)
        at.append(length)
        raw.append(end)
        position = end
    parts.append(data[position:])
    depths.append(before[position:])
    width = [end - start for start, end, _ in changes]
    made = [len(text) for _, _, text in changes]
    return Unescaped(b"".join(parts), b"".join(depths), at, raw, width, made, names)


def _depth(mark: int, text: bytes, before: int, deeper: int) -> int:
    """How deep what an escape became stands.

    JSON encoders and XML write `&`, `<`, `>`, `=` and `+` escaped in any string, though nothing asks
    for it: such a delimiter is no deeper than its unescaped neighbours. In percent it is.
    """
    optional = mark != 0x25 and text in (b"&", b"<", b">", b"=", b"+")
    return min(255, before + (0 if optional else deeper))


def _escapes(data: bytes) -> Iterator[re.Match[bytes]]:
    """The escapes in order. Marks are rare in most text, and find() is 50 times faster than a pattern's search."""
    marks: list[int] = []
    for mark in MARKS:
        position = data.find(mark)
        while position >= 0:
            marks.append(position)
            position = data.find(mark, position + 1)
    end = 0
    for position in sorted(marks):
        if position >= end and (escape := _ESCAPE.match(data, position)):
            end = escape.end()
            yield escape


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
