"""Many matches of one secret -> one: where two overlap, the one that says more stays.

Local by design: a match is dropped if and only if a better one overlaps it, whatever became of that
one. So what is reported at a place depends on its neighbourhood alone, not on where a scan began.
"""

from __future__ import annotations

from itertools import accumulate

from msgspec import Struct

from detectors.detector import Match
from scanner.model import Span
from scanner.view import View

REACH = 16 * 1024  # bytes: no match begins further than this before the end of the anchor that found it


class Candidate(Struct, frozen=True):
    """A match with its place in the stream, waiting to be compared with its neighbours."""

    start: int  # of the first span
    end: int  # of the last one
    spans: tuple[Span, ...]
    match: Match
    detector: str
    view: View

    def order(self) -> tuple[int, bool, int, int, str, str]:
        """Greater is better; total, so that equals cannot drop each other."""
        size = sum(span.end - span.start for span in self.spans)
        return (self.match.rank, self.match.flaw is None, size, -self.start, self.detector, repr(self.spans))

    def beats(self, other: Candidate) -> bool:
        """Whether it overlaps the other and is better."""
        return self.order() > other.order() and any(
            a.start < b.end and b.start < a.end for a in self.spans for b in other.spans
        )


class Resolver:
    """Takes candidates in any order of their hits and gives back, in order of their start, those that stay."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, tuple[Span, ...]], Candidate] = {}
        self._settled: list[Candidate] = []  # may still overlap ones that wait

    def add(self, candidate: Candidate) -> None:
        """Takes one; the same match found by another anchor of its detector counts once."""
        self._waiting.setdefault((candidate.detector, candidate.spans), candidate)

    def oldest(self, position: int) -> int:
        """Where the earliest candidate still waited for begins; `position` if there is none."""
        return min((c.start for c in self._waiting.values()), default=position)

    def settle(self, position: int, reach: int = REACH) -> list[Candidate]:
        """Those that no later hit can change, hits up to `position` having been worked on.

        At the end of a stream, and where a live one pauses, `reach` is 0: nothing is waited for.
        """
        if not self._waiting:
            return []
        ordered = sorted(self._waiting.values(), key=lambda c: c.start)
        count = next((i for i, c in enumerate(ordered) if reach and c.end + reach > position), len(ordered))
        if not count:
            return []
        field = self._settled + ordered
        reaches = list(accumulate((c.end for c in field), max))
        first = len(self._settled)
        kept = [field[i] for i in range(first, first + count) if not _beaten(field, reaches, i)]
        needed = min(position - REACH, ordered[count].start if count < len(ordered) else position)
        self._settled = [c for c in field[: len(self._settled) + count] if c.end > needed]
        self._waiting = {(c.detector, c.spans): c for c in ordered[count:]}
        return kept


def _beaten(field: list[Candidate], reaches: list[int], place: int) -> bool:
    """Whether one of the field overlaps the one at `place` and is better.

    The field is in order of start from the settled ones on; `reaches` is how far any up to each place reaches, so
    that only neighbours are looked at.
    """
    candidate = field[place]
    start, end = candidate.start, candidate.end
    before = place - 1
    while before >= 0 and reaches[before] > start:
        other = field[before]
        if other.end > start and other.beats(candidate):
            return True
        before -= 1
    for index in range(place + 1, len(field)):
        other = field[index]
        if other.start >= end:
            return False
        if other.beats(candidate):
            return True
    return False
