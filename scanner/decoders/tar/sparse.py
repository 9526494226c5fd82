"""Sparse files in tar: where the stored parts belong. Holes are read as the zeros they stand for.

GNU tar manual, "Storing Sparse Files": the old GNU header, and the PAX formats 0.0, 0.1 and 1.0.
"""

from __future__ import annotations

from msgspec import Struct, field

from scanner.decoders.members import Slice
from scanner.decoders.tar.header import BLOCK, NoHeader, number
from scanner.errors import CorruptInput, LimitExceeded, TruncatedInput

PARTS_MOST = 100_000  # stored parts of one file: 16 MB of our memory; GNU tar writes one for each run of blocks
_ZEROS = bytes(64 * 1024)


class Map(Struct):
    """(offset in the file, bytes) of each stored part, the file's size, and whether the list goes on.

    `stored`: the blocks that hold the map itself, where it stands before the data.
    """

    parts: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0
    more: bool = False
    stored: bytes = b""

    def add(self, offset: int, count: int) -> None:
        """Raises InputError where a part overlaps another or there are too many."""
        end = sum(self.parts[-1]) if self.parts else 0
        if offset < end or count < 0:
            raise CorruptInput("the sparse file's map is damaged")
        if len(self.parts) >= PARTS_MOST:
            raise LimitExceeded(f"the sparse file has more than {PARTS_MOST} parts")
        self.parts.append((offset, count))


def from_block(block: bytes) -> Map:
    """Of an old GNU header: four parts at 386, "is extended" at 482, the size at 483. Raises InputError."""
    found = Map()
    _entries(block[386:482], found)
    found.more = block[482] != 0
    found.size = _number(block[483:495])
    return found


def read_extension(block: bytes, found: Map) -> None:
    """The next 21 parts, and at 504 whether more follow. Raises InputError."""
    _entries(block[:504], found)
    found.more = block[504] != 0


def _entries(data: bytes, found: Map) -> None:
    for low in range(0, len(data), 24):
        if not data[low : low + 24].strip(b"\0"):
            return
        found.add(_number(data[low : low + 12]), _number(data[low + 12 : low + 24]))


def _number(text: bytes) -> int:
    try:
        return number(text)
    except NoHeader:
        raise CorruptInput("the sparse file's map is damaged") from None


def from_pax(records: dict[bytes, list[bytes]]) -> Map | None:
    """Of the formats 0.0 and 0.1; None where the file is not sparse. Raises InputError."""
    if b"GNU.sparse.size" not in records:
        return None
    found = Map(size=_decimal(records[b"GNU.sparse.size"][-1]))
    if b"GNU.sparse.map" in records:
        listed = [_decimal(word) for word in records[b"GNU.sparse.map"][-1].split(b",") if word]
        pairs = list(zip(listed[::2], listed[1::2], strict=False))
    else:
        offsets, counts = records.get(b"GNU.sparse.offset", []), records.get(b"GNU.sparse.numbytes", [])
        pairs = [(_decimal(low), _decimal(count)) for low, count in zip(offsets, counts, strict=False)]
    for offset, count in pairs:
        found.add(offset, count)
    return found


def from_data(content: Slice, size: int) -> Map:
    """Of format 1.0: the map stands before the data, decimals on lines, in whole blocks. Raises InputError."""
    lines = _Lines(content)
    found = Map(size=size)
    for _ in range(min(lines.next(), PARTS_MOST + 1)):
        offset = lines.next()
        found.add(offset, lines.next())
    if size < 0:
        found.size = sum(found.parts[-1]) if found.parts else 0
    found.stored = b"".join(lines.blocks)
    return found


class _Lines:
    """Decimals, one a line, from whole blocks."""

    def __init__(self, content: Slice) -> None:
        self._content = content
        self._rest = b""
        self.blocks: list[bytes] = []  # all that was taken

    def next(self) -> int:
        while b"\n" not in self._rest:
            block = self._content.take(BLOCK)
            if not block or len(self._rest) > BLOCK:
                raise CorruptInput("the sparse file's map is damaged")
            self.blocks.append(block)
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return _decimal(line)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise CorruptInput("the sparse file's map is damaged")
    return int(text)


class Extents:
    """The file as it was: stored parts in their places, zeros between."""

    def __init__(self, stored: Slice, where: Map) -> None:
        self._stored = stored
        self._where = where
        self._next = 0  # index of the part that comes next or is being read
        self._at = 0  # offset in the file

    def readinto(self, buffer: memoryview, /) -> int:
        parts = self._where.parts
        while self._next < len(parts) and self._at >= sum(parts[self._next]):
            self._next += 1
        begin, count = parts[self._next] if self._next < len(parts) else (max(self._where.size, self._at), 0)
        if self._at < begin:
            made = min(begin - self._at, len(buffer), len(_ZEROS))
            buffer[:made] = _ZEROS[:made]
        elif count:
            made = self._stored.readinto(buffer[: begin + count - self._at])
            if not made:
                raise TruncatedInput("the sparse file holds less than its map says")
        else:
            made = 0
        self._at += made
        return made

    def close(self) -> None:
        self._stored.close()
