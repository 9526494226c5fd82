"""The bytes of one zip member: unpacked by its method, and compared with what the zip says of it."""

from __future__ import annotations

import bz2
import lzma
import struct
from collections.abc import Callable

from isal import isal_zlib

from scanner.decoders.feed import Engine, EngineMembers, Feed, Members
from scanner.decoders.gzip import BROKEN, raw_inflate
from scanner.decoders.interface import WINDOW_MOST, OpenReader
from scanner.decoders.members import Slice
from scanner.decoders.xz import XzReader
from scanner.decoders.zip.entry import ENCRYPTED, Entry
from scanner.errors import CorruptInput, LimitExceeded, TruncatedInput

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


class _One(EngineMembers):
    """A single member, decoded by an engine."""

    name = "zip"
    broken = (*BROKEN, OSError, ValueError, lzma.LZMAError)

    def __init__(self, reader: OpenReader, make: Callable[[Feed], Engine], size: int | None = None) -> None:
        super().__init__(reader)
        self._make = make
        self._size = size  # bytes at which it is complete, where the data do not say so

    def begin(self) -> bool:
        if not self.begun:
            self._engine = self._make(self.feed)
        return not self.begun

    def step(self, most: int) -> bytes:
        return super().step(most if self._size is None else min(most, self._size - self._delivered))

    @property
    def complete(self) -> bool:
        return super().complete or self._delivered == self._size


def _deflate(content: OpenReader, _entry: Entry) -> OpenReader:
    return _One(content, lambda feed: raw_inflate())


def _bzip2(content: OpenReader, _entry: Entry) -> OpenReader:
    return _One(content, lambda feed: bz2.BZ2Decompressor())


def _lzma(content: OpenReader, entry: Entry) -> OpenReader:
    return _One(content, _lzma_engine, entry.size)


def _lzma_engine(feed: Feed) -> Engine:
    """5.8.8: a version, the size of the properties (5), lc/lp/pb in one byte, the dictionary's size."""
    head = feed.take(9)
    if len(head) < 9 or head[2:4] != b"\5\0" or head[4] >= 9 * 5 * 5:
        raise CorruptInput("the zip data is damaged")
    rest, lc = divmod(head[4], 9)
    pb, lp = divmod(rest, 5)
    (dictionary,) = struct.unpack("<L", head[5:])
    if dictionary > WINDOW_MOST:
        raise LimitExceeded(f"the zip data needs a window of {dictionary} bytes, more than {WINDOW_MOST}")
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(4096, dictionary), "lc": lc, "lp": lp, "pb": pb}]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError):
        raise CorruptInput("the zip data is damaged") from None


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


class Member:
    """A member of known size. Raises CorruptInput at its end where size or checksum are not what the zip says."""

    def __init__(self, content: Slice, entry: Entry) -> None:
        empty = entry.method != STORED and not entry.packed
        self._inner = content if entry.method == STORED or empty else _OPENERS[entry.method](content, entry)
        self._entry = entry
        self._made = self._crc = 0

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._inner.readinto(buffer)
        if count:
            self._made += count
            self._crc = isal_zlib.crc32(buffer[:count], self._crc)
        elif len(buffer):
            _compare(self._entry.size, self._made, self._entry.crc, self._crc)
        return count

    def close(self) -> None:
        self._inner.close()


def _compare(size: int, made: int, crc: int, found: int) -> None:
    """Raises CorruptInput."""
    if size != made:
        raise CorruptInput("the zip member has another size than the archive says: it is damaged somewhere")
    if crc != found:
        raise CorruptInput("the zip member's checksum is wrong: it is damaged somewhere")


class Undescribed:
    """A member whose checksum and sizes stand behind it. `ended`: it was read to its end, and well."""

    def __init__(self, feed: Feed, entry: Entry) -> None:
        self._feed = feed
        self._inner: Members | _Searched
        if entry.method == STORED:
            self._inner = _Searched(feed)
        else:
            make = raw_inflate if entry.method == DEFLATED else bz2.BZ2Decompressor
            self._inner = _One(feed, lambda _: make())
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
            for wide in (4, 8):
                sizes = data[low + 4 : low + 4 + 2 * wide]
                if sizes == packed.to_bytes(wide, "little") + self._made.to_bytes(wide, "little"):
                    self._feed.put_back(data[low + 4 + 2 * wide :])
                    self.ended = True
                    _compare(self._made, self._made, int.from_bytes(crc, "little"), self._crc)
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
