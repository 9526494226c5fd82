"""A second look at a source: values found in it once are searched for where they stand bare.

The first look leaves behind which values are worth it and where its findings stand. A source in which no such value
was found is not read again, and neither is a pipe, which can't be.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from enum import StrEnum

from msgspec import Struct, field

from detectors.detector import Match, Rank, Secret
from scanner.context import FileHints
from scanner.copies import MOST_VALUES, Known, Part, Recount, again, is_worth_it
from scanner.decoders import Limits, open_source
from scanner.decoders.interface import OpenReader, Stream
from scanner.errors import InputError
from scanner.model import Finding, Skipped, Source, Span, StreamId
from scanner.pipeline import Scanner
from scanner.spans import Spans
from scanner.values import Keep, Value
from scanner.windows import Bounded

MOST_PLACES = 2_000_000  # findings of a source whose places are remembered: 32 MB
MOST_TRIALS = 2_000  # values of a source that are scanned alone, about 0.1 ms each
READ = 256 * 1024  # bytes read at a time where only lines are counted


class Copies(StrEnum):
    """Which values are looked for again."""

    AUTO = "auto"  # those that only what stood beside them gave away
    ALWAYS = "always"  # also those that prove themselves, which the first look finds wherever they stand whole
    NEVER = "never"


OpenAt = Callable[[int], OpenReader]  # opens a stream at an offset of it; raises OSError


class Places(Struct):
    """Where the findings of a source stand, and what of it was skipped."""

    said: set[tuple[StreamId, str]] = field(default_factory=set)  # the stream, and why it was not read whole
    _spans: dict[StreamId, Spans] = field(default_factory=dict)
    _count: int = 0

    def noted(self, events: Iterable[Finding | Skipped]) -> Iterator[Finding | Skipped]:
        """The events; what a format adds of what is missing is noted, so that a second look does not say it again."""
        for event in events:
            if isinstance(event, Skipped):
                self.said.add((event.stream, event.reason))
            yield event

    def watched(self, events: Iterable[Finding | Skipped]) -> Iterator[Finding | Skipped]:
        """The events, each noted before it is given."""
        for event in events:
            if isinstance(event, Skipped):
                self.said.add((event.stream, event.reason))
            elif self._count < MOST_PLACES:
                self._count += len(event.spans)
                spans = self._spans.setdefault(event.stream, Spans())
                for span in event.spans:
                    spans.add(span)
            yield event

    def of(self, stream: StreamId) -> Spans:
        return self._spans.get(stream) or Spans()

    @property
    def are_all(self) -> bool:
        """Whether all were remembered: else copies can't be told from what was found."""
        return self._count < MOST_PLACES


class FirstLook(Struct):
    """Takes from a look at a source, or at a range of it, the values that a second one is for."""

    mode: Copies
    scanner: Scanner
    known: Known = field(default_factory=Known)
    _proven: dict[Secret, bool] = field(default_factory=dict)

    def take(self, value: Value) -> None:
        """Takes a finding's value if it is one that is to be looked for."""
        match = value.match
        if self.mode is Copies.AUTO and match.family == "jwt":
            return
        if match.secret in self.known.values or not is_worth_it(match):
            return
        if self.mode is Copies.ALWAYS or not self._proves_itself(match):
            self.known.add(value)

    def _proves_itself(self, match: Match) -> bool:
        """Whether the value is found without what stands beside it."""
        if match.rank < Rank.STRUCTURE:
            return False
        if match.secret not in self._proven:
            if len(self._proven) >= MOST_TRIALS:
                return True  # which is what such a rank says
            self._proven[match.secret] = self._is_found_alone(match.secret.reveal())
        return self._proven[match.secret]

    def _is_found_alone(self, value: bytes) -> bool:
        events = self.scanner.scan(StreamId(""), io.BytesIO(b"\n" + value + b"\n"), FileHints(mtime=None))
        alone = (Span(1, 1 + len(value)),)
        return any(isinstance(event, Finding) and event.spans == alone for event in events)


def notices(path: str, known: Known, places: Places) -> Iterator[str]:
    """What of the second look at a source is left out, for people."""
    if known.values and not places.are_all:
        yield f"{path}: more than {MOST_PLACES:,} findings: copies of them were not looked for"
    elif known.refused:
        yield f"{path}: more than {MOST_VALUES:,} distinct secrets: copies of the others were not looked for"


def second_look(
    source: Source, known: Known, places: Places, limits: Limits, keep: Keep | None = None
) -> Iterator[Finding | Skipped]:
    """The copies in a source, which is opened once more, stream by stream and in order of their start."""
    for stream in open_source(source, limits):
        if isinstance(stream, Stream):
            events = _in_stream(stream, known, places.of(stream.id), keep)
            events = stream.completed(events) if stream.completed else events
        else:
            events = iter((stream,))
        for event in events:
            if isinstance(event, Finding) or (event.stream, event.reason) not in places.said:
                yield event


def _in_stream(stream: Stream, known: Known, found: Spans, keep: Keep | None) -> Iterator[Finding | Skipped]:
    try:
        yield from _kept(again(stream.id, stream.reader, known, found), keep)
    except InputError as error:
        yield Skipped(stream.id, str(error))
    except OSError as error:
        yield Skipped(stream.id, f"read error: {error.strerror}")


def copies_in_file(
    stream: StreamId,
    open_at: OpenAt,
    known: Known,
    found: Spans,
    part: Part | None = None,
    keep: Keep | None = None,
) -> Iterator[Finding | Skipped]:
    """The copies in a file, or in a part of it; then `found` has the spans that bear on the part."""
    part = part or Part()
    try:
        with closing(open_at(part.read_from)) as file:
            values = again(stream, Bounded(file, part), known, found, part=part, recount=_recount(open_at, part.start))
            yield from _kept(values, keep)
    except InputError:
        return  # said by the first look
    except OSError as error:
        yield Skipped(stream, f"cannot be read again: {error.strerror}")


def _kept(values: Iterable[Value], keep: Keep | None) -> Iterator[Finding]:
    for value in values:
        if keep:
            keep(value)
        yield value.finding


def _recount(open_at: OpenAt, start: int) -> Recount:
    """Counts the lines from `start` up to an offset."""

    def recount(end: int) -> tuple[int, int | None]:
        lines, newline = 0, None
        at, buffer = start, memoryview(bytearray(READ))
        with closing(open_at(start)) as file:
            while at < end and (count := file.readinto(buffer[: end - at])):
                data = bytes(buffer[:count])
                if found := data.count(b"\n"):
                    lines, newline = lines + found, at + data.rfind(b"\n")
                at += count
        return lines, newline

    return recount
