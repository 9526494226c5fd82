"""Shannon entropy, in bits per character."""

from __future__ import annotations

from collections import Counter
from math import log2


def shannon(value: bytes) -> float:
    """Bits per character of the value's own distribution; 0 for the empty value. At most log2(len)."""
    size = len(value)
    if not size:
        return 0.0
    return -sum(n / size * log2(n / size) for n in Counter(value).values())
