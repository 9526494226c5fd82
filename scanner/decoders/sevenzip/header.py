"""The list at a 7z's end: packed streams, the folders (chains of coders) they feed, and the files in these."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from msgspec import Struct, field

from scanner.errors import CorruptInput, LimitExceeded

HEADER_MOST = 32 << 20  # bytes of the list: half a million files
COUNT_MOST = 1_000_000  # files, folders or streams, as many as a source may have members
CODERS_MOST = 8  # of a folder; 7-Zip itself allows 32 and uses at most four

END, HEADER, PROPERTIES, MORE_STREAMS, STREAMS, FILES = 0, 1, 2, 3, 4, 5
PACKED, FOLDERS, PARTS, SIZE, DIGEST, FOLDER, UNPACKED_SIZE, PARTS_OF = 6, 7, 8, 9, 10, 11, 12, 13
EMPTY, NAMES, ENCODED = 14, 17, 23


class Coder(Struct, frozen=True):
    """One step of decoding; `size`: bytes it makes."""

    method: bytes
    properties: bytes
    size: int


class Folder(Struct):
    """Coders in the order of decoding, and the packed stream they take. `refused`: why they can't be run."""

    coders: list[Coder]
    refused: str | None = None
    at: int = 0  # of the packed stream in the file
    packed: int = 0
    crc: int | None = None
    streams: int = 1  # packed streams it takes
    parts: int = 1  # files in it

    @property
    def size(self) -> int:
        return self.coders[-1].size


class Listing(Struct):
    """What the archive holds. `sizes` and `crcs`: of all files that have data, in order; -1: no checksum."""

    folders: list[Folder] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    crcs: array[int] = field(default_factory=lambda: array("q"))
    names: bytes = b""  # UTF-16LE, each ended by a NUL
    files: int = 0
    empty: bytes = b""  # a bit for each file, the highest first: set where it has no data

    def named(self) -> Iterator[bytes]:
        """The names of the files that have data, in UTF-8."""
        at = 0
        for number in range(self.files):
            end = at
            while self.names[end : end + 2].strip(b"\0"):
                end = self.names.find(b"\0\0", end)
                end = len(self.names) if end < 0 else end + (end - at) % 2
            if not (number // 8 < len(self.empty) and self.empty[number // 8] << number % 8 & 128):
                yield self.names[at:end].decode("utf-16-le", "replace").encode()
            at = end + 2


class Cursor:
    """A place in the list. Raises CorruptInput where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise damaged()
        self._at += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """The ones that lead the first byte tell how many bytes follow; what is left of it are the highest bits."""
        first = self.byte()
        more = 8 - (first ^ 255).bit_length()
        low = int.from_bytes(self.take(more), "little")
        return low | (first & (127 >> more)) << 8 * more if more < 8 else low

    def count(self) -> int:
        """A number of things. Raises LimitExceeded."""
        number = self.number()
        if number > COUNT_MOST:
            raise LimitExceeded(f"the 7z archive lists more than {COUNT_MOST} members")
        return number

    def number_up_to(self, most: int) -> int:
        """A number that is small where the list is right."""
        number = self.number()
        if number > most:
            raise damaged()
        return number

    def bits(self, count: int, *, maybe_all: bool = False) -> list[bool]:
        """A bit for each of `count` things; `maybe_all`: a byte before them may say that all are set."""
        if maybe_all and self.byte():
            return [True] * count
        data = self.take((count + 7) // 8)
        return [bool(data[i // 8] << i % 8 & 128) for i in range(count)]

    def digests(self, count: int) -> list[int]:
        """CRC32s; -1 where there is none."""
        there = self.bits(count, maybe_all=True)
        return [int.from_bytes(self.take(4), "little") if one else -1 for one in there]

    def expect(self, *wanted: int) -> int:
        """The next id, which must be one of these."""
        found = self.byte()
        if found not in wanted:
            raise damaged()
        return found


def damaged() -> CorruptInput:
    """To be raised where the list can't be right."""
    return CorruptInput("the 7z archive's list is damaged")


def read_listing(data: bytes) -> Listing:
    """The list, whose first byte (HEADER) is gone. Raises InputError."""
    cursor, found = Cursor(data), Listing()
    while (kind := cursor.byte()) != END:
        if kind == PROPERTIES:
            while cursor.byte() != END:
                cursor.take(cursor.number())
        elif kind == MORE_STREAMS:
            read_streams(cursor)
        elif kind == STREAMS:
            read_streams(cursor, found)
        elif kind == FILES:
            _files(cursor, found)
        else:
            raise damaged()
    return found


def _files(cursor: Cursor, found: Listing) -> None:
    found.files = cursor.count()
    while (kind := cursor.byte()) != END:
        data = cursor.take(cursor.number())
        if kind == EMPTY:
            found.empty = data
        elif kind == NAMES:
            found.names = data[1:]


def read_streams(cursor: Cursor, found: Listing | None = None) -> Listing:
    """Packed streams, folders, and what is in them. Raises InputError."""
    found = found or Listing()
    packed: list[tuple[int, int]] = []
    while (kind := cursor.byte()) != END:
        if kind == PACKED:
            packed = _packed(cursor)
        elif kind == FOLDERS:
            found.folders = _folders(cursor)
        elif kind == PARTS:
            _parts(cursor, found)
        else:
            raise damaged()
    if not found.sizes:
        for folder in found.folders:
            found.sizes.append(folder.size)
            found.crcs.append(-1 if folder.crc is None else folder.crc)
    streams = iter(packed)
    for folder in found.folders:
        taken = [next(streams, (-1, 0)) for _ in range(folder.streams)]
        if taken[-1][0] < 0:
            raise damaged()
        folder.at, folder.packed = taken[0]
    return found


def _packed(cursor: Cursor) -> list[tuple[int, int]]:
    """(offset past the first 32 bytes, bytes) of each packed stream."""
    at, count = cursor.number(), cursor.count()
    sizes: list[int] = []
    while (kind := cursor.byte()) != END:
        if kind == SIZE:
            sizes = [cursor.number() for _ in range(count)]
        elif kind == DIGEST:
            cursor.digests(count)
        else:
            raise damaged()
    places = []
    for size in sizes:
        places.append((at, size))
        at += size
    return places


def _folders(cursor: Cursor) -> list[Folder]:
    cursor.expect(FOLDER)
    count = cursor.count()
    if cursor.byte():
        raise damaged()  # "external": no one writes it
    raw = [_chain(cursor) for _ in range(count)]
    cursor.expect(UNPACKED_SIZE)
    folders = []
    for coders, order, refused, streams in raw:
        sizes = [cursor.number() for _ in coders]
        steps = [Coder(*coders[i], sizes[i]) for i in order]
        folders.append(Folder(steps, refused, streams=streams))
    if cursor.expect(END, DIGEST) == DIGEST:
        for folder, crc in zip(folders, cursor.digests(count), strict=True):
            folder.crc = None if crc < 0 else crc
        cursor.expect(END)
    return folders


_Chain = tuple[list[tuple[bytes, bytes]], list[int], str | None, int]


def _chain(cursor: Cursor) -> _Chain:
    """(method and properties of each coder, their order in decoding, why it can't be run, its packed streams)."""
    coders: list[tuple[bytes, bytes]] = []
    takes = 0
    for _ in range(cursor.number_up_to(CODERS_MOST)):
        flags = cursor.byte()
        method = cursor.take(flags & 15)
        inputs, outputs = (cursor.number_up_to(8), cursor.number_up_to(8)) if flags & 16 else (1, 1)
        if outputs != 1 or flags & 192:
            raise damaged()
        takes += inputs
        coders.append((method, cursor.take(cursor.number()) if flags & 32 else b""))
    if not coders:
        raise damaged()
    bound = {cursor.number(): cursor.number() for _ in range(len(coders) - 1)}  # input -> the output it takes
    streams = takes - len(bound)
    first = next((i for i in range(takes) if i not in bound), 0)
    if streams > 1:
        first, *_ = [cursor.number() for _ in range(streams)]
    if takes != len(coders):
        return (
            coders,
            [*range(len(coders))],
            "is packed by coders that mix several streams (BCJ2): not supported",
            streams,
        )
    order = [first]
    feeds = {output: into for into, output in bound.items()}
    while order[-1] in feeds and len(order) <= len(coders):
        order.append(feeds[order[-1]])
    if sorted(order) != [*range(len(coders))]:
        raise damaged()
    return coders, order, None, streams


def _parts(cursor: Cursor, found: Listing) -> None:
    """How many files each folder holds, and their sizes and checksums."""
    folders = found.folders
    kind = cursor.byte()
    if kind == PARTS_OF:
        for folder in folders:
            folder.parts = cursor.count()
        kind = cursor.byte()
    if sum(folder.parts for folder in folders) > COUNT_MOST:
        raise LimitExceeded(f"the 7z archive lists more than {COUNT_MOST} members")
    for folder in folders:
        left = folder.size
        for part in range(folder.parts):
            size = cursor.number() if part < folder.parts - 1 and kind == SIZE else left
            if size > left:
                raise damaged()
            left -= size
            found.sizes.append(size)
    if kind == SIZE:
        kind = cursor.byte()
    unknown = sum(folder.parts for folder in folders if folder.parts != 1 or folder.crc is None)
    crcs: Iterator[int] = iter(())
    while kind != END:
        if kind == DIGEST:
            crcs = iter(cursor.digests(unknown))
        else:
            cursor.take(cursor.number())
        kind = cursor.byte()
    for folder in folders:
        known = folder.parts == 1 and folder.crc is not None
        found.crcs.extend([folder.crc or 0] if known else [next(crcs, -1) for _ in range(folder.parts)])
