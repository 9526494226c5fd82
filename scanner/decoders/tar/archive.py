"""The members of a tar archive, one after another, and of the archives joined to it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from scanner.decoders.feed import Feed
from scanner.decoders.interface import OpenReader, Stream
from scanner.decoders.members import Slice, member_id
from scanner.decoders.tar.header import BLOCK, Header, NoHeader, parse
from scanner.decoders.tar.sparse import Extents, Map, from_block, from_data, from_pax, read_extension
from scanner.errors import CorruptInput, InputError, LimitExceeded, TruncatedInput
from scanner.model import Skipped

META_MOST = 1 << 20  # bytes of a long name or a PAX header: real ones have hundreds
HEAD_MOST = 4 * META_MOST  # bytes of all that stands before one member's data: a name, a link's, two PAX headers
DAMAGED_MOST = 100  # places where headers are damaged: past that it is no archive any more
NAME_TYPES, LINK_NAME, PAX_TYPES, PAX_GLOBAL = b"L", b"K", (b"x", b"X"), b"g"
KEYS = (b"path", b"size")  # of the PAX records those that are needed here, and all of GNU.sparse
WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, FIFOs: their size means nothing


class Member(Struct, frozen=True):
    """A member, a link or a folder. `head`: all blocks that stand before its data, as they are; for a sparse one of
    format 1.0 also the map before the stored parts. `size`: bytes of data behind the header, 0 without `content`.
    """

    name: bytes
    head: bytes
    size: int = 0
    content: Slice | None = None
    sparse: Map | None = None

    @property
    def reader(self) -> OpenReader | None:
        """The file's bytes, holes and all; None where the member holds none."""
        return Extents(self.content, self.sparse) if self.content and self.sparse else self.content


class _Meta(Struct):
    """What the headers before a member say of it."""

    pax: dict[bytes, list[bytes]]
    name: bytes | None = None
    head: bytearray = field(default_factory=bytearray)  # the blocks so far

    def add(self, data: bytes) -> None:
        """Raises LimitExceeded."""
        self.head += data
        if len(self.head) > HEAD_MOST:
            raise LimitExceeded(f"the headers of one member of the tar archive have more than {HEAD_MOST} bytes")

    def last(self, *keys: bytes) -> bytes | None:
        return next((self.pax[key][-1] for key in keys if key in self.pax), None)


class Archive:
    """One archive on its way through."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._feed = Feed(stream.reader)
        self._global: dict[bytes, list[bytes]] = {}
        self._damaged = 0
        self._ended = False  # an end mark was met, and nothing but zeros since

    @property
    def gives_sizes(self) -> bool:
        """Whether a global PAX header so far says how large all members are."""
        return b"size" in self._global

    def members(self) -> Iterator[Stream | Skipped]:
        """The members that hold data."""
        for entry in self.entries():
            if isinstance(entry, Skipped):
                yield entry
            elif isinstance(entry, Member) and (reader := entry.reader):
                identity = member_id(self._stream.id, "tar", entry.name)
                yield replace(self._stream, id=identity, reader=reader, plain_path=None)

    def entries(self) -> Iterator[Member | Skipped | bytes]:
        """All there is, in order; bytes are zeros between members and behind them, a block at a time.

        A member's content is read before the next is asked for.
        """
        meta = _Meta(dict(self._global))
        while True:
            at = self._feed.offset
            block = self._feed.take(BLOCK)
            if len(block) < BLOCK or not block.strip(b"\0"):
                ended = self._is_end(block)
                yield block
                if ended:
                    return
                continue
            try:
                header = parse(block)
                special = self._special(header, block, meta)
            except NoHeader:
                yield self._lost(at, block)
                meta = _Meta(dict(self._global))
                continue
            self._ended = False
            if not special:
                meta.add(block)
                yield from self._member(header, block, meta)
                meta = _Meta(dict(self._global))

    def _is_end(self, block: bytes) -> bool:
        """Whether the archive ends here, `block` being zeros or the rest of the stream. Raises TruncatedInput."""
        if len(block) == BLOCK:
            self._ended = True  # POSIX asks for two such blocks; one is enough to know that nothing is missing
            return False
        if not self._ended or block.strip(b"\0"):
            raise TruncatedInput("the tar archive ends too early")
        return True

    def _lost(self, at: int, block: bytes) -> Skipped:
        """Goes on to the next header. Raises InputError where there is none."""
        self._damaged += 1
        if self._damaged > DAMAGED_MOST:
            raise CorruptInput(f"the tar archive is damaged in more than {DAMAGED_MOST} places")
        what = "something else follows the tar archive" if self._ended else "a tar header is damaged"
        while True:
            block = self._feed.take(BLOCK)
            if len(block) < BLOCK:
                raise CorruptInput(f"{what} at byte {at}, and no other header follows")
            try:
                parse(block)
            except NoHeader:
                continue
            self._feed.put_back(block)
            return Skipped(self._stream.id, f"{what}: {self._feed.offset - at} bytes were not scanned", at)

    def _special(self, header: Header, block: bytes, meta: _Meta) -> bool:
        """Takes a header that only says something of the next member. Raises NoHeader, InputError."""
        if header.kind not in (NAME_TYPES, LINK_NAME, *PAX_TYPES, PAX_GLOBAL):
            return False
        if header.size > META_MOST:
            raise LimitExceeded(f"a name or PAX header in the tar archive has more than {META_MOST} bytes")
        data = self._taken(header.size, meta, block)
        if header.kind == NAME_TYPES:
            meta.name = data.split(b"\0", 1)[0]
        elif header.kind in PAX_TYPES:
            meta.pax = {**self._global, **_records(data)}
        elif header.kind == PAX_GLOBAL:
            self._global.update(_records(data))
            meta.pax = {**self._global, **meta.pax}
        return True

    def _taken(self, size: int, meta: _Meta, block: bytes = b"") -> bytes:
        """What stands in whole blocks behind `block`; all becomes a part of the member's head. Raises InputError."""
        data = self._feed.take(size + -size % BLOCK)
        if len(data) < size:
            raise TruncatedInput("the tar archive ends too early")
        meta.add(block + data)
        return data[:size]

    def _member(self, header: Header, block: bytes, meta: _Meta) -> Iterator[Member | Skipped]:
        name = meta.last(b"GNU.sparse.name", b"path") or meta.name or header.name
        if header.kind in WITHOUT_DATA:
            yield Member(name, bytes(meta.head))
            return
        size = _number(meta.last(b"size"), header.size)
        content = Slice(self._feed, size, "tar archive")
        try:
            sparse = self._sparse(header, block, meta, content)
            yield Member(name, bytes(meta.head) + (sparse.stored if sparse else b""), size, content, sparse)
        except InputError as error:
            yield Skipped(member_id(self._stream.id, "tar", name), str(error), 0)
        missing = self._feed.skip(content.left + -size % BLOCK)
        if missing:
            if content.broken:
                self._ended = True  # said by the member
            elif content.left:
                raise TruncatedInput("the tar archive ends too early")

    def _sparse(self, header: Header, block: bytes, meta: _Meta, content: Slice) -> Map | None:
        """Where the parts of a sparse member belong. Raises InputError."""
        if header.kind == b"S":
            extents = from_block(block)
            while extents.more:
                read_extension(self._taken(BLOCK, meta), extents)
            return extents
        if meta.last(b"GNU.sparse.major") == b"1":
            return from_data(content, _number(meta.last(b"GNU.sparse.realsize"), -1))
        return from_pax(meta.pax)


def _number(text: bytes | None, otherwise: int) -> int:
    """A decimal of a PAX record. Python reads no number of thousands of digits, and there is none."""
    return int(text) if text and text.isdigit() and len(text) < 20 else otherwise


def _records(data: bytes) -> dict[bytes, list[bytes]]:
    """PAX records, "length key=value newline" with the length counting all of it (POSIX pax, Extended Header).

    A key may come again (GNU.sparse.offset). What breaks the form ends the list.
    """
    found: dict[bytes, list[bytes]] = {}
    at = 0
    while (blank := data.find(b" ", at, at + 20)) > 0 and data[at:blank].isdigit():
        size = int(data[at:blank])
        key, equals, value = data[blank + 1 : at + size - 1].partition(b"=")
        if size <= blank - at or at + size > len(data) or not equals:
            break
        if key in KEYS or key.startswith(b"GNU.sparse."):
            found.setdefault(key, []).append(value)
        at += size
    return found
