"""Record times, format by format as their documentation writes them; and what each leaves open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import timestamps
from scanner.record_time import Around, Stamp, at, in_line, keyed
from scanner.zones import zone_of

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CHANGED = datetime(2026, 11, 22, 12, 30, tzinfo=UTC).timestamp()
ELEVEN = NOON - timedelta(hours=1)


def stamp(line: bytes, *, changed: float | None = CHANGED, before: bytes = b"", after: bytes = b"") -> Stamp | None:
    written = in_line(line)
    return Around(before, after, changed, None).settled(written) if written else None


EXACT = {
    "RFC 3339": (b"2026-11-22T12:00:00Z level=info", NOON),
    "RFC 3339 with a fraction": (b"2026-11-22T12:00:00.123456789Z stdout F x", NOON.replace(microsecond=123456)),
    "RFC 3339 with an offset": (b"2026-11-22T13:00:00+01:00 x", NOON),
    "offset without colon": (b"2026-11-22T07:00:00.000-0500 x", NOON),
    "offset of hours": (b"2026-11-22 13:00:00.000+01 x", NOON),
    "offset after a blank": (b"2026-11-22 13:00:00 +0100 x", NOON),
    "RFC 5424": (b"<165>1 2026-11-22T12:00:00.003Z host app 1 ID47 - x", NOON.replace(microsecond=3000)),
    "rsyslog high precision": (b"2026-11-22T13:00:00.123456+01:00 host app: x", NOON.replace(microsecond=123456)),
    "journald short-iso": (b"2026-11-22T13:00:00+0100 host app[1]: x", NOON),
    "Common Log Format": (b'10.0.0.1 - ada [22/Nov/2026:13:00:00 +0100] "GET / HTTP/1.1" 200 1', NOON),
    "CLF behind a proxy's fields": (b'api.example:443 10.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET /"', NOON),
    "PHP error_log": (b"[22-Nov-2026 12:00:00 UTC] PHP Warning: x", NOON),
    "PHP error_log of a region": (b"[22-Nov-2026 13:00:00 Europe/Berlin] PHP Warning: x", NOON),
    "PostgreSQL %m": (b"2026-11-22 12:00:00.123 UTC [4711] LOG:  x", NOON.replace(microsecond=123000)),
    "PostgreSQL in a named zone": (b"2026-11-22 13:00:00.000 CET [4711] LOG:  x", NOON),
    "MySQL 5.7": (b"2026-11-22T12:00:00.000001Z 8 [Note] x", NOON.replace(microsecond=1)),
    "MongoDB 4.4": (b'{"t":{"$date":"2026-11-22T13:00:00.000+01:00"},"s":"I","msg":"x"', NOON),
    "Java GC -Xlog uptime decorated": (b"[2026-11-22T12:00:00.000+0000][info][gc] GC(0) Pause", NOON),
    "java.util.Date": (b"Sun Nov 22 13:00:00 CET 2026 x", NOON),
    "date(1)": (b"Sun Nov 22 12:00:00 UTC 2026", NOON),
    "RFC 9110": (b"< date: Sun, 22 Nov 2026 12:00:00 GMT", NOON),
    "RFC 850": (b"date: Sunday, 22-Nov-26 12:00:00 GMT", NOON),
    "Rails": (b'Started GET "/" for 10.0.0.1 at 2026-11-22 13:00:00 +0100', NOON),
    "Ruby Logger with zone": (b"I, [2026-11-22T12:00:00.000000Z #412]  INFO -- : x", NOON),
    "Go log of time.Time": (b"2026-11-22 12:00:00 +0000 UTC m=+0.1 x", NOON),
    "WebSphere": (b"[11/22/26 13:00:00:123 CET] 00000001 Filter I x", NOON.replace(microsecond=123000)),
    "ISO 8601 basic": (b"20261122T120000Z x", NOON),
    "Windows event": (
        b"<TimeCreated SystemTime='2026-11-22T12:00:00.1234567Z'/><Data>",
        NOON.replace(microsecond=123456),
    ),
    "nginx $msec": (b"1795348800.123 10.0.0.1 GET /", NOON.replace(microsecond=123000)),
    "Squid": (b"1795348800.500     93 10.0.0.1 TCP_MISS/200 1 GET", NOON.replace(microsecond=500000)),
    "strace -ttt": (b"1795348800.000000 write(1, ", NOON),
    "Redis MONITOR": (b'1795348800.000000 [0 10.0.0.1:1] "SETEX" ', NOON),
    "dmesg-like brackets": (b"[1795348800] x", NOON),
    "zap ts": (b'{"level":"info","ts":1795348800.5,"msg":', NOON.replace(microsecond=500000)),
    "zap ts in e notation": (b'{"level":"info","ts":1.795348800e+09,"msg":', NOON),
    "pino": (b'{"level":30,"time":1795348800000,"pid":1,"msg":', NOON),
    "bunyan": (b'{"name":"a","level":30,"time":"2026-11-22T12:00:00.000Z","msg":', NOON),
    "@timestamp": (b'{"@timestamp":"2026-11-22T12:00:00.000Z","message":', NOON),
    "logfmt": (b'level=info ts=2026-11-22T12:00:00Z msg="', NOON),
    "logrus": (b'time="2026-11-22T12:00:00Z" level=info msg="', NOON),
    "GELF": (b'{"version":"1.1","host":"a","timestamp":1795348800.000,"short_message":', NOON),
    "epoch in microseconds": (b'{"ts":1795348800000000,"msg":', NOON),
    "epoch in nanoseconds": (b'{"timestamp":"1795348800000000000","body":', NOON),
    "journald JSON": (b'{ "__REALTIME_TIMESTAMP" : "1795348800000000", "MESSAGE" : ', NOON),
    "journald export": (b"__REALTIME_TIMESTAMP=1795348800000000", NOON),
    "log4j2 JSON": (b'{"instant":{"epochSecond":1795348800,"nanoOfSecond":1},"message":', NOON),
    "Serilog": (b'{"@t":"2026-11-22T12:00:00.0000000Z","@m":', NOON),
    "CloudTrail": (b'{"eventTime":"2026-11-22T12:00:00Z","x":', NOON),
    "ALB": (b"https 2026-11-22T12:00:00.000000Z app/lb/1 10.0.0.1:1 ", NOON),
    "CEF": (b"CEF:0|a|b|1|1|t|1|rt=1795348800000 msg=", NOON),
    "LEEF": (b"LEEF:2.0|a|b|1|x|devTime=2026-11-22T12:00:00Z\tmsg=", NOON),
    "fluentd's agent": (b'{"timestampSeconds":1795348800,"timestampNanos":276000000,"message":', NOON),
    "reports of Erlang": (b"=INFO REPORT==== 22-Nov-2026::12:00:00 UTC ===", NOON),
    "W3C extended, IIS": (b"2026-11-22 12:00:00 W3SVC1 10.0.0.1 GET /x ", NOON),
}


@pytest.mark.parametrize(("line", "moment"), EXACT.values(), ids=EXACT)
def test_a_time_that_says_all(line: bytes, moment: datetime) -> None:
    found = stamp(line, before=line, changed=None)
    assert found is not None
    assert abs(found.earliest - moment) < timedelta(microseconds=2)
    assert (found.latest, found.assumed) == (found.earliest, ())


# Local times, read as if they were UTC, and so marked: the moment is NOON, give or take a zone.
ZONELESS = {
    "Python logging": b"2026-11-22 12:00:00,000 - root - INFO - x",
    "log4j": b"2026-11-22 12:00:00.000 INFO  [main] x",
    "logback in brackets": b"[2026-11-22 12:00:00.000] [INFO] x",
    "Spring Boot 2": b"2026-11-22 12:00:00.000  INFO 1 --- [main] x",
    "tomcat": b"22-Nov-2026 12:00:00.000 INFO [main] x",
    "nginx error": b"2026/11/22 12:00:00 [error] 1#1: *1 x",
    "Go log": b"2026/11/22 12:00:00 x",
    "Go log with microseconds": b"2026/11/22 12:00:00.000000 x",
    "Apache error": b"[Sun Nov 22 12:00:00.000000 2026] [core:error] [pid 1] x",
    "asctime": b"Sun Nov 22 12:00:00 2026 [77] x",
    "Laravel": b"[2026-11-22 12:00:00] production.DEBUG: x",
    "Monolog after a level": b"[INFO] 2026-11-22 12:00:00 x",
    "java.util.logging": b"Nov 22, 2026 12:00:00 PM com.example.A b",
    "Kibana's export": b'"Nov 22, 2026 @ 12:00:00.000","api","',
    ".NET": b"11/22/2026 12:00:00 PM x",
    "H2, day first": b"22/11/2026 12:00:00 x",
    "German": b"22.11.2026 12:00:00 x",
    "MySQL 5.6": b"261122 12:00:00 [Note] x",
    "Spark": b"26/11/22 12:00:00 INFO SparkContext: x",
    "compose prefix": b"web-1  | 2026-11-22 12:00:00,000 INFO x",
    "RFC 3164": b"Nov 22 12:00:00 host app[1]: x",
    "RFC 3164 with priority": b"<34>Nov 22 12:00:00 host su: x",
    "gin": b"[GIN] 2026/11/22 - 12:00:00 | 200 | x",
    "Unreal Engine": b"[2026.11.22-12.00.00:000][ 17]LogHttp: x",
    "Chromium": b"[4711:4711:1122/120000.000000:INFO:CONSOLE(1)] x",
    "Oracle": b"22-NOV-2026 12:00:00 * x",
    "klog": b"I1122 12:00:00.000000       1 main.go:1] x",
    "logcat": b"11-22 12:00:00.000  1  2 D OkHttp: x",
    "a zone with several meanings": b"2026-11-22 12:00:00 IST x",
}


@pytest.mark.parametrize("line", ZONELESS.values(), ids=ZONELESS)
def test_a_local_time_is_an_interval(line: bytes) -> None:
    found = stamp(line)
    assert found is not None
    assert (found.moment, found.earliest) == (NOON, NOON - timedelta(hours=14))
    assert found.latest == datetime.fromtimestamp(CHANGED, UTC) + timedelta(minutes=1)  # no younger than its file
    assert "assumed_zone" in found.assumed
    given = Around(b"", b"", CHANGED, ZoneInfo("Europe/Berlin")).settled(in_line(line) or timestamps.Written())
    assert given is not None
    assert (given.earliest, given.latest) == (ELEVEN, ELEVEN)
    assert "given_zone" in given.assumed


NONE = {
    "a creation date is a datum": b'{"created_at":"2019-03-03T08:00:00Z","access_token":',
    "an expiry": b'{"expires":"2026-11-22T12:00:00Z","token":',
    "not after": b"notAfter=2026-11-22 12:00:00 token=",
    "Last-Modified": b"Last-Modified: Sun, 22 Nov 2026 12:00:00 GMT",
    "a serial number": b"order 1795348800123456 for ",
    "a version": b"app-2026.11.22 build ",
    "no such day": b"2026-02-30 12:00:00 x",
    "no such hour": b"2026-11-22 25:00:00 x",
    "a ratio": b"12:34:56:78 x",
    "nothing": b"",
}


@pytest.mark.parametrize("line", NONE.values(), ids=NONE)
def test_what_is_no_time_of_a_record(line: bytes) -> None:
    assert stamp(line) is None


def test_a_key_behind_the_secret_names_the_time() -> None:
    written = keyed(b'","stream":"stderr","time":"2026-11-22T12:00:00.5Z"}')
    assert written is not None
    assert Around(b"", b"", None, None).settled(written).moment == NOON.replace(microsecond=500000)  # type: ignore[union-attr]
    assert keyed(b'","expires_at":"2026-11-22T12:00:00Z","created_at":"2026-11-22T12:00:00Z"}') is None


def test_a_year_is_told_by_a_change_soon_after_only() -> None:
    near = stamp(b"Nov 20 12:00:00 h a: x")
    assert near is not None
    assert "inferred_year" in near.assumed
    assert near.moment == NOON - timedelta(days=2)
    far = stamp(b"Mar 20 12:00:00 h a: x")
    assert far is not None
    assert "assumed_year" in far.assumed
    assert (far.moment.year, far.latest.year) == (2026, 2026)
    assert far.earliest.year <= 2010
    turn = stamp(b"Dec 30 12:00:00 h a: x")  # after the change's day: of a year before
    assert turn is not None
    assert turn.moment.year == 2025
    assert stamp(b"Nov 20 12:00:00 h a: x", changed=None) is None


def test_the_order_of_day_and_month() -> None:
    open_ = stamp(b"03/04/2026 12:00:00 x")
    assert open_ is not None
    assert "assumed_order" in open_.assumed
    assert open_.latest - open_.earliest > timedelta(days=31)
    told = stamp(b"03/04/2026 12:00:00 x", before=b"13/03/2026 11:00:00 y\n")
    assert told is not None
    assert (told.moment.month, told.moment.day) == (4, 3)
    told = stamp(b"03/04/2026 12:00:00 x", after=b"\n03/25/2026 11:00:00 y\n")
    assert told is not None
    assert (told.moment.month, told.moment.day) == (3, 4)
    close = stamp(b"11/10/2026 12:00:00 x", changed=datetime(2026, 11, 11, tzinfo=UTC).timestamp())
    assert close is not None
    assert (close.moment.month, close.moment.day) == (11, 10)
    assert "inferred_order" in close.assumed


def test_two_digit_years_are_placed_near_the_change_or_left_open() -> None:
    near = stamp(b"22/11/26 12:00:00 x")
    assert near is not None
    assert near.moment == NOON
    assert "inferred_order" in near.assumed
    far = stamp(b"22/11/26 12:00:00 x", changed=datetime(2027, 8, 1, tzinfo=UTC).timestamp())
    assert far is not None
    assert (far.earliest.year, far.latest.year) == (2022, 2026)


def test_a_time_of_day_alone_is_of_the_last_day_told_or_later() -> None:
    line = b"12:00:00.123 [main] DEBUG x"
    told = stamp(line, before=b"2026-11-22 11:59:00 started\n12:00:00 y\n")
    assert told is not None
    assert told.moment == NOON.replace(microsecond=123000)
    assert "inferred_day" in told.assumed
    night = stamp(b"00:10:00.000 x", before=b"2026-11-21 23:50:00 started\n")
    assert night is not None
    assert night.moment == datetime(2026, 11, 22, 0, 10, tzinfo=UTC)
    later = stamp(line, before=b"2026-11-02 11:59:00 started\n")
    assert later is not None
    assert later.earliest < datetime(2026, 11, 3, tzinfo=UTC)
    assert later.latest > datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert stamp(line, changed=None) is None
    loose = stamp(line)
    assert loose is not None
    assert loose.latest - loose.earliest > timedelta(days=365)


RESPONSE = b"%s DEBUG response\nHTTP/1.1 200 OK\nDate: Sun, 22 Nov 2026 12:00:00 GMT\n\n{"


@pytest.mark.parametrize(
    ("local", "zone"),
    [
        (b"2026-11-22 13:00:00,250", 1.0),
        (b"2026-11-22 12:00:02,000", 0.0),
        (b"2026-11-22 17:30:01,000", 5.5),
        (b"2026-11-22 04:00:01,000", -8.0),
        (b"2026-11-22 13:07:00,000", None),  # seven minutes are no zone
        (b"2026-11-24 13:00:00,000", None),  # nor are two days
    ],
)
def test_a_date_field_beside_a_local_time_tells_the_zone(local: bytes, zone: float | None) -> None:
    found = stamp(local + b" INFO x", before=RESPONSE % local, changed=None)
    assert found is not None
    if zone is None:
        assert "assumed_zone" in found.assumed
        return
    assert "inferred_zone" in found.assumed
    assert found.latest == found.earliest == found.moment
    offset = datetime.fromisoformat(local.decode().replace(",", ".")).replace(tzinfo=UTC) - found.moment
    assert offset == timedelta(hours=zone)


def test_date_fields_that_disagree_tell_nothing() -> None:
    before = RESPONSE % b"2026-11-22 13:00:00,250" + b"\n" + RESPONSE % b"2026-11-22 14:00:00,250"
    found = stamp(b"2026-11-22 13:00:00,250 x", before=before, changed=None)
    assert found is not None
    assert "assumed_zone" in found.assumed


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Z", 0),
        ("UTC", 0),
        ("GMT+2", 2),
        ("+02:00", 2),
        ("-0530", -5.5),
        ("+14", 14),
        ("CEST", 2),
        ("PST", -8),
        ("JST", 9),
    ],
)
def test_zones(name: str, hours: float) -> None:
    zone = zone_of(name)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "name", ["CST", "IST", "BST", "+15:00", "-4711", "INFO", "Mars/Olympus_Mons", "../../etc/x", ""]
)
def test_no_zones(name: str) -> None:
    assert zone_of(name) is None


@given(st.binary(max_size=300), st.one_of(st.none(), st.floats(0, 4e9)))
def test_nothing_raises(line: bytes, changed: float | None) -> None:
    stamp(line, changed=changed, before=line, after=line)


FORMS = ["%Y-%m-%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%b %d %H:%M:%S %Y", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S"]


@given(st.integers(978307200, 2114380800), st.sampled_from(FORMS))
def test_the_interval_holds_the_moment_in_every_zone(seconds: int, form: str) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    found = stamp(whole.strftime(form).encode() + b" x", changed=None)
    assert found is not None
    for hours in (-12, -3.5, 0, 5.75, 14):
        assert found.earliest <= whole - timedelta(hours=hours) <= found.latest


_ZONES = (
    "",
    "Z",
    "+00:00",
    "-03:30",
    "+0200",
    " +02:00",
    "+15:00",
    "Zulu",
    " UTC",
    "]Z",
    " INFO x",
    " DEBUG",
    "-x",
    "+",
)
_CLOCKED = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}{}".format,
    st.sampled_from((1899, 1970, 2026, 2099)),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("T _"),
    st.integers(0, 24),
    st.integers(0, 61),
    st.integers(0, 61),
    st.sampled_from(("", ".5", ",123", ".123456789", ".", ",x")),
    st.sampled_from(_ZONES),
    st.sampled_from(("", " ", " [main] INFO", ":", "5", "\n")),
)


@given(_CLOCKED)
def test_a_time_taken_apart_the_short_way_is_what_the_long_way_tells(text: str) -> None:
    line = text.encode()
    long_way = timestamps._made(found) if (found := timestamps._DATED.match(line)) else None
    first = next(timestamps.dated(line), None)
    assert (first[1] if first and first[0] == 0 else None) == long_way
    whole = timestamps.whole_at_beginning(line)
    if whole:
        assert long_way is not None
        stamp = Around(b"", b"", None, None).settled(long_way)
        assert stamp == at(whole)
