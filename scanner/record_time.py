"""When a record was logged, as an interval: what its time leaves open is settled by what stands around it, or not.

A time without a zone lies within 26 hours. The zone is told by the user, or by a `Date` field (always GMT, RFC 9110
section 5.6.7) that stands with such a time, or not at all. A missing year or day, and the order of day and month, are
told by the file's last change where that is close, since chance would hardly put it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from detectors.patterns import pattern
from scanner import timestamps
from scanner.timestamps import Written
from scanner.zones import EAST, WEST, bounds

HEAD = 200  # bytes of a line in which its own time stands, if no key names it
CLOSE = timedelta(days=31)  # before a file's last change: a time that near is of that year, and its day is that one
LATE = timedelta(minutes=1)  # what clocks of file systems and loggers may differ by
_YEARS_BACK = 20
_DATES_READ = 24  # `Date` fields that are compared with the times beside them
_FIELDS_BACK = 2048  # bytes between a `Date` field and the time its record begins with
_QUARTER = 900  # seconds: zones differ by quarters of an hour
_DELAY = 5.0  # seconds after an answer's `Date` in which it is logged, as far as a zone is told by it

_CLOCK = pattern(
    rb"\d:\d\d:\d\d|1\d{9}|1\.\d{5}|[T/]\d{6}|\.\d\d:\d{3}"
)  # all times have one of these; most lines have none
_FRAME = b" \t[(\"'{>|-"
_PRIORITY = pattern(rb"<\d{1,3}>(?:\d )?")  # RFC 3164 and RFC 5424
_KEYED = pattern(
    rb"""(?i)(?<![A-Za-z0-9_.-])@?(?:(?:log|event|record|system|receive|request_?received|stage|_*realtime)_?)?"""
    rb"""(?:time(?:_?stamp)?(?:_?(?:utc|ms|millis|(?:unix_?)?nanos?|seconds|generated))?|ts|rt|dev_?time|started_?date_?time|asctime|date(?:_?time)?|instant|created|when|"""
    rb"""(?:logged|received|occurred|emitted)_?at|"""
    rb"""epoch_?(?:ms|millis|seconds?)?|t|_time)["']?\s{0,4}(?:=>|[:=])\s{0,4}(?:\{\s?["'](?:\$date|epochSecond|seconds)["']:\s?)?"""
    rb"""["'(\[]?|\bmsg=audit\((?=1)"""  # the last is of auditd
)
# Words before a time that make it a datum of the record, not the record's own time.
_DATUM = pattern(
    rb"""(?i)(?:expir[a-z]*|valid(?:ity)?|until|(?:not|retry)[_-]?(?:before|after)|modified|created?_?(?:at|on|date|time)|updated?|"""
    rb"""issued?|since|start(?:s|ed)?|ends?|ended|last|next|due|deadline|birth|login|seen|renew|exp|nbf|iat|revoked|"""
    rb"""deleted|joined|scheduled|effective|published|released|built?)[A-Za-z_ .-]{0,16}["'\]]{0,2}\s{0,3}"""
    rb"""(?:=>|[:=>]|at|on)?\s{0,3}["'(\[]{0,3}(?:[A-Z][a-z]{2,8},? )?$"""
)
_CELL = pattern(rb"""[,;(\t][ \t]?["']\Z""")  # a value among others, of a table: when its row was made, or anything
_DATE_FIELD = pattern(
    rb"""(?i)(?<![A-Za-z-])date["']?\s{0,3}(?:=>|[:=,])\s{0,3}(?:["']value["']\s?:\s?)?"""
    rb"""["'\[(]{0,3}(?=[A-Z][a-z]{2},? )"""
)
# A key before a time, quoted, with an equals sign, or at the beginning of a line that has nothing else.
_FIELD = pattern(
    rb"""(?:\\{0,3}["'](?P<q>[A-Za-z_@][\w .@$-]{0,60})\\{0,3}["']\s{0,4}(?:=>|[:=])\s{0,4}|"""
    rb"""(?<![\w.$@-])(?P<b>[A-Za-z_@][\w.@$-]{0,60})(?:=>?|:=)\s?|\A[ \t]*(?P<y>[A-Za-z_@][\w.@$-]{0,60}):[ ]{1,12})"""
    rb"""\\{0,3}["'\[({]{0,3}(?:[A-Z][a-z]{2,8},? )?\Z"""
)
_REST = pattern(rb"""[\d.,:TZ+"' -]{8,40}\s*\Z""")  # a time, and no more on its line
_SECONDS = pattern(rb"1\d{9}")
_TIMES = (b"time", b"timestamp", b"time_stamp", b"_ts", b"@t", b"timeutc", b"time_utc", b"timegenerated")


class Stamp(Struct, frozen=True):
    """The moment lies in [earliest, latest]; `moment` is the likeliest. All aware, UTC. `assumed` says what is open
    ("zone", "year", "day", "order") or was settled by other signs ("inferred_zone" …).
    """

    moment: datetime
    earliest: datetime
    latest: datetime
    assumed: tuple[str, ...] = ()


def at(moment: datetime) -> Stamp:
    """A stamp that leaves nothing open."""
    return Stamp(moment, moment, moment)


def as_written(written: Written, zone: tzinfo | None) -> Stamp | None:
    """The stamp of a time that is not its record's own: nothing around it says what it leaves open."""
    if written.exact:
        return at(written.exact)
    try:
        local = [timestamps.on_day(written, year, month, day) for year, month, day in written.days if year is not None]
        ends = [bounds(one, written.zone or zone) for one in local if one]
    except (OverflowError, ValueError):
        return None
    if not ends:
        return None
    earliest, latest = min(low for low, _ in ends), max(high for _, high in ends)
    told = written.zone or zone
    likely = latest if told else earliest + EAST
    return Stamp(likely, earliest, latest, () if written.zone else ("given_zone",) if zone else ("assumed_zone",))


def in_line(line: bytes) -> Written | None:
    """The time a record gives itself: where it begins, else under a key that names it."""
    return next(all_in_line(line), None)


def all_in_line(line: bytes) -> Iterator[Written]:
    """The times a line gives itself, the likeliest first: a collector puts its own before the program's."""
    if not _CLOCK.search(line):
        return
    head = line[:HEAD]
    priority = _PRIORITY.match(head)
    begin = head[priority.end() :] if priority else head.lstrip(_FRAME)
    own = timestamps.at_beginning(begin)
    if own and (own.days or own.exact):
        yield own
    for index, written in timestamps.dated(head):
        if _may_be_own(head, index):
            yield written
    named = keyed(line)
    if named:
        yield named
    if own and not own.days and not own.exact:
        yield own


def _may_be_own(text: bytes, index: int) -> bool:
    """Whether the time at an index of a line may be when the line was written: no datum, cell or value of a field whose
    name speaks of something else.
    """
    if _DATUM.search(text, max(0, index - 48), index) or _CELL.search(text, max(0, index - 3), index):
        return False
    field = _FIELD.search(text, max(0, index - 80), index)
    if field is None or (field["y"] and not _REST.match(text, index)):
        return True
    name = (field["q"] or field["b"] or field["y"]).lower()
    return name.endswith(_TIMES) or (name != b"created" and _KEYED.match(b'"%b":' % name) is not None)


def keyed(text: bytes) -> Written | None:
    """The time under a key that names a record's time."""
    if not _CLOCK.search(text):
        return None
    return next((written for _, written in all_keyed(text)), None)


def all_keyed(text: bytes) -> Iterator[tuple[int, Written]]:
    """The times under keys that name a record's time, each with the index of its key."""
    for key in _KEYED.finditer(text):
        written = timestamps.value(text[key.end() : key.end() + 64])
        if not written or not (written.days or written.exact):
            continue
        if key[0].lower().startswith(b"created") and not _SECONDS.match(text, key.end()):
            continue  # a number in Python's records; else when something was made
        if key[0].lower().startswith(_HAR) or not _DATUM.search(text, max(0, key.start() - 24), key.end()):
            yield key.start(), written


_HAR = b"started"  # startedDateTime, http://www.softwareishard.com/blog/har-12-spec/


def dated(text: bytes) -> Iterator[tuple[int, Written]]:
    """The times in a text that may be a record's, its own or a quoted one's, each with its index."""
    if not _CLOCK.search(text):
        return
    for index, written in timestamps.dated(text):
        if _may_be_own(text, index):
            yield index, written
    yield from all_keyed(text)


def date_fields(text: bytes) -> Iterator[tuple[int, datetime]]:
    """The `Date` fields of HTTP messages in a text, in whatever notation, each with its index (RFC 9110 6.6.1)."""
    end = text.find(b" GMT")  # looked for first: it is rare
    while end >= 0:
        field = _DATE_FIELD.search(text, max(0, end - 48), end)
        written = timestamps.value(text[field.end() : end + 4]) if field else None
        if field and written and written.zone is UTC and len(written.days) == 1 and written.days[0][0]:
            local = timestamps.on_day(written, *written.days[0])  # type: ignore[arg-type]  # the year was looked at
            if local:
                yield field.start(), local.replace(tzinfo=UTC)
        end = text.find(b" GMT", end + 1)


class Around:
    """What stands around a record and what is known of its file: enough, at times, to settle what its time leaves open.

    `before` ends where the secret begins, `after` begins where it ends. `changed`: the file's last change in Unix
    seconds. `zone`: the user's word on times that name none. `read`: of what has no last change, when it is read.
    """

    def __init__(
        self, before: bytes, after: bytes, changed: float | None, zone: tzinfo | None, read: datetime | None = None
    ) -> None:
        self._before = before
        self._after = after
        self._given = zone
        self._changed = None if changed is None else datetime.fromtimestamp(changed, UTC) + LATE
        self._newest = self._changed or (read + LATE if read else None)

    @property
    def newest(self) -> datetime | None:
        """The latest moment a record of the file can be of."""
        return self._newest

    def settled(self, written: Written) -> Stamp | None:
        """The stamp of a written time; None where not even an interval can be told."""
        if written.exact:
            return at(written.exact)
        try:
            return self._by_day(written) if written.days else self._by_time_of_day(written)
        except (OverflowError, ValueError):
            return None

    def _by_day(self, written: Written) -> Stamp | None:
        year, month, day = written.days[0]
        if year is not None and len(written.days) == 1:
            return self._on(written, year, month, day)
        stamps = [stamp for day in self._days(written) if (stamp := self._on(written, *day))]
        stamps = [s for s in stamps if self._newest is None or s.earliest <= self._newest] or stamps
        if len(stamps) < 2 and year is not None:
            return stamps[0] if stamps else None
        what = "year" if year is None else "order"
        near = [s for s in stamps if self._changed and self._changed - s.earliest < CLOSE]
        if len(near) == 1:
            return replace(near[0], assumed=(*near[0].assumed, f"inferred_{what}"))
        if not stamps:
            return None
        earliest, latest = min(s.earliest for s in stamps), max(s.latest for s in stamps)
        return Stamp(stamps[0].moment, earliest, latest, (*stamps[0].assumed, f"assumed_{what}"))

    def _days(self, written: Written) -> Iterator[tuple[int, int, int]]:
        """The days it may be on, the likeliest first."""
        first = self._day_first if written.shape == "/y" else None
        for i, (year, month, day) in enumerate(written.days):
            if year is not None:
                if first is None or first == (i == 1):
                    yield year, month, day
            elif self._newest is not None:
                last = (self._newest + EAST).year
                for back in range(_YEARS_BACK):
                    yield last - back, month, day

    def _on(self, written: Written, year: int, month: int, day: int) -> Stamp | None:
        local = timestamps.on_day(written, year, month, day)
        return self._in_zone(local, written.zone) if local else None

    def _in_zone(self, local: datetime, zone: tzinfo | None) -> Stamp:
        zone, told = (zone, ()) if zone else self._zone
        earliest, latest = bounds(local, zone)
        likely = latest if zone else local.replace(tzinfo=UTC)
        if zone is None and self._changed and earliest <= self._changed < latest:
            latest = self._changed  # no record is younger than its file
            likely = min(likely, latest)
        return Stamp(likely, earliest, latest, told)

    def _by_time_of_day(self, written: Written) -> Stamp | None:
        """Not before the last day told above it, not after the file's last change; on which of those days is open."""
        low, high = self._first_after(written), self._last_before(written)
        if low is None and high is None:
            return None
        first = self._in_zone(low or high, written.zone)  # type: ignore[arg-type]  # one of them is a time
        last = self._in_zone(max(low or high, high), written.zone) if high else first
        earliest = first.earliest if low else first.earliest - timedelta(days=366)
        latest = last.latest if high else last.latest + timedelta(days=366)
        what = "inferred_day" if low and high and low >= high else "assumed_day"
        return Stamp(first.moment, earliest, latest, (*first.assumed, what))

    def _first_after(self, written: Written) -> datetime | None:
        base = self._last_day
        if base is None:
            return None
        day = base if written.clock >= base.time() else base + timedelta(days=1)
        return datetime.combine(day, written.clock)

    @cached_property
    def _last_day(self) -> datetime | None:
        """The last time with a day above, as the clock there had it."""
        for line in reversed(self._before[:-1].splitlines()):
            for _, above in timestamps.dated(line[:HEAD]):
                if len(above.days) == 1 and above.days[0][0]:
                    base = timestamps.on_day(above, *above.days[0])  # type: ignore[arg-type]  # the year was looked at
                    if base:
                        return base
        return None

    def _last_before(self, written: Written) -> datetime | None:
        if self._changed is None:
            return None
        zone = written.zone or self._zone[0]
        now = (self._changed.astimezone(zone) if zone else self._changed + EAST).replace(tzinfo=None)
        same_day = datetime.combine(now, written.clock)
        return same_day if same_day <= now else same_day - timedelta(days=1)

    @cached_property
    def _day_first(self) -> bool | None:
        """Whether numeric days have the day first, by those around whose order is not open."""
        seen = set()
        for found in _NUMERIC.finditer(self._before + b" " + self._after):
            first, second = int(found[1]), int(found[2])
            if (first > 12) != (second > 12):
                seen.add(first > 12)
        return seen.pop() if len(seen) == 1 else None

    @cached_property
    def _zone(self) -> tuple[tzinfo | None, tuple[str, ...]]:
        if self._given:
            return self._given, ("given_zone",)
        text = self._before + self._after
        if b"#Fields: " in text or b" W3SVC" in text:
            return UTC, ()  # "all times are in GMT", https://www.w3.org/TR/WD-logfile
        told = {zone for zone in self._zones_told(text) if zone}
        return (told.pop(), ("inferred_zone",)) if len(told) == 1 else (None, ("assumed_zone",))

    def _zones_told(self, text: bytes) -> Iterator[tzinfo | None]:
        """What the `Date` fields say, each beside the record it stands in."""
        if b"GMT" not in text:
            return
        for count, (index, date) in enumerate(date_fields(text)):
            if count == _DATES_READ:
                return
            yield _zone_between(text[max(0, index - _FIELDS_BACK) : index], date)


_NUMERIC = pattern(rb"(?<![\d/])(\d{1,2})/(\d{1,2})/(?:19|20)\d\d,?[ T]\d{1,2}:")


def _zone_between(above: bytes, date: datetime) -> tzinfo | None:
    """The zone of the last time without one above a `Date` field, if the field's record can be of that very moment."""
    for line in reversed(above.splitlines()):
        written = in_line(line)
        if written is None or not (written.days or written.exact):
            continue
        if written.zone or written.exact or len(written.days) != 1:
            return None
        year, month, day = written.days[0]
        local = timestamps.on_day(written, year or date.year, month, day)
        if local is None:
            return None
        ahead = (local.replace(tzinfo=UTC) - date).total_seconds()
        quarters, late = divmod(ahead + 1, _QUARTER)
        offset = timedelta(seconds=quarters * _QUARTER)
        return timezone(offset) if late <= _DELAY + 1 and WEST <= offset <= EAST else None
    return None
