"""A byte stream -> a sliding window over it.

One reused buffer. Fresh bytes are read straight into it in blocks small enough to stay in the
processor's cache until they are matched; behind and ahead of the place where hits are worked on, a
fixed number of bytes is kept, so that what a hit sees depends on the stream and never on the blocks.
"""

from __future__ import annotations

from io import RawIOBase
from typing import ClassVar

from msgspec import Struct

from scanner.decoders.interface import Reader
from scanner.newlines import newlines

BLOCK = 256 * 1024  # bytes read and matched at a time: fits a core's L2 cache (2.4 GB/s; 4 MiB blocks: 1.0)
BEHIND = 48 * 1024  # bytes kept before a hit: two 8 KiB view blocks in UTF-16, and 16 KiB for the record's time
AHEAD = 160 * 1024  # bytes seen past a hit: 64 KiB of a token in UTF-16 and the rest of its view block
ROOM = 1024 * 1024  # bytes read before the kept part is moved to the front (moving costs memory bandwidth)


_ZEROS = memoryview(bytes(BLOCK))


_spare: list[bytearray] = []  # at most one, of the window that was closed last; what it holds is never looked at


class Shape(Struct, frozen=True):
    """Sizes of a window, in bytes. Only `block` and `room` are free: findings do not depend on them."""

    block: int = BLOCK
    behind: int = BEHIND
    ahead: int = AHEAD
    room: int = ROOM


class Range(Struct):
    """The part of a stream a unit of work owns: what starts in [start, end)."""

    start: int = 0
    end: int | None = None
    lines: tuple[int, int | None] = (0, None)  # set by a scan: newlines in the part, offset of the last one

    before: ClassVar[int] = 0  # bytes before the part that bear on what is found in it …
    after: ClassVar[int] = 0  # … and behind it

    @property
    def read_from(self) -> int:
        """Where to begin reading, so that what is found is what a look at the whole finds there."""
        return max(0, self.start - self.before)

    @property
    def read_to(self) -> int | None:
        """Where nothing read any further could change what is found in the part."""
        return None if self.end is None else self.end + self.after

    def owns(self, offset: int) -> bool:
        return offset >= self.start and (self.end is None or offset < self.end)


class Bounded:
    """A raw file, or decoded content, at a range's beginning, as a reader that ends where the range does."""

    def __init__(self, file: RawIOBase | Reader, part: Range) -> None:
        self._readinto = file.readinto
        self._left = None if part.read_to is None else part.read_to - part.read_from

    def readinto(self, buffer: memoryview, /) -> int:
        if self._left is None:
            return self._readinto(buffer) or 0
        count = self._readinto(buffer[: self._left]) or 0
        self._left -= count
        return count


class Window:
    """The bytes [base, end) of a stream. Invariant: base <= counted <= end while lines are asked in order."""

    __slots__ = (
        "_buffer", "_count_until", "_reader", "_shape", "base", "counted", "counting", "end", "final", "lines",
        "newline",
    )  # fmt: skip

    def __init__(
        self, reader: Reader, shape: Shape | None = None, start: int = 0, lines_of: tuple[int, int | None] = (0, None)
    ) -> None:
        """`start` is the stream offset of the reader's first byte, `lines_of` the range lines are counted in."""
        self._shape = shape or Shape()
        self._reader = reader
        size = self._shape.behind + 2 * self._shape.ahead + max(self._shape.room, self._shape.block)
        self._buffer = _spare.pop() if _spare and len(_spare[-1]) == size else bytearray(size)
        self.base = self.end = start
        self.counted = max(start, lines_of[0])
        self._count_until = lines_of[1]
        self.counting = True  # lines are counted as the window moves on; else see `count_from`
        self.final = False  # the stream has ended: nothing follows `end`
        self.lines = 0  # newlines in [the range's start, counted)
        self.newline = self.counted - 1  # offset of the last of them; just before the first byte where there is none

    def close(self) -> None:
        """Hands its buffer on to the next window: making one costs more than scanning a small file. Not used again."""
        if not _spare:
            _spare.append(self._buffer)
        self._buffer = bytearray()
        self.base = self.end

    @property
    def ahead(self) -> int:
        """Bytes that must be known past a hit before it is worked on."""
        return self._shape.ahead

    def fill(self) -> memoryview:
        """Reads one block and returns the fresh bytes (empty at the end, and then `final` is set).

        Raises what the reader raises; bytes read before that are in the window.
        """
        filled = self.end - self.base
        room = min(self._shape.block, len(self._buffer) - filled)
        view = memoryview(self._buffer)[filled : filled + room]
        count = self._reader.readinto(view)
        if count <= 0:
            self.final = True
            return view[:0]
        self.end += count
        return view[:count]

    def tail(self, fresh: memoryview, overlap: int) -> tuple[memoryview, int]:
        """`fresh` with up to `overlap` bytes of what stands before it, and the offset of the first byte given.

        Of a block of zeros only the first `overlap` bytes are given: what is looked for ends with one at the latest
        that begins before the block. Dumps consist of zeros for the most part.
        """
        filled = self.end - self.base
        start = max(0, filled - len(fresh) - overlap)
        if overlap < len(fresh) <= BLOCK and self._buffer.startswith(_ZEROS[: len(fresh)], filled - len(fresh)):
            filled += overlap - len(fresh)
        return memoryview(self._buffer)[start:filled], self.base + start

    def release(self, needed: int) -> None:
        """Lets go of what stands more than `behind` bytes before `needed`, once the buffer is nearly full."""
        filled = self.end - self.base
        if len(self._buffer) - filled >= self._shape.block:
            return
        keep = max(self.base, min(needed - self._shape.behind, self.end))
        self.count_to(keep)
        start = keep - self.base
        self._buffer[: filled - start] = memoryview(self._buffer)[start:filled].tobytes()
        self.base = keep

    def slice(self, start: int, end: int) -> bytes:
        """The bytes [start, end) as far as the window has them."""
        base = self.base
        low = start - base if start > base else 0
        high = (end if end < self.end else self.end) - base
        return bytes(memoryview(self._buffer)[low:high]) if low < high else b""

    def last_line_end(self) -> int:
        """The offset just past the last newline in the window; its base where there is none."""
        return self.base + self._buffer.rfind(b"\n", 0, self.end - self.base) + 1

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Line and column (bytes) of `offset`, both from 1. Offsets must be asked in ascending order."""
        self.count_to(offset)
        return self.lines + 1, offset - self.newline

    def count_from(self, lines: int, newline: int | None) -> None:
        """Counts lines from the window's base on, up to which there are `lines` of them in the range, the last one
        at `newline`; None: none.
        """
        self.lines, self.counting = lines, True
        self.newline = self.newline if newline is None else newline
        self.counted = max(self.counted, self.base)

    def lines_counted(self) -> tuple[int, int | None]:
        """Newlines in the range, up to what was read, and the offset of the last one."""
        self.count_to(self.end)
        return self.lines, self.newline if self.lines else None

    def count_to(self, offset: int) -> None:
        """Counts the lines up to `offset`, which the window must still hold."""
        if not self.counting:
            return
        if self._count_until is not None:
            offset = min(offset, self._count_until)
        if offset <= self.counted:
            return
        low, high = self.counted - self.base, offset - self.base
        found = newlines(self._buffer, low, high)
        if found:
            self.lines += found
            self.newline = self.base + self._buffer.rfind(b"\n", low, high)
        self.counted = offset
