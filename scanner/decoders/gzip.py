"""gzip (RFC 1952), inflated by ISA-L, with any number of members.

The frame is read here rather than by the library, so that a wrong checksum at a member's end does
not cost the bytes before it.
"""

from __future__ import annotations

from typing import cast

from isal import igzip_lib, isal_zlib

from scanner.decoders.feed import Engine, EngineMembers
from scanner.errors import CorruptInput

# RFC 1952, 2.3.1: ID1 = 31, ID2 = 139, CM = 8 (deflate, the only one defined)
MAGIC = (b"\x1f\x8b\x08",)
FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED = 2, 4, 8, 16, 0xE0
NAME_MOST = 64 * 1024  # bytes of a file name or comment in the header: longer is no header
BROKEN = (cast("type[Exception]", isal_zlib.IsalError),)  # its stub calls it an instance


def raw_inflate() -> Engine:
    """An engine for raw DEFLATE (RFC 1951)."""
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)


class GzipReader(EngineMembers):
    """The inflated bytes of all members. Zeros after the last are padding, as tapes and blocks leave them."""

    name = "gzip"
    magic = MAGIC
    padded = True
    broken = BROKEN

    def engine(self) -> Engine:
        self._header()
        self._crc = self._size = 0
        return raw_inflate()

    def step(self, most: int) -> bytes:
        made = super().step(most)
        self._crc = isal_zlib.crc32(made, self._crc)
        self._size += len(made)
        return made

    def end(self) -> None:
        # RFC 1952, 2.3.1: CRC32 and ISIZE (the size modulo 2^32), least-significant byte first
        trailer = self._take(8)
        if int.from_bytes(trailer[:4], "little") != self._crc:
            raise CorruptInput("the gzip checksum is wrong: the data before it is damaged somewhere")
        if int.from_bytes(trailer[4:], "little") != self._size & 0xFFFFFFFF:
            raise CorruptInput("the gzip size is wrong: the data before it is damaged somewhere")

    def _take(self, count: int) -> bytes:
        data = self.feed.take(count)
        if len(data) < count:
            raise self.too_short()
        return data

    def _header(self) -> None:
        flags = self._take(10)[3]
        if flags & RESERVED:
            raise CorruptInput("the gzip header is damaged")
        if flags & FEXTRA:
            self._take(int.from_bytes(self._take(2), "little"))
        for flag in (FNAME, FCOMMENT):
            if flags & flag:
                self._skip_text()
        if flags & FHCRC:
            self._take(2)

    def _skip_text(self) -> None:
        for _ in range(NAME_MOST):
            if self._take(1) == b"\0":
                return
        raise CorruptInput("the gzip header is damaged")
