"""Text printed byte by byte: `[65,117,116]`, `<Buffer 41 75>`, `41:75:74`, `0x41, 0x75`, `\\x41\\x75`.

journald's JSON where a message is no UTF-8, byte arrays of Node, Go, Java, Erlang and .NET, tshark, strace -xx.
Such lists are told by a few words of credentials spelled so, since a list alone may be anything; what it holds is then
matched as any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from detectors.patterns import pattern

BACK = 16 * 1024  # bytes before the word in which its list may begin
AHEAD = 64 * 1024  # bytes after it: 13 to 21 KiB of text at three to five characters a byte
# Words of credentials and, since one of those may be broken by a line's end, of what stands around them.
_WORDS = (
    b"earer ", b"oken", b"ecret", b"assw", b"asic ", b"api", b"code=",
    b"HTTP/1", b"uthor", b"ontent-", b"lient", b"grant", b"xpires", b"scope", b"http", b"Host", b"ccept", b"rivate",
)  # fmt: skip
_SPELLED = (b"eyJ", *_WORDS, *(word.upper() for word in _WORDS))
_BETWEEN = (b"", b" ", b":", b"-", b"\\x", b"\\\\x", b", 0x", b",0x")
_HH = rb"[0-9A-Fa-f]{2}"
# Each with a byte of which one stands beside every item, and how far off at most.
_LISTS = tuple(
    (pattern(expression.replace(b"HH", _HH).replace(b"DD", rb"-?[0-9]{1,3}")), beside, reach)
    for expression, beside, reach in (
        (rb"(?<![0-9A-Fa-f])HH(?:(?:[ \t]{1,2}|[ \t]{0,40}\r?\n[ \t]{0,40})HH){7,}(?![0-9A-Fa-f])", b" \t\n", 8),
        (rb"(?<![0-9A-Fa-f])HH(?::\s{0,40}HH){7,}(?![0-9A-Fa-f])", b":", 8),
        (rb"(?<![0-9A-Fa-f])HH(?:-HH){7,}(?![0-9A-Fa-f])", b"-", 8),
        (rb"(?:\\{1,4}xHH){8,}", b"\\", 8),
        (rb"0xHH(?:,\s{0,40}0xHH){7,}(?![0-9A-Fa-f])", b",", 8),
        (rb"(?<![0-9A-Fa-f])(?:HH){20,64}(?:\r?\n[ \t]{0,40}(?:HH){1,64}(?![0-9A-Fa-f])){1,}", b"\n", 180),
        (rb"(?<![0-9])DD(?:,\s{0,40}DD){7,}(?![0-9])", b",", 8),
        (rb"(?<![0-9])DD(?:[ ]DD){7,}(?![0-9])", b" ", 8),
    )
)
_FIRST_DECIMAL = len(_LISTS) - 2
_ITEM = pattern(rb"(?:0x|\\{1,4}x)?([0-9A-Fa-f]{2})")
_DECIMAL = pattern(rb"(-?[0-9]{1,3})")


def _triggers() -> Iterator[bytes]:
    for word in _SPELLED:
        yield from (re.escape(between).join(b"%02x" % c for c in word) for between in _BETWEEN)
        yield from (between.join(b"%d" % c for c in word) for between in (rb",\s{0,20}", b" "))


TRIGGERS = tuple(_triggers())  # expressions, caseless


class Items(Struct, frozen=True):
    """The bytes of a list; item i stands at [starts[i], ends[i])."""

    data: bytes
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    decimal: bool

    def outer(self, start: int, end: int) -> list[tuple[int, int]]:
        """One range: what stands between two items of a secret belongs to it."""
        return [(self.starts[start], self.ends[end - 1])] if start < end else []

    def inner(self, offset: int) -> int:
        """The first item that stands at or after an outer index."""
        return next((i for i, at in enumerate(self.starts) if at >= offset), len(self.data))


def list_around(data: bytes, at: int) -> Items | None:
    """The list that holds index `at`, or None."""
    low, high = max(0, at - BACK), min(len(data), at + AHEAD)
    best: re.Match[bytes] | None = None
    decimal = False
    for number, (expression, beside, reach) in enumerate(_LISTS):
        if not any(byte in beside for byte in data[max(0, at - reach) : at + reach]):
            continue
        found = next((one for one in expression.finditer(data, low, high) if at <= one.end()), None)
        # A part of a list of decimals looks like one of hex: the longer is the whole.
        if found and found.start() <= at and (best is None or len(found[0]) > len(best[0])):
            best, decimal = found, number >= _FIRST_DECIMAL
    return _items(data, best, decimal) if best else None


def _items(data: bytes, found: re.Match[bytes], decimal: bool) -> Items | None:
    items = list((_DECIMAL if decimal else _ITEM).finditer(data, *found.span()))
    values = [int(item[1], 10 if decimal else 16) for item in items]
    if decimal and not all(-128 <= value <= 255 for value in values):
        return None
    starts, ends = zip(*(item.span() for item in items), strict=True)
    return Items(bytes(value & 0xFF for value in values), starts, ends, decimal)
