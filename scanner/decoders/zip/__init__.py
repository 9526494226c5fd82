"""zip (PKWARE's APPNOTE 6.3.10): by its directory where it is a file on disk, else member by member as it comes.

A zip that comes through a pipe or out of another archive is never held: its members are read in the order they
stand. Nothing is written anywhere, so a name can do no harm: it becomes a label, made printable.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO

from scanner.decoders.feed import begins
from scanner.decoders.interface import Stream
from scanner.model import Skipped

# A member's header; the end record, of an archive without one; the mark of one that was to be split (8.5.3)
MAGIC = (b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")


class Zip:
    """The decoder."""

    name = "zip"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def undecided(self, head: bytes) -> bool:
        return begins(head, MAGIC)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        from scanner.decoders.zip.archive import Sequence, by_directory
        from scanner.decoders.zip.directory import NoDirectory, entries

        if isinstance(stream.reader, FileIO) and stream.plain_path is not None:
            try:
                return by_directory(stream.id, stream.reader, entries(stream.reader))
            except NoDirectory:
                pass
        return Sequence(stream).members()
