"""bzip2, any number of streams (pbzip2 writes many), by the standard library."""

from __future__ import annotations

import bz2

from scanner.decoders.feed import Engine, EngineMembers

# "BZh", the block size in 100 kB, then pi (a block) or the square root of pi (an empty stream), in BCD
MAGIC = tuple(b"BZh%d%s" % (size, mark) for size in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90"))


class Bzip2Reader(EngineMembers):
    """The decoded bytes of all streams."""

    name = "bzip2"
    magic = MAGIC
    padded = True
    broken = (OSError, ValueError)

    def engine(self) -> Engine:
        return bz2.BZ2Decompressor()
