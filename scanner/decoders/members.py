"""What the containers share: a member's name as a layer, and its bytes as a slice of the container."""

from __future__ import annotations

from scanner.decoders.feed import Feed
from scanner.errors import InputError, TruncatedInput
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
