"""What a text still holds of values known to be secrets: copies in any encoding, and fragments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice

from detectors.detector import Kind, Secret
from detectors.shapes import is_wordy
from scanner.copies import LONGEST_VALUE, MOST_VALUES, Search, Spans, copies
from scanner.decoders.interface import Reader
from scanner.model import Span
from scanner.redaction.index import WORD, Form, Index, Place
from scanner.redaction.mask import Style, Target
from scanner.values import Value

MOST = 10_000  # values: copies are looked for 2,000 at a time, and each time costs a pass over the text
MOST_WORDS = 1_000_000  # of fragments: about 120 MB, enough for 1,500 JWTs or 30,000 opaque tokens
SHORTEST = 8  # bytes of a value whose copies are looked for: shorter ones are words and numbers
DISTINCT = 5  # different bytes it has at least
FRAGMENT = 12  # characters: a shorter stretch tells too little, and chance makes too many
CHANGES = 3  # to a capital, to a digit and from one, within a word: fewer have names and words
RSA_FROM = 800  # bytes of a PEM block: an RSA key of 1,024 bits has 880, one on a curve at most 500
STEP = 4  # of the index: 12 characters hold one of every fourth word
BLOCK = 256 * 1024  # bytes read at once
MOST_LEFT = 200_000  # places told at once; more are left for the next round

_CHANGE = re.compile(rb"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")

Readers = Callable[[], Iterator[tuple[int, Reader]]]  # opens all streams of a text once more, each with its number


class Known:
    """The values of a run, in memory only."""

    def __init__(self) -> None:
        self._values: dict[Secret, tuple[Kind, str]] = {}
        self._searches: list[Search] = []
        self._index = Index(STEP)
        self.refused = 0  # values there was no room for
        self.unsplit = 0  # values for whose fragments there was no room; told once it is prepared

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: Value) -> None:
        """Takes the value of a finding, as `run` keeps it."""
        self.take(value.match.secret, value.finding.kind, value.finding.fingerprint)

    def take(self, secret: Secret, kind: Kind, fingerprint: str) -> None:
        """Takes a value. One that says too little by itself is left out: no one could tell copies of it from chance."""
        plain = secret.reveal()
        if secret in self._values or len(plain) < SHORTEST or len(set(plain)) < DISTINCT:
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
        index = Index(STEP)
        for number, (secret, (kind, fingerprint)) in enumerate(self._values.items()):
            if len(index) > MOST_WORDS:
                self.unsplit = len(self._values) - number
                break
            text = secret.reveal()
            index.add(Form(text, kind, fingerprint), _telling_words(text, kind, style))
        return index


def _outermost(found: list[Target]) -> list[Target]:
    """In order, without those that lie inside another: a whole copy is also made of fragments."""
    kept: list[Target] = []
    for target in sorted(found, key=lambda target: (target.spans[0].start, -target.spans[0].end)):
        if not kept or target.spans[0].end > kept[-1].spans[0].end:
            kept.append(target)
    return kept


def _telling_words(text: bytes, kind: Kind, style: Style) -> Iterable[int]:
    """The words by which a fragment of a value is met."""
    size = len(text)
    if kind is Kind.BASIC_CREDENTIALS:
        return range(text.find(b":") + 1, size)  # user names stand everywhere
    if kind is Kind.PRIVATE_KEY:
        # A key pair: the public half stands elsewhere by right. In RSA's it is the first part; others are too short.
        return range(size * 3 // 5, size) if size > RSA_FROM else ()
    if not (signed := _signed(text, kind)):
        return range(size)
    # A header and a payload are base64 of much that stands in other base64 too: only what joins them is telling.
    dot = text.find(b".")
    if style.keeps_claims or dot < 0:
        return range(signed, size)
    return chain(range(max(0, dot - WORD + 2), dot + STEP), range(signed, size))


def _signed(text: bytes, kind: Kind) -> int:
    """Where in a value the signature begins that follows encoded claims; its end where there is none, 0 for others."""
    damaged = kind is Kind.JWT and text.count(b".") > 1  # a freed block: its header's beginning is lost
    if not damaged and not text.startswith((b"ey", b"ew")):
        return text.rfind(b"_") + 1 if b"_eyJ" in text else 0
    return text.rfind(b".") + 1 if text.count(b".") > 1 else len(text)


def fragments(reader: Reader, index: Index) -> Iterator[Target]:
    """Where 12 characters or more of a known value stand, in order."""
    buffer = memoryview(bytearray(BLOCK))
    text = b""
    start = told = 0
    while count := reader.readinto(buffer):
        text += bytes(buffer[:count])
        kept = max(0, len(text) - 2 * FRAGMENT)
        for place in index.places(text, _is_telling):
            if place.end == len(text):
                kept = min(kept, place.start)  # it may go on
            elif start + place.end > told:
                told = start + place.end
                yield _target(start, place)
        text, start = text[kept:], start + kept
    for place in index.places(text, _is_telling):
        if start + place.end > told:
            yield _target(start, place)


def _target(start: int, place: Place) -> Target:
    return Target((Span(start + place.start, start + place.end),), place.form.kind, place.form.fingerprint)


def _is_telling(text: bytes, place: Place) -> bool:
    if place.end - place.start < FRAGMENT:
        return False
    found = text[place.start : place.end]
    value, kind = place.form.text, place.form.kind
    headed = kind is Kind.JWT or value.startswith((b"ey", b"ew"))
    if place.at + len(found) <= _signed(value, kind) and not (headed and b"." in found):
        return False
    return len(_CHANGE.findall(found)) >= CHANGES and not is_wordy(found)
