"""Newlines are counted right whichever way is taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner.newlines import PIECE, SAMPLE, newlines


@given(st.integers(1, 5000), st.integers(0, 3 * PIECE), st.integers(0, 3000), st.integers(0, 3000))
def test_any_length_of_line_and_any_cut(length: int, size: int, low: int, short: int) -> None:
    data = bytearray((b"x" * (length - 1) + b"\n") * (size // length + 1))
    high = max(low, len(data) - short)
    assert newlines(data, low, high) == data.count(b"\n", low, high)


def test_what_the_sample_does_not_show() -> None:
    head = (b"x" * 99 + b"\n") * (SAMPLE // 100 + 1)
    for rest in (b"\n" * (2 * PIECE + 7), b"x" * (2 * PIECE), (b"\r\n" * PIECE), bytes(range(256)) * 2000):
        data = bytearray(head + rest)
        assert newlines(data, 0, len(data)) == data.count(b"\n")
        assert newlines(data, 3, len(data) - 5) == data.count(b"\n", 3, len(data) - 5)
        data.extend(b"the buffer is let go of")
