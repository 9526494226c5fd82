"""A block of UTF-16 is matched in half its bytes: its hits are those that its forms would have given."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import all_detectors
from scanner.matcher import Matcher
from scanner.widetext import SHORTEST, is_wide
from tests.scanning import matcher

EXAMPLES = [text for detector in all_detectors() for text, _ in detector.examples]


@settings(max_examples=30)
@given(seed=st.integers(0, 9999), order=st.sampled_from(["utf-16-le", "utf-16-be"]), cut=st.booleans())
def test_both_ways_give_the_same_hits(seed: int, order: str, cut: bool) -> None:
    draw = random.Random(seed)
    text = b""
    while len(text) < SHORTEST:
        text += draw.choice(EXAMPLES) + bytes(draw.choices(range(32, 127), k=draw.randrange(80)))
    wide = b"x" * cut + text.decode("latin-1").encode(order) + b"\0" * draw.randrange(2)
    assert is_wide(wide)
    assert matcher().scan(wide, 0, 0) == direct(matcher(), wide)


def direct(of: Matcher, data: bytes) -> list[object]:
    """In pieces too short to be taken for text of UTF-16, each with what an anchor may have before it."""
    hits: list[object] = []
    for start in range(0, len(data), 4096):
        low = max(0, start - 1024)
        hits += of.scan(data[low : start + 4096], low, start)
    return hits


@pytest.mark.parametrize(
    "data",
    [bytes(1 << 16), random.Random(1).randbytes(1 << 16), b"plain text, a line\n" * 4000, b"a\0b\0" * 100],
    ids=["zeros", "noise", "text", "too short"],
)
def test_what_is_no_utf16(data: bytes) -> None:
    assert not is_wide(data)
