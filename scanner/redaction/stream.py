"""A stream in, the same stream without its secrets out: in order, line by line, soon, and closed on failure."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from detectors.detector import Kind, Secret
from detectors.patterns import pattern
from scanner.context import FileHints
from scanner.decoders.interface import Reader
from scanner.errors import InputError, OutputError
from scanner.fingerprint import fingerprint
from scanner.looking import Part, Work
from scanner.matcher import Matcher
from scanner.model import Finding, Hit, Skipped, Span, State, StreamId
from scanner.pipeline import Scanner
from scanner.redaction.copying import Copy, Cuts, Write
from scanner.redaction.mask import Edit, Style, Target
from scanner.redaction.recent import LONGEST, Recent
from scanner.redaction.rewriting import replace
from scanner.resolve import Candidate
from scanner.windows import Shape, Window

LATENCY = 0.03  # seconds a complete line waits at most for more input; 50 ms are promised, the rest is for the work
PATIENCE = 1.0  # seconds more it waits where input never pauses, which soon makes room for it to be decided for good
BEHIND_FAILURE = 8192  # bytes behind a place our code failed at that are covered: what was to be found may be a block

_NOTHING = memoryview(b"")
# A record whose text goes on in the next one: Docker's json-file without a line end, CRI's P (see framings/partial.py).
_PARTIAL = pattern(
    rb"""(?:\{"log":"[^\n]*(?<!\\n)","stream":"(?:stdout|stderr)"[^\n]*\}
       | [0-9T:.+Z-]{20,40}\ (?:stdout|stderr)\ P\ [^\n]*)\r?\n\Z""",
    re.VERBOSE,
)
LONGEST_RECORD = 64 * 1024  # bytes: container runtimes cut records at 16 KiB, an escape may take six bytes a character


class Outcome(Struct):
    """What a redaction did. `failures`: lines replaced by a marker because of a bug of ours."""

    secrets: int = 0
    copies: int = 0  # bare copies of values that the stream had shown before
    changed: int = 0  # bytes of the input that were replaced
    failures: int = 0
    trouble: Skipped | None = None  # the input broke, and what was read before is written; or a rule gave up


class Guarded(Work):
    """Work that goes on when a detector fails, and tells where."""

    def __init__(self, matcher: Matcher, window: Window, failed: Callable[[int], None], path: str = "") -> None:
        super().__init__(matcher, window, Part(), path)
        self._failed = failed

    def _look(self, hit: Hit) -> bool:
        try:
            return super()._look(hit)
        except Exception:
            self._failed(hit.end)
            return True


class StreamRedactor:
    """Redacts one stream. With `on_finding`, each finding is judged and told as by a scan; with `on_state` only its
    kind and verdict are, which costs far less.

    `on_value` is given each secret that was replaced, its kind and its fingerprint.
    """

    def __init__(
        self,
        scanner: Scanner,
        style: Style = Style.LABEL,
        *,
        on_finding: Callable[[Finding], None] | None = None,
        on_state: Callable[[Kind, State], None] | None = None,
        on_value: Callable[[Secret, Kind, str], None] | None = None,
        stream: StreamId | None = None,
        hints: FileHints | None = None,
        flush: Callable[[], object] | None = None,
        shape: Shape | None = None,
    ) -> None:
        self._scanner = scanner
        self._style = style
        self._on_finding = on_finding
        self.on_state = on_state  # may be taken away while it runs
        self._on_value = on_value
        self._stream = stream or StreamId("-")
        self._hints = hints or FileHints(mtime=None)
        self._flush = flush or (lambda: None)
        self._shape = shape
        self._told: deque[tuple[int, int]] = deque(maxlen=64)  # places told lately: a second look finds some again

    def run(self, reader: Reader, write: Write, cuts: Cuts | None = None) -> Outcome:
        """Copies `reader` to `write` until its end. A reader with `wait(seconds) -> bool` is live."""
        self._outcome = Outcome()
        self._copy = Copy(write, cuts)
        self._recent = Recent()
        self._hidden_from: int | None = None  # behind a marker that stands for a line not yet complete
        self._window = Window(reader, self._shape)
        self._work = Guarded(self._scanner.matcher, self._window, self._fail_at, self._stream.members)
        arrivals: deque[tuple[int, float]] = deque()  # (offset just past a read, when it was made)
        wait = getattr(reader, "wait", None)
        while not self._window.final:
            if wait and self._is_due(arrivals, wait):
                self._protected(self._release_lines)
                continue
            fresh = self._fill()
            if wait:
                arrivals.append((self._window.end, time.monotonic()))
            self._protected(lambda fresh=fresh: self._step(fresh))  # type: ignore[misc]
        self._copy.upto(self._window.end)
        self._flush()
        self._outcome.changed = self._copy.changed
        return self._outcome

    def _is_due(self, arrivals: deque[tuple[int, float]], wait: Callable[[float], bool]) -> bool:
        """Whether a complete line has waited long enough. Waits for input meanwhile."""
        while arrivals and arrivals[0][0] <= self._copy.done:
            arrivals.popleft()
        if not arrivals or self._window.last_line_end() <= self._copy.done:
            wait(3600.0)
            return False
        left = arrivals[0][1] + LATENCY - time.monotonic()
        return left < -PATIENCE or not wait(max(0.0, left))

    def _fill(self) -> memoryview:
        try:
            fresh = self._window.fill()
        except InputError as error:
            self._outcome.trouble = Skipped(self._stream, str(error), self._window.end)
        except OSError as error:
            self._outcome.trouble = Skipped(self._stream, f"read error: {error.strerror}", self._window.end)
        else:
            self._copy.add(fresh)
            return fresh
        self._window.final = True
        return _NOTHING

    def _protected(self, step: Callable[[], None]) -> None:
        """A failure of ours outside of a detector: all lines held become markers, and work begins anew behind them."""
        try:
            step()
        except (OSError, OutputError):
            raise  # of the output: nothing more can be written
        except Exception:
            self._outcome.failures += 1
            self._mark(self._copy.done, self._copy.end)
            self._copy.upto(self._window.end)
            self._work = Guarded(self._scanner.matcher, self._window, self._fail_at, self._stream.members)

    def _mark(self, start: int, end: int) -> None:
        if not self._copy.mark(start, end):
            self._hidden_from = self._copy.end

    def _hide_rest(self) -> None:
        """What follows of a line that became a marker goes out empty."""
        start = self._hidden_from
        if start is None:
            return
        stop = self._copy.line_end(start)
        tail = self._copy.read(start, stop)
        self._copy.edit(Edit(start, start + len(tail.rstrip(b"\r\n")), b""))
        self._hidden_from = None if tail.endswith(b"\n") else stop

    def _step(self, fresh: memoryview) -> None:
        self._hide_rest()
        self._apply(self._work.take(fresh))
        for at, reason in self._work.gave_up():
            self._outcome.trouble = self._outcome.trouble or Skipped(self._stream, reason, at)
        before = self._copy.done
        self._copy.upto(self._mask_copies(self._work.settled, waits=not self._window.final))
        if self._copy.done > before:
            self._flush()

    def _release_lines(self) -> None:
        """Writes all complete lines: input has paused. What is not known whole goes out covered."""
        last = self._window.last_line_end()
        self._apply(self._work.take(_NOTHING, paused=True, upto=self._whole_records(last)))
        waiting = self._work.undecided
        if waiting is not None and waiting < last:
            self._copy.cover(self._run_start(waiting), last)
        self._copy.upto(self._mask_copies(last, waits=False))
        self._flush()

    def _whole_records(self, end: int) -> int:
        """Where the last whole record before `end` ends: parts of one that is to go on are left out."""
        while end > self._copy.done:
            start = self._copy.line_start(end - 1)
            if end - start > LONGEST_RECORD or not _PARTIAL.match(self._copy.read(start, end)):
                break
            end = start
        return end

    def _run_start(self, offset: int) -> int:
        """Where the run of token characters that an anchor ended in begins."""
        before = self._copy.read(max(self._copy.done, offset - 4096), offset)
        return offset - (len(before) - len(before.rstrip(_TOKEN)))

    def _apply(self, settled: list[Candidate]) -> None:
        for candidate in settled:
            place = (candidate.start, candidate.end)
            if place in self._told:
                continue
            self._told.append(place)
            self._outcome.secrets += 1
            self._edit(candidate)
            if self._on_finding:
                self._on_finding(self._scanner.finding(self._stream, self._window, candidate, self._hints))
            elif self.on_state:
                self.on_state(candidate.match.kind, self._scanner.state(self._window, candidate, self._hints))

    def _mask_copies(self, limit: int, waits: bool) -> int:
        """Copies of known values that begin before `limit` are masked; gives back how far may be written.

        With `waits`, one that reaches past `limit` is left for later, when all that overlaps it is known.
        """
        done = self._copy.done
        low = max(self._copy.base, done - 12)  # six characters before a copy tell whether it is a word of its own
        text = self._copy.read(low, limit + LONGEST)
        for start, end, form in self._recent.places(text, low, done):
            if start >= limit:
                continue
            if end > limit and waits:
                return start
            target = Target((Span(start, end),), form.kind, form.fingerprint, form.encoding)
            self._outcome.copies += replace(self._copy, target, self._style) > 0
        return limit

    def _edit(self, candidate: Candidate) -> None:
        match = candidate.match
        try:
            mark = fingerprint(self._scanner.key, match.secret.reveal())
            encoding = candidate.view.encoding + match.encoding
            replace(self._copy, Target(candidate.spans, match.kind, mark, encoding), self._style)
            if self._on_value:
                self._on_value(match.secret, match.kind, mark)
            if match.family != "jwt":  # which is found wherever it stands whole
                self._recent.add(match.secret, match.kind, mark, encoding, candidate.end)
        except Exception:
            self._fail_at(candidate.start, candidate.end)

    def _fail_at(self, start: int, end: int | None = None) -> None:
        """Code of ours failed at a place: its lines become markers, and what may be a block behind it is covered."""
        self._outcome.failures += 1
        end = start if end is None else end
        self._mark(start - 1, end)
        behind = self._copy.line_end(end - 1)
        self._copy.cover(behind, min(behind + BEHIND_FAILURE, self._copy.end))


_TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.~%-"
