"""xz (any number of streams and blocks) and the older .lzma, by the standard library."""

from __future__ import annotations

import lzma

from scanner.decoders.feed import Engine, EngineMembers
from scanner.decoders.interface import WINDOW_MOST
from scanner.errors import LimitExceeded

MAGIC = (b"\xfd7zXZ\0",)  # The .xz File Format, 2.1.1.1
ALONE = b"\x5d\0\0"  # properties lc=3 lp=0 pb=2, which all writers use, and a dictionary size of whole 64 KiB
ALONE_HEAD = 13  # bytes: properties, dictionary size (4), uncompressed size (8)
MEMORY_MOST = WINDOW_MOST + (1 << 20)  # bytes: a dictionary and the decoder's own


class _Bounded:
    """An engine that says what it refused: liblzma names its memory limit in a text only."""

    def __init__(self, form: int) -> None:
        self._engine = lzma.LZMADecompressor(form, memlimit=MEMORY_MOST)

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return self._engine.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes:
        try:
            return self._engine.decompress(data, max_length)
        except lzma.LZMAError as error:
            if "emory usage limit" in str(error):
                raise LimitExceeded(f"the xz data needs more than {MEMORY_MOST} bytes of memory") from None
            raise


class XzReader(EngineMembers):
    """The decoded bytes of all streams. Zeros between and after them are padding (The .xz File Format, 2.2)."""

    name = "xz"
    magic = MAGIC
    padded = True
    broken = (lzma.LZMAError,)

    def engine(self) -> Engine:
        return _Bounded(lzma.FORMAT_XZ)


class LzmaReader(EngineMembers):
    """The decoded bytes of a .lzma file: one member, no checksum."""

    name = "lzma"
    magic = (ALONE,)
    broken = (lzma.LZMAError,)

    def engine(self) -> Engine:
        return _Bounded(lzma.FORMAT_ALONE)


def is_lzma(head: bytes) -> bool:
    """.lzma has no magic, so the whole header must be what writers write: a dictionary of 2^n or 2^n + 2^(n-1)
    bytes, and a size that is unknown (all ones) or below 256 GiB. The liblzma tools apply the same test.
    """
    if len(head) < ALONE_HEAD + 5 or not head.startswith(ALONE) or head[ALONE_HEAD] != 0:
        return False  # the first byte of the range coder is always 0
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    low = dictionary & -dictionary
    return bool(dictionary) and dictionary in (low, 3 * low) and (size == (1 << 64) - 1 or size < 1 << 38)
