"""What a text still holds of values known to be secrets: copies in any encoding, and fragments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from detectors.detector import Kind, Secret
from scanner.copies import LONGEST_VALUE, MOST_VALUES, copies
from scanner.decoders.interface import Reader
from scanner.redaction.fragments import STEP, add, fragments
from scanner.redaction.index import Index
from scanner.redaction.mask import Style, Target, is_kept
from scanner.spans import Spans
from scanner.spellings import Search
from scanner.values import Value

MOST = 10_000  # values: copies are looked for 2,000 at a time, and each time costs a pass over the text
MOST_WORDS = 1_000_000  # of fragments: about 140 MB, enough for 1,300 JWTs or 11,000 opaque tokens in all forms
SHORTEST = 8  # bytes of a value whose copies are looked for: shorter ones are words and numbers
DISTINCT = 5  # different bytes it has at least
MOST_LEFT = 200_000  # places told at once; more are left for the next round

Readers = Callable[[], Iterator[tuple[int, Reader]]]  # opens all streams of a text once more, each with its number


class Known:
    """The values of a run, in memory only."""

    def __init__(self) -> None:
        self._values: dict[Secret, tuple[Kind, str]] = {}
        self._searches: list[Search] = []
        self._index = Index(STEP)
        self.refused = 0  # values there was no room for
        self.unsplit = 0  # values for whose fragments in some form there was no room; told once it is prepared

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: Value) -> None:
        """Takes the value of a finding, as `run` keeps it."""
        self.take(value.match.secret, value.finding.kind, value.finding.fingerprint)

    def take(self, secret: Secret, kind: Kind, fingerprint: str) -> None:
        """Takes a value. One that says too little by itself is left out: no one could tell copies of it from chance."""
        plain = secret.reveal()
        if secret in self._values or len(plain) < SHORTEST or len(set(plain)) < DISTINCT or is_kept(plain):
            return
        if len(self._values) >= MOST:
            self.refused += 1
            return
        self._values[secret] = kind, fingerprint

    def prepare(self, style: Style) -> None:
        """Makes what the values are looked for with: once, before many files (and before a fork)."""
        values = iter([secret for secret in self._values if len(secret) <= LONGEST_VALUE])
        self._searches = []
        while batch := list(islice(values, MOST_VALUES)):
            self._searches.append(Search(batch))
        self._index = self._fragments(style)

    def left(self, readers: Readers) -> dict[int, list[Target]]:
        """What is left in each stream that holds anything, in order. Raises what its readers raise."""
        looks: list[Callable[[Reader], Iterator[Target]]] = [partial(self._copies, search) for search in self._searches]
        if len(self._index):
            looks.append(partial(fragments, index=self._index))
        found: dict[int, list[Target]] = {}
        for look in looks:
            room = MOST_LEFT
            for number, reader in readers():
                some = list(islice(look(reader), room))
                room -= len(some)
                if some:
                    found.setdefault(number, []).extend(some)
                if not room:
                    break
        return {number: _outermost(some) for number, some in sorted(found.items())}

    def _copies(self, search: Search, reader: Reader) -> Iterator[Target]:
        for copy in copies(reader, search, Spans()):
            yield Target((copy.span,), *self._values[copy.value], copy.encoding)

    def _fragments(self, style: Style) -> Index:
        """Plain ones of all values come first: there is most of them where a value was cut."""
        index = Index(STEP)
        self.unsplit = 0
        for encoded in (False, True):
            for number, (secret, (kind, fingerprint)) in enumerate(self._values.items()):
                if len(index) > MOST_WORDS:
                    self.unsplit = max(self.unsplit, len(self._values) - number)
                    break
                add(index, secret.reveal(), kind, fingerprint, style, encoded=encoded)
        return index


def _outermost(found: list[Target]) -> list[Target]:
    """In order, without those that lie inside another: a whole copy is also made of fragments."""
    kept: list[Target] = []
    for target in sorted(found, key=lambda target: (target.spans[0].start, -target.spans[0].end)):
        if not kept or target.spans[0].end > kept[-1].spans[0].end:
            kept.append(target)
    return kept
