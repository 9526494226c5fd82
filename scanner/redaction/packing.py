"""Compressed input comes back compressed in kind: the same format, and settings as near as the original tells them."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any, Protocol

Write = Callable[[bytes], object]


class Packer(Protocol):
    """Takes bytes, hands compressed ones on. `close` ends the stream and leaves what is behind open."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...


class Engine:
    """An object of the `compress`, `flush` kind."""

    def __init__(self, engine: Any, write: Write) -> None:
        self._engine = engine
        self._write = write

    def write(self, data: bytes, /) -> None:
        self._write(self._engine.compress(data))

    def close(self) -> None:
        self._write(self._engine.flush())


class _Gzip:
    """A member with the header of one like it: its time, its name, its hint at the level."""

    def __init__(self, head: bytes, write: Write) -> None:
        header, level = _gzip_header(head)
        write(header)
        self._write = write
        self._engine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._size = 0

    def write(self, data: bytes, /) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._write(self._engine.compress(data))

    def close(self) -> None:
        self._write(self._engine.flush() + _gzip_end(self._crc, self._size))


FEXTRA, FNAME = 4, 8  # RFC 1952, 2.3.1


def gzip_name(head: bytes) -> bytes:
    """The file name in a header, its final zero included; empty where there is none."""
    at = 10
    if len(head) > 12 and head[3] & FEXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    end = head.find(b"\0", at)
    return head[at : end + 1] if len(head) > 10 and head[3] & FNAME and end >= 0 else b""


def _gzip_header(head: bytes) -> tuple[bytes, int]:
    """(header, level). RFC 1952, 2.3.1: XFL 2 says slowest, 4 fastest."""
    if len(head) < 10:
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff", 6
    name = gzip_name(head)
    header = b"\x1f\x8b\x08" + bytes([FNAME if name else 0]) + head[4:10] + name
    return header, {2: 9, 4: 1}.get(head[8], 6)


def _gzip_end(crc: int, size: int) -> bytes:
    return struct.pack("<II", crc, size & 0xFFFFFFFF)


BLOCK_MOST = 1 << 16  # bytes of a block of BGZF, packed and of its content: "limited to" that, SAM specification 4.1
BLOCK_SURE = 0xFF00  # bytes of content that fit into a block whatever they are: what bgzip takes
_BGZF = b"\6\0BC\2\0"  # the length of the extra fields, and of the only one its name and length


class _Bgzf:
    """One of bgzip's blocks, or more where its content has become too long for one."""

    def __init__(self, head: bytes, write: Write) -> None:
        self._head, self._level = head[:10], {2: 9, 4: 1}.get(head[8], 6)
        self._write = write
        self._held = bytearray()

    def write(self, data: bytes, /) -> None:
        self._held += data
        while len(self._held) > BLOCK_MOST:
            self._take(BLOCK_SURE)

    def close(self) -> None:
        block = self._block(bytes(self._held))
        if len(block) > BLOCK_MOST:
            self._take(BLOCK_SURE)
            block = self._block(bytes(self._held))
        self._write(block)

    def _take(self, count: int) -> None:
        self._write(self._block(bytes(self._held[:count])))
        del self._held[:count]

    def _block(self, content: bytes) -> bytes:
        engine = zlib.compressobj(self._level, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = engine.compress(content) + engine.flush()
        size = len(self._head) + len(_BGZF) + 2 + len(packed) + 8
        told = (size - 1 & 0xFFFF).to_bytes(2, "little")  # of one that is too long it is not to be written
        return self._head + _BGZF + told + packed + _gzip_end(zlib.crc32(content), len(content))


def _gzip(head: bytes, write: Write) -> Packer:
    return _Bgzf(head, write) if head[3:4] == bytes([FEXTRA]) and head[10:16] == _BGZF else _Gzip(head, write)


def _zstd(head: bytes, write: Write) -> Packer:
    import zstandard

    level, checksum, sized = 3, True, False
    if len(head) > 5 and head.startswith(b"\x28\xb5\x2f\xfd"):
        # RFC 8878, 3.1.1.1: Single_Segment_flag bit 5, Content_Checksum_flag bit 2; exponent of the window bits 7-3;
        # Frame_Content_Size_flag bits 7-6, and there is a size also where a single segment has 0 there
        checksum, sized = bool(head[4] & 4), bool(head[4] & 0xE0)
        if not head[4] & 32:
            level = _ZSTD_LEVELS.get(10 + (head[5] >> 3), 19 if head[5] >> 3 > 13 else 1)
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum, write_content_size=sized)
    return _Sized(compressor, write) if sized else Engine(compressor.compressobj(), write)


SIZED_MOST = 8 << 20  # bytes of a frame that are held so that its size can stand before them


class _Sized:
    """A Zstandard frame that tells its size, where that is not too large to be held."""

    def __init__(self, compressor: Any, write: Write) -> None:
        self._compressor = compressor
        self._write = write
        self._held = bytearray()
        self._engine: Any = None

    def write(self, data: bytes, /) -> None:
        if self._engine is None:
            self._held += data
            if len(self._held) <= SIZED_MOST:
                return
            self._engine, data = self._compressor.compressobj(), bytes(self._held)
            self._held.clear()
        self._write(self._engine.compress(data))

    def close(self) -> None:
        self._write(self._engine.flush() if self._engine else self._compressor.compress(bytes(self._held)))


# The window the zstd program takes for input of unknown size, by level (lib/compress/clevels.h): log2 of bytes.
_ZSTD_LEVELS = {19: 1, 20: 2, 21: 3, 22: 9, 23: 19}


def _xz(head: bytes, write: Write) -> Packer:
    check, preset = lzma.CHECK_CRC64, 6
    if len(head) > 24:
        check = head[7] & 15  # The .xz File Format, 2.1.1.2
        preset = _xz_preset(head[12:])
    if check not in (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256):
        check = lzma.CHECK_CRC64
    return Engine(lzma.LZMACompressor(lzma.FORMAT_XZ, check=check, preset=preset), write)


def _xz_preset(block: bytes) -> int:
    """The preset whose dictionary the first block has (The .xz File Format, 3.1 and 5.3.1)."""
    at = 2
    for present in (0x40, 0x80):  # sizes, as variable-length integers
        if block[1] & present:
            while at < len(block) and block[at] & 0x80:
                at += 1
            at += 1
    if block[at : at + 2] != b"\x21\x01" or len(block) < at + 3:
        return 6
    bits = block[at + 2]
    size = (2 | bits & 1) << (bits // 2 + 11)
    return next((preset for dictionary, preset in _XZ_PRESETS if size <= dictionary), 9)


_XZ_PRESETS = ((1 << 18, 0), (1 << 20, 1), (1 << 21, 2), (1 << 22, 4), (1 << 23, 6), (1 << 24, 7), (1 << 25, 8))


def _bzip2(head: bytes, write: Write) -> Packer:
    level = int(head[3:4]) if head[3:4].isdigit() else 9  # "BZh" and the block size in units of 100 kB
    return Engine(bz2.BZ2Compressor(max(1, level)), write)


def _lz4(head: bytes, write: Write) -> Packer:
    from lz4 import frame

    flags, size = (head[4], head[5] >> 4 & 7) if len(head) > 5 else (0x64, 7)
    # LZ4 Frame Format 1.6: B.Indep bit 5, B.Checksum bit 4, C.Checksum bit 2; Block MaxSize 4 to 7
    engine = frame.LZ4FrameCompressor(
        block_size=size if 4 <= size <= 7 else 0,
        block_linked=not flags & 32,
        block_checksum=bool(flags & 16),
        content_checksum=bool(flags & 4),
    )
    write(engine.begin())
    return Engine(engine, write)


def _lzma(_head: bytes, write: Write) -> Packer:
    return Engine(lzma.LZMACompressor(lzma.FORMAT_ALONE), write)


PACKERS: dict[str, Callable[[bytes, Write], Packer]] = {
    "gzip": _gzip, "zstd": _zstd, "xz": _xz, "bzip2": _bzip2, "lz4": _lz4, "lzma": _lzma,
}  # fmt: skip
