"""A dump's file, read at any place: never mapped, and a bounded stretch at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

BLOCK = 1 << 20  # bytes searched at a time: what a core's cache holds, less the callbacks' worth
LITERALS_MOST = 20_000  # in one search: their database takes about 100 bytes for each


class Unindexed(Exception):
    """A compressed file that can't be read at any place: one piece, or damaged."""


class File:
    """Reads what is there; a place past the end gives nothing. Opening raises OSError, and so does reading."""

    def __init__(self, path: bytes) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        self.size = os.fstat(self._fd).st_size
        self._kept = b""  # the stretch read last: records are asked for near each other
        self._base = 0

    def __enter__(self) -> File:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def read(self, at: int, count: int) -> bytes:
        """The bytes [at, at + count), as far as they exist."""
        return os.pread(self._fd, count, at) if count > 0 and 0 <= at < self.size else b""

    def near(self, at: int, count: int, ahead: int = 16 * 1024) -> bytes:
        """Like `read`, for small counts at places close to one another: `ahead` bytes more are read and kept."""
        low = at - self._base
        if low < 0 or low + count > len(self._kept):
            self._kept, self._base = self.read(at, count + ahead), at
            low = 0
        return self._kept[low : low + count]

    def blocks(self, start: int, end: int, overlap: int) -> Iterator[tuple[int, memoryview]]:
        """(offset, bytes) of [start, end), block by block, each with the last `overlap` bytes before it.

        A block is valid until the next is asked for.
        """
        buffer = memoryview(bytearray(overlap + BLOCK))
        kept = 0
        while start < end:
            count = os.preadv(self._fd, [buffer[kept : kept + min(BLOCK, end - start)]], start)
            if count <= 0:
                return
            yield start - kept, buffer[: kept + count]
            start += count
            tail = min(overlap, kept + count)
            buffer[:tail] = bytes(buffer[kept + count - tail : kept + count])
            kept = tail


class Literals:
    """Byte strings to be looked for all at once."""

    def __init__(self, literals: Iterable[bytes]) -> None:
        import hyperscan  # only where there is something to look for

        self.all = list(dict.fromkeys(literals))[:LITERALS_MOST]
        self._longest = max(map(len, self.all), default=0)
        self._database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        if self.all:
            expressions = [b"".join(b"\\x%02x" % byte for byte in literal) for literal in self.all]
            flags = [hyperscan.HS_FLAG_DOTALL] * len(expressions)
            self._database.compile(expressions=expressions, ids=list(range(len(expressions))), flags=flags)

    def find(self, file: File, start: int, end: int, most: int) -> dict[bytes, list[int]]:
        """The offsets of the first byte of each in [start, end), ascending: the first `most` + 1 of each."""
        seen: dict[int, list[int]] = {}
        base = 0

        def on_match(index: int, _begin: int, stop: int, _flags: int, _context: object) -> None:
            places = seen.setdefault(index, [])
            at = base + stop - len(self.all[index])
            if len(places) <= most and (not places or places[-1] < at):
                places.append(at)

        if self.all:
            for at, block in file.blocks(start, end, self._longest - 1):
                base = at
                self._database.scan(block, match_event_handler=on_match)
        return {self.all[index]: places for index, places in seen.items()}
