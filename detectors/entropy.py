"""Shannon entropy, in bits per character."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import log2

_LONGEST = 512  # bytes: the distribution of more says nothing more
_N_LOG_N = [0.0] + [n * log2(n) for n in range(1, _LONGEST + 1)]


@lru_cache(maxsize=256)  # a token is logged again and again while it lives
def shannon(value: bytes) -> float:
    """Bits per character of the value's own distribution; 0 for the empty value. At most log2(len)."""
    value = value[:_LONGEST]
    if not value:
        return 0.0
    return log2(len(value)) - sum(map(_N_LOG_N.__getitem__, Counter(value).values())) / len(value)
