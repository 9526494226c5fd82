"""Arrays of a JSON document too large to be loaded: numbers and strings by their place in the array.

A first pass leaves a mark every so often, so that any element is reached by reading a little from the mark before it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import orjson

from detectors.patterns import pattern
from scanner.decoders.dumps.access import File

MARK = 16 * 1024  # bytes between two marks of an array of numbers: what is read and split for one row
TOTAL_MOST = 1 << 62  # of a column: no file has so many edges
STRINGS = 256  # strings between two marks
SHORT = 64  # bytes of a string that may be a name that is asked for
STRING_MOST = 1 << 20  # bytes of one string as it is written: V8 cuts at 1,024 characters
_STRING = pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


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
        self._cached: tuple[int, list[int]] = (-1, [])  # the numbers between a mark, asked for last, and the next

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
        try:
            numbers: list[int] = orjson.loads(b"[" + data + b"]")
        except orjson.JSONDecodeError:
            raise Broken from None
        if not set(map(type, numbers)) <= {int} or min(numbers, default=0) < 0:
            raise Broken
        return numbers

    def count_only(self) -> list[int]:
        """As `read`, where the numbers do not matter: commas are counted. No row is wanted. Raises Broken."""
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
                return []

    def ordinal(self, offset: int) -> int:
        """Which number of the array begins at or just before an offset."""
        mark = bisect_right(self._offsets, offset) - 1
        data = self._file.near(self._offsets[mark], MARK)
        return self._counts[mark] + data.count(b",", 0, offset - self._offsets[mark])

    def _behind(self, mark: int) -> list[int]:
        """The numbers between a mark and the next. Raises Broken."""
        if self._cached[0] != mark:
            last = mark + 1 == len(self._offsets)
            start, end = self._offsets[mark], self.end if last else self._offsets[mark + 1] - 1
            self._cached = mark, self._numbers(self._file.read(start, end - start))
        return self._cached[1]

    def row(self, number: int) -> list[int]:
        """A whole row; empty where there is none. Raises Broken."""
        first = number * self.width
        mark = bisect_right(self._counts, first) - 1
        if number < 0 or mark < 0 or first + self.width > self.count:
            return []
        first -= self._counts[mark]
        found = self._behind(mark)[first : first + self.width]
        while len(found) < self.width and mark + 1 < len(self._offsets):  # it goes on behind the next mark
            mark += 1
            found += self._behind(mark)[: self.width - len(found)]
        return found if len(found) == self.width else []

    def total_before(self, number: int) -> int:
        """The running total of the summed column before a row that exists. Raises Broken."""
        assert self._summed is not None
        first = number * self.width
        mark = bisect_right(self._counts, first) - 1
        count = self._counts[mark]
        return self._totals[mark] + sum(
            self._behind(mark)[(self._summed - count) % self.width : first - count : self.width]
        )

    def row_of_total(self, total: int) -> int | None:
        """The row in which the running total of the summed column passes `total`. Raises Broken."""
        assert self._summed is not None
        mark = bisect_right(self._totals, total) - 1
        if mark < 0 or total >= self._total:
            return None
        count, so_far = self._counts[mark], self._totals[mark]
        numbers = self._behind(mark)
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
        self._cached: tuple[int, list[tuple[int, int]]] = (-1, [])  # strings behind the mark asked for last
        self.count = 0

    def read(
        self, places: Iterable[int] = (), wanted: Callable[[bytes], bool] | None = None
    ) -> tuple[dict[int, tuple[int, int, int]], dict[int, bytes]]:
        """Reads the whole array once. Of each of these ascending offsets the string around it: (number, start, end);
        and the numbers of the short strings that are wanted, with their texts as they are written.

        Raises Broken where the array has no end; what was read until then is known.
        """
        found: dict[int, tuple[int, int, int]] = {}
        texts: dict[int, bytes] = {}
        waiting = iter(places)
        place = next(waiting, None)
        for start, text in self._all():
            end = start + len(text)
            if self.count % STRINGS == 0:
                self._marks.append(start)
            if wanted and len(text) <= SHORT and wanted(text[1:-1]):
                texts[self.count] = text[1:-1]
            while place is not None and place < end:
                if place >= start:
                    found[place] = (self.count, start, end)
                place = next(waiting, None)
            self.count += 1
        return found, texts

    def _all(self) -> Iterator[tuple[int, bytes]]:
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
                yield at + match.start(), match[0]
            rest = data[last:].lstrip(b", \t\r\n")
            if rest[:1] == b"]":
                return
            if not last or (rest and rest[:1] != b'"'):
                raise Broken
            at += last

    def place(self, number: int) -> tuple[int, int] | None:
        """[start, end) of a string as it is written, without its quotes; None where it is not known."""
        if not 0 <= number < self.count:
            return None
        mark = number // STRINGS
        if self._cached[0] != mark:
            at = self._marks[mark]
            data = self._file.near(at, STRING_MOST // 4, STRING_MOST // 4)
            found = islice(_STRING.finditer(data), STRINGS)
            self._cached = mark, [(at + match.start() + 1, at + match.end() - 1) for match in found]
        behind = self._cached[1]
        return behind[number % STRINGS] if number % STRINGS < len(behind) else None

    def text(self, number: int) -> bytes | None:
        """A string as it is written, without its quotes; None where it is not known."""
        place = self.place(number)
        return None if place is None else self._file.near(place[0], place[1] - place[0])
