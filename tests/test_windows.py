"""The window over a stream: what it keeps, what it counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner.windows import Shape, Window


class Chunks:
    """A reader that hands out at most `size` bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size
        self._at = 0

    def readinto(self, buffer: memoryview, /) -> int:
        part = self._data[self._at : self._at + min(self._size, len(buffer))]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


@given(st.binary(max_size=600), st.integers(1, 64), st.integers(1, 40), st.integers(1, 80))
def test_every_byte_passes_once_and_the_kept_part_is_right(data: bytes, chunk: int, block: int, room: int) -> None:
    window = Window(Chunks(data, chunk), Shape(block=block, behind=16, ahead=8, room=room))
    seen = b""
    while not window.final:
        seen += bytes(window.fill())
        assert window.slice(window.base, window.end) == data[window.base : window.end]
        worked_to = max(0, window.end - 8)
        window.release(worked_to)
        assert window.base <= max(0, worked_to - 16) or window.base == 0
    assert seen == data


@given(st.lists(st.sampled_from([b"\n", b"ab", b"c\n", b"\r\n"]), max_size=80), st.integers(1, 30))
def test_lines_and_columns_are_those_of_the_whole(parts: list[bytes], block: int) -> None:
    data = b"".join(parts)
    window = Window(Chunks(data, 1000), Shape(block=block, behind=4, ahead=2, room=1))
    asked = 0
    while not window.final:
        window.fill()
        while asked < window.end - 2:
            line, column = window.line_and_column(asked)
            assert line == data.count(b"\n", 0, asked) + 1
            assert column == asked - data.rfind(b"\n", 0, asked)
            asked += 3
        window.release(min(asked, window.end))


def test_lines_of_a_range_are_counted_from_its_start() -> None:
    data = b"a\nb\nc\nd\n"
    window = Window(Chunks(data, 100), Shape(), 0, (3, 6))
    window.fill()
    assert window.lines_counted() == (2, 5)
