"""What parsers of dumps share: bytes asked for front to back, in large pieces."""

from __future__ import annotations

from collections.abc import Generator

from scanner.decoders.dumps.interface import ASKED

AT_ONCE = 64 * 1024  # bytes asked for where less is needed: neighbours are needed next

Got = Generator[tuple[int, int], bytes, bytes]


class Cursor:
    """Bytes of the file, kept until a later place is asked for. `yield from cursor.take(offset, size)`."""

    def __init__(self, end: int = 1 << 63) -> None:
        """Nothing at or past `end` is asked for."""
        self._base = 0
        self._data = b""
        self._end = end

    def take(self, offset: int, size: int) -> Got:
        """The bytes [offset, offset + size), fewer where they are not to be had. `size` is at most ASKED."""
        if not self._base <= offset <= self._base + len(self._data):
            self._base, self._data = offset, b""
        self._data = self._data[offset - self._base :]
        self._base = offset
        while len(self._data) < size:
            have = offset + len(self._data)
            more = yield have, min(max(AT_ONCE, size - len(self._data)), max(0, self._end - have))
            if not more:
                break
            self._data += more
        return self._data[:size]

    def long(self, offset: int, size: int) -> Got:
        """As `take`, of any size."""
        parts: list[bytes] = []
        while size > 0:
            piece = yield from self.take(offset, min(size, ASKED))
            if not piece:
                break
            parts.append(piece)
            offset += len(piece)
            size -= len(piece)
        return b"".join(parts)
