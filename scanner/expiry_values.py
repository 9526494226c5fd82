"""Durations and ends as the fields beside a token spell them.

A duration is a number of seconds, ISO 8601 (`PT1H`), words (`1 hour 30 minutes`, Go's `59m59s`), .NET's TimeSpan or
Python's timedelta. An end is a written time or a count since some epoch.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from detectors.patterns import pattern
from scanner import timestamps
from scanner.record_time import Stamp, as_written
from scanner.timestamps import Written

LONGEST = 20 * 366 * 86400  # seconds; a larger number is no duration
_EARLIEST, _LATEST = 2001, 2100  # years: other ends stand for "none" (0001, 1970, 9999) or are no times at all
_END_FROM = 1420070400  # 2015: an end under a duration's name is no older; smaller numbers stand for "very long"

_PAIR = pattern(
    rb"(?i)(?P<n>\d{1,13})(?:\.(?P<f>\d{1,9}))?\s?(?P<w>(?:milliseconds?|millis|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|"
    rb"days?|weeks?)(?![A-Za-z_=])|[smhdw](?![A-Za-z_=:-]))"
)
_NEXT = pattern(rb",? ?(?:and )?(?=\d)")
_PLAIN = pattern(rb"(?P<n>\d{1,13})(?:\.\d{1,9})?(?![A-Za-z0-9.]*[-:T\dA-Za-z])")
_ISO = pattern(  # ISO 8601-1 section 5.5.2; months and years have no fixed length
    rb"P(?=[\dT])(?:(?P<w>\d{1,4})W)?(?:(?P<d>\d{1,5})D)?"
    rb"(?:T(?=\d)(?:(?P<h>\d{1,5})H)?(?:(?P<m>\d{1,6})M)?(?:(?P<s>\d{1,8})(?:\.\d{1,9})?S)?)?(?![A-Za-z0-9])"
)
_CLOCK = pattern(rb"(?:(?P<d>\d{1,4})(?:\.| days?, ))?(?P<h>\d{1,2}):(?P<m>\d\d):(?P<s>\d\d)(?:\.\d{1,9})?(?![\d:])")
_DELTA = pattern(rb"(?:datetime\.)?timedelta\((?:days=(?P<d>\d{1,5}))?(?:, )?(?:seconds=(?P<s>\d{1,8}))?")
_UNITS = {b"s": 1.0, b"m": 60.0, b"h": 3600.0, b"d": 86400.0, b"w": 604800.0}  # seconds
_MINUTES_IN_MS = frozenset(60_000 * n for n in (5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 10080))


class Duration(Struct, frozen=True):
    """In seconds; `least` where a number may be of milliseconds, as an hour of 3600000 is. `end` of its bytes."""

    seconds: float
    end: int
    least: float | None = None


def duration(value: bytes, unit: bytes = b"") -> Duration | None:
    """What a value begins with; `unit` is the one its name gives (`_ms`), for numbers without one."""
    if iso := (_ISO.match(value) or _DELTA.match(value) or _CLOCK.match(value)):
        seconds = sum(_UNITS[name.encode()] * int(count) for name, count in iso.groupdict().items() if count)
        return Duration(seconds, iso.end()) if 0 < seconds < LONGEST else None
    total, index = 0.0, 0
    while pair := _PAIR.match(value, index):
        total, index = total + _in_seconds(pair), pair.end()
        more = _NEXT.match(value, index)
        if more is None or not _PAIR.match(value, more.end()):
            return Duration(total, index) if 0 < total < LONGEST else None
        index = more.end()
    plain = _PLAIN.match(value)
    count = float(int(plain["n"])) if plain else 0.0
    if plain is None or not 0 < count < LONGEST * (1000 if unit else 1):
        return None
    if unit[:1] == b"m":
        return Duration(count * 0.001, plain.end())
    return Duration(count, plain.end(), count * 0.001 if count in _MINUTES_IN_MS else None)


def _in_seconds(pair: re.Match[bytes]) -> float:
    unit = pair["w"].lower()
    scale = 0.001 if unit.startswith((b"ms", b"mil")) else _UNITS[unit[:1]]
    return float(b"%b.%b" % (pair["n"], pair["f"] or b"0")) * scale


_AN_END = pattern(rb"\d{10,19}(?!\d)|20\d\d-\d\d-\d\dT")


def end_as_duration(value: bytes, zone: tzinfo | None) -> Stamp | None:
    """The end itself, which some write under the name of a duration."""
    stamp = end(value, zone) if _AN_END.match(value) else None
    return stamp if stamp and stamp.moment.timestamp() >= _END_FROM else None


_PYTHON = pattern(
    rb"datetime\.datetime\((\d{4}), (\d\d?), (\d\d?)(?:, (\d\d?))?(?:, (\d\d?))?(?:, (\d\d?))?(?:, \d{1,6})?"
    rb"([^)]{0,40}?(?i:utc))?"
)
_WRAPPED = pattern(  # BSON's extended JSON and shell, DynamoDB, protobuf's Timestamp and Firestore's
    rb"""(?:\{\s{0,4}["']?(?:\$date|\$numberLong|N|S|_?seconds)["']?\s?:\s{0,4}["']?){1,2}|"""
    rb"""(?:ISODate|(?:new )?Date|Timestamp|Time|Instant|DateTime)\(\s?["']?"""
)
_NET = pattern(rb"\\?/Date\((\d{13})")  # JavaScriptSerializer of .NET
_COUNT = pattern(rb"(?P<n>\d{9,19})(?P<f>\.\d{1,9})?(?!\d)")
_GENERALIZED = pattern(rb"(\d{14})(?:\.\d{1,9})?(Z|[+-]\d{4})")  # RFC 4517 section 3.3.13
_DAY = pattern(rb"""(\d{4})-(\d\d)-(\d\d)(?=["'\s,;|})\]&<\\]|\Z)(?!\s\d\d:)""")
_COCOA = 978307200  # Unix seconds of 2001-01-01, from which NSDate counts seconds
_FILETIME = -11644473600  # of 1601-01-01, from which Windows counts 100 ns
_TICKS = -62135596800  # of 0001-01-01, from which .NET does, in a zone that the count does not tell


def end(value: bytes, zone: tzinfo | None) -> Stamp | None:
    """The moment a value begins with."""
    wrapped = _WRAPPED.match(value)
    value = value[wrapped.end() :] if wrapped else value
    if python := _PYTHON.match(value):
        year, month, day, hour, minute, second = (int(part or 0) for part in python.groups()[:6])
        if hour > 23 or minute > 59 or second > 59:
            return None
        written = Written(days=((year, month, day),), clock=time(hour, minute, second), zone=UTC if python[7] else None)
        return plausible(written, zone)
    if bare := _DAY.match(value):
        return _some_time_on(int(bare[1]), int(bare[2]), int(bare[3]), zone)
    net = _NET.match(value)
    found = timestamps.value(net[1] if net else value)
    if found is None:
        found = _generalized(value) or _counted(value)
    return plausible(found, zone) if found else None


def _some_time_on(year: int, month: int, day: int, zone: tzinfo | None) -> Stamp | None:
    """A day without a time: some end on it."""
    begin = plausible(Written(days=((year, month, day),)), zone)
    if begin is None:
        return None
    return replace(begin, latest=begin.latest + timedelta(days=1), assumed=("assumed_time",))


def _generalized(value: bytes) -> Written | None:
    found = _GENERALIZED.match(value)
    if found is None:
        return None
    try:
        form = "%Y%m%d%H%M%S%z"
        return Written(exact=datetime.strptime((found[1] + found[2]).decode("ascii"), form).astimezone(UTC))
    except ValueError:
        return None


def _counted(value: bytes) -> Written | None:
    """Seconds past 2033, seconds since 2001 (9 digits, which as Unix time are before 2002), 100 ns since 1601 or 1."""
    found = _COUNT.match(value)
    if found is None:
        return None
    size, count = len(found["n"]), int(found["n"])
    if size == 10 and not found["n"].startswith(b"1"):
        return _at(count)
    if size == 9 and found["f"]:
        return _at(count + _COCOA)
    if size == 18 and found["n"].startswith(b"13"):
        return _at(count // 10_000_000 + _FILETIME)
    if size == 18 and found["n"].startswith((b"63", b"64")):
        local = _at(count // 10_000_000 + _TICKS)
        moment = local.exact if local else None
        return Written(days=((moment.year, moment.month, moment.day),), clock=moment.time()) if moment else None
    return None


def _at(seconds: int) -> Written | None:
    return Written(exact=datetime.fromtimestamp(seconds, UTC)) if 0 < seconds < 4102444800 else None


def plausible(written: Written, zone: tzinfo | None) -> Stamp | None:
    """Ends such as 0001, 1970 and 9999 stand for "none"."""
    try:
        stamp = as_written(written, zone)
    except (ValueError, OverflowError):
        return None
    return stamp if stamp and _EARLIEST <= stamp.moment.year <= _LATEST else None
