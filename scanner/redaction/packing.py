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
    """One member with the header of the original's first: its time, its name, its hint at the level."""

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
        self._write(self._engine.flush() + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))


FEXTRA, FNAME = 4, 8  # RFC 1952, 2.3.1


def _gzip_header(head: bytes) -> tuple[bytes, int]:
    """(header, level). RFC 1952, 2.3.1: XFL 2 says slowest, 4 fastest."""
    if len(head) < 10:
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff", 6
    flags, time, extra, system = head[3], head[4:8], head[8], head[9:10]
    at = 10
    if flags & FEXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    name = b""
    if flags & FNAME and (end := head.find(b"\0", at)) >= 0:
        name = head[at : end + 1]
    header = b"\x1f\x8b\x08" + bytes([FNAME if name else 0]) + time + bytes([extra]) + system + name
    return header, {2: 9, 4: 1}.get(extra, 6)


def _zstd(head: bytes, write: Write) -> Packer:
    import zstandard

    level, checksum = 3, True
    if len(head) > 5 and head.startswith(b"\x28\xb5\x2f\xfd"):
        # RFC 8878, 3.1.1.1: Single_Segment_flag bit 5, Content_Checksum_flag bit 2; exponent of the window bits 7-3
        checksum = bool(head[4] & 4)
        if not head[4] & 32:
            level = _ZSTD_LEVELS.get(10 + (head[5] >> 3), 19 if head[5] >> 3 > 13 else 1)
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum, write_content_size=False)
    return Engine(compressor.compressobj(), write)


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
    "gzip": _Gzip, "zstd": _zstd, "xz": _xz, "bzip2": _bzip2, "lz4": _lz4, "lzma": _lzma,
}  # fmt: skip
