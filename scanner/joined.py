"""Findings in text that a format keeps in pieces: put together, scanned, and placed where the pieces stand.

Only what the stream's own scan could not see counts: a secret cut in two, or one that what gives it away does not stand
beside.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from scanner.context import FileHints
from scanner.decoders.interface import Joined
from scanner.fingerprint import finding_id
from scanner.model import Finding, Skipped, Span, StreamId
from scanner.pipeline import Scanner
from scanner.spans import Spans
from scanner.values import Keep, Value

Join = Callable[[], Iterator[Joined | str]]  # a text, or what was left out, for people


def with_joined(
    events: Iterable[Finding | Skipped],
    stream: StreamId,
    join: Join,
    scanner: Scanner,
    hints: FileHints,
    keep: Keep | None,
    notice: Callable[[str], None],
) -> Iterator[Finding | Skipped]:
    """The events of a stream, then the findings in what it keeps in pieces, in order of those. `keep`: as of a scan.
    `notice` is told what was not put together.
    """
    found = Spans()
    for event in events:
        if isinstance(event, Finding):
            for span in event.spans:
                found.add(span)
        yield event
    told: set[str] = set()
    for text in join():
        if isinstance(text, str):
            notice(f"{stream.path}: {text}")
            continue
        values: list[Value] = []
        for event in scanner.scan(stream, io.BytesIO(text.text), hints, keep=values.append):
            if not isinstance(event, Finding):
                continue  # a user's rule took too long on it
            value = values.pop()
            placed = _placed(event, text)
            if placed is None or placed.id in told or _is_known(placed, found):
                continue
            told.add(placed.id)
            if keep:
                keep(replace(value, finding=placed))
            yield placed


def _placed(finding: Finding, text: Joined) -> Finding | None:
    """The finding where its pieces stand; None where a part of it stands nowhere."""
    spans: list[Span] = []
    for span in finding.spans:
        at = span.start
        number = bisect_right(text.pieces, at, key=lambda piece: piece[0]) - 1
        while at < span.end:
            start, end, offset = text.pieces[number] if 0 <= number < len(text.pieces) else (0, 0, 0)
            if not start <= at < end:
                return None
            stop = min(span.end, end)
            spans.append(Span(offset + at - start, offset + stop - start))
            at, number = stop, number + 1
    identity = finding_id(finding.stream, tuple(spans), finding.fingerprint)
    return replace(finding, id=identity, spans=tuple(spans), line=None, column=None, surroundings=None)


def _is_known(finding: Finding, found: Spans) -> bool:
    """Whether the stream's own scan told of it; a piece of it that it took for a part does not count."""
    span = finding.spans[0]
    return len(finding.spans) == 1 and found.overlap(span.start, span.end)
