"""Hex dumps with offsets: hexdump -C, xxd, tcpdump -X, curl --trace, javax.net.debug, .NET network traces.

A row is an offset, the bytes in hex (single or in pairs) and, mostly, the same bytes as text. Rows
whose offsets follow each other are one block. Both columns show the secret, so both are its spans.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What makes a row worth a look, for the matcher: an offset that ends in 0, as those of 16 and 32 byte rows do, and four
# bytes. Its literals are long enough for the matcher's fast path (4 times the speed of an expression without).
_HEX = rb"[0-9A-Fa-f]"
TRIGGER = rb"0(?:h?:  ?| : |  )H{2}[ -]?H{2}[ -]H{2}[ -]?H{2}".replace(b"H", _HEX)
BACK = 16 * 1024  # bytes before a row in which its block is followed
AHEAD = 96 * 1024  # bytes after it: 24 KiB of dumped bytes at four characters each
_OFFSET = re.compile(
    rb"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{4,16})h?(?::[ \t]{0,4}|[ \t]{1,4}:?[ \t]{0,4})"
    rb"(?=[0-9A-Fa-f]{2}[ 0-9A-Fa-f-])"
)
_GROUP = re.compile(
    rb"([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})?(?:[ -](?: ?(?=(?:[0-9A-Fa-f]{2}){1,2}(?:[ -]|\r?$)))|[ \t]*(?=[\r\n|])|$)?"
)
BETWEEN = 2  # lines of other text between two rows of one dump (.NET's traces write a time after each)
WIDEST = 64  # bytes a row holds at most


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `at[i]`: index of the two characters of byte i; `text`: index of its text column, or -1."""

    offset: int
    data: bytes
    at: tuple[int, ...]
    text: int


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow each other; `starts[i]` is the index in `data` of row i's first byte."""

    data: bytes
    rows: tuple[Row, ...]
    starts: tuple[int, ...]

    def outer(self, start: int, end: int) -> list[tuple[int, int]]:
        """Where the bytes [start, end) of the block stand, row by row: the hex column, then the text column."""
        ranges: list[tuple[int, int]] = []
        for row, first in zip(self.rows, self.starts, strict=True):
            low, high = max(start - first, 0), min(end - first, len(row.data))
            if low < high:
                ranges.append((row.at[low], row.at[high - 1] + 2))
                if row.text >= 0:
                    ranges.append((row.text + low, row.text + high))
        return ranges

    def inner(self, offset: int) -> int:
        """The block's byte whose hex stands at or after an outer index."""
        for row, first in zip(self.rows, self.starts, strict=True):
            for i, at in enumerate(row.at):
                if at >= offset:
                    return first + i
        return len(self.data)


def block_around(data: bytes, at: int) -> tuple[Block, int, int] | None:
    """The block that holds the row at index `at`, and the [start, end) of its lines, or None."""
    start = data.rfind(b"\n", 0, at) + 1
    here = _row(data, start)
    if here is None:
        return None
    rows = [here]
    low, high = start, _line_end(data, start)
    while found := _neighbour(data, low, rows[0], back=True):
        rows.insert(0, found[0])
        low = found[1]
    while found := _neighbour(data, high, rows[-1], back=False):
        rows.append(found[0])
        high = _line_end(data, found[1])
    starts = [0]
    for row in rows[:-1]:
        starts.append(starts[-1] + len(row.data))
    return Block(b"".join(row.data for row in rows), tuple(rows), tuple(starts)), low, high


def _neighbour(data: bytes, at: int, row: Row, back: bool) -> tuple[Row, int] | None:
    """The row before or after a row, and where its line begins; at most BETWEEN lines of a trace stand between."""
    for _ in range(BETWEEN + 1):
        if back:
            if at <= 0:
                return None
            at = data.rfind(b"\n", 0, at - 1) + 1
        elif at >= len(data):
            return None
        found = _row(data, at)
        if found:
            first, second = (found, row) if back else (row, found)
            return (found, at) if first.offset + len(first.data) == second.offset else None
        if not back:
            at = _line_end(data, at)
    return None


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end + 1


def _row(data: bytes, start: int) -> Row | None:
    end = _line_end(data, start)
    offset = _OFFSET.search(data, start, min(end, start + 256))
    if offset is None:
        return None
    values, at, stop = _bytes(data, offset.end(), end, _width(data, start, end, offset))
    if not values:
        return None
    return Row(int(offset[1], 16), bytes(values), tuple(at), _text_column(data, stop, end, bytes(values)))


def _width(data: bytes, start: int, end: int, offset: re.Match[bytes]) -> int:
    """Bytes in this row, by the distance to the next row's or the last row's offset; 16 where neither tells."""
    here = int(offset[1], 16)
    following = _OFFSET.search(data, end, min(_line_end(data, end), end + 256))
    if following and 0 < int(following[1], 16) - here <= WIDEST:
        return int(following[1], 16) - here
    before = data.rfind(b"\n", 0, max(0, start - 1)) + 1
    previous = _OFFSET.search(data, before, min(start, before + 256)) if before < start else None
    if previous and 0 < here - int(previous[1], 16) <= WIDEST:
        return here - int(previous[1], 16)
    return 16


def _bytes(data: bytes, start: int, end: int, width: int) -> tuple[list[int], list[int], int]:
    values: list[int] = []
    at: list[int] = []
    position = start
    while len(values) < width:
        group = _GROUP.match(data, position, end)
        if group is None:
            break
        for part in (1, 2):
            if group[part] and len(values) < width:
                values.append(int(group[part], 16))
                at.append(group.start(part))
        position = group.end()
        if data[position - 1 : position] not in (b" ", b"-"):
            break
    return values, at, position


def _text_column(data: bytes, stop: int, end: int, values: bytes) -> int:
    """Index of the text column: as many last characters of the line as there are bytes, if they agree."""
    line_end = stop + len(data[stop:end].rstrip(b"\r\n"))
    if data[line_end - 1 : line_end] == b"|":
        line_end -= 1
    for first in (line_end - len(values), stop):
        shown = data[first : first + len(values)]
        if first >= stop - 1 and len(shown) == len(values):
            agree = sum(a == b or not 32 < b < 127 for a, b in zip(shown, values, strict=True))
            if agree >= len(values) * 0.8 and any(32 < b < 127 for b in values):
                return first
    return -1
