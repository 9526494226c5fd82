"""Where the findings of a stream stand, remembered in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from scanner.model import Span


class Spans:
    """Many spans in little memory (16 bytes each), by their start."""

    __slots__ = ("_ends", "_longest", "_starts")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._starts, self._ends = array("Q"), array("Q")
        self._longest = 0
        for span in spans:
            self.add(span)

    def add(self, span: Span) -> None:
        """Takes one; cheap where they come in order or nearly so."""
        at = len(self._starts)
        while at and self._starts[at - 1] > span.start:
            at -= 1
        self._starts.insert(at, span.start)
        self._ends.insert(at, span.end)
        self._longest = max(self._longest, span.end - span.start)

    def __len__(self) -> int:
        return len(self._starts)

    def overlap(self, start: int, end: int) -> bool:
        """Whether one of them overlaps [start, end)."""
        at = bisect_left(self._starts, end)
        while at and self._starts[at - 1] > start - self._longest:
            at -= 1
            if self._ends[at] > start:
                return True
        return False

    def near(self, start: int, end: int | None) -> Spans:
        """Those that may overlap [start, end); None: all from there on."""
        low = bisect_left(self._starts, max(0, start - self._longest))
        high = len(self._starts) if end is None else bisect_left(self._starts, end)
        some = Spans()
        some._starts, some._ends, some._longest = self._starts[low:high], self._ends[low:high], self._longest
        return some
