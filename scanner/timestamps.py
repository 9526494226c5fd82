"""Times as loggers write them, each with what it leaves open: the zone, the year, the day, the order of day and month.

Hand-written expressions: each is linear. What a time leaves open is settled elsewhere (record_time.py) or stays an
interval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, tzinfo
from functools import lru_cache

from msgspec import Struct

from detectors.patterns import pattern
from scanner.zones import zone_of

_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
}
_MONTHS["dec"] = 12
_CLOCK = rb"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_NAME = rb"Z\b|(?:UTC|GMT)(?:[+-]\d\d?(?::?\d\d)?)?(?![A-Za-z])|[+-]\d\d(?::?\d\d)?(?![\d:])|[A-Z]{3,4}(?=[\])\"' ]|$)"
_ZONE = rb"(?:[\] ]?\s?(?P<z>" + _NAME + rb"|[A-Z][a-z]{2,12}/[A-Z][A-Za-z_]{2,20}(?=[\]\s])))?"
_MON = rb"(?P<b>(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"  # Oracle writes them in capitals
_EDGE = rb"(?<![0-9A-Za-z.-])"
_HALF = rb"(?:\s?(?P<p>[AaPp]\.?[Mm])\b)?"


class Written(Struct, frozen=True):
    """A time as it stands. `exact` where nothing is open; else a time of day and the days it may be on."""

    exact: datetime | None = None  # aware, UTC
    days: tuple[tuple[int | None, int, int], ...] = ()  # year (None: not said), month, day; several: an open order
    clock: time = time()
    zone: tzinfo | None = None
    shape: str = ""  # of a numeric day whose order is open: its separator and the place of the year


def _any_of(*expressions: bytes) -> re.Pattern[bytes]:
    """One expression; the groups of each alternative get a letter of their own in front."""
    lettered = []
    for i, expression in enumerate(expressions):
        letter = bytes([97 + i])
        lettered.append(expression.replace(b"(?P<", b"(?P<" + letter).replace(b"(?P=", b"(?P=" + letter))
    return pattern(b"|".join(lettered))


_HMS = rb"(?P<H>\d{1,2}):(?P<M>\d\d):(?P<S>\d\d)"
_NUMERIC = _EDGE + rb"(?P<u>\d{1,2})(?P<s>[-/.])(?P<v>\d{1,2})(?P=s)"
_DATED = _any_of(
    # RFC 3339 and ISO 8601, with the blanks and slashes of most loggers
    _EDGE + rb"(?P<Y>(?:19|20)\d\d)[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)(?:[T _:\t]|\s{2}|[ ]-[ ])" + _CLOCK + _ZONE,
    # Unreal Engine
    _EDGE + rb"(?P<Y>20\d\d)\.(?P<m>\d\d)\.(?P<d>\d\d)-(?P<H>\d\d)\.(?P<M>\d\d)\.(?P<S>\d\d):(?P<f>\d{3})",
    # the basic form of ISO 8601
    _EDGE
    + rb"(?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?"
    + _ZONE
    + rb"(?![0-9A-Za-z])",
    # glog, FIX and others, which leave the separators of the day out
    rb"(?<![0-9A-Za-z.-])[IWEF]?(?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)[- _]" + _CLOCK + _ZONE,
    # the Common Log Format
    _EDGE + rb"(?P<d>\d\d?)/" + _MON + rb"/(?P<Y>\d{4})[: ]" + _CLOCK + _ZONE,
    # RFC 9110 section 5.6.7, RFC 5322, PHP's error log, reports of Erlang
    _EDGE + rb"(?P<d>\d{1,2})[ -]" + _MON + rb"[ -](?P<Y>\d{4}|\d\d(?= ))(?:[ T]|::)" + _CLOCK + _HALF + _ZONE,
    # asctime(3), with the fraction of Apache's error log and the zone of date(1) and java.util.Date
    _MON + rb" {1,2}(?P<d>\d{1,2}) " + _CLOCK + rb"(?: (?P<z>[A-Z]{3,5}|[+-]\d{4}))? (?P<Y>(?:19|20)\d\d)\b",
    # java.util.logging, Kibana
    _MON + rb" {1,2}(?P<d>\d{1,2}),? (?P<Y>\d{4}),? (?:@ )?" + _HMS + rb"(?:[.,](?P<f>\d{1,9}))?" + _HALF + _ZONE,
    # numeric days with the year last: .NET, H2, German loggers
    _NUMERIC + rb"(?P<Y>(?:19|20)\d\d),?[ T]" + _HMS + rb"(?:[.,:](?P<f>\d{1,9}))?" + _HALF + _ZONE,
    # two-digit years: Spark, WebSphere
    _NUMERIC + rb"(?P<w>\d\d),? " + _HMS + rb"(?:[.,:](?P<f>\d{1,9}))?" + _HALF + _ZONE,
    # MySQL before 5.7
    rb"(?<![^\n])(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d) {1,2}" + _HMS,
)
# RFC 3164, logcat's threadtime, klog, Chromium: no year. Only at the beginning of a record.
_YEARLESS = _any_of(
    _MON + rb" {1,2}(?P<d>\d{1,2}) " + _CLOCK + rb"(?! (?:[A-Z]{3,5} |[+-]\d{4} )?(?:19|20)\d\d\b)",
    rb"(?P<m>\d\d)-(?P<d>\d\d) " + _CLOCK,
    rb"[IWEF](?P<m>\d\d)(?P<d>\d\d) " + _CLOCK,
    rb"(?:\d{1,7}:){1,2}(?P<m>\d\d)(?P<d>\d\d)/(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?:\.(?P<f>\d{1,6}))?:",
)
_TIME_ONLY = pattern(_CLOCK + rb"(?![0-9:.,]*[0-9:])")
_EPOCH = pattern(
    rb"(?P<n>1[0-9]{9}(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?)(?P<f>\.\d{1,9})?(?![0-9A-Za-z.-])"
    rb"|(?P<e>1\.\d{5,15}e\+?0?9)(?![0-9A-Za-z])"
)
_WEEKDAY = pattern(rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? ")
_EPOCH_FIRST = pattern(
    rb"(?:(?:\[?pid +)?\d{1,7}\]? +)?(?P<n>1[0-9]{9}(?:[0-9]{3})?)(?P<f>\.\d{1,9})?(?![0-9A-Za-z.:/-])"
)


def at_beginning(head: bytes) -> Written | None:
    """A time without a day or a year, or in epoch seconds, with which a record begins."""
    found = _YEARLESS.match(head) or _EPOCH_FIRST.match(head) or _TIME_ONLY.match(head)
    return _made(found) if found else None


def whole_at_beginning(line: bytes) -> datetime | None:
    """The moment (UTC) a line begins with, where it leaves nothing open: RFC 3339. What `dated` says of it, sooner."""
    found = _WHOLE.match(line)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0].decode("ascii"))
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_WHOLE = pattern(
    rb"(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d:[0-5]\d(?:[.,]\d{1,9})?(?:Z\b|[+-](?:0\d|1[01]):[0-5]\d(?![\d:]))"
)


def dated(text: bytes) -> Iterator[tuple[int, Written]]:
    """The times with a day and a year in a text, each with its index."""
    done = 0
    for clock in _ANY_CLOCK.finditer(text):  # looked for first: it is rare, and the day stands right beside it
        if clock.start() < done:
            continue
        begin = clock.start() - _USUAL_DAY
        usual = _USUAL.match(text, begin, clock.end() + _DAY_AFTER) if begin >= done else None
        found = usual or _DATED.search(text, max(done, clock.start() - _DAY_BEFORE), clock.end() + _DAY_AFTER)
        written = _as_usual(usual) if usual else _made(found) if found else None
        if found and written:
            done = found.end()
            yield found.start(), written


# What most loggers write, and the first of `_DATED`: where no zone but `Z` follows, it is taken apart much faster.
# A level looks like a zone's name.
_USUAL = pattern(
    _EDGE
    + rb"((?:19|20)\d\d)-(\d\d)-(\d\d)[T ](\d\d):(\d\d):([0-5]\d)(?:[.,](\d{1,9}))?"
    + rb"(?:(Z\b)|(?= (?:INFO|WARN|DEBUG|ERROR|TRACE|FATAL)\b)|(?![.,]\d|\d|[\] ]?\s?[A-Z+-]))"
)
_USUAL_DAY = 12  # bytes of it before those that `_ANY_CLOCK` begins with


def _as_usual(found: re.Match[bytes]) -> Written | None:
    year, month, day, hour, minute, second, fraction, utc = found.groups()
    on = (int(year), int(month), int(day))
    try:
        clock = time(int(hour), int(minute), int(second), int(fraction[:6].ljust(6, b"0")) if fraction else 0)
    except ValueError:
        return None
    return Written(days=(on,), clock=clock, zone=UTC if utc else None) if _is_day(*on) else None


_ANY_CLOCK = pattern(rb"\d:\d\d:\d\d|\dT\d{6}|\d\.\d\d\.\d\d:\d{3}")
_DAY_BEFORE, _DAY_AFTER = 24, 40  # bytes a day, and a fraction, a zone and a year, may take beside the clock


def value(text: bytes) -> Written | None:
    """The time a field's value begins with: a written one, or epoch seconds, milliseconds, micro- or nanoseconds."""
    found = _EPOCH.match(text) or _DATED.match(text)
    if found is None and (weekday := _WEEKDAY.match(text)):
        found = _DATED.match(text, weekday.end())
    return _made(found) if found else None


def _made(found: re.Match[bytes]) -> Written | None:
    names, letters = _groups(found.re, found.lastgroup or "")
    parts = {letter: value.decode("ascii") for letter, value in zip(letters, found.group(*names), strict=True) if value}
    try:
        return _epoch(parts) if "n" in parts or "e" in parts else _calendar(parts)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache
def _groups(pattern: re.Pattern[bytes], last: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The groups of the alternative whose group matched last, as they are called and by their own letter."""
    names = tuple(name for name in pattern.groupindex if name[:-1] == last[:-1])
    return names, tuple(name[-1] for name in names)


def _epoch(parts: dict[str, str]) -> Written:
    if "e" in parts:
        return Written(exact=datetime.fromtimestamp(float(parts["e"]), UTC))
    digits = parts["n"]
    return Written(exact=datetime.fromtimestamp(float(f"{digits[:10]}.{digits[10:] or '0'}") + _fraction(parts), UTC))


def _fraction(parts: dict[str, str]) -> float:
    return float("0" + parts["f"]) if "f" in parts else 0.0


def _calendar(parts: dict[str, str]) -> Written | None:
    hour, second = int(parts["H"]), int(parts["S"])
    if "p" in parts:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["p"][0] in "Pp" else 0)
    micro = int(parts.get("f", "0")[:6].ljust(6, "0"))
    clock = time(hour, int(parts["M"]), min(second, 59) if second == 60 else second, micro)  # a leap second
    zone = zone_of(parts["z"]) if "z" in parts else None
    days, shape = _days(parts)
    days = tuple(day for day in days if _is_day(*day))
    if not days and ("d" in parts or "u" in parts):
        return None
    return Written(days=days, clock=clock, zone=zone, shape=shape if len(days) > 1 else "")


def _days(parts: dict[str, str]) -> tuple[tuple[tuple[int | None, int, int], ...], str]:
    if "u" in parts:
        first, second = int(parts["u"]), int(parts["v"])
        if "Y" in parts:
            year = int(parts["Y"])
            # With dots the day comes first (DIN 5008 and all its neighbours); slashes and hyphens are both.
            orders = [(year, second, first)] if parts["s"] == "." else [(year, first, second), (year, second, first)]
            return tuple(dict.fromkeys(orders)), parts["s"] + "y"
        third = int(parts["w"])
        both = [(2000 + first, second, third), (2000 + third, first, second), (2000 + third, second, first)]
        return tuple(dict.fromkeys(both)), parts["s"] + "2"
    if "d" not in parts:
        return (), ""
    month = _MONTHS[parts["b"].lower()] if "b" in parts else int(parts["m"])
    if "Y" in parts or "y" in parts:
        year = int(parts.get("Y", parts.get("y", "")))
        return ((year if year >= 100 else 2000 + year, month, int(parts["d"])),), ""
    return ((None, month, int(parts["d"])),), ""


def _is_day(year: int | None, month: int, day: int) -> bool:
    try:
        datetime(2000 if year is None else year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def on_day(written: Written, year: int, month: int, day: int) -> datetime | None:
    """The local time (naive) on a day; None where there is no such day (29 February)."""
    try:
        return datetime.combine(datetime(year, month, day), written.clock)  # noqa: DTZ001  # its zone comes after
    except ValueError:
        return None
