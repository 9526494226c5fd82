"""7z (7zFormat.txt of the LZMA SDK), its blocks decoded by the standard library: no block is held, however solid.

The list of members stands at the end. A 7z on disk is read there first; one that comes through a pipe or out of
another archive is held in memory, up to a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO, FileIO

from scanner.decoders.feed import begins
from scanner.decoders.interface import Stream
from scanner.errors import LimitExceeded
from scanner.model import Skipped

MAGIC = b"7z\xbc\xaf\x27\x1c"
HELD_MOST = 32 << 20  # bytes of an archive that can't be read from its end: three quarters of our memory for a stream


class SevenZip:
    """The decoder."""

    name = "7z"
    magic = (MAGIC,)

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def undecided(self, head: bytes) -> bool:
        return begins(head, (MAGIC,))

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        from scanner.decoders.sevenzip.archive import members

        if isinstance(stream.reader, FileIO) and stream.plain_path is not None:
            return members(stream.id, stream.reader)
        return members(stream.id, _held(stream))


def _held(stream: Stream) -> BytesIO:
    """Raises LimitExceeded, and what the reader raises."""
    held = bytearray()
    piece = memoryview(bytearray(1 << 16))
    while count := stream.reader.readinto(piece):
        held += piece[:count]
        if len(held) > HELD_MOST:
            raise LimitExceeded(f"a 7z of more than {HELD_MOST} bytes is read from disk only, as its list stands last")
    return BytesIO(held)
