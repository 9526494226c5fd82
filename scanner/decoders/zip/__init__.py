"""zip (PKWARE's APPNOTE 6.3.10): by its directory where it is a file on disk, else member by member as it comes.

A zip that comes through a pipe or out of another archive is never held: its members are read in the order they
stand. Nothing is written anywhere, so a name can do no harm: it becomes a label, made printable.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.decoders.feed import begins
from scanner.decoders.interface import Stream
from scanner.decoders.members import member_id
from scanner.model import Skipped

# A member's header; the end record, of an archive without one; the mark of one that was to be split (8.5.3)
MAGIC = (b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")


class Zip:
    """The decoder."""

    name = "zip"
    magic = MAGIC

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def undecided(self, head: bytes) -> bool:
        return begins(head, MAGIC)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        from scanner.decoders.zip.archive import Member, entries

        for entry in entries(stream):
            if isinstance(entry, Skipped):
                yield entry
            elif isinstance(entry, Member) and entry.reader:
                yield Stream(member_id(stream.id, "zip", entry.entry.name), entry.reader)
