"""A dump compressed with gzip in members of its own, as `jcmd GC.heap_dump -gz=1` writes it, read at any place.

The JVM compresses each megabyte apart (`HPROF BLOCKSIZE=1048576` stands in the first header's comment), so that any
place is reached by inflating the member it is in. RFC 1952, 2.2: a file is a series of members.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from isal import igzip_lib

from scanner.decoders.dumps.access import File, Unindexed
from scanner.decoders.gzip import BROKEN

MEMBER_MOST = 4 << 20  # bytes of one member: a whole dump in one member can't be read at any place
CHUNK = 256 * 1024  # compressed bytes read at once
KEPT = 4  # members kept inflated
MEMBERS_MOST = 1 << 20  # a terabyte in members of a megabyte


class PackedFile(File):
    """The inflated bytes of all members, as a `File`. Opening raises OSError and Unindexed."""

    def __init__(self, path: bytes) -> None:
        super().__init__(path)
        self._packed = self.size
        self._offsets = array("Q")  # of members in the file
        self._starts = array("Q")  # of their content
        self._inflated: dict[int, bytes] = {}
        try:
            self.size = self._indexed()
        except (Unindexed, OSError):
            os.close(self._fd)
            raise

    def _indexed(self) -> int:
        """Finds all members; gives the size of their content."""
        at = total = 0
        while at < self._packed:
            if len(self._offsets) >= MEMBERS_MOST:
                raise Unindexed
            content, size = self._member(at)
            self._offsets.append(at)
            self._starts.append(total)
            total += len(content)
            at += size
        return total

    def _member(self, at: int) -> tuple[bytes, int]:
        """The content of the member at an offset, and the bytes it takes in the file."""
        engine = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        parts: list[bytes] = []
        made = read = 0
        try:
            while not engine.eof:
                data = os.pread(self._fd, CHUNK, at + read) if engine.needs_input else b""
                if engine.needs_input and not data:
                    raise Unindexed
                read += len(data)
                parts.append(engine.decompress(data, MEMBER_MOST + 1 - made))
                made += len(parts[-1])
                if made > MEMBER_MOST:
                    raise Unindexed
        except BROKEN:
            raise Unindexed from None
        return b"".join(parts), read - len(engine.unused_data or b"")

    def _content(self, number: int) -> bytes:
        if number not in self._inflated:
            while len(self._inflated) >= KEPT:
                del self._inflated[next(iter(self._inflated))]
            try:
                self._inflated[number] = self._member(self._offsets[number])[0]
            except Unindexed:  # it was whole when it was indexed
                raise OSError(0, "the file changed") from None
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
        """As of a `File`; member by member."""
        kept = b""
        while start < end:
            number = bisect_right(self._starts, start) - 1
            low = start - self._starts[number]
            content = self._content(number)[low : low + end - start]
            if not content:
                return
            block = kept + content
            yield start - len(kept), memoryview(block)
            kept = block[len(block) - overlap :] if overlap else b""
            start += len(content)
