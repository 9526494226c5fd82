"""A user's rule at work: where one of its keywords was seen, its expression is tried nearby."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from detectors.detector import Anchor, Confirm, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.entropy import shannon
from scanner.rules.allowlist import Allowlist, Seen
from scanner.rules.expression import Expression
from scanner.rules.interface import RuleTimeout

NEAR = 1024  # bytes before and behind a keyword's end in which a match may begin
AFTER = 8192  # bytes behind it in which the match must end
LONGEST_LINE = 4096  # bytes of a line on each side of a match that an allowlist is shown
MOST_TIMEOUTS = 5  # per stream; a rule that ran out of time so often is not tried there again (1 s lost)


class Rule(Struct, frozen=True):
    """A rule of a rules file. `secret_group` 0: the first group that holds something, else the whole match."""

    id: str
    title: str
    kind: Kind
    regex: Expression
    anchors: tuple[Anchor, ...]
    secret_group: int = 0
    entropy: float | None = None  # bits per character that the secret must exceed
    path: Expression | None = None
    allowlists: tuple[Allowlist, ...] = ()

    @property
    def wanted(self) -> int:
        """Bytes behind a keyword that decide; one more than the match, for what `\\b` and `$` look at."""
        width = self.regex.widest
        return AFTER if width is None else min(AFTER, NEAR + width + 1)

    def detector(self, reference: str) -> Detector:
        """The rule as a detector. Its `confirm` knows no path; `for_path` gives the one to use in a stream."""
        return Detector(
            id=self.id,
            kind=self.kind,
            title=self.title,
            anchors=self.anchors,
            confirm=Search(self, b""),
            reference=reference,
            examples=(),
            counterexamples=(),
            before=NEAR,
            after=self.wanted,
            for_path=self.for_path,
        )

    def for_path(self, path: str) -> Confirm | None:
        """The confirm for one stream; None where the path says that the rule is not for it.

        Raises RuleTimeout.
        """
        name = path.encode("utf-8", "surrogateescape")
        try:
            if self.path and not self.path.is_in(name):
                return None
            if any(one.allows_path(name) for one in self.allowlists):
                return None
        except TimeoutError:
            raise RuleTimeout(self.id, given_up=True) from None
        return Search(self, name)


class Search:
    """One rule in one stream. Neighbouring keywords share a text, which is searched once."""

    def __init__(self, rule: Rule, path: bytes) -> None:
        self._rule = rule
        self._path = path
        self._wanted = rule.wanted
        self._timeouts = 0
        self._data = b""
        self._found: list[tuple[tuple[int, int], ...]] = []

    def __call__(self, text: Text) -> Iterator[Match]:
        """The matches near the keyword. Raises NeedMore, and RuleTimeout."""
        if self._timeouts >= MOST_TIMEOUTS:
            raise RuleTimeout(self._rule.id, given_up=True)
        try:
            return iter(self._near(text))
        except TimeoutError:
            self._data = b""
            self._timeouts += 1
            raise RuleTimeout(self._rule.id, self._timeouts >= MOST_TIMEOUTS) from None

    def _near(self, text: Text) -> list[Match]:
        if text.cut and len(text.data) < text.hit + self._wanted:
            raise NeedMore
        if text.data is not self._data:
            self._read(text)
        low, high = text.hit - NEAR, text.hit + NEAR
        near = [spans for spans in self._found if low <= spans[0][0] <= high and spans[0][1] <= text.hit + AFTER]
        return [match for spans in near if (match := self._match(text.data, spans))]

    def _read(self, text: Text) -> None:
        self._data = b""
        self._found = self._rule.regex.all_in(text.data)
        self._data = text.data

    def _match(self, data: bytes, spans: tuple[tuple[int, int], ...]) -> Match | None:
        start, end = self._secret(data, spans)
        value = data[start:end]
        if not value or (self._rule.entropy is not None and shannon(value) <= self._rule.entropy):
            return None
        seen = Seen(value, data[slice(*spans[0])], _line(data, *spans[0]), self._path)
        if any(one.allows(seen) for one in self._rule.allowlists):
            return None
        return Match(start, end, self._rule.kind, Secret(value), Rank.RULE)

    def _secret(self, data: bytes, spans: tuple[tuple[int, int], ...]) -> tuple[int, int]:
        group = self._rule.secret_group
        if not group:
            group = next((i for i, (low, high) in enumerate(spans) if i and high > low), 0)
        start, end = spans[group]
        while start < end and data[start] in b"\r\n":
            start += 1
        while end > start and data[end - 1] in b"\r\n":
            end -= 1
        return start, end


def _line(data: bytes, start: int, end: int) -> bytes:
    """The line or lines a match stands in, as far as they are near."""
    low = data.rfind(b"\n", max(0, start - LONGEST_LINE), start) + 1 or max(0, start - LONGEST_LINE)
    high = data.find(b"\n", end, end + LONGEST_LINE)
    return data[low : high if high >= 0 else end + LONGEST_LINE]
