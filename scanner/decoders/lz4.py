"""LZ4 frames (LZ4 Frame Format Description), any number of them."""

from __future__ import annotations

from lz4.frame import LZ4FrameDecompressor

from scanner.decoders.feed import Engine, EngineMembers

MAGIC = b"\x04\x22\x4d\x18"


class Lz4Reader(EngineMembers):
    """The decoded bytes of all frames."""

    name = "lz4"
    magic = (MAGIC,)
    broken = (RuntimeError,)

    def engine(self) -> Engine:
        engine: Engine = LZ4FrameDecompressor()
        return engine
