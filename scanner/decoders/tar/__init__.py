"""tar in all its flavours, read once from front to back: v7, ustar, GNU, PAX, sparse files, joined archives.

Nothing is written anywhere, so a name can do no harm: it becomes a label, made printable.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.decoders.interface import Stream
from scanner.decoders.tar.header import BLOCK, NoHeader, may_become_header, parse
from scanner.model import Skipped


class Tar:
    """The decoder. tar has no magic in v7, so a header is told by its checksum."""

    name = "tar"

    def recognises(self, head: bytes) -> bool:
        try:
            parse(head[:BLOCK])
        except NoHeader:
            return False
        return True

    def undecided(self, head: bytes) -> bool:
        return len(head) < BLOCK and may_become_header(head)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        from scanner.decoders.tar.archive import Archive

        return Archive(stream).members()
