"""Hex dumps with offsets: hexdump, xxd, od, tcpdump -X, curl --trace, javax.net.debug, netty, .NET traces, debuggers.

A row is an offset, the bytes in hex (single or in pairs) and, mostly, the same bytes as text. Rows
whose offsets follow each other are one block. Both columns show the secret, so both are its spans.
"""

from __future__ import annotations

import re
from itertools import pairwise

from msgspec import Struct

from detectors.patterns import pattern

# What makes a row worth a look, for the matcher: an offset that ends in 0, as those of 16 and 32 byte rows do, and four
# bytes. Its literals are long enough for the matcher's fast path (4 times the speed of an expression without); what
# would not be, has expressions of its own: od and hexdump by their second row, by one in a few KiB whose offset ends in
# 000, and by the one behind rows left out as all alike; words by their size.
_HEX = rb"[0-9A-Fa-f]"
TRIGGERS = tuple(
    expression.replace(b"H", _HEX)
    for expression in (
        rb"0(?:h?: {1,4}| [:-] |  |   |\| )H{2}[ -]?H{2}[ -]H{2}[ -]?H{2}",
        rb"\n0{4,6}[12]0 {1,4}H{2}",
        rb"\n[0-9a-f]{3,7}000 {1,4}[0-9a-f]{2}",
        rb"\n\*\n[0-9a-f]{6,9} {1,4}[0-9a-f]{2}",
        rb"0(?:: |  )H{8} H{8}",
        rb":\t0xH{8}",
    )
)
BACK = 16 * 1024  # bytes before a row in which its block is followed
AHEAD = 48 * 1024  # bytes after it: 10 KiB of dumped bytes at up to five characters each; then its rows tell anew
_OFFSET = pattern(
    rb"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{4,16}|[0-9A-Fa-f]{8}`[0-9A-Fa-f]{8})"
    rb"(?:(?:h?(?::[ \t]{0,4}|[ \t]{1,4}:?[ \t]{0,4})|[ \t]-[ \t]{1,2}|\|[ ])(?=[0-9A-Fa-f]{2}[ 0-9A-Fa-f-])"
    rb"|(?:[ ]<[^>\n]{1,80}>)?:[ \t]{1,4}(?=0x[0-9a-f]{8}))"
)
_GROUP = pattern(
    rb"([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})?(?:[ -](?: {0,2}(?=(?:[0-9A-Fa-f]{2}){1,2}(?:[ -]|\r?$)))|[ \t]*(?=[\r\n|])|$)?"
)
_WORD = pattern(rb"(?:0x)?([0-9a-f]{16}|[0-9a-f]{8}|[0-9a-f]{4})(?:[ \t]{1,4}|(?=[\r\n]|\Z))")
_DIGITS = pattern(rb"[0-9a-f ]*")
_NO_MARK = pattern(rb"[0-9a-f]{7}[ ]{1,4}")  # the offsets of hexdump and od, whose words show their last byte first
BETWEEN = 2  # lines of other text between two rows of one dump (.NET's traces write a time after each)
WIDEST = 64  # bytes a row holds at most
WIDEST_LINE = 1024  # bytes of a line: a block that begins further behind a cut was not cut


class Row(Struct, frozen=True):
    """One row. `at[i]`: index of the two characters of byte i; `text`: index of its text column, or -1.

    `offsets`: what the offset may mean, in hex and, as od writes it, in octal.
    """

    offsets: tuple[int, ...]
    data: bytes
    at: tuple[int, ...]
    text: int


class Block(Struct, frozen=True):
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
                ranges += _shown(row.at[low:high])
                if row.text >= 0:
                    ranges.append((row.text + low, row.text + high))
        return ranges

    def inner(self, offset: int) -> int:
        """The block's byte whose hex stands at or after an outer index."""
        for row, first in zip(self.rows, self.starts, strict=True):
            if max(row.at) >= offset:
                return first + next((i for i, at in enumerate(row.at) if at >= offset), 0)
        return len(self.data)


def _shown(at: tuple[int, ...]) -> list[tuple[int, int]]:
    """The ranges of some bytes of a row: one, or where words show their last byte first, one a word."""
    if all(a < b for a, b in pairwise(at)):
        return [(at[0], at[-1] + 2)]
    ranges: list[tuple[int, int]] = []
    for index in at:
        if ranges and index + 2 == ranges[-1][0]:
            ranges[-1] = (index, ranges[-1][1])
        else:
            ranges.append((index, index + 2))
    return ranges


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
        found = _alike(data, at, row) or _row(data, at)
        if found:
            first, second = (found, row) if back else (row, found)
            follows = any(a + len(first.data) == b for a, b in zip(first.offsets, second.offsets, strict=False))
            return (found, at) if follows else None
        if not back:
            at = _line_end(data, at)
    return None


def is_row(data: bytes, at: int) -> bool:
    """Whether index `at` is in a row that another follows or precedes, or that shows its bytes as text."""
    start = data.rfind(b"\n", 0, at) + 1
    row = _row(data, start)
    if row is None:
        return False
    beside = _neighbour(data, start, row, back=True) or _neighbour(data, _line_end(data, start), row, back=False)
    return row.text >= 0 or beside is not None


def _alike(data: bytes, start: int, row: Row) -> Row | None:
    """The row of the line at `start` where that looks like a neighbour's but for its digits, as nearly all do."""
    other = data.rfind(b"\n", 0, row.at[0]) + 1
    size = max(row.at) + 2 - other
    moved = start - other
    if data[start : start + size].translate(_AS_DIGIT) != data[other : other + size].translate(_AS_DIGIT):
        return None
    offset = _OFFSET.search(data, start, start + size)
    after = row.text - other + len(row.data) if row.text >= 0 else size
    if offset is None or not _line_end(data, start) >= start + after:
        return None
    at = tuple([index + moved for index in row.at])
    values = bytes.fromhex(b"".join([data[index : index + 2] for index in at]).decode())
    text = row.text + moved if row.text >= 0 else -1
    if text >= 0 and data[text : text + len(values)] != values.translate(_AS_SHOWN):
        return None
    if text < 0 and data[start + size : start + size + 1] not in b"\r\n":
        return None
    return Row(_meanings(offset[1]), values, at, text)


_AS_DIGIT = bytes(0x30 if chr(c) in "0123456789abcdefABCDEF" else c for c in range(256))
_AS_SHOWN = bytes(c if 32 <= c < 127 else 0x2E for c in range(256))


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end + 1


def _row(data: bytes, start: int) -> Row | None:
    end = _line_end(data, start)
    offset = _OFFSET.search(data, start, min(end, start + 256))
    if offset is None:
        return None
    width = _width(data, start, end, offset)
    values, at, stop = _bytes(data, offset.end(), end, width)
    text = _text_column(data, stop, end, bytes(values))
    if text < 0 and (words := _words(data, offset, end, width)):
        values, at, stop = words
        text = _text_column(data, stop, end, bytes(values))
    return Row(_meanings(offset[1]), bytes(values), tuple(at), text) if values else None


def _meanings(offset: bytes) -> tuple[int, ...]:
    offset = offset.replace(b"`", b"")
    return (
        (int(offset, 16), int(offset, 8)) if not offset.strip(b"01234567") and len(offset) == 7 else (int(offset, 16),)
    )


def _width(data: bytes, start: int, end: int, offset: re.Match[bytes]) -> int:
    """Bytes in this row, by the distance to the next row's or the last row's offset; 16 where neither tells."""
    following = _OFFSET.search(data, end, min(_line_end(data, end), end + 256))
    before = data.rfind(b"\n", 0, max(0, start - 1)) + 1
    previous = _OFFSET.search(data, before, min(start, before + 256)) if before < start else None
    for low, high in ((offset, following), (previous, offset)):
        if low and high:
            widths = [b - a for a, b in zip(_meanings(low[1]), _meanings(high[1]), strict=False)]
            room = _digits(data, low.end(), end) if len(widths) > 1 else WIDEST
            fitting = [width for width in widths if 0 < width <= min(room, WIDEST)]
            if fitting:
                return max(fitting)
    return 16


def _digits(data: bytes, start: int, end: int) -> int:
    """Bytes a row has if all its hex is data: od and hexdump write no text."""
    run = _DIGITS.match(data, start, end)
    return len(run[0].replace(b" ", b"")) // 2 if run else 0


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


def _words(data: bytes, offset: re.Match[bytes], end: int, width: int) -> tuple[list[int], list[int], int] | None:
    """The bytes of a row of words that show their last byte first, where each byte stands, and where the row ends."""
    first = _WORD.match(data, offset.end(), end)
    if first is None or (len(first[1]) == 4 and not _NO_MARK.fullmatch(offset[0])):
        return None
    values: list[int] = []
    at: list[int] = []
    position = offset.end()
    while len(values) < width and (word := _WORD.match(data, position, end)) and len(word[1]) == len(first[1]):
        places = range(word.end(1) - 2, word.start(1) - 1, -2)
        values += (int(data[place : place + 2], 16) for place in places)
        at += places
        position = word.end()
    return values[:width], at[:width], position


def _text_column(data: bytes, stop: int, end: int, values: bytes) -> int:
    """Index of the text column: as many last characters of the line as there are bytes, if they agree."""
    line_end = stop + len(data[stop:end].rstrip(b"\r\n"))
    framed = data[line_end - 1 : line_end] in (b"|", b"<")  # or these are the last character of the text
    for first in (line_end - 1 - len(values) if framed else stop, line_end - len(values), stop):
        shown = data[first : first + len(values)]
        if first >= stop - 1 and len(shown) == len(values):
            told = [a == b for a, b in zip(shown, values, strict=True) if 32 < b < 127]
            if told and sum(told) >= len(told) * 0.8:
                return first
    return -1
