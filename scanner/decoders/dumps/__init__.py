"""Dumps: scanned as they lie, in ranges where the file is plain. Then each finding is told its place in memory.

One file a format. A dump never loads more of the file than it says in its named bounds.
"""

from __future__ import annotations

from scanner.decoders.dumps.openings import may_be_dump, may_become_dump
from scanner.decoders.interface import Dump


def dump_of(head: bytes) -> Dump | None:
    """The format a stream with these first bytes is a dump of."""
    if not may_be_dump(head):
        return None
    from scanner.decoders.dumps.formats import DUMPS

    return next((dump for dump in DUMPS if dump.recognises(head)), None)


def undecided(head: bytes) -> bool:
    """Whether more bytes could make these first ones a dump's."""
    if not may_become_dump(head):
        return False
    from scanner.decoders.dumps.formats import DUMPS

    return any(dump.undecided(head) for dump in DUMPS)
