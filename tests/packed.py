"""Text that compresses like a log, and what packs it in each format."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import zstandard


def log(lines: int, seed: int = 1) -> bytes:
    """Text that compresses like a log."""
    chance = random.Random(seed)
    return b"".join(
        b"2026-11-22T10:%02d:%02dZ INFO id=%016x took=%d ms\n" % (n // 60 % 60, n % 60, chance.getrandbits(64), n % 977)
        for n in range(lines)
    )


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6),
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "lz4": lambda data: bytes(lz4.frame.compress(data, content_checksum=True)),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}
MULTI = ("gzip", "zstd", "xz", "bzip2", "lz4")  # formats of several members
TEXT = log(20_000)
Put = Callable[[bytes], Path]
