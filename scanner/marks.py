"""Whether a stretch of a text may hold anything that a view undoes: one look of Vectorscan at it.

Most text holds nothing of the kind, and asking each framing and each escape took longer than all else of a view.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

import hyperscan

from scanner import escapes
from scanner.framings import lines, partial, quoted_printable

FRAMED = 1  # parts of records, a mail encoding: each may bring forth more of them, and escapes
BROKEN = 4  # lines that go on: they may, too
ESCAPED = 2


def marks(data: bytes, *, cut: bool) -> int:
    """Those of FRAMED, BROKEN and ESCAPED. `cut`: the data ends in the midst of a text, where half an escape counts."""
    seen = BROKEN if lines.OPENS.search(data) else 0

    def on_match(kind: int, _begin: int, _end: int, _flags: int, _context: object) -> None:
        nonlocal seen
        seen |= kind

    database = _database()
    with _scratch:
        database.scan(data, match_event_handler=on_match)
    if cut and not seen & ESCAPED:
        end = data[-escapes.LONGEST :]
        seen |= ESCAPED if b"%" in end or b"&" in end else 0
    return seen


_scratch = Lock()  # what Vectorscan works in: one scan at a time


@lru_cache
def _database() -> hyperscan.Database:
    """Compiled in 2 ms as long as nearly all are literals. Each is told once, however often it stands there."""
    framed = (*partial.MARKS, *quoted_printable.MARKS)
    expressions = [*framed, *escapes.MARKS]
    kinds = [FRAMED] * len(framed) + [ESCAPED] * len(escapes.MARKS)
    flags = [hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_SINGLEMATCH] * len(expressions)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=kinds, flags=flags)
    return database
