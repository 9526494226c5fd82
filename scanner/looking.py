"""Hits -> candidates: each hit is shown to its detectors, once enough is known of what follows it."""

from __future__ import annotations

from msgspec.structs import replace

from detectors.detector import Confirm, Detector, Flaw, Match, NeedMore, Rank, Text
from detectors.patterns import pattern
from scanner.framings import wrapped
from scanner.matcher import LONGEST, Matcher
from scanner.model import Hit
from scanner.nearby import BESIDE, NEAR, Nearby, is_ghost_in
from scanner.resolve import REACH, Candidate, Resolver
from scanner.row import Row
from scanner.rules import RuleTimeout
from scanner.view import View
from scanner.views import REACHES, Views, continued
from scanner.windows import AHEAD, BEHIND, Range, Window

SPREAD = 192 * 1024  # bytes a part's neighbourhood reaches: the longest match, its anchor, and what may overlap it
DEEPEST = 3  # layouts inside each other that are looked into
EARLIER = 16 * 1024  # bytes before a view in which the record's time is looked for


class Part(Range):
    """The part of a stream whose findings a unit of work owns."""

    before = SPREAD + BEHIND + EARLIER
    after = SPREAD + AHEAD + REACH


class Work:
    """The hits of one window, in order, and what became of them."""

    def __init__(self, matcher: Matcher, window: Window, part: Part, path: str = "") -> None:
        """`path`: what rules that depend on it are asked with."""
        self._matcher = matcher
        self._window = window
        self._nearby = Nearby(window)
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
        if row.keyed and not self._nearby.has_tail(hit, row):
            return True
        if row.framing:
            if row.wide and self._nearby.is_ghost(hit, row):
                return True
            if row.framing == "partial":
                joint = self._views.joint(hit, self._window.end, self._window.final)
                if joint:
                    self._look_into(joint[0], hit.end, around=joint[1])
                return True
            shown = self._views.framed(hit, row, self._window.end, self._window.final)
            self._look_into(shown, hit.end)
            return True
        if row.encoding in _ENCODED and self._nearby.is_noise(hit, row):
            return True
        known = True
        for detector in self._matcher.users(hit):
            try:
                found = self._at_a_glance(hit, row, detector)
                if found is None:
                    confirm = self._confirm_of(detector)
                    wanted = detector.after if detector.for_path else 0
                    found = self._confirm(hit, row, confirm, wanted) if confirm else []
            except RuleTimeout as timeout:
                found = self._timed_out(hit.end, timeout)
            known = known and found is not None
            for view, match in found or []:
                self._add(detector.id, view, match, hit.end)
        return known

    def _confirm_of(self, detector: Detector) -> Confirm | None:
        """The detector's confirm for this stream; None where it is not for it. Raises RuleTimeout."""
        if detector.for_path is None:
            return detector.confirm
        if detector.id not in self._own:
            self._own[detector.id] = None  # where the path itself takes too long
            self._own[detector.id] = detector.for_path(self._path)
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
            if row.framing in _OUTERMOST or is_ghost_in(dump.data, hit, row):
                continue
            view, index = self._views.inside(dump, hit, row)
            if view is None:
                continue
            if row.framing:
                if hit.end > unwrapped and depth < DEEPEST:
                    self._look_into(view, dump_end, depth + 1)
                    unwrapped = hit.end + len(view.data) - index
                continue
            for detector in self._matcher.users(hit):
                try:
                    confirm = self._confirm_of(detector)
                    found = self._matches(confirm, view, index, last=True) if confirm else []
                except RuleTimeout as timeout:
                    found = self._timed_out(dump_end, timeout)
                for match in found or []:
                    self._add(detector.id, *match)

    def _add(self, detector: str, view: View, match: Match, anchor_end: int | None = None) -> None:
        spans = view.spans(match.start, match.end)
        if not spans or _is_ours(view.data, match):
            return
        detector = match.family if match.family == "jwt" else detector  # whoever found its place, it is a JWT
        candidate = Candidate(spans[0].start, spans[-1].end, spans, match, detector, view)
        if detector == "jwt" and not match.flaw:
            beside = anchor_end is not None and 0 <= candidate.start - anchor_end <= BESIDE
            self._covered = (anchor_end if beside and anchor_end else candidate.start, candidate.end)
        self._resolver.add(candidate)

    def _confirm(self, hit: Hit, row: Row, confirm: Confirm, wanted: int = 0) -> list[tuple[View, Match]] | None:
        """What a detector makes of a hit, shown as much as it asks for; None where that is not known yet.

        `wanted`: bytes behind the hit that it asks for anyhow.
        """
        unknown = not self._window.final and self._window.end < hit.end + self._window.ahead
        first = next(reach for reach, size in enumerate(REACHES) if size >= wanted) if wanted else 0
        for reach in range(first, len(REACHES)):
            placed = self._views.at(hit, row, reach, self._window.end, self._window.final)
            if placed is None:
                return []
            found = self._matches(confirm, *placed, last=reach == len(REACHES) - 1 and not unknown)
            if found is not None:
                return found
        return None if unknown else []

    def _matches(self, confirm: Confirm, view: View, index: int, last: bool) -> list[tuple[View, Match]] | None:
        """What a detector finds at an index of a view; None where it asks for more and this is not the last view."""
        text = view.text(index)
        if last and text.cut:
            text = replace(text, cut=False)
        try:
            found = self._across(confirm, view, text)
            if found:
                return found
            found = [_whole(confirm, view, text, match) for match in confirm(text)]
            if text.cut and any(_may_go_on(*one) for one in found):
                return None
            return [(where, match) for where, match in found if match.flaw is not Flaw.FRAGMENT]
        except NeedMore:
            return None

    def _across(self, confirm: Confirm, view: View, text: Text) -> list[tuple[View, Match]]:
        """Whole matches that go on behind the end of the hit's line, where that was cut at a width."""
        unbroken = self._views.unbroken(view, text.hit)
        if unbroken is None:
            return []
        joined, place = unbroken
        found = confirm(replace(text, data=joined.data, depth=joined.depth))
        across = (match for match in found if match.start < place < match.end)
        return [(joined, match) for match in across if not match.flaw and match.rank > Rank.HUNCH]

    def _at_a_glance(self, hit: Hit, row: Row, detector: Detector) -> list[tuple[View, Match]] | None:
        """What the raw bytes around a hit tell, a view costing ten times more; None where they do not tell enough."""
        if row.encoding in _ENCODED:
            return None
        if detector.glance and not detector.glance(*self._nearby.beside(hit, row)):
            return []
        if row.encoding and self._nearby.is_ghost(hit, row):
            return []
        if detector.for_path:
            return None
        if detector.follows and not row.encoding:
            before = self._window.slice(hit.end - detector.before, hit.end)
            return None if any(wanted in before for wanted in detector.follows) else []
        known = detector.before <= NEAR and not self._nearby.is_before_jwt(hit)
        near, decoded = self._nearby.near(hit, row) if known else _NOTHING
        if near is None or wrapped.may_go_on(near.data, near.hit):
            return None
        try:
            found = list(detector.confirm(near))
        except NeedMore:
            return None
        return (None if decoded else self._viewed(found, near, hit, row)) if found else []

    def _viewed(self, found: list[Match], near: Text, hit: Hit, row: Row) -> list[tuple[View, Match]] | None:
        """Whole matches of the raw bytes, with the view they stand in; None where the view shows them otherwise."""
        placed = self._views.at(hit, row, 0, self._window.end, self._window.final)
        if placed is None:
            return None
        view, index = placed
        moved = index - near.hit
        for match in found:
            start, behind = match.start + moved, match.end + 1  # what follows may be a line's end that the view undoes
            if match.flaw or start < 0 or view.data[start : behind + moved] != near.data[match.start : behind]:
                return None
        return [(view, replace(match, start=match.start + moved, end=match.end + moved)) for match in found]


_ENCODED = frozenset(("hex", "base64"))
_OUTERMOST = frozenset(("hexdump", "memory-words", "byte-list"))  # not looked for in what a layout holds
_NOTHING: tuple[Text | None, bool] = (None, False)
# What a redaction left is no secret: a label or a placeholder, what is around it of a value, the digits in it.
_LABEL = pattern(rb"\[?REDACTED(?::[a-z_]+:|-)[0-9a-f]+\]?")
_IN_LABEL = pattern(rb"REDACTED:(?:[a-z_]+:)?\Z")


def _is_ours(data: bytes, match: Match) -> bool:
    if _IN_LABEL.search(data, max(0, match.start - 40), match.start):
        return True
    value = match.secret.reveal()
    return b"REDACTED" in value and len(_LABEL.sub(b"", value)) < 8


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
