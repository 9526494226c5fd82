"""One compressed stretch of data inside a container, decoded by an engine."""

from __future__ import annotations

import lzma
from collections.abc import Callable

from scanner.decoders.feed import Engine, EngineMembers, Feed
from scanner.decoders.gzip import BROKEN
from scanner.decoders.interface import WINDOW_MOST, OpenReader
from scanner.errors import CorruptInput, LimitExceeded


class Single(EngineMembers):
    """The decoded bytes, whatever follows them left alone."""

    broken = (*BROKEN, OSError, ValueError, lzma.LZMAError)

    def __init__(
        self, reader: OpenReader, container: str, make: Callable[[Feed], Engine], size: int | None = None
    ) -> None:
        """`container`: for messages. `size`: decoded bytes at which it is complete, where the data do not say so."""
        super().__init__(reader)
        self.name = container
        self._make = make
        self._size = size

    def begin(self) -> bool:
        if not self.begun:
            self._engine = self._make(self.feed)
        return not self.begun

    def step(self, most: int) -> bytes:
        return super().step(most if self._size is None else min(most, self._size - self._delivered))

    @property
    def complete(self) -> bool:
        return super().complete or self._delivered == self._size


def lzma1(properties: bytes, container: str, most: int = WINDOW_MOST) -> Engine:
    """An engine for LZMA as its five bytes of properties say: lc, lp and pb in one, the dictionary's size in four.

    `most`: decoded bytes, past which no dictionary is needed. Raises InputError.
    """
    if len(properties) < 5 or properties[0] >= 9 * 5 * 5:
        raise CorruptInput(f"the {container} data is damaged")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    size = bounded(int.from_bytes(properties[1:5], "little"), container, most)
    return raw([{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}], container)


def bounded(dictionary: int, container: str, most: int = WINDOW_MOST) -> int:
    """The size of a dictionary, as large as is needed. Raises LimitExceeded."""
    size = min(dictionary, max(most, 4096))
    if size > WINDOW_MOST:
        raise LimitExceeded(f"the {container} data needs a window of {size} bytes, more than {WINDOW_MOST}")
    return max(4096, size)


def raw(filters: list[dict[str, int]], container: str) -> Engine:
    """An engine of liblzma without a frame. Raises CorruptInput where it does not take the filters."""
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError):
        raise CorruptInput(f"the {container} data is damaged") from None
