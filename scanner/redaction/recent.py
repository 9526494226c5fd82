"""The values a stream has shown so far, so that bare copies of them are masked too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from detectors.detector import Kind, Secret
from scanner.redaction.index import Form, Index, Place
from scanner.spellings import WORD_BEGIN, stands_alone

RECENT = 20_000  # values a stream remembers; a value forgotten is still found wherever a detector finds it
LONGEST = 8 * 1024  # bytes of a value (or of its UTF-16): this much of a stream is looked ahead into
DISTINCT = 6  # different bytes a value has at least: repeats of a few stand anywhere
WIDE = ("utf-16le", "utf-16be")


class Recent:
    """The values a stream has shown. Each counts from where it was first found on, so chunks make no difference."""

    def __init__(self) -> None:
        self._index = Index(step=8)
        self._numbers: dict[Secret, tuple[int, Form, range]] = {}
        self._until: dict[Form, int] = {}  # of values that have to make room: up to where they count
        self._staying: deque[Secret] = deque()
        self._leaving: deque[Secret] = deque()

    def add(self, secret: Secret, kind: Kind, fingerprint: str, encoding: tuple[str, ...], since: int) -> None:
        """A value was found that ends at the offset `since`."""
        if secret in self._numbers:
            return
        text = secret.reveal()
        wide = encoding[:1] if encoding[:1] and encoding[0] in WIDE else ()
        if wide:
            text = text.decode("latin-1").encode(wide[0])
        if not self._index.shortest <= len(text) <= LONGEST or len(set(text[-64:])) < DISTINCT:
            return
        form = Form(text, kind, fingerprint, wide, since)
        offsets = self._telling(text, kind)
        self._numbers[secret] = self._index.add(form, offsets), form, offsets
        self._staying.append(secret)
        if len(self._staying) > RECENT:
            oldest = self._staying.popleft()
            self._until[self._numbers[oldest][1]] = since
            self._leaving.append(oldest)

    def places(self, text: bytes, start: int, first: int) -> Iterator[tuple[int, int, Form]]:
        """(start, end, form) of the copies that begin at `first` or later; `text` stands at the offset `start`."""
        self._forget(first)
        if not self._numbers:
            return

        def accept(text: bytes, place: Place) -> bool:
            begins, form = start + place.start, place.form
            known = max(first, form.since) <= begins < self._until.get(form, begins + 1)
            return place.whole and known and _stands_alone(text, place)

        for place in self._index.places(text, accept):
            yield start + place.start, start + place.end, place.form

    def _telling(self, text: bytes, kind: Kind) -> range:
        """Where the words begin a value is met by: at its end, a JWT's signature; a block of PEM ends as all do."""
        last = len(text) - self._index.shortest
        if kind is Kind.PRIVATE_KEY:
            last = last // 2
        return range(last, last + self._index.step)

    def _forget(self, start: int) -> None:
        while self._leaving and self._until[self._numbers[self._leaving[0]][1]] <= start:
            number, form, offsets = self._numbers.pop(self._leaving.popleft())
            del self._until[form]
            self._index.remove(number, offsets)


def _stands_alone(text: bytes, place: Place) -> bool:
    unit = 2 if place.form.encoding else 1
    before, after = text[max(0, place.start - WORD_BEGIN * unit) : place.start], text[place.end : place.end + unit]
    return stands_alone((place.end - place.start) // unit, before, after, unit)
