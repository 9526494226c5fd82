"""What the containers share: a member's name as a layer, and its bytes as a slice of the container."""

from __future__ import annotations

from isal import isal_zlib

from scanner.decoders.feed import Feed
from scanner.decoders.interface import OpenReader
from scanner.errors import CorruptInput, InputError, TruncatedInput
from scanner.model import StreamId
from scanner.names import printable


def member_id(container: StreamId, kind: str, name: bytes) -> StreamId:
    """The id of a member: its name is a label and never a path, so whatever stands in it is harmless."""
    return StreamId(container.path, (*container.layers, f"{kind}:{printable(name)}"))


class Slice:
    """The next `size` bytes of a feed, which goes on behind them."""

    def __init__(self, feed: Feed, size: int, container: str) -> None:
        self._feed = feed
        self._container = container
        self.left = size
        self.broken = False  # it could not be read to its end, and that was said

    def readinto(self, buffer: memoryview, /) -> int:
        if not self.left:
            return 0
        try:
            count = self._feed.readinto(buffer[: self.left] if len(buffer) > self.left else buffer)
        except (InputError, OSError):
            self.broken = True
            raise
        if not count and len(buffer):
            self.broken = True
            raise TruncatedInput(f"the {self._container} ends within this member")
        self.left -= count
        return count

    def take(self, count: int) -> bytes:
        """At most `count` of the bytes, fewer only at the end."""
        data = self._feed.take(min(count, self.left))
        self.left -= len(data)
        return data

    def close(self) -> None:
        """The container is closed by the one who opened it."""


class Checked:
    """A member's bytes, its size and CRC-32 compared at the end. Raises CorruptInput where they are not as said."""

    def __init__(self, inner: OpenReader, size: int, crc: int | None, container: str) -> None:
        self._inner = inner
        self._said = (size, crc)
        self._container = container
        self._made = self._crc = 0

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._inner.readinto(buffer)
        if count:
            self._made += count
            self._crc = isal_zlib.crc32(buffer[:count], self._crc)
        elif len(buffer):
            compare(*self._said, self._made, self._crc, self._container)
        return count

    def close(self) -> None:
        self._inner.close()


def compare(size: int, crc: int | None, made: int, found: int, container: str) -> None:
    """Raises CorruptInput where a member is not what its container says."""
    if size != made:
        raise CorruptInput(f"the {container} member has another size than the archive says: it is damaged somewhere")
    if crc is not None and crc != found:
        raise CorruptInput(f"the {container} member's checksum is wrong: it is damaged somewhere")
