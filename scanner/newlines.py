"""Newlines counted at twice the speed of `count` where lines are as long as those of most logs.

CPython counts a byte by looking at each (3 GB/s, which is next to what matching takes); to remove one, it asks the C
library's memchr for the next (7 GB/s at 160 bytes a line). So a copy without newlines is made and measured.
"""

from __future__ import annotations

PIECE = 128 * 1024  # bytes copied at a time: they stay in the cache
SAMPLE = 4096  # bytes that tell how long lines are
MOST = 90  # newlines in the sample up to which removing is the faster way


def newlines(data: bytearray, low: int, high: int) -> int:
    """How many stand in `data[low:high]`."""
    if high - low <= SAMPLE or data.count(b"\n", low, low + SAMPLE) > MOST:
        return data.count(b"\n", low, high)
    total = 0
    with memoryview(data) as view:
        for start in range(low, high, PIECE):
            piece = bytes(view[start : min(start + PIECE, high)])
            total += len(piece) - len(piece.replace(b"\n", b""))
    return total
