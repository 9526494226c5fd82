"""Text that is UTF-16 for the most part, matched in half the bytes.

Forms of UTF-16 are letters and NULs in turn, which Vectorscan tells apart at a fifth of its speed. So where a block is
such text, every second byte of it is matched with the plain expressions, and the NULs are looked at where one is found.
The hits are those the forms themselves would have given: which way a block takes makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import hyperscan

SHORTEST = 16 * 1024  # bytes of a block: less is not worth a second database
SAMPLE = 512  # bytes looked at, in three places
WIDEST = 400  # bytes of a form: more than the longest anchor has


class Expression(NamedTuple):
    """What a database is compiled from."""

    expression: bytes
    caseless: bool


class Row(Protocol):
    """What of a matcher's row is asked here."""

    @property
    def expression(self) -> bytes: ...
    @property
    def caseless(self) -> bool: ...
    @property
    def encoding(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def wide(self) -> str: ...
    @property
    def narrow(self) -> bytes: ...


Compile = Callable[[Sequence[Expression]], "hyperscan.Database"]


def is_wide(data: memoryview | bytes) -> bool:
    """Whether every second byte of a block is zero, and the others are not, as far as samples tell."""
    if len(data) < SHORTEST:
        return False
    for start in (0, len(data) // 4 * 2, len(data) - SAMPLE):
        sample = bytes(data[start : start + SAMPLE])
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if max(even, odd) < SAMPLE * 2 // 5 or min(even, odd) > SAMPLE // 10:
            return False
    return True


class WideText:
    """Databases of their own, made when they are first needed: what is no UTF-16 form, and the forms narrowed."""

    def __init__(self, rows: Sequence[Row], compile_: Compile) -> None:
        self._rows = rows
        self._compile = compile_
        self._lock = Lock()
        self._made: tuple[_Part, _Part] | None = None
        self._checks: dict[int, re.Pattern[bytes]] = {}  # of forms whose size varies

    def scan(self, data: memoryview | bytes) -> list[tuple[int, int]]:
        """(end, row) of each hit."""
        other, narrow = self._parts()
        found = [(end, index) for end, group in other.scan(data) for index in group]
        whole = bytes(data)
        for first in (0, 1):
            letters = whole[first::2]
            for end, group in narrow.scan(letters):
                last = first + 2 * (end - 1)
                found += [hit for index in group if (hit := self._placed(whole, last, index))]
        return found

    def _parts(self) -> tuple[_Part, _Part]:
        with self._lock:
            if self._made is None:
                plain: dict[Expression, list[int]] = {}
                wide: dict[Expression, list[int]] = {}
                for index, row in enumerate(self._rows):
                    into, expression = (wide, row.narrow) if row.narrow else (plain, row.expression)
                    into.setdefault(Expression(expression, row.caseless), []).append(index)
                self._made = _part(plain, self._compile), _part(wide, self._compile)
            return self._made

    def _placed(self, data: bytes, last: int, index: int) -> tuple[int, int] | None:
        """The hit of a row whose last letter is at `last`, if the NULs are where they are to be."""
        row = self._rows[index]
        big = "utf-16be" in (row.encoding, row.wide)
        end = last + 1 + (not big)
        start = end - row.size
        if end > len(data) or start < 0:
            return None
        if row.size:
            nuls = data[start:end:2] if big else data[start + 1 : end : 2]
            return None if nuls.strip(b"\0") else (end, index)
        if index not in self._checks:
            flags = re.DOTALL | (re.IGNORECASE if row.caseless else 0)
            self._checks[index] = re.compile(b"(?:%s)\\Z" % row.expression, flags)
        return (end, index) if self._checks[index].search(data, max(0, end - WIDEST), end) else None


class _Part:
    """A database, and the rows that each of its expressions stands for."""

    def __init__(self, database: hyperscan.Database, groups: list[list[int]]) -> None:
        self._database = database
        self._groups = groups

    def scan(self, data: memoryview | bytes) -> list[tuple[int, list[int]]]:
        found: list[tuple[int, list[int]]] = []

        def on_match(group: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            found.append((end, self._groups[group]))

        self._database.scan(data, match_event_handler=on_match)  # type: ignore[type-var]  # any buffer will do
        return found


def _part(groups: dict[Expression, list[int]], compile_: Compile) -> _Part:
    return _Part(compile_(list(groups)), list(groups.values()))
