"""The bytes of one zip member: unpacked by its method, and compared with what the zip says of it."""

from __future__ import annotations

import bz2
from collections.abc import Callable

from isal import isal_zlib

from scanner.decoders.feed import Engine, Feed
from scanner.decoders.gzip import raw_inflate
from scanner.decoders.interface import OpenReader
from scanner.decoders.members import Checked, Slice, compare
from scanner.decoders.single import Single, lzma1
from scanner.decoders.xz import XzReader
from scanner.decoders.zip.entry import ENCRYPTED, Entry
from scanner.errors import CorruptInput, TruncatedInput

# APPNOTE 4.4.5
STORED, DEFLATED, BZIP2, LZMA, ZSTD_OLD, ZSTD, XZ = 0, 8, 12, 14, 20, 93, 95
_NAMES = {1: "Shrink", 6: "Implode", 9: "Deflate64", 96: "JPEG", 97: "WavPack", 98: "PPMd"}
_DESCRIPTOR = b"PK\7\x08"  # its signature is optional by the letter, and written by everyone (4.3.9.3)
SEARCHED = 64 * 1024  # bytes looked through at once for the end of a stored member of unknown size


def refusal(entry: Entry, sequential: bool = False) -> str | None:
    """Why a member is not read; `sequential`: its size is not known. None if it is."""
    if entry.flags & ENCRYPTED:
        return "is encrypted"
    if sequential and entry.method not in (STORED, DEFLATED, BZIP2):
        return "its size is not known before its data, and its method does not tell: read the zip as a file"
    if entry.method not in (STORED, *_OPENERS):
        return f"its compression method ({_NAMES.get(entry.method, entry.method)}) is not supported"
    return None


def _deflate(content: OpenReader, _entry: Entry) -> OpenReader:
    return Single(content, "zip", lambda feed: raw_inflate())


def _bzip2(content: OpenReader, _entry: Entry) -> OpenReader:
    return Single(content, "zip", lambda feed: bz2.BZ2Decompressor())


def _lzma(content: OpenReader, entry: Entry) -> OpenReader:
    return Single(content, "zip", _lzma_engine, entry.size)


def _lzma_engine(feed: Feed) -> Engine:
    """5.8.8: a version, the size of the properties (5), then these."""
    head = feed.take(9)
    if head[2:4] != b"\5\0":
        raise CorruptInput("the zip data is damaged")
    return lzma1(head[4:], "zip")


def _zstd(content: OpenReader, _entry: Entry) -> OpenReader:
    from scanner.decoders.zstd import ZstdReader

    return ZstdReader(content)


def _xz(content: OpenReader, _entry: Entry) -> OpenReader:
    return XzReader(content)


_OPENERS: dict[int, Callable[[OpenReader, Entry], OpenReader]] = {
    DEFLATED: _deflate,
    BZIP2: _bzip2,
    LZMA: _lzma,
    ZSTD_OLD: _zstd,
    ZSTD: _zstd,
    XZ: _xz,
}


def opened(content: Slice, entry: Entry) -> OpenReader:
    """The bytes of a member of known size, which `refusal` lets pass."""
    bare = entry.method == STORED or not entry.packed
    inner = content if bare else _OPENERS[entry.method](content, entry)
    return Checked(inner, entry.size, entry.crc, "zip")


class Undescribed:
    """A member whose checksum and sizes stand behind it. `ended`: it was read to its end, and well."""

    def __init__(self, feed: Feed, entry: Entry) -> None:
        self._feed = feed
        self._inner: Single | _Searched
        if entry.method == STORED:
            self._inner = _Searched(feed)
        else:
            make = raw_inflate if entry.method == DEFLATED else bz2.BZ2Decompressor
            self._inner = Single(feed, "zip", lambda _: make())
            self._inner.feed = feed  # what it reads too far belongs to the archive
        self._begin = feed.offset
        self._made = self._crc = 0
        self.ended = False

    def readinto(self, buffer: memoryview, /) -> int:
        if self.ended:
            return 0
        count = self._inner.readinto(buffer)
        if count:
            self._made += count
            self._crc = isal_zlib.crc32(buffer[:count], self._crc)
        elif len(buffer):
            self._end()
        return count

    def _end(self) -> None:
        """The descriptor: a signature maybe, the checksum, and two sizes of four bytes, or of eight (zip64)."""
        packed = self._feed.offset - self._begin
        data = self._feed.take(24)
        for low in (4, 0) if data.startswith(_DESCRIPTOR) else (0,):
            crc = data[low : low + 4]
            for wide in (8, 4):  # an empty member's eight bytes begin like its four, not the other way round
                sizes = data[low + 4 : low + 4 + 2 * wide]
                if sizes == packed.to_bytes(wide, "little") + self._made.to_bytes(wide, "little"):
                    self._feed.put_back(data[low + 4 + 2 * wide :])
                    self.ended = True
                    compare(self._made, int.from_bytes(crc, "little"), self._made, self._crc, "zip")
                    return
        raise CorruptInput("the zip member has another size than the archive says: it is damaged somewhere")

    def close(self) -> None:
        """The archive is closed by the one who opened it."""


class _Searched:
    """Stored data of unknown size: they end at the first descriptor whose size and checksum are right."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._made = self._crc = 0
        self._ended = False

    def readinto(self, buffer: memoryview, /) -> int:
        if self._ended or not len(buffer):
            return 0
        data = self._feed.take(min(len(buffer), SEARCHED) + 24)
        count = self._sure(data, min(len(buffer), SEARCHED))
        self._feed.put_back(data[count:])
        buffer[:count] = data[:count]
        self._made += count
        self._crc = isal_zlib.crc32(data[:count], self._crc)
        if not count and not self._ended:
            raise TruncatedInput("the zip archive ends within this member")
        return count

    def _sure(self, data: bytes, most: int) -> int:
        """How many of the bytes are the member's; notes where it ends."""
        crc, before, at = self._crc, 0, -1
        while 0 <= (at := data.find(_DESCRIPTOR, at + 1)) <= most:
            if data[at + 8 : at + 12] != ((self._made + at) & 0xFFFFFFFF).to_bytes(4, "little"):
                continue
            crc, before = isal_zlib.crc32(data[before:at], crc), at
            if data[at + 4 : at + 8] == crc.to_bytes(4, "little"):
                self._ended = at == 0
                return at
        return min(most, len(data))
