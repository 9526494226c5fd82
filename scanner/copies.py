"""Secrets seen twice: a value that context gave away once is looked for wherever else it stands bare.

Dumps and traces that span lines hold copies no key or header stands beside. After the scan of a source
its values are searched for once more, plain, escaped, in UTF-16, hex and base64. A short fragment of
each form goes to Vectorscan; what it hits is compared with the whole value.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.detector import Confidence, Flaw, Kind, Match, Rank, Secret
from detectors.patterns import pattern
from detectors.shapes import is_uuid
from scanner.decoders.interface import Reader
from scanner.errors import InputError
from scanner.fingerprint import finding_id
from scanner.framings import byte_order
from scanner.matcher import LONGEST
from scanner.model import Span, StreamId
from scanner.spans import Spans
from scanner.spellings import WORD_BEGIN, Form, Search, stands_alone
from scanner.values import Value
from scanner.windows import AHEAD, Range, Shape, Window

MOST_VALUES = 1000  # distinct values a source, of those that last and of those that don't: 0.4 s to compile them all
SHORTEST = 12  # bytes: shorter values are words and numbers, which stand anywhere
LONGEST_VALUE = 7000  # bytes: written as \\uXXXX that is 42 KiB, which a window holds on both sides of a hit
WIDEST = 6  # bytes one byte of a value takes at most: \\u002b
SPREAD = LONGEST_VALUE * WIDEST  # bytes a copy takes at most

_UNRESERVED = pattern(rb"[A-Za-z0-9._~-]*")  # RFC 3986 section 2.3: what no one escapes
_BASE64 = pattern(rb"[A-Za-z0-9+/_-]*")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LASTING = frozenset({Kind.CLIENT_SECRET, Kind.API_KEY, Kind.BASIC_CREDENTIALS, Kind.PRIVATE_KEY})


class Copy(Struct, frozen=True):
    """A value of `known`, found at `span` in the form `encoding` ("" inside: plain)."""

    span: Span
    value: Secret
    encoding: tuple[str, ...]
    line: int
    column: int  # bytes, from 1


class Known(Struct):
    """The values of a source that are to be looked for, each with the finding that gave it away.

    What holds until it is rotated and what lives for an hour have room of their own: the few client secrets of a log
    are not crowded out by the tokens of each of its requests.
    """

    values: dict[Secret, Value] = field(default_factory=dict)
    refused: bool = False  # there were more than there was room for
    _taken: Counter[bool] = field(default_factory=Counter)

    def add(self, value: Value) -> None:
        """Takes the value, unless it is known already or there is no room."""
        if value.match.secret in self.values:
            return
        lasting = value.match.kind in _LASTING
        if self._taken[lasting] >= MOST_VALUES:
            self.refused = True
            return
        self._taken[lasting] += 1
        self.values[value.match.secret] = value


def is_worth_it(match: Match) -> bool:
    """Whether bare copies of the value are to be found: whole, long enough, and named by more than a guess."""
    value = match.secret.reveal()
    if match.flaw in (Flaw.TRUNCATED, Flaw.DAMAGED, Flaw.FRAGMENT) or not SHORTEST <= len(value) <= LONGEST_VALUE:
        return False
    if is_uuid(value) or len(set(value)) < 6:
        return False  # ids are written everywhere and mean something else there
    strong = match.rank >= Rank.KEYED and match.confidence == Confidence.HIGH
    return strong or match.rank >= Rank.SCHEME


class Part(Range):
    """The part of a stream whose copies a unit of work owns."""

    before = 2 * SPREAD  # a copy, and one that overlaps it and is better
    after = 2 * SPREAD + AHEAD


Recount = Callable[[int], tuple[int, int | None]]


def again(
    stream: StreamId,
    reader: Reader,
    known: Known,
    found: Spans,
    *,
    part: Part | None = None,
    recount: Recount | None = None,
) -> Iterator[Value]:
    """The bare copies in a stream as findings, in order of their start. `found`: the spans of its own findings.

    For the rest see `copies`. Raises what the reader raises, when the copies before that were given.
    """
    for copy in copies(reader, known.values, found, part=part, recount=recount):
        value = known.values[copy.value]
        first = value.finding
        finding = replace(
            first,
            id=finding_id(stream, (copy.span,), first.fingerprint),
            stream=stream,
            format=first.format if first.stream == stream else "text",
            spans=(copy.span,),
            encoding=copy.encoding,
            line=copy.line,
            column=copy.column,
            logged_at=None,  # the time of the other record says nothing of this one
            logged_at_basis=None,
            verdict=replace(first.verdict, live_when_logged=None),
            confidence=Confidence.MEDIUM,
            key=None,
            address=None,
            copy_of=first.id,
            surroundings=None,
            host=None,
        )
        yield Value(finding, value.match)


def copies(
    reader: Reader,
    values: Iterable[Secret] | Search,
    found: Spans,
    shape: Shape | None = None,
    part: Part | None = None,
    recount: Recount | None = None,
) -> Iterator[Copy]:
    """Where the values stand outside the spans already found, in order of start. Overlapping ones: the longest.

    The same bytes give the same copies, whatever the window's shape. With a `part`, the reader gives the stream
    from `part.read_from` on, `found` has the spans from there on, and lines are counted from `part.start`. `recount`
    tells the newlines from there to an offset, and where the last one is: with it, lines are counted only where there
    is a copy. Raises what the reader raises, when the copies before that were given.
    """
    search = values if isinstance(values, Search) else _search(tuple(values))
    if not search.forms:
        return
    part = part or Part()
    window = Window(reader, shape, part.read_from, (part.start, part.end))
    window.counting = recount is None
    work = _Work(search, window, found)
    trouble: Exception | None = None
    while not window.final:
        fresh = memoryview(b"")
        try:
            fresh = window.fill()
        except (InputError, OSError) as error:
            trouble, window.final = error, True
        for place in work.take(fresh):
            if not part.owns(place.span.start):
                continue
            if recount is not None and not window.counting:
                window.count_from(*recount(window.base))
            line, column = window.line_and_column(place.span.start)
            yield Copy(place.span, place.value, place.encoding, line, column)
    if trouble:
        raise trouble


class _Place(Struct, frozen=True):
    span: Span
    value: Secret
    encoding: tuple[str, ...]

    def order(self) -> tuple[int, int, tuple[str, ...]]:
        """Greater is better."""
        return self.span.end - self.span.start, -self.span.start, self.encoding


@lru_cache(maxsize=1)
def _search(values: tuple[Secret, ...]) -> Search:
    """Kept for the next stream of the source, or the next part of it."""
    return Search(values)


class _Work:
    """The hits of one window, in order, and what became of them."""

    def __init__(self, search: Search, window: Window, found: Spans) -> None:
        self._search = search
        self._window = window
        self._found = found
        self._pending: list[tuple[int, int]] = []
        self._places: list[_Place] = []  # sorted by start; the first `_told` are settled but may overlap later ones
        self._told = 0
        self._scanned = window.end

    def take(self, fresh: memoryview) -> list[_Place]:
        """Searches the fresh bytes, looks closer where enough is known around, returns what is settled."""
        window = self._window
        if fresh:
            data, start = window.tail(fresh, LONGEST)
            self._pending += self._search.scan(data, start, self._scanned)
            self._scanned = window.end
        limit = window.end if window.final else window.end - window.ahead
        done = 0
        for end, index in self._pending:
            if end > limit:
                break
            self._look(end, index)
            done += 1
        del self._pending[:done]
        settled = self._settle(None if window.final else limit)
        begins = [place.span.start for place in (*settled[:1], *self._places[self._told : self._told + 1])]
        window.release(min([*begins, limit]))
        return settled

    def _look(self, end: int, index: int) -> None:
        if self._found.overlap(end - 1, end):
            return
        for form in self._search.forms[index]:
            place = self._whole(form, end)
            if place is not None and not self._found.overlap(place.span.start, place.span.end):
                self._add(place)

    def _add(self, place: _Place) -> None:
        if place not in self._places[self._told :]:
            self._places.append(place)
            if len(self._places) > 1 and self._places[-2].span.start > place.span.start:
                self._places[self._told :] = sorted(self._places[self._told :], key=lambda one: one.span)

    def _settle(self, position: int | None) -> list[_Place]:
        """Those that no later hit can change, hits up to `position` having been worked on (None: all)."""
        settled: list[_Place] = []
        while self._told < len(self._places):
            place = self._places[self._told]
            if position is not None and place.span.end + SPREAD > position:
                break
            if not any(_beats(other, place) for other in self._places):
                settled.append(place)
            self._told += 1
        horizon = self._places[self._told].span.start if self._told < len(self._places) else None
        kept = [one for one in self._places[: self._told] if horizon is not None and one.span.end > horizon]
        self._places[: self._told] = kept
        self._told = len(kept)
        return settled

    def _whole(self, form: Form, end: int) -> _Place | None:
        """The place of the whole value whose fragment ends at `end`."""
        if form.encoding == "base64":
            return self._base64(form, end)
        start = end - form.ahead
        seen = self._window.slice(start, start + len(form.whole)) if start >= 0 else b""
        if form.encoding == "hex":
            seen = seen.lower()
        if seen == form.whole:
            span = Span(start, start + len(form.whole))
            names = tuple(form.encoding.split())
            alone = self._stands_alone(form, span) and not self._is_ghost(form, start)
            return _Place(span, form.value, names) if alone else None
        return self._in_escapes(form, end) if not form.encoding else None

    def _in_escapes(self, form: Form, end: int) -> _Place | None:
        if _UNRESERVED.fullmatch(form.whole):
            return None
        low = max(self._window.base, end - form.ahead * WIDEST)
        data = self._window.slice(low, end + (len(form.whole) - form.ahead) * WIDEST)
        for match in self._search.escaped(form.value).finditer(data):
            if match.start() < end - low <= match.end():
                names = tuple(name for name, mark in (("percent", b"%"), ("json", b"\\")) if mark in match[0])
                span = Span(low + match.start(), low + match.end())
                return _Place(span, form.value, names) if self._stands_alone(form, span) else None
        return None

    def _base64(self, form: Form, end: int) -> _Place | None:
        """Exact to the bit: the groups of four that hold the value are decoded."""
        first = -(-form.lead * 8 // 6)
        group = end - form.ahead - first  # where the group of four begins that holds the value's first byte
        size = form.lead + len(form.value)
        stop = group + -(-size * 4 // 3)
        if group < 0:
            return None
        data = self._window.slice(group, stop)
        if len(data) < stop - group or not _BASE64.fullmatch(data):
            return None
        decoded = base64.b64decode(data.translate(_URL_SAFE) + b"A" * (-len(data) % 4))
        if decoded[form.lead : size] != form.value.reveal():
            return None
        return _Place(Span(group + form.lead * 4 // 3, stop), form.value, ("base64",))

    def _is_ghost(self, form: Form, start: int) -> bool:
        """Whether it is UTF-16 of the other byte order, seen one byte off: then all of that is there as well."""
        big = form.encoding.startswith("utf-16be")
        beside = start + len(form.whole) if big else start - 1
        if not form.encoding.startswith("utf-16") or self._window.slice(beside, beside + 1) != b"\0":
            return False
        letter = start + big
        low = max(self._window.base, letter - byte_order.BACK)
        data = self._window.slice(low, letter + byte_order.AHEAD)
        return byte_order.is_big(data, letter - low, letter % 2 == 0) is not big

    def _stands_alone(self, form: Form, span: Span) -> bool:
        """Whether a short value is not just a part of a longer word."""
        if form.encoding == "hex":
            return True
        unit = 2 if form.encoding else 1
        before = self._window.slice(span.start - WORD_BEGIN * unit, span.start)
        return stands_alone(len(form.value), before, self._window.slice(span.end, span.end + unit), unit)


def _beats(other: _Place, place: _Place) -> bool:
    overlap = other.span.start < place.span.end and place.span.start < other.span.end
    return overlap and other.order() > place.order()
