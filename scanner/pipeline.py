"""One stream -> its findings. No shared state: a worker process runs this for its unit and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from detectors.detector import Match, TokenFacts
from detectors.entropy import shannon
from detectors.patterns import pattern
from scanner.context import Context, Earlier, FileHints, describe, speaks_for_itself
from scanner.decoders.interface import Reader
from scanner.errors import InputError
from scanner.fingerprint import finding_id, fingerprint, preview, surroundings
from scanner.judge import Policy, assess
from scanner.looking import EARLIER, Part, Work
from scanner.matcher import Matcher
from scanner.model import Finding, Skipped, State, StreamId
from scanner.resolve import Candidate
from scanner.unsafe_names import holds_secret
from scanner.values import Keep, Value
from scanner.windows import Shape, Window

PAUSE = 0.1  # seconds without input after which a live stream's complete lines are worked on


class Scanner:
    """Scans one stream. Hits are worked on in order, once enough is known of what follows them."""

    def __init__(
        self,
        matcher: Matcher,
        policy: Policy,
        key: bytes,
        *,
        shape: Shape | None = None,
    ) -> None:
        self.matcher = matcher
        self._policy = policy
        self.key = key
        self._shape = shape or Shape()

    def scan(
        self,
        stream: StreamId,
        reader: Reader,
        hints: FileHints,
        part: Part | None = None,
        on_bytes: Callable[[], None] | None = None,
        keep: Keep | None = None,
        aside: Callable[[Match], None] | None = None,
    ) -> Iterator[Finding | Skipped]:
        """Findings in order of their start; where the stream breaks, those before it and a Skipped.

        With a `part`, the reader gives the stream from `part.read_from` on, and lines are counted from
        `part.start`; what the part does not own is not reported. `on_bytes` is called after each block read, `keep`
        with each finding's value before the finding is given, `aside` what is no secret and so no finding.
        """
        part = part or Part()
        window = Window(reader, self._shape, part.read_from, (part.start, part.end))
        work = Work(self.matcher, window, part, stream.members)
        trouble: Skipped | None = None
        wait = getattr(reader, "wait", None)
        while not window.final:
            if wait and not wait(PAUSE):
                settled = work.take(memoryview(b""), paused=True)
                yield from self._findings(stream, window, settled, hints, part, keep, aside)
            fresh = memoryview(b"")
            try:
                fresh = window.fill()
            except InputError as error:
                trouble = Skipped(stream, str(error), window.end)
            except OSError as error:
                trouble = Skipped(stream, f"read error: {error.strerror}", window.end)
            if trouble:
                window.final = True
            if on_bytes:
                on_bytes()
            yield from self._findings(stream, window, work.take(fresh), hints, part, keep, aside)
            for at, reason in work.gave_up():
                if part.owns(at):
                    yield Skipped(stream, reason, at)
        if trouble:
            yield trouble
        part.lines = window.lines_counted()
        window.close()

    def _findings(
        self,
        stream: StreamId,
        window: Window,
        settled: list[Candidate],
        hints: FileHints,
        part: Part,
        keep: Keep | None,
        aside: Callable[[Match], None] | None,
    ) -> Iterator[Finding]:
        for candidate in settled:
            if candidate.match.public:
                if aside and part.owns(candidate.start):
                    aside(candidate.match)
            elif part.owns(candidate.start):
                finding = self.finding(stream, window, candidate, hints)
                if keep:
                    keep(Value(finding, candidate.match))
                yield finding

    def state(self, window: Window, candidate: Candidate, hints: FileHints) -> State:
        """The verdict of the finding a candidate would become; cheap where the match tells it by itself."""
        match = candidate.match
        if speaks_for_itself(match):
            return assess(match, Context(), self._policy).state
        context = describe(candidate.view.text(match.end), match, _earlier(window, candidate), hints)
        return assess(match, context, self._policy).state

    def finding(self, stream: StreamId, window: Window, candidate: Candidate, hints: FileHints) -> Finding:
        """The finding a candidate becomes. Candidates of a window are to be given in order of their start."""
        match = candidate.match
        value = match.secret.reveal()
        context = describe(candidate.view.text(match.end), match, _earlier(window, candidate), hints)
        mark = fingerprint(self.key, value)
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
            encoding=_encoding(candidate, window),
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
            surroundings=surroundings(self.key, candidate.spans, window.slice),
            source_size=hints.size,
            host=context.host,
        )


def _earlier(window: Window, candidate: Candidate) -> Earlier:
    return lambda: window.slice(candidate.start - EARLIER, candidate.start)


def _encoding(candidate: Candidate, window: Window) -> tuple[str, ...]:
    """What the secret stood in, outermost first.

    A view of memory holds other objects too: where the secret's own, between NULs, has no escape, theirs do not count.
    """
    names = candidate.view.encoding + candidate.match.encoding
    span = candidate.spans[0]
    if not _TEXTUAL.issuperset(names) or not names or span.end - span.start != len(candidate.match.secret):
        return names
    before = window.slice(span.start - OBJECT, span.start)
    after = window.slice(span.end, span.end + OBJECT)
    own = before[before.rfind(b"\0") + 1 :] + after.split(b"\0", 1)[0]
    return names if b"\0" not in before or _ESCAPE.search(own) else ()


OBJECT = 256  # bytes on either side of a secret in which the NULs around its object are looked for
_TEXTUAL = frozenset(("json", "percent", "html", "ansi", "syslog"))
_ESCAPE = pattern(rb"[\\%&\x1b#]")


def _facts(match: Match, client_id: str | None, issuer: str | None) -> TokenFacts:
    """What the token says, and where it says nothing, what stands beside it."""
    facts = match.facts
    client = facts.client_id or client_id
    client = None if client and holds_secret(client) else client
    if client == facts.client_id and (facts.issuer or not issuer):
        return facts
    return replace(facts, client_id=client, issuer=facts.issuer or issuer)
