"""Arrays of a JSON document too large to be loaded: numbers and strings by their place in the array.

A first pass leaves a mark every so often, so that any element is reached by reading a little from the mark before it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator

from scanner.decoders.dumps.access import File

MARK = 16 * 1024  # bytes between two marks of an array of numbers: what is read and split for one row
TOTAL_MOST = 1 << 62  # of a column: no file has so many edges
STRINGS = 256  # strings between two marks
STRING_MOST = 1 << 20  # bytes of one string as it is written: V8 cuts at 1,024 characters
_DIGITS = re.compile(rb"[0-9]+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class Broken(Exception):
    """The array is not what it should be, or its end is missing."""


class Numbers:
    """An array of numbers that are not negative, in rows of `width`, which begins at an offset of the file."""

    def __init__(self, file: File, start: int, width: int, summed: int | None = None) -> None:
        """`summed`: the column whose running total is kept at the marks. Raises Broken."""
        self._file = file
        self.width = width
        self._summed = summed
        self._offsets = array("Q")  # of marks
        self._counts = array("Q")  # numbers before each
        self._totals = array("Q")  # of the summed column before each
        self.start = start
        self.end = start
        self.count = 0
        self._total = 0
        self._cached: tuple[int, list[int]] = (-1, [])  # the numbers behind the mark asked for last

    def read(self, column: int = 0, wanted: Callable[[int], bool] | None = None) -> list[int]:
        """Reads the whole array once; returns the rows whose number in `column` is wanted. Raises Broken."""
        rows: list[int] = []
        at = self.start
        while True:
            data = self._file.read(at, MARK)
            stop = data.find(b"]")
            cut = stop if stop >= 0 else data.rfind(b",")
            if cut < 0:
                raise Broken
            self._offsets.append(at)
            self._counts.append(self.count)
            self._totals.append(self._total)
            numbers = self._numbers(data[:cut])
            if wanted:
                first = (column - self.count) % self.width
                base = (self.count + first) // self.width
                rows += [base + i for i, number in enumerate(numbers[first :: self.width]) if wanted(number)]
            if self._summed is not None:
                self._total += sum(numbers[(self._summed - self.count) % self.width :: self.width])
            self.count += len(numbers)
            if self._total >= TOTAL_MOST:
                raise Broken
            at += cut + 1
            if stop >= 0:
                self.end = at - 1
                return rows

    def _numbers(self, data: bytes) -> list[int]:
        if b"-" in data:
            raise Broken
        try:
            return list(map(int, data.split(b","))) if data.strip() else []
        except ValueError:
            raise Broken from None

    def count_only(self) -> None:
        """As `read`, where the numbers do not matter: commas are counted. Raises Broken."""
        at = self.start
        while True:
            data = self._file.read(at, MARK)
            stop = data.find(b"]")
            cut = stop if stop >= 0 else data.rfind(b",")
            if cut < 0:
                raise Broken
            self._offsets.append(at)
            self._counts.append(self.count)
            self.count += data.count(b",", 0, cut) + (1 if cut >= 0 else 0)
            at += cut + 1
            if stop >= 0:
                self.end = at - 1
                return

    def ordinal(self, offset: int) -> int:
        """Which number of the array begins at or just before an offset."""
        mark = bisect_right(self._offsets, offset) - 1
        data = self._file.near(self._offsets[mark], MARK)
        return self._counts[mark] + data.count(b",", 0, offset - self._offsets[mark])

    def row(self, number: int) -> list[int]:
        """A whole row; empty where there is none. Raises Broken."""
        first = number * self.width
        mark = bisect_right(self._counts, first) - 1
        if not 0 <= first < self.count or mark < 0:
            return []
        skipped = first - self._counts[mark]
        data = self._file.near(self._offsets[mark], MARK + 1024)  # the row may go on behind the next mark
        parts = data.split(b",", skipped + self.width)[skipped : skipped + self.width]
        found = [int(match[0]) for part in parts if (match := _DIGITS.search(part))]
        return found if len(found) == self.width else []

    def row_of_total(self, total: int) -> int | None:
        """The row in which the running total of the summed column passes `total`. Raises Broken."""
        assert self._summed is not None
        mark = bisect_right(self._totals, total) - 1
        if mark < 0 or total >= self._total:
            return None
        count, so_far = self._counts[mark], self._totals[mark]
        if self._cached[0] != mark:
            end = self._offsets[mark + 1] - 1 if mark + 1 < len(self._offsets) else self.end
            data = self._file.near(self._offsets[mark], MARK)[: end - self._offsets[mark]]
            self._cached = mark, self._numbers(data)
        numbers = self._cached[1]
        first = (self._summed - count) % self.width
        for i in range(first, len(numbers), self.width):
            so_far += numbers[i]
            if so_far > total:
                return (count + i) // self.width
        return None


class Strings:
    """An array of strings that begins at an offset of the file."""

    def __init__(self, file: File, start: int) -> None:
        self._file = file
        self._start = start
        self._marks = array("Q")  # offsets of every 256th string
        self.count = 0

    def read(self, places: list[int]) -> dict[int, tuple[int, int, int]]:
        """Reads the whole array once. Of each of these ascending offsets the string around it: (number, start, end).

        Raises Broken where the array has no end; what was read until then is known.
        """
        found: dict[int, tuple[int, int, int]] = {}
        waiting = iter(places)
        place = next(waiting, None)
        for start, end in self._all():
            if self.count % STRINGS == 0:
                self._marks.append(start)
            while place is not None and place < end:
                if place >= start:
                    found[place] = (self.count, start, end)
                place = next(waiting, None)
            self.count += 1
        return found

    def _all(self) -> Iterator[tuple[int, int]]:
        at = self._start
        room = STRING_MOST
        while True:
            data = self._file.read(at, room)
            last = 0
            for match in _STRING.finditer(data):
                gap = data[last : match.start()]
                if gap.strip(b", \t\r\n"):
                    break
                last = match.end()
                yield at + match.start(), at + last
            rest = data[last:].lstrip(b", \t\r\n")
            if rest[:1] == b"]":
                return
            if not last or (rest and rest[:1] != b'"'):
                raise Broken
            at += last

    def text(self, number: int) -> bytes | None:
        """A string as it is written, without its quotes; None where it is not known."""
        if not 0 <= number < self.count:
            return None
        data = self._file.near(self._marks[number // STRINGS], STRING_MOST // 4, STRING_MOST // 4)
        for i, match in enumerate(_STRING.finditer(data)):
            if i == number % STRINGS:
                return match[0][1:-1]
        return None
