"""What a zip says of a member, in its local header and in its directory (APPNOTE 4.3.7, 4.3.12, 4.5.3)."""

from __future__ import annotations

import struct

from msgspec import Struct

from scanner.decoders.feed import Feed
from scanner.errors import CorruptInput, TruncatedInput

LOCAL = b"PK\3\4"
ENCRYPTED, DESCRIBED, STRONG, MASKED = 1, 8, 64, 8192  # bits of the flags, 4.4.4
HEAD = struct.Struct("<4s5H3L2H")
ZIP64 = 1  # the extra field with sizes of eight bytes
FOLDER_MOST = 16  # bytes that nothing may be packed to
OVER = 0xFFFFFFFF  # says that the size stands there


class Entry(Struct, frozen=True):
    """A member. Sizes in bytes; `packed` as it is stored. `offset`: of its local header in the file.

    `record`: the header or the entry of the directory that says so, with name, extra fields and comment.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int = 0
    record: bytes = b""

    @property
    def is_folder(self) -> bool:
        """Whether it holds nothing, as its name says and its sizes do."""
        return self.name.endswith(b"/") and not self.size and self.packed <= FOLDER_MOST


def read_local(feed: Feed) -> Entry:
    """The header the feed stands at, and past it. Raises InputError."""
    head = feed.take(HEAD.size)
    if len(head) < HEAD.size:
        raise TruncatedInput("the zip archive ends too early")
    mark, _, flags, method, _, _, crc, packed, size, name_size, extra_size = HEAD.unpack(head)
    if mark != LOCAL:
        raise CorruptInput("no zip member stands where the directory says")
    name, extra = feed.take(name_size), feed.take(extra_size)
    if len(extra) < extra_size or len(name) < name_size:
        raise TruncatedInput("the zip archive ends too early")
    size, packed, _ = widened(extra, size, packed)
    return Entry(name, flags, method, crc, packed, size, record=head + name + extra)


def widened(extra: bytes, size: int, packed: int, offset: int = 0) -> tuple[int, int, int]:
    """The three numbers, those that do not fit into four bytes taken from the zip64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == ZIP64:
            wide = iter(extra[low : low + 8] for low in range(at + 4, at + 4 + length, 8))
            size, packed, offset = (
                int.from_bytes(next(wide, b""), "little") if number == OVER else number
                for number in (size, packed, offset)
            )
            break
        at += 4 + length
    return size, packed, offset
