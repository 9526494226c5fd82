"""Where stretches of known values stand in a text: an index of eight-byte words, looked up by the machine word.

Of the text only every eighth or fourth word is looked at, of the values as many in a row are known: so what they share
is met wherever it stands, at 400 or 200 MB/s from Python and for any number of values (measured).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from detectors.detector import Kind

WORD = 8  # bytes
LONGEST = 1 << 16  # bytes of a form: its number and an offset are kept in one integer
BLOCK, ROW = 64 * 1024, 1024  # bytes asked about at once: most blocks hold nothing, a row is cheap to go through

_word_at = struct.Struct("@Q").unpack_from  # the machine's own order, as a memoryview cast to Q has it


class Form(Struct, frozen=True, eq=False):
    """A known value as it may be written. Never shows it."""

    text: bytes
    kind: Kind
    fingerprint: str
    encoding: tuple[str, ...] = ()  # as a finding tells it
    since: int = 0  # offset in the stream from which on it is known
    value: bytes = b""  # what it is written of, where that is something else
    bits: int = 8  # of the value in each byte of the text: 4 in UTF-16, 6 in base64
    shift: int = 0  # bits of the value before the first byte of the text

    def __repr__(self) -> str:
        return f"Form({self.kind.value}, {len(self.text)} bytes)"


class Place(Struct, frozen=True):
    """The bytes [start, end) of a text are those of `form` from `at` on."""

    start: int
    end: int
    form: Form
    at: int

    def stretch(self) -> tuple[bytes, int, int]:
        """The value, and which of its bytes stand here whole: [start, end)."""
        form = self.form
        low, high = (at * form.bits + form.shift for at in (self.at, self.at + self.end - self.start))
        return form.value or form.text, -(-low // 8), high // 8

    @property
    def whole(self) -> bool:
        """Whether all of the form stands here."""
        return self.at == 0 and self.end - self.start == len(self.form.text)


class Index:
    """Forms by their words. Of forms that share a word, the first keeps it: what the others have alone tells of them.

    `step`: bytes between the words of a text that are looked at, 4 or 8. A stretch of `shortest` bytes, all of whose
    words are known, is certain to be met.
    """

    def __init__(self, step: int) -> None:
        self._at = tuple(range(0, WORD, step))
        self.step = step
        self.shortest = WORD + step - 1
        self._words: dict[int, int] = {}  # word -> number of the form and offset in it
        self._forms: dict[int, Form] = {}
        self._next = 0

    def __len__(self) -> int:
        """How many words are known."""
        return len(self._words)

    def add(self, form: Form, offsets: Iterable[int]) -> int:
        """Makes the words of a form that begin at these offsets known; `step` in a row are enough to meet it whole.

        Gives back a number by which it can be removed.
        """
        number = self._next
        self._next += 1
        self._forms[number] = form
        text, last = form.text, min(len(form.text) - WORD, LONGEST - 1)
        for offset in offsets:
            if offset <= last:
                self._words.setdefault(_word_at(text, offset)[0], number * LONGEST + offset)
        return number

    def remove(self, number: int, offsets: Iterable[int]) -> None:
        """Forgets a form that was added with these offsets."""
        form = self._forms.pop(number)
        text, last = form.text, min(len(form.text) - WORD, LONGEST - 1)
        for offset in offsets:
            if offset <= last and self._words.get(word := _word_at(text, offset)[0], -1) // LONGEST == number:
                del self._words[word]

    def places(self, text: bytes, accept: Callable[[bytes, Place], bool]) -> Iterator[Place]:
        """Where a stretch of a form stands that is acceptable, grown as far as both are the same; in order of hits."""
        known = self._words.keys()
        view = memoryview(text)
        passed = 0
        for start in range(0, len(text), BLOCK):
            block = view[start : start + BLOCK + WORD]
            if all(known.isdisjoint(_cast(block[at:])) for at in self._at):
                continue
            for position in self._hits(view, start, min(len(text), start + BLOCK)):
                if position + WORD <= passed:
                    continue
                number, offset = divmod(self._words[_word_at(text, position)[0]], LONGEST)
                place = _grown(text, position, self._forms[number], offset)
                if accept(text, place):
                    passed = place.end
                    yield place

    def _hits(self, view: memoryview, start: int, end: int) -> Iterator[int]:
        """Offsets of known words in [start, end), ascending."""
        known = self._words
        for row in range(start, end, ROW):
            part = view[row : min(row + ROW, end) + WORD]
            if all(known.keys().isdisjoint(_cast(part[at:])) for at in self._at):
                continue
            found = [row + at + WORD * i for at in self._at for i, w in enumerate(_cast(part[at:])) if w in known]
            yield from sorted(found)


def _cast(view: memoryview) -> memoryview:
    return view[: len(view) - len(view) % WORD].cast("Q")


def _grown(text: bytes, position: int, form: Form, offset: int) -> Place:
    """All that is the same on both sides of a word that both have."""
    start = position - offset
    if start >= 0 and text.startswith(form.text, start):
        return Place(start, start + len(form.text), form, 0)
    back = _same(text[max(0, position - offset) : position][::-1], form.text[:offset][::-1])
    ahead = _same(text[position : position + len(form.text) - offset], form.text[offset:])
    return Place(position - back, position + ahead, form, offset - back)


def _same(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
