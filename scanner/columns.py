"""The row a token stands in, of a table with a head or of an INSERT, rewritten as an object of keys and values."""

from __future__ import annotations

import re

from msgspec import Struct

from detectors.patterns import pattern
from detectors.statements import row_at as row_of_insert
from detectors.tables import row_at as row_of_table

MAY_END = pattern(rb"(?i)expir|valid[_ ]?(?:to|until)")
_EDGE = pattern(rb"""(?:\A|[\n,;\t|(])[ ]{0,40}[NnEe]?["']?\Z""")  # what stands before a value of a table
LONGEST_VALUE = 64  # bytes: no time or duration is longer
_NAME = pattern(rb"[A-Za-z_][A-Za-z0-9_. -]{0,60}")


class Row(Struct, frozen=True):
    """`text` is the object; [start, end) is where the token's value stands in it."""

    text: bytes
    start: int
    end: int


def as_object(data: bytes, start: int, end: int) -> Row | None:
    """The row around the token at [start, end); None where it is in no table that names an end."""
    if not _EDGE.search(data, max(0, start - 64), start):
        return None
    cells = row_of_table(data, start, end, MAY_END) or row_of_insert(data, start, end)
    if cells is None or not any(MAY_END.search(name) for name, _, _ in cells):
        return None
    text, place = b"{", (0, 0)
    for name, low, high in cells:
        key = name.strip(b" \t\"'`[]")
        if not _NAME.fullmatch(key):
            continue
        value = data[low:high]
        if low <= start and end <= high:
            place = (len(text) + len(key) + 4, len(text) + len(key) + 4 + end - start)
            value = data[start:end]
        elif len(value) > LONGEST_VALUE or re.search(rb"""[{}()\[\]"']""", value):
            continue
        text += b'"' + key.replace(b" ", b"_") + b'":"' + value.strip() + b'",'
    return Row(text + b"}", *place) if place[1] else None
