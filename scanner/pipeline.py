"""One stream -> its findings. No shared state: a worker process runs this for its unit and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from detectors.detector import Confirm, Match, NeedMore, TokenFacts
from detectors.entropy import shannon
from scanner.context import FileHints, describe
from scanner.decoders.interface import Reader
from scanner.errors import InputError
from scanner.fingerprint import finding_id, fingerprint, preview
from scanner.judge import Policy, assess
from scanner.matcher import LONGEST, Matcher, Row
from scanner.model import Finding, Hit, Skipped, Span, StreamId
from scanner.resolve import Candidate, Resolver
from scanner.views import REACHES, View, Views
from scanner.windows import Shape, Window

EARLIER = 16 * 1024  # bytes before a view in which the record's time is looked for


class Scanner:
    """Scans one stream. Hits are worked on in order, once enough is known of what follows them."""

    def __init__(
        self,
        matcher: Matcher,
        policy: Policy,
        key: bytes,
        *,
        shape: Shape | None = None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        self._matcher = matcher
        self._policy = policy
        self._key = key
        self._shape = shape or Shape()
        self._on_bytes = on_bytes

    def scan(self, stream: StreamId, reader: Reader, hints: FileHints) -> Iterator[Finding | Skipped]:
        """Findings in order of their start; where the stream breaks, those before it and a Skipped."""
        window = Window(reader, self._shape)
        work = _Work(self._matcher, window)
        trouble: Skipped | None = None
        while not window.final:
            try:
                fresh = window.fill()
            except InputError as error:
                trouble = Skipped(stream, str(error), window.end)
            except OSError as error:
                trouble = Skipped(stream, f"read error: {error.strerror}", window.end)
            if trouble:
                window.final, fresh = True, memoryview(b"")
            if self._on_bytes and fresh:
                self._on_bytes(len(fresh))
            for candidate in work.take(fresh):
                yield self._finding(stream, window, candidate, hints)
        if trouble:
            yield trouble

    def _finding(self, stream: StreamId, window: Window, candidate: Candidate, hints: FileHints) -> Finding:
        match = candidate.match
        value = match.secret.reveal()
        context = describe(candidate.view.text(match.end), match, candidate.earlier, hints)
        mark = fingerprint(self._key, value)
        line, column = window.line_and_column(candidate.start)
        return Finding(
            id=finding_id(stream, candidate.spans, mark),
            kind=match.kind,
            detector=candidate.detector,
            fingerprint=mark,
            preview=preview(value),
            stream=stream,
            format=context.format,
            spans=candidate.spans,
            encoding=candidate.view.encoding + match.encoding,
            line=line,
            column=column,
            logged_at=context.logged_at,
            logged_at_basis=context.logged_at_basis,
            verdict=assess(match, context, self._policy),
            token=_facts(match, context.client_id, context.issuer),
            confidence=match.confidence,
            entropy=round(shannon(value), 2),
            replacement=f"[REDACTED:{match.kind.value}:{mark[:8]}]",
            key=match.key,
            family=match.family,
        )


def _facts(match: Match, client_id: str | None, issuer: str | None) -> TokenFacts:
    """What the token says, and where it says nothing, what stands beside it."""
    facts = match.facts
    if (facts.client_id or not client_id) and (facts.issuer or not issuer):
        return facts
    return replace(facts, client_id=facts.client_id or client_id, issuer=facts.issuer or issuer)


class _Work:
    """The hits of one window, in order, and what became of them."""

    def __init__(self, matcher: Matcher, window: Window) -> None:
        self._matcher = matcher
        self._window = window
        self._views = Views(window.slice)
        self._resolver = Resolver()
        self._pending: list[Hit] = []
        self._scanned = window.end
        self._covered = (0, 0)  # the last self-proving token: its own anchors need no second look

    def take(self, fresh: memoryview) -> list[Candidate]:
        """Matches the fresh bytes, works on hits that have enough after them, returns what is settled."""
        window = self._window
        if fresh:
            data = window.tail(fresh, LONGEST)
            self._pending += self._matcher.scan(data, window.end - len(data), self._scanned)
            self._scanned = window.end
        limit = window.end if window.final else window.end - window.ahead
        done = 0
        for hit in self._pending:
            if hit.end > limit:
                break
            self._look(hit)
            done += 1
        del self._pending[:done]
        position = self._pending[0].end if self._pending else limit
        settled = self._resolver.settle(None if window.final else min(position, limit))
        window.release(min(self._resolver.oldest(position), position, limit))
        return settled

    def _look(self, hit: Hit) -> None:
        row = self._matcher.rows[hit.anchor]
        if self._covered[0] < hit.end <= self._covered[1] and row.self_proving:
            return
        if "utf-16" in row.encoding and self._is_ghost(hit, row):
            return
        for detector in row.detectors:
            for view, match in self._confirm(hit, row, detector.confirm):
                spans = view.spans(match.start, match.end)
                if spans:
                    self._add(Candidate(spans, match, detector.id, view, self._earlier(spans[0])))

    def _add(self, candidate: Candidate) -> None:
        if candidate.detector == "jwt" and not candidate.match.flaw:
            self._covered = (candidate.start, candidate.end)
        self._resolver.add(candidate)

    def _confirm(self, hit: Hit, row: Row, confirm: Confirm) -> list[tuple[View, Match]]:
        """What a detector makes of a hit, shown as much of the stream as it asks for."""
        for reach in range(len(REACHES)):
            placed = self._views.at(hit, row, reach, self._window.end, self._window.final)
            if placed is None:
                return []
            view, index = placed
            text = view.text(index)
            if reach == len(REACHES) - 1 and text.cut:
                text = replace(text, cut=False)
            try:
                return [(view, match) for match in confirm(text)]
            except NeedMore:
                continue
        return []

    def _earlier(self, span: Span) -> bytes:
        return self._window.slice(span.start - EARLIER, span.start)

    def _is_ghost(self, hit: Hit, row: Row) -> bool:
        """Each UTF-16 string is also seen in the other byte order, one byte off: units begin at even offsets."""
        if hit.end % 2 == 0:
            return False
        beside = hit.end if row.encoding == "utf-16be" else hit.end - row.size - 1
        return self._window.slice(beside, beside + 1) == b"\0"
