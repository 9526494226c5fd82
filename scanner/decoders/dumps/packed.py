"""A gzip file read at any place, as if it were not compressed.

`jcmd GC.heap_dump -gz=1` compresses each megabyte apart (`HPROF BLOCKSIZE=1048576` stands in the first header's
comment): any place is reached by inflating the member it is in. What is compressed as one piece gets points on the way,
at each of which the state of inflating is kept, in memory only, and is inflated from the point before a place. RFC
1952, 2.2: a file is a series of members.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from isal import igzip_lib
from msgspec import Struct

from scanner.decoders.dumps.access import BLOCK, File, Unindexed
from scanner.decoders.gzip import BROKEN

MEMBER_MOST = 4 << 20  # bytes of a member that is inflated whole, and those between the first points in a larger one
CHUNK = 256 * 1024  # compressed bytes read at once
BETWEEN = 16 * 1024  # where points are made: some of it is kept with each
KEPT = 6  # stretches kept inflated: 24 MB
MEMBERS_MOST = 1 << 20  # a terabyte in members of a megabyte
POINTS_MOST = 600  # states of inflating that are kept, 60 KB each; where there are more, every other one goes


class _Point(Struct):
    """From here on can be inflated. `offset`: of the file, where what is read next stands; `start`: of the content."""

    offset: int
    start: int
    state: Any = None  # zlib's, to be copied; None where a member begins


class PackedFile(File):
    """The inflated bytes of all members, as a `File`. Opening raises OSError and Unindexed."""

    def __init__(self, path: bytes) -> None:
        super().__init__(path)
        self._packed = self.size
        self._points: list[_Point] = []
        self._inflated: dict[int, bytes] = {}
        self._step = MEMBER_MOST  # bytes between two points
        try:
            self.size = self._indexed()
        except (Unindexed, OSError):
            os.close(self._fd)
            raise
        self._starts = [point.start for point in self._points]

    def _indexed(self) -> int:
        """Finds all members; gives the size of their content."""
        at = total = members = 0
        while at < self._packed:
            members += 1
            if members > MEMBERS_MOST:
                raise Unindexed
            self._points.append(_Point(at, total))
            content, size = self._member(at)
            if len(content) > MEMBER_MOST:
                total, at = self._pointed(at, total)
            else:
                total, at = total + len(content), at + size
        return total

    def _member(self, at: int) -> tuple[bytes, int]:
        """The content of the member at an offset, of a large one its beginning; and the bytes it takes in the file."""
        engine = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        parts: list[bytes] = []
        made = read = 0
        try:
            while not engine.eof and made <= MEMBER_MOST:
                data = os.pread(self._fd, CHUNK, at + read) if engine.needs_input else b""
                if engine.needs_input and not data:
                    raise Unindexed
                read += len(data)
                parts.append(engine.decompress(data, MEMBER_MOST + 1 - made))
                made += len(parts[-1])
        except BROKEN:
            raise Unindexed from None
        return b"".join(parts), read - len(engine.unused_data or b"")

    def _pointed(self, at: int, total: int) -> tuple[int, int]:
        """Makes points in the large member at an offset; gives where its content and it end."""
        point = _Point(at, total)
        last = total
        for engine, part, offset in _inflating(self._fd, point):
            total += len(part)
            if engine.eof:
                return total, offset - len(engine.unused_data)
            if total - last >= self._step:
                self._points.append(_Point(offset, total, engine.copy()))
                last = total
                self._thin()
        raise Unindexed  # its end is missing

    def _thin(self) -> None:
        inner = [number for number, point in enumerate(self._points) if point.state]
        if len(inner) > POINTS_MOST:
            gone = set(inner[::2])
            self._points = [point for number, point in enumerate(self._points) if number not in gone]
            self._step *= 2

    def _content(self, number: int) -> bytes:
        """All between a point and the next."""
        if number not in self._inflated:
            while len(self._inflated) >= KEPT:
                del self._inflated[next(iter(self._inflated))]
            point = self._points[number]
            size = (self._starts[number + 1] if number + 1 < len(self._starts) else self.size) - point.start
            self._inflated[number] = b"".join(_stretch(self._fd, point, size))
            if len(self._inflated[number]) != size:
                raise OSError(0, "the file changed")  # it was whole when it was indexed
        return self._inflated[number]

    def read(self, at: int, count: int) -> bytes:
        """The inflated bytes [at, at + count), as far as they exist."""
        parts: list[bytes] = []
        end = min(at + count, self.size)
        while 0 <= at < end:
            number = bisect_right(self._starts, at) - 1
            low = at - self._starts[number]
            parts.append(self._content(number)[low : low + end - at])
            at += len(parts[-1])
            if not parts[-1]:
                break
        return b"".join(parts)

    def blocks(self, start: int, end: int, overlap: int) -> Iterator[tuple[int, memoryview]]:
        """As of a `File`; stretch by stretch."""
        kept = b""
        for content in self._run(start, min(end, self.size)):
            block = kept + content
            yield start - len(kept), memoryview(block)
            kept = block[-overlap:] if overlap else b""
            start += len(content)

    def _run(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end) in pieces."""
        while start < end:
            number = bisect_right(self._starts, start) - 1
            first = number
            while self._points[first].state:
                first -= 1
            large = first < number or (number + 1 < len(self._points) and self._points[number + 1].state)
            if large and start - self._starts[first] <= end - start:
                for content in self._streamed(first, start, end):
                    yield content
                    start += len(content)
                continue
            low = start - self._starts[number]
            content = self._content(number)[low : low + end - start]
            yield content
            start += len(content)

    def _streamed(self, first: int, start: int, end: int) -> Iterator[bytes]:
        """What lies in [start, end) of the member that begins at a point: read from its beginning, which is three times
        as fast as from point to point.
        """
        engine = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        offset, at = self._points[first].offset, self._starts[first]
        while not engine.eof and at < end:
            data = os.pread(self._fd, CHUNK, offset) if engine.needs_input else b""
            offset += len(data)
            try:
                made = engine.decompress(data, BLOCK)
            except BROKEN:
                raise OSError(0, "the file changed") from None
            if not made and not data:
                raise OSError(0, "the file changed")
            wanted = made[max(0, start - at) : end - at]
            at += len(made)
            if wanted:
                yield wanted


def _inflating(descriptor: int, point: _Point) -> Iterator[tuple[Any, bytes, int]]:
    """(zlib's engine, bytes it made, the offset it reads at next) from a point on, to its member's end or the file's.

    Raises Unindexed.
    """
    engine = point.state.copy() if point.state else zlib.decompressobj(31)  # 31: with gzip's header and trailer
    offset = point.offset
    try:
        while not engine.eof:
            data = engine.unconsumed_tail or os.pread(descriptor, BETWEEN, offset)
            if not data:
                return
            offset += 0 if engine.unconsumed_tail else len(data)
            yield engine, engine.decompress(data, MEMBER_MOST), offset
    except zlib.error:
        raise Unindexed from None


def _stretch(descriptor: int, point: _Point, size: int) -> Iterator[bytes]:
    """The `size` bytes behind a point, which lie in its member."""
    try:
        for _, part, _ in _inflating(descriptor, point):
            yield part[:size]
            size -= len(part)
            if size <= 0:
                return
    except Unindexed:
        raise OSError(0, "the file changed") from None
