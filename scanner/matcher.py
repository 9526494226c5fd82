"""Anchors -> one Vectorscan database -> hits.

What is looked for stands in forms.py. A hit tells which form was seen; views.py decodes from there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pkgutil import get_data, iter_modules
from threading import Lock
from typing import TYPE_CHECKING

from msgspec import DecodeError, msgpack

from detectors.detector import Detector
from scanner import anchor_cache, framings
from scanner.model import Hit
from scanner.row import Row
from scanner.widetext import Expression, WideText, is_wide

if TYPE_CHECKING:
    import hyperscan

LONGEST = 384  # bytes no anchor's match exceeds, in any encoding: the overlap between two scanned blocks


class Matcher:
    """The compiled anchors of a set of detectors. Built once a process: a database can't be pickled."""

    def __init__(self, detectors: Iterable[Detector], *, cached: bool = False) -> None:
        """`cached`: keep what is derived and compiled in the user's cache folder, for the next run."""
        self._detectors = tuple(detectors)
        name = _name_of(self._detectors) if cached else None
        self.rows = _rows(self._detectors, name)
        self._users: dict[int, tuple[Detector, ...]] = {}  # of the rows that were hit so far
        self._database = _database(self.rows, name)
        self._scratch = Lock()  # what Vectorscan works in: one scan at a time, which it runs without the GIL
        self._wide = WideText(self.rows, lambda rows: _database(rows, _name_of_expressions(rows) if cached else None))

    def users(self, hit: Hit) -> tuple[Detector, ...]:
        """The detectors that want a hit."""
        users = self._users.get(hit.anchor)
        if users is None:
            users = self._users[hit.anchor] = tuple(self._detectors[place] for place in self.rows[hit.anchor].users)
        return users

    def scan(self, data: memoryview | bytes, start: int, after: int) -> list[Hit]:
        """Hits in `data`, whose first byte has the offset `start`, that end past `after`; ascending."""
        found: list[tuple[int, int]] = []
        seen = found.append

        def on_match(row: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            seen((end, row))

        with self._scratch:
            if is_wide(data):
                found += self._wide.scan(data)
            else:
                self._database.scan(data, match_event_handler=on_match)  # type: ignore[type-var]  # any buffer will do
        return [Hit(start + end, row) for end, row in sorted(set(found)) if start + end > after]


def _database(rows: Sequence[Row] | Sequence[Expression], name: str | None) -> hyperscan.Database:
    """`name`: under which it is kept; None: it is not."""
    import hyperscan  # not needed to list detectors

    made_by = f"{hyperscan.__version__} {os.uname().machine}"  # type: ignore[attr-defined]  # its stubs leave it out
    digest = hashlib.sha256(f"database {made_by} {name}".encode()).hexdigest()
    kept = anchor_cache.load(digest) if name else None
    if kept is not None:
        try:
            database = hyperscan.loadb(kept, mode=hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.error:  # compiled for another processor
            pass
        else:
            return database
    expressions = [row.expression for row in rows]
    flags = [hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if row.caseless else 0) for row in rows]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=list(range(len(rows))), flags=flags)
    if name:
        anchor_cache.store(digest, hyperscan.dumpb(database))
    return database


def _derived_by() -> Iterator[bytes]:
    """The sources of all that derives forms from anchors. Raises OSError where they are not there."""
    layouts = (f"framings/{module.name}.py" for module in iter_modules(framings.__path__))
    for file in ("forms.py", "row.py", "rules/wide.py", "rules/gosyntax.py", *layouts):
        yield get_data("scanner", file) or b""


def _rows(detectors: Sequence[Detector], name: str | None) -> Sequence[Row]:
    """All rows: deriving them takes 30 ms, a quarter of a start, and reading them one."""
    digest = hashlib.sha256(f"rows {name}".encode()).hexdigest()
    kept = anchor_cache.load(digest) if name else None
    if kept is not None:
        with suppress(DecodeError):
            return msgpack.decode(kept, type=list[Row])
    from scanner.forms import all_rows

    rows = all_rows(detectors)
    if name:
        anchor_cache.store(digest, msgpack.encode(rows))
    return rows


def _name_of(detectors: Sequence[Detector]) -> str | None:
    """What tells these anchors, and what is derived from them, from all others: they, and what derives it.

    None where that can't be told, since the sources are not there.
    """
    told = [(a.literal, a.caseless, a.keyed, a.pattern, a.wrapped) for one in detectors for a in one.anchors]
    counts = [len(one.anchors) for one in detectors]
    digest = hashlib.sha256(repr((counts, told)).encode())
    try:
        for source in _derived_by():
            digest.update(source)
    except OSError:
        return None
    return digest.hexdigest()


def _name_of_expressions(rows: Sequence[Expression]) -> str:
    told = [(row.expression, row.caseless) for row in rows]
    return hashlib.sha256(repr(told).encode()).hexdigest()
