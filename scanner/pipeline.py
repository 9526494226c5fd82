"""One stream -> its findings. No shared state: a worker process runs this for its unit and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from detectors.detector import GLANCE, GLANCE_AFTER, Confirm, Detector, Flaw, Match, NeedMore, Text, TokenFacts
from detectors.entropy import shannon
from scanner.context import Context, FileHints, describe, speaks_for_itself
from scanner.decoders.interface import Reader
from scanner.errors import InputError
from scanner.fingerprint import finding_id, fingerprint, preview, surroundings
from scanner.framings import byte_order, lines, partial
from scanner.judge import Policy, assess
from scanner.matcher import LONGEST, LONGEST_TAIL, TAIL, Matcher, Row
from scanner.model import Finding, Hit, Skipped, Span, State, StreamId
from scanner.resolve import REACH, Candidate, Resolver
from scanner.rules import RuleTimeout
from scanner.unsafe_names import holds_secret
from scanner.values import Keep, Value
from scanner.view import View, is_binary
from scanner.views import REACHES, Views, continued, narrowed, unescaped
from scanner.windows import AHEAD, BEHIND, Range, Shape, Window

SPREAD = 192 * 1024  # bytes a part's neighbourhood reaches: the longest match, its anchor, and what may overlap it
PAUSE = 0.1  # seconds without input after which a live stream's complete lines are worked on
BESIDE = 24  # bytes between an anchor and its JWT, in which no other secret has room
NEAR, BEHIND_NEAR = 384, 256  # bytes before and after a hit that most detectors decide by
ESCAPED_NEAR = 640, 384  # the same where escapes stand among them
DEEPEST = 3  # layouts inside each other that are looked into
EARLIER = 16 * 1024  # bytes before a view in which the record's time is looked for


class Part(Range):
    """The part of a stream whose findings a unit of work owns."""

    __slots__ = ()
    before = SPREAD + BEHIND + EARLIER
    after = SPREAD + AHEAD + REACH


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

    def state(self, candidate: Candidate, hints: FileHints) -> State:
        """The verdict of the finding a candidate would become; cheap where the match tells it by itself."""
        match = candidate.match
        if speaks_for_itself(match):
            return assess(match, Context(), self._policy).state
        context = describe(candidate.view.text(match.end), match, candidate.earlier, hints)
        return assess(match, context, self._policy).state

    def finding(self, stream: StreamId, window: Window, candidate: Candidate, hints: FileHints) -> Finding:
        """The finding a candidate becomes. Candidates of a window are to be given in order of their start."""
        match = candidate.match
        value = match.secret.reveal()
        context = describe(candidate.view.text(match.end), match, candidate.earlier, hints)
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
_ESCAPE = re.compile(rb"[\\%&\x1b#]")


def _facts(match: Match, client_id: str | None, issuer: str | None) -> TokenFacts:
    """What the token says, and where it says nothing, what stands beside it."""
    facts = match.facts
    client = facts.client_id or client_id
    client = None if client and holds_secret(client) else client
    if client == facts.client_id and (facts.issuer or not issuer):
        return facts
    return replace(facts, client_id=client, issuer=facts.issuer or issuer)


class Work:
    """The hits of one window, in order, and what became of them."""

    def __init__(self, matcher: Matcher, window: Window, part: Part, path: str = "") -> None:
        """`path`: what rules that depend on it are asked with."""
        self._matcher = matcher
        self._window = window
        self._views = Views(window.slice)
        self._resolver = Resolver()
        self._pending: list[Hit] = []
        self._scanned = window.end
        # Nothing before this hit can matter to the part; from the very start of a stream on, everything does.
        self._first = part.read_from + BEHIND + EARLIER if part.read_from else 0
        self._path = path
        self._own: dict[str, Confirm | None] = {}  # of detectors that have one for each stream
        self._gave_up: list[tuple[int, str]] = []
        self._covered = (0, 0)  # the last self-proving token: its own anchors need no second look
        # Candidates given from here on begin at or after this offset, and none of those given before ends after it;
        # after a pause only as far as complete lines tell.
        self.settled = part.read_from
        # The end and form of the hit looked at last, what stands near it, and whether that had to be decoded.
        self._nearby: tuple[tuple[int, str], Text | None, bool] = ((-1, ""), None, False)
        self._order = (-1, False)  # a letter of UTF-16, and whether that is big-endian
        self.undecided: int | None = None  # end of the first hit that waits for more input

    def take(self, fresh: memoryview, *, paused: bool = False, upto: int | None = None) -> list[Candidate]:
        """Matches the fresh bytes, works on hits that have enough after them, returns what is settled.

        `paused`: a live stream gives nothing more for now. Then hits whose line is complete are worked
        on with what is known; where that is not enough, they go on waiting. `upto`: where the last of
        those lines ends, if the caller knows that later ones are parts of a record still to come.
        """
        window = self._window
        if fresh:
            data, start = window.tail(fresh, LONGEST)
            self._pending += self._matcher.scan(data, start, self._scanned)
            self._scanned = window.end
        limit = window.end if window.final else window.end - window.ahead
        if paused:
            limit = max(limit, window.last_line_end() if upto is None else upto)
        done = self._ready(limit)
        left = [hit for hit in self._pending[:done] if hit.end > self._first and not self._look(hit)]
        self._pending = left + self._pending[done:]
        self.undecided = self._pending[0].end if self._pending else None
        position = min(self._pending[0].end, limit) if self._pending else limit
        settled = self._resolver.settle(position, 0 if window.final or paused else REACH)
        oldest = self._resolver.oldest(position)
        self.settled = max(self.settled, limit if paused else min(oldest, position - REACH))
        if window.final:
            self.settled = window.end
        needed = min(oldest, position)  # and where the settled ones begin: their lines are still to be counted
        window.release(min(needed, settled[0].start) if settled else needed)
        return settled

    def _ready(self, limit: int) -> int:
        """How many of the pending hits end at or before the limit."""
        return next((i for i, hit in enumerate(self._pending) if hit.end > limit), len(self._pending))

    def _look(self, hit: Hit) -> bool:
        """Works on one hit; False where too little is known of what follows (only while a stream is paused)."""
        row = self._matcher.rows[hit.anchor]
        if self._covered[0] < hit.end <= self._covered[1]:
            return True  # inside a whole JWT: whatever matched there, the JWT would stay
        if row.keyed and not self._has_tail(hit, row):
            return True
        if row.framing:
            if row.wide and self._is_ghost(hit, row):
                return True
            if row.framing == "partial":
                joint = self._views.joint(hit, self._window.end, self._window.final)
                if joint:
                    self._look_into(joint[0], hit.end, around=joint[1])
                return True
            shown = self._views.framed(hit, row, self._window.end, self._window.final)
            self._look_into(shown, hit.end)
            return True
        known = True
        for detector in row.detectors:
            try:
                found = self._at_a_glance(hit, row, detector)
                if found is None:
                    confirm = detector.confirm if detector.for_path is None else self._for_path(detector)
                    wanted = detector.after if detector.for_path else 0
                    found = self._confirm(hit, row, confirm, wanted) if confirm else []
            except RuleTimeout as timeout:
                found = self._timed_out(hit.end, timeout)
            known = known and found is not None
            for view, match in found or []:
                self._add(detector.id, view, match, hit.end)
        return known

    def _for_path(self, detector: Detector) -> Confirm | None:
        """The detector's confirm for this stream; None where it is not for it. Raises RuleTimeout."""
        if detector.id not in self._own:
            self._own[detector.id] = None  # where the path itself takes too long
            self._own[detector.id] = detector.for_path(self._path) if detector.for_path else detector.confirm
        return self._own[detector.id]

    def _timed_out(self, at: int, timeout: RuleTimeout) -> list[tuple[View, Match]]:
        if timeout.given_up:
            self._own[timeout.rule] = None
        self._gave_up.append((at, str(timeout)))
        return []

    def gave_up(self) -> list[tuple[int, str]]:
        """(offset, reason) of each place a user's rule took too long at, since this was asked last."""
        told, self._gave_up = self._gave_up, []
        return told

    def _look_into(self, dump: View | None, dump_end: int, depth: int = 1, around: int | None = None) -> None:
        """The hits in bytes that stood as a hex dump, a list or a run with another inside.

        `around`: only those that may lie across this index.
        """
        if dump is None:
            return
        unwrapped = 0
        low, high = (0, len(dump.data)) if around is None else (max(0, around - LONGEST), around + LONGEST)
        for hit in self._matcher.scan(dump.data[low:high], low, around or 0):
            row = self._matcher.rows[hit.anchor]
            if row.framing in _OUTERMOST or _is_ghost_in(dump.data, hit, row):
                continue
            view, index = self._views.inside(dump, hit, row)
            if view is None:
                continue
            if row.framing:
                if hit.end > unwrapped and depth < DEEPEST:
                    self._look_into(view, dump_end, depth + 1)
                    unwrapped = hit.end + len(view.data) - index
                continue
            for detector in row.detectors:
                try:
                    confirm = detector.confirm if detector.for_path is None else self._for_path(detector)
                    found = _matches(confirm, view, index, last=True) if confirm else []
                except RuleTimeout as timeout:
                    found = self._timed_out(dump_end, timeout)
                for match in found or []:
                    self._add(detector.id, *match)

    def _add(self, detector: str, view: View, match: Match, anchor_end: int | None = None) -> None:
        spans = view.spans(match.start, match.end)
        if not spans or _is_ours(view.data, match):
            return
        detector = match.family if match.family == "jwt" else detector  # whoever found its place, it is a JWT
        candidate = Candidate(spans, match, detector, view, self._earlier(spans[0]))
        if detector == "jwt" and not match.flaw:
            beside = anchor_end is not None and 0 <= candidate.start - anchor_end <= BESIDE
            self._covered = (anchor_end if beside and anchor_end else candidate.start, candidate.end)
        self._resolver.add(candidate)

    def _confirm(self, hit: Hit, row: Row, confirm: Confirm, wanted: int = 0) -> list[tuple[View, Match]] | None:
        """What a detector makes of a hit, shown as much as it asks for; None where that is not known yet.

        `wanted`: bytes behind the hit that it asks for anyhow.
        """
        unknown = not self._window.final and self._window.end < hit.end + self._window.ahead
        first = next(reach for reach, size in enumerate(REACHES) if size >= wanted)
        for reach in range(first, len(REACHES)):
            placed = self._views.at(hit, row, reach, self._window.end, self._window.final)
            if placed is None:
                return []
            found = _matches(confirm, *placed, last=reach == len(REACHES) - 1 and not unknown)
            if found is not None:
                return found
        return None if unknown else []

    def _has_tail(self, hit: Hit, row: Row) -> bool:
        """Whether something separates the key that a UTF-16 literal stands in from a value."""
        after = self._window.slice(hit.end, hit.end + 2 * LONGEST_TAIL)[row.encoding == "utf-16be" :: 2]
        return len(after) < LONGEST_TAIL or _TAIL.match(after) is not None

    def _at_a_glance(self, hit: Hit, row: Row, detector: Detector) -> list[tuple[View, Match]] | None:
        """What the raw bytes around a hit tell, a view costing ten times more; None where they do not tell enough."""
        if row.encoding in ("hex", "base64"):
            return None
        if detector.glance and not detector.glance(*self._beside(hit, row)):
            return []
        if row.encoding and self._is_ghost(hit, row):
            return []
        if detector.for_path:
            return None
        if detector.follows and not row.encoding:
            before = self._window.slice(hit.end - detector.before, hit.end)
            return None if any(wanted in before for wanted in detector.follows) else []
        known = detector.before <= NEAR and not self._is_before_jwt(hit)
        near, decoded = self._near(hit, row) if known else _NOTHING
        if near is None:
            return None
        try:
            found = list(detector.confirm(near))
        except NeedMore:
            return None
        return (None if decoded else self._viewed(found, near, hit, row)) if found else []

    def _is_before_jwt(self, hit: Hit) -> bool:
        """Whether a JWT seems to follow: they are longer than what is near, so that no glance would tell."""
        return b"eyJ" in self._window.slice(hit.end, hit.end + BESIDE)

    def _viewed(self, found: list[Match], near: Text, hit: Hit, row: Row) -> list[tuple[View, Match]] | None:
        """Whole matches of the raw bytes, with the view they stand in; None where the view shows them otherwise."""
        placed = self._views.at(hit, row, 0, self._window.end, self._window.final)
        if placed is None:
            return None
        view, index = placed
        moved = index - near.hit
        for match in found:
            start, end = match.start + moved, match.end + moved
            if match.flaw is not None or start < 0 or view.data[start:end] != near.data[match.start : match.end]:
                return None
        return [(view, replace(match, start=match.start + moved, end=match.end + moved)) for match in found]

    def _near(self, hit: Hit, row: Row) -> tuple[Text | None, bool]:
        """The characters around a plain or UTF-16 hit where they are what a view would show, and whether they are
        other than the raw bytes: narrowed, or with escapes taken off. None where more than that has to be undone.
        """
        if self._nearby[0] != (hit.end, row.encoding):
            low, data = (0, b"") if row.encoding else self._raw(hit, row, NEAR, BEHIND_NEAR)
            if row.encoding or _is_odd(data):
                self._nearby = ((hit.end, row.encoding), self._near_decoded(hit, row), True)
            else:
                text = Text(data, hit.end - low, cut=True, binary=is_binary(data, hit.end - low))
                self._nearby = ((hit.end, row.encoding), text, False)
        return self._nearby[1:]

    def _near_decoded(self, hit: Hit, row: Row) -> Text | None:
        low, data = self._raw(hit, row, *ESCAPED_NEAR)
        if _is_joined(data):
            return None
        view = unescaped(data, low, 2 if row.encoding else 1)
        index = view.index(hit.end)
        too_little = index < NEAR and low > hit.end % 2
        return None if too_little or (len(view.steps) > 1 and _is_joined(view.data)) else view.text(index)

    def _raw(self, hit: Hit, row: Row, before: int, behind: int) -> tuple[int, bytes]:
        """Where the characters around a plain or UTF-16 hit begin, and one byte for each."""
        if not row.encoding:
            low = max(self._window.base, hit.end - before)
            return low, self._window.slice(low, hit.end + behind)
        low = max(hit.end % 2, hit.end - 2 * before)
        return low, narrowed(self._window.slice(low, hit.end + 2 * behind), big=row.encoding == "utf-16be")

    def _beside(self, hit: Hit, row: Row) -> tuple[bytes, bytes]:
        """The raw characters before and after the end of a plain or UTF-16 hit."""
        width = 2 if row.encoding else 1
        low = max(hit.end % width, hit.end - GLANCE * width)
        data = self._window.slice(low, hit.end + GLANCE_AFTER * width)[row.encoding == "utf-16be" :: width]
        middle = (hit.end - low) // width
        return data[:middle], data[middle:]

    def _earlier(self, span: Span) -> bytes:
        return self._window.slice(span.start - EARLIER, span.start)

    def _is_ghost(self, hit: Hit, row: Row) -> bool:
        """Each UTF-16 string is also seen in the other byte order, one byte off."""
        big, letter = _letter(hit, row)
        if letter != self._order[0]:
            low = max(0, letter - byte_order.BACK)
            data = self._window.slice(low, letter + byte_order.AHEAD)
            self._order = (letter, byte_order.is_big(data, letter - low, letter % 2 == 0))
        return self._order[1] is not big


def _letter(hit: Hit, row: Row) -> tuple[bool, int]:
    """Whether a UTF-16 form is big-endian; where the letter of its first unit is, of its last if the size varies."""
    big = (row.wide or row.encoding) == "utf-16be"
    return big, hit.end - (row.size or 2) + big


def _is_ghost_in(data: bytes, hit: Hit, row: Row) -> bool:
    """The same of a hit in decoded bytes, of any form."""
    if not row.wide and "utf-16" not in row.encoding:
        return False
    big, letter = _letter(hit, row)
    low = max(0, letter - byte_order.BACK)
    near = data[low : letter + byte_order.AHEAD]
    return byte_order.is_big(near, letter - low, letter % 2 == 0) is not big


_OUTERMOST = frozenset(("hexdump", "memory-words", "byte-list"))  # not looked for in what a layout holds
_TAIL = re.compile(TAIL)
_NOTHING: tuple[Text | None, bool] = (None, False)
# What a view would decode or join, by searches for single strings: many times faster than one expression for all.
_ESCAPES = re.compile(rb"%[0-9A-Fa-f]{2}|&(?:quot|amp|apos|lt|gt|#)")


def _is_odd(data: bytes) -> bool:
    if b"\\" in data or b"\x1b" in data or b"#0" in data:
        return True
    return ((b"%" in data or b"&" in data) and bool(_ESCAPES.search(data))) or _is_joined(data)


def _is_joined(data: bytes) -> bool:
    if b"=3D" in data or b'"stream":"' in data or b" P " in data or b" F " in data or partial.is_near(data):
        return True
    return b"\n" in data and (b"=\n" in data or b"=\r\n" in data or lines.MARK.search(data) is not None)


# What a redaction left is no secret: a label or a placeholder, what is around it of a value, the digits in it.
_LABEL = re.compile(rb"\[?REDACTED(?::[a-z_]+:|-)[0-9a-f]+\]?")
_IN_LABEL = re.compile(rb"REDACTED:(?:[a-z_]+:)?\Z")


def _is_ours(data: bytes, match: Match) -> bool:
    if _IN_LABEL.search(data, max(0, match.start - 40), match.start):
        return True
    value = match.secret.reveal()
    return b"REDACTED" in value and len(_LABEL.sub(b"", value)) < 8


def _matches(confirm: Confirm, view: View, index: int, last: bool) -> list[tuple[View, Match]] | None:
    """What a detector finds at an index of a view; None where it asks for more and this is not the last view."""
    text = view.text(index)
    if last and text.cut:
        text = replace(text, cut=False)
    try:
        found = [_whole(confirm, view, text, match) for match in confirm(text)]
        if text.cut and any(_may_go_on(*one) for one in found):
            return None
        return [(where, match) for where, match in found if match.flaw is not Flaw.FRAGMENT]
    except NeedMore:
        return None


def _may_go_on(view: View, match: Match) -> bool:
    """Whether it is incomplete and nothing but a line's end is known behind it: the next line may complete it."""
    return match.flaw in (Flaw.TRUNCATED, Flaw.FRAGMENT) and not view.data[match.end : match.end + 256].strip()


def _whole(confirm: Confirm, view: View, text: Text, match: Match) -> tuple[View, Match]:
    """The match, or if it is incomplete because a line ended, the complete one of the lines joined."""
    if match.flaw not in (Flaw.TRUNCATED, Flaw.FRAGMENT):
        return view, match
    joined = continued(view, match.start, match.end)
    if joined is None:
        return view, match
    again = replace(text, data=joined.data, depth=joined.depth)
    for whole in confirm(again):
        if whole.start == match.start and whole.flaw is None:
            return joined, whole
    return view, match
