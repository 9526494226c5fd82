"""Values in the column of a table whose head names a credential: CSV, TSV, database clients' tables, COPY of dumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field, key_at
from detectors.keyed import of_value
from detectors.keys import meaning
from detectors.patterns import pattern

WIDEST = 4096  # bytes of a head: more is no list of columns
LONGEST_ROW = 32768  # bytes of a row
MOST = 2000  # rows of one table looked at; a view holds no more than 64 KiB of them anyway
_DELIMITER = pattern(rb"""["']?[ ]{0,60}([,;\t|])""")
_BEFORE = pattern(rb"""([,;\t|])[ ]{0,60}["']?\Z""")
_NAME = pattern(rb"""[ ]{0,60}["'`]?[A-Za-z_][A-Za-z0-9_ .:-]{0,60}["'`]?[ ]{0,60}\Z""")
_RULE = pattern(rb"[-+=|: ]{3,}\Z")  # the line between a head and its rows
_COPY = pattern(rb"(?i)\A[ \t]*COPY [^\n(]{1,200} \(([^()\n]{1,4000})\) FROM stdin;")


def confirm(text: Text) -> Iterator[Match]:
    """The values in the rows below a head, in the column an anchor named."""
    key_start, key_end = key_at(text)
    name = text.data[key_start:key_end]
    said = meaning(name)
    line = text.data.rfind(b"\n", max(0, key_start - WIDEST), key_start) + 1
    end = text.data.find(b"\n", key_end, key_end + WIDEST)
    if said is None or end < 0:
        return
    shape = _columns(text.data, line, key_start, key_end, end)
    if shape is None:
        return
    delimiter, column, count = shape
    for start, stop in _column(text, end + 1, delimiter, column, count):
        place = Field(name, key_start, start, stop, quoted=True, closed=True, flag=False, doubtful=True)
        match = of_value(text, place, said)
        if match:
            yield match


# Of the raw bytes beside a hit, those on its line: names and what stands between them. `\\` may be the line's end.
_HEAD_BEFORE = pattern(rb"""(?:\A|[\r\n\\(])[A-Za-z0-9_ .:"'`,;\t|%+-]*\Z""")
_HEAD_AFTER = pattern(rb"""[A-Za-z0-9_ .:"'`,;\t|%)+-]*(?:[\r\n\\]|\Z)""")


def glance(before: bytes, after: bytes) -> bool:
    """Whether the line may be a head: what is seen of it is names, and if that is all, something parts them."""
    left, right = _HEAD_BEFORE.search(before), _HEAD_AFTER.match(before[-1:] + after)
    if left is None or right is None:
        return False
    whole = left.start() > 0 and right.end() <= len(after)
    return not whole or _PARTED.search(left[0] + right[0]) is not None


_PARTED = pattern(rb"[,;\t|%]|\\[tux]")  # or an escape that may be one of these


def _columns(data: bytes, line: int, key_start: int, key_end: int, end: int) -> tuple[bytes, int, int] | None:
    """(delimiter of the rows, index of the key's column, number of columns) of a head at [line, end), if it is one."""
    copy = _COPY.match(data[line:end])
    if copy:
        names, before = copy[1].split(b","), data[line + copy.start(1) : key_start]
        return (b"\t", before.count(b","), len(names)) if key_start >= line + copy.start(1) else None
    after = _DELIMITER.match(data, key_end, end) or _BEFORE.search(data[line:key_start])
    if after is None:
        return None
    names = data[line:end].rstrip(b"\r").split(after[1])
    if names[0].strip() == b"" or names[-1].strip() == b"":  # | a | b |
        inner = [name for name in names if name.strip()]
    else:
        inner = names
    if len(inner) < 2 or not all(_NAME.match(name) for name in inner):
        return None
    return after[1], data.count(after[1], line, key_start), len(names)


Cell = tuple[bytes, int, int]  # the column's name, and [start, end) of the value


def row_at(data: bytes, start: int, end: int, head: re.Pattern[bytes]) -> list[Cell] | None:
    """The cells of the row that holds [start, end), with their names from the head of its table, one of which matches
    `head`; None where it is in no such table.
    """
    line, line_end = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", end)
    line_end = line_end if line_end >= 0 else len(data)
    delimiter = _BEFORE.search(data, max(line, start - 64), start) or _DELIMITER.match(data, end, line_end)
    if line == 0 or delimiter is None or line_end - line > LONGEST_ROW:
        return None
    cells = _split(data[line:line_end], delimiter[1], line)
    below, names = next(reversed([one for one in _heads(data, head, delimiter[1]) if one[0] <= line]), (0, []))
    if len(names) != len(cells):
        return None
    for row in data[below : line - 1].splitlines()[-ROWS_ABOVE:] if below < line else ():
        if not _RULE.match(row) and len(_split(row, delimiter[1])) != len(cells):
            return None
    return [(name, *cell) for name, cell in zip(names, cells, strict=True)]


ROWS_ABOVE = 8  # looked at, whether they are rows of the same table


@lru_cache(maxsize=4)  # a view with a table holds many rows
def _heads(data: bytes, head: re.Pattern[bytes], delimiter: bytes) -> list[tuple[int, list[bytes]]]:
    """The lines that may be heads with such a name, each by where the next line begins."""
    found: dict[int, list[bytes]] = {}
    done = 0
    for name in head.finditer(data):
        line, below = data.rfind(b"\n", 0, name.start()) + 1, data.find(b"\n", name.end()) + 1
        if line < done or below == 0 or below - line > WIDEST:
            continue
        done = below
        text = data[line : below - 1].rstrip(b"\r")
        copy = _COPY.match(text) if delimiter == b"\t" else None
        names = copy[1].split(b",") if copy else [text[low:high] for low, high in _split(text, delimiter)]
        if len(names) > 1 and all(not one.strip() or _NAME.match(one) for one in names):
            found[below] = names
    return list(found.items())


def _split(row: bytes, delimiter: bytes, offset: int = 0) -> list[tuple[int, int]]:
    """[start, end) of the values of a row that begins at `offset`."""
    cells = _cells(_cell(delimiter), row, 0, len(row.rstrip(b"\r")))
    return [(start + offset, end + offset) for start, end in cells]


def _cell(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"""[ ]{0,200}(?:"((?:[^"\n]|""){0,16384})"|([^\n%b]{0,16384}))[ ]{0,200}""" % delimiter)


def _column(text: Text, position: int, delimiter: bytes, column: int, count: int) -> Iterator[tuple[int, int]]:
    """[start, end) of the value in each row, while rows have as many columns as the head."""
    cell = _cell(delimiter)
    for _ in range(MOST):
        end = text.data.find(b"\n", position, position + LONGEST_ROW)
        if end < 0:
            if text.cut and position + LONGEST_ROW > len(text.data):
                raise NeedMore
            end = min(len(text.data), position + LONGEST_ROW)
        row = text.data[position:end].rstrip(b"\r")
        if not row:
            return
        if not _RULE.match(row):
            cells = list(_cells(cell, text.data, position, position + len(row)))
            if len(cells) != count:
                return
            yield cells[column]
        position = end + 1


def _cells(cell: re.Pattern[bytes], data: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    while True:
        found = cell.match(data, position, end)
        if found is None:
            return
        start, stop = found.span(1) if found.start(1) >= 0 else found.span(2)
        yield start, start + len(data[start:stop].rstrip(b" \t\r"))
        if found.end() >= end:
            return
        position = found.end() + 1


_V = b"Tn4xQ8vR2mK9pL5sW7cY1d3h"

DETECTOR = Detector(
    id="table-column",
    kind=Kind.CLIENT_SECRET,
    title="Credential in the column of a table",
    anchors=(
        *(
            Anchor(word, caseless=True, keyed=True)
            for word in (b"token", b"secret", b"apikey", b"api_key", b"password")
        ),
        *(Anchor(word + b"\t", caseless=True) for word in (b"token", b"secret", b"key", b"password")),
    ),
    confirm=confirm,
    reference="https://www.rfc-editor.org/rfc/rfc4180#section-2",
    examples=(
        (b"id,client_secret,name\n1," + _V + b",orders\n", _V),
        (b"\n| id | api_key |\n|----|---------|\n| 1  | " + _V + b" |\n", _V),
    ),
    before=WIDEST + 64,
    glance=glance,
    counterexamples=(b"id,client_secret\n1,orders-client-secret\n", b"token,secret\nnothing like a row here\n"),
)
