"""Zstandard (RFC 8878), frame by frame and block by block.

The library's stream reader takes a truncated frame for a whole one, and its decompression object
has no bound on what it makes of a chunk. Given one block at a time it makes at most 128 KiB, and
what the frame says of itself is known here.
"""

from __future__ import annotations

import zstandard

from scanner.decoders.feed import Again, Members
from scanner.decoders.interface import WINDOW_MOST, OpenReader
from scanner.errors import CorruptInput, LimitExceeded

MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1
SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))  # RFC 8878, 3.1.2
BLOCK_MOST = 128 * 1024  # bytes, decoded and (but for raw and compressed, which are never longer) encoded


class ZstdReader(Members):
    """The decoded bytes of all frames."""

    name = "zstd"
    magic = (MAGIC, *SKIPPABLE)
    broken = (zstandard.ZstdError,)

    def __init__(self, reader: OpenReader, again: Again | None = None) -> None:
        super().__init__(reader, None)  # a block is what can be lost, and it is decoded whole or not at all
        self._library = zstandard.ZstdDecompressor(max_window_size=WINDOW_MOST)
        self._object = self._library.decompressobj()
        self._last = self._checksum = False

    @property
    def complete(self) -> bool:
        return self._last

    @property
    def starved(self) -> bool:
        return True

    def begin(self) -> bool:
        if not self.another():
            return False
        head = self._take(4)
        if head in SKIPPABLE:
            # RFC 8878, 3.1.2: Frame_Size, 4 bytes, little-endian
            if self.feed.skip(int.from_bytes(self._take(4), "little")):
                raise self.too_short()
            self._last, self._checksum = True, False
            return True
        self._object = self._library.decompressobj()
        self._object.decompress(head + self._header())
        self._last = False
        return True

    def step(self, most: int) -> bytes:
        if self._last:  # a skippable frame
            return b""
        # RFC 8878, 3.1.1.2: Last_Block 1 bit, Block_Type 2 bits (0 raw, 1 RLE, 2 compressed), Block_Size 21 bits
        head = self._take(3)
        bits = int.from_bytes(head, "little")
        kind, size = bits >> 1 & 3, bits >> 3
        if kind == 3 or size > BLOCK_MOST:
            raise CorruptInput("the zstd data is damaged")
        made = self._object.decompress(head + self._take(1 if kind == 1 else size))
        self._last = bool(bits & 1)
        return made

    def end(self) -> None:
        if self._checksum:
            self._object.decompress(self._take(4))

    def _take(self, count: int) -> bytes:
        data = self.feed.take(count)
        if len(data) < count:
            raise self.too_short()
        return data

    def _header(self) -> bytes:
        """The frame header past the magic (RFC 8878, 3.1.1.1)."""
        descriptor = self._take(1)
        flags = descriptor[0]
        single = flags >> 5 & 1
        self._checksum = bool(flags >> 2 & 1)
        window = b"" if single else self._take(1)
        dictionary = self._take((0, 1, 2, 4)[flags & 3])
        content = self._take((single, 2, 4, 8)[flags >> 6])
        if any(dictionary):
            raise LimitExceeded("the zstd data needs a dictionary")
        if single:
            size = int.from_bytes(content, "little") + (256 if len(content) == 2 else 0)
        else:
            base = 1 << (10 + (window[0] >> 3))
            size = base + base // 8 * (window[0] & 7)
        if size > WINDOW_MOST:
            raise LimitExceeded(f"the zstd data needs a window of {size} bytes, more than {WINDOW_MOST}")
        return descriptor + window + dictionary + content
