"""The record around a match: when it was logged, and what stands beside the secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from detectors.detector import Kind, Match, Text
from detectors.patterns import pattern
from scanner import hosts, lifetimes, timestamps
from scanner.record_time import HEAD, Around, Stamp, all_in_line, at, dated, in_line, keyed
from scanner.siblings import beside
from scanner.timestamps import Written

LINES_BACK = 80  # lines a record may have before the one with its secret: header blocks, pretty-printed JSON
LINES_AHEAD = 80  # lines behind a secret in which the next record is looked for
LONGEST_LINE = 8192  # bytes of a line looked at on either side of the secret
SAME_RECORD = 30.0  # seconds after its issue in which an answer is logged, where only that ties the two
SAME = timedelta(minutes=5)  # an answer is logged this soon: times further apart are of two events


class Context(Struct, frozen=True):
    """What stands around a match."""

    logged: Stamp | None = None
    logged_at_basis: str | None = None  # "record", "record+assumed_zone", "preceding_record+inferred_year" …
    lifetime: lifetimes.Lifetime = lifetimes.NOTHING
    issued: Stamp | None = None  # when a token with a duration beside it was issued …
    issued_by: str = ""  # … and how that is known: "issued_at", "date", "record_time"
    client_id: str | None = None
    issuer: str | None = None
    host: str | None = None  # that the record names as its own
    format: str = "text"  # text, docker-json, cri, …

    @property
    def logged_at(self) -> datetime | None:
        """The likeliest time of the record."""
        return self.logged.moment if self.logged else None


class FileHints(Struct, frozen=True):
    """What is known of a file before it is read: nothing that depends on how far a scan has come."""

    mtime: float | None = None  # Unix seconds: no record is younger
    zone: tzinfo | None = None  # the user's word on times that name no zone
    size: int | None = None  # bytes on disk
    read: datetime | None = None  # when a source without a last change is read: no record in it is younger


Earlier = Callable[[], bytes]  # raw bytes of the stream that end where a match begins; asked for only where needed


def describe(text: Text, match: Match, earlier: Earlier, hints: FileHints) -> Context:
    """What the bytes around a match say."""
    data = text.data
    line = _line(text, match)
    whole = timestamps.whole_at_beginning(data[line[0] : match.start])
    if whole and speaks_for_itself(match):  # nothing is left to be told by what stands further away
        return _context(text, match, line, logged=at(whole), logged_at_basis="record")
    before = earlier()
    around = Around(before, data[match.end : match.end + LONGEST_LINE], hints.mtime, hints.zone, hints.read)
    told = _RecordTime(at(whole), "record", True, b"") if whole else _record_time(text, match, line, before, around)
    stamp, basis, belongs, above = told
    lifetime, issued, issued_by = lifetimes.NOTHING, None, ""
    if not speaks_for_itself(match):
        lifetime = lifetimes.of(data, match.start, match.end, match.kind, match.key, hints.zone)
        if stamp and not belongs and _is_counted_from(match, lifetime):
            stamp = _until_next(stamp, data, match, around)
        issued, issued_by = _issue(data, match, line[0], lifetime, stamp, around)
    return _context(text, match, line, stamp, basis, above, lifetime, issued, issued_by)


def _context(
    text: Text,
    match: Match,
    line: tuple[int, int],
    logged: Stamp | None,
    logged_at_basis: str | None,
    above: bytes = b"",
    lifetime: lifetimes.Lifetime = lifetimes.NOTHING,
    issued: Stamp | None = None,
    issued_by: str = "",
) -> Context:
    siblings = beside(text.data, match.start, match.end)
    return Context(
        logged=logged,
        logged_at_basis=logged_at_basis,
        lifetime=lifetime,
        issued=issued,
        issued_by=issued_by,
        client_id=siblings.client_id,
        issuer=siblings.issuer,
        host=_host(text, match, line, above),
        format=_format(text.data, match),
    )


def speaks_for_itself(match: Match) -> bool:
    """Whether what stands beside it has no say: it states its end, or that it has none, or can't be used at all."""
    facts = match.facts
    if match.flaw or facts.expires_at is not None or (match.static and match.kind is not Kind.CLIENT_SECRET):
        return True
    return match.family == "jwt" and facts.token_type != "JWE" and "claims_unreadable" not in facts.problems


def _is_counted_from(match: Match, lifetime: lifetimes.Lifetime) -> bool:
    """Whether its end is counted from the record's time."""
    return lifetime.seconds is not None or match.max_lifetime is not None or match.kind is Kind.AUTH_CODE


def _host(text: Text, match: Match, line: tuple[int, int], above: bytes) -> str | None:
    start, end = line
    named = hosts.of_line(text.data[start : match.start] + text.data[match.end : end]) or (
        hosts.of_line(above) if above else None
    )
    return named or hosts.of_environment(text.data, match.start, match.end)


class _RecordTime(NamedTuple):
    """What is told of a record's time."""

    stamp: Stamp | None
    basis: str | None
    belongs: bool  # whether the secret's line is surely of the record the time stood in
    above: bytes  # the line above that gave the time, where it was another one


def _record_time(text: Text, match: Match, line: tuple[int, int], earlier: bytes, around: Around) -> _RecordTime:
    """The record's time, where the secret's line does not begin with a whole one."""
    data = text.data
    start, end = line
    after = data[match.end : end]
    stamp = _surest(around, data[start : match.start], after)
    if stamp:
        return _RecordTime(stamp, _basis("record", stamp), True, b"")
    belongs = _GOES_ON.match(data[start : start + HEAD]) is not None
    lines = _lines_above(data, start, match.start, earlier)
    for other in lines:
        written = in_line(other[:LONGEST_LINE])
        stamp = around.settled(written) if written else None
        if stamp:
            stamp = _of_answer_in_record(stamp, other, lines, around)
            return _RecordTime(stamp, _basis("preceding_record", stamp), belongs, other[:LONGEST_LINE])
        belongs = belongs and _GOES_ON.match(other[:HEAD]) is not None
    return _RecordTime(None, None, False, b"")


def _of_answer_in_record(stamp: Stamp, line: bytes, above: Iterator[bytes], around: Around) -> Stamp:
    """A time among the fields of an object is its record's, unless a record that is younger begins above it: then the
    object tells an older time, or the record's, or one between.
    """
    if not line[:1].isspace() and not line.startswith((b'"', b"'")):
        return stamp
    begun = (in_line(other[:HEAD]) for other in above if other[:1].isalnum() or other[:1] in b"[<")
    record = around.settled(first) if (first := next(filter(None, begun), None)) else None
    if record is None or record.earliest <= stamp.latest + SAME:
        return stamp
    return replace(record, earliest=stamp.earliest, assumed=(*record.assumed, "older_times"))


def _lines_above(data: bytes, line: int, start: int, earlier: bytes) -> Iterator[bytes]:
    """The lines before the secret's, the nearest first. Where it stands in something decoded, first those decoded with
    it, then the line that held them.
    """
    raw = (earlier[earlier.rfind(b"\0") + 1 :] + b".").splitlines()  # the last one ends where the secret begins
    if not raw[-1][:-1].endswith(data[line:start][-_ALIKE:]):
        yield from reversed(data[:line].splitlines()[-LINES_BACK:])
        yield raw[-1]
    yield from reversed(raw[-LINES_BACK - 1 : -1])


_ALIKE = 16  # bytes before a secret that are the same in the stream and in a view where nothing was decoded


def _line(text: Text, match: Match) -> tuple[int, int]:
    """[start, end) of the line a match stands in. A line break that was escaped ends a line of the message only."""
    data, depth = text.data, text.depth
    low = data.rfind(b"\n", max(0, match.start - LONGEST_LINE), match.start)
    while low >= 0 and depth is not None and depth[low]:
        low = data.rfind(b"\n", max(0, match.start - LONGEST_LINE), low)
    limit = min(len(data), match.end + LONGEST_LINE)
    high = data.find(b"\n", match.end, limit)
    while high >= 0 and depth is not None and depth[high]:
        high = data.find(b"\n", high + 1, limit)
    low = low + 1 if low >= 0 else max(0, match.start - LONGEST_LINE)
    high = high if high >= 0 else limit
    # A NUL ends a record as well: in memory, what stands before it is another object, of whatever time.
    low = max(low, data.rfind(b"\0", low, match.start) + 1)
    nul = data.find(b"\0", match.end, high)
    return low, nul if nul >= 0 else high


def _surest(around: Around, before: bytes, after: bytes) -> Stamp | None:
    """The line's time; another one in it, if that leaves less open and can be of the same moment."""
    best: Stamp | None = None
    for written in _told(before, after):
        stamp = around.settled(written)
        if stamp is None or best is None:
            best = best or stamp
        elif stamp.latest - stamp.earliest < best.latest - best.earliest and _meet(stamp, best):
            best = stamp
        if best and best.earliest == best.latest:
            break
    return best


def _told(before: bytes, after: bytes) -> Iterator[Written]:
    yield from all_in_line(before)
    behind = keyed(after)
    if behind:
        yield behind


def _meet(one: Stamp, other: Stamp) -> bool:
    return one.earliest <= other.latest + SAME and other.earliest <= one.latest + SAME


# A line that is part of the record above it: indented, empty, marked by a bracket, a quote or a client's `<` and `>`,
# or a header, a key and its value.
_GOES_ON = pattern(
    rb"""\s|\Z|[{}()\[\]"'<>*=&|+~]|[A-Za-z0-9_.$@-]{1,60}["']?[ \t]{0,12}(?:=>|[:=])|HTTP/\d|[A-Z]{3,7} /|eyJ"""
)


def _until_next(stamp: Stamp, data: bytes, match: Match, around: Around) -> Stamp:
    """The line came after that record and before the next one; with none in sight, before the file's last change."""
    for line in data[match.end :].splitlines()[1 : LINES_AHEAD + 1]:
        written = in_line(line[:HEAD])
        following = around.settled(written) if written else None
        if following and following.latest >= stamp.earliest:
            return replace(stamp, latest=max(stamp.latest, following.latest))
    return replace(stamp, latest=max(stamp.latest, around.newest or stamp.latest + UNSEEN))


UNSEEN = timedelta(days=366)  # how long after a record a line behind it may have been written, where nothing tells


def _issue(
    data: bytes, match: Match, line: int, lifetime: lifetimes.Lifetime, logged: Stamp | None, around: Around
) -> tuple[Stamp | None, str]:
    """When the token beside which a duration stands was issued, and by what that is known. Its line begins at `line`.

    Times that are older than the record tell that an old answer may have been logged anew: it is of any time between.
    """
    if lifetime.seconds is None:
        return None, ""
    if lifetime.issued and (logged is None or lifetime.issued.earliest <= logged.latest + SAME):
        return lifetime.issued, "issued_at"
    date = lifetimes.date_of_message(data, match.start, match.end)
    if date and (logged is None or logged.earliest - SAME <= date <= logged.latest + SAME):
        return at(date), "date"
    beside = lifetimes.made_with(data, match.start, match.end)
    if beside and logged and _agree(beside, logged):
        return at(beside), "iat_beside"
    if logged is None:
        return None, "record_time"
    quoted = (around.settled(written) for _, written in dated(data[line : match.start]))
    old = [one.earliest for one in quoted if one and one.latest < logged.earliest - SAME]
    old += [one for one in (date, beside) if one and one < logged.earliest - SAME]
    if not old:
        return logged, "record_time"
    return replace(logged, earliest=min(old), assumed=(*logged.assumed, "older_times")), "record_time"


def _agree(moment: datetime, logged: Stamp) -> bool:
    """Whether a moment can be that of the record. One that leaves open the zone only is met on the quarter hour."""
    if not logged.earliest - SAME <= moment <= logged.latest + SAME:
        return False
    if logged.earliest == logged.latest:
        return True
    late = (logged.moment - moment).total_seconds() % 900
    return "assumed_zone" in logged.assumed and (late < SAME_RECORD or late > 900 - 2)


def _basis(where: str, stamp: Stamp) -> str:
    return "+".join((where, *stamp.assumed))


def _format(data: bytes, match: Match) -> str:
    start = data.rfind(b"\n", 0, match.start) + 1
    head = data[start : min(start + 64, match.start)]
    if head[:1] == b"{":
        return "docker-json" if head.startswith(b'{"log":"') else "json"
    if b" std" in head and _CRI.search(head):
        return "cri"
    return "binary" if data.find(b"\0", max(0, match.start - 64), match.end + 64) >= 0 else "text"


_CRI = pattern(rb" std(?:out [FP]|err F) ")
