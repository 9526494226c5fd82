"""How the neighbours of a token spell its end: units, epochs, tables, messages; and times that are not the record's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.expiry_values import LONGEST, duration, end
from scanner.model import State
from tests.scanning import AS_OF, jwt, opaque
from tests.test_verdicts import HOUR_AGO, A, B, state, verdicts

DURATIONS = {
    b"3600": 3600.0,
    b'3600"': 3600.0,
    b"3600.0}": 3600.0,
    b"299s": 299.0,
    b"3600 seconds": 3600.0,
    b"1h": 3600.0,
    b"1h0m0s": 3600.0,
    b"59m59s": 3599.0,
    b"1 hour 30 minutes": 5400.0,
    b"1 hour, 30 minutes and 5 seconds": 5405.0,
    b"1.5 hours": 5400.0,
    b"500ms": 0.5,
    b"2 weeks": 1209600.0,
    b"PT1H": 3600.0,
    b"PT59M59.5S": 3599.0,
    b"P1D": 86400.0,
    b"P2W": 1209600.0,
    b"P1DT12H": 129600.0,
    b"01:00:00": 3600.0,
    b"1.00:00:00": 86400.0,
    b"1 day, 0:30:00": 88200.0,
    b"datetime.timedelta(days=1)": 86400.0,
    b"datetime.timedelta(days=1, seconds=60)": 86460.0,
    b"timedelta(seconds=3600)": 3600.0,
    # what is none
    b"": None,
    b"0": None,
    b"P": None,
    b"PT": None,
    b"P1Y": None,  # no fixed length
    b"P1M": None,
    b"2026-11-22": None,
    b"3600.5.1": None,
    b"1fortnight": None,
    b"99999999999999": None,
    b"never": None,
}


@pytest.mark.parametrize(("value", "seconds"), DURATIONS.items())
def test_durations(value: bytes, seconds: float | None) -> None:
    found = duration(value)
    assert (found.seconds if found else None) == seconds


def test_a_letter_that_begins_the_next_field_is_no_unit() -> None:
    for text in (b"3600 m=5", b"3600 s:1", b"3600 d_x=1", b"3600 scope=read"):
        found = duration(text)
        assert found is None or found.seconds == 3600.0


def test_a_number_that_looks_like_milliseconds_leaves_its_unit_open() -> None:
    """An hour in milliseconds is 42 days in seconds, which nobody configures."""
    for number in (300_000, 3_600_000, 86_400_000):
        found = duration(b"%d" % number)
        assert found is not None
        assert (found.least, found.seconds) == (number / 1000, number)
    for number in (2_592_000, 5_184_000, 7_776_000, 31_536_000):  # whole days in seconds
        found = duration(b"%d" % number)
        assert found is not None
        assert found.least is None
    line = b'%s {"access_token":"%s","expiresIn":3600000}'
    assert state(line % (b"2026-11-22T11:30:00Z", A)) is State.LIVE  # in either unit
    assert state(line % (b"2026-11-22T10:30:00Z", A)) is State.UNKNOWN
    assert "it may be in milliseconds" in verdicts(line % (HOUR_AGO, A))[A].verdict.reason
    assert state(line % (b"2026-01-22T10:30:00Z", A)) is State.EXPIRED


NOON = AS_OF
ENDS = {
    b"1795348800": NOON,
    b"1795348800000": NOON,
    b"1795348800000000": NOON,
    b"1795348800000000000": NOON,
    b"1795348800.000": NOON,
    b"1.7953488e9": NOON,
    b"2147483647": datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    b"134398224000000000": NOON,  # Windows FILETIME
    b"817041600.25": NOON,  # NSDate
    b"20261122120000Z": NOON,  # LDAP
    b"20261122130000+0100": NOON,
    b"/Date(1795348800000)/": NOON,
    b"\\/Date(1795348800000+0100)\\/": NOON,
    b"2026-11-22T13:00:00+01:00": NOON,
    b"datetime.datetime(2026, 11, 22, 12, 0, tzinfo=TzInfo(UTC))": NOON,
    b"datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.timezone.utc)": NOON,
    b'{"$date":"2026-11-22T12:00:00Z"}': NOON,
    b'{"$date":{"$numberLong":"1795348800000"}}': NOON,
    b'ISODate("2026-11-22T12:00:00Z")': NOON,
    b'{"N":"1795348800"}': NOON,
    b"{ seconds: 1795348800 nanos: 0 }": NOON,
    b'{"_seconds":1795348800,"_nanoseconds":0}': NOON,
    b"0001-01-01T00:00:00Z": None,
    b"9999-12-31T23:59:59Z": None,
    b"253402300799": None,
    b"817041600": None,  # without a fraction it may be anything
    b"20261322120000Z": None,
    b"2026-13-45": None,
    b"": None,
}


@pytest.mark.parametrize(("value", "moment"), ENDS.items())
def test_ends(value: bytes, moment: datetime | None) -> None:
    found = end(value, None)
    assert (found.moment.replace(microsecond=0) if found else None) == moment
    assert found is None or found.earliest == found.latest


def test_ticks_of_net_tell_no_zone_and_a_day_no_time() -> None:
    ticks = end(b"639309456000000000", None)
    assert ticks is not None
    assert ticks.earliest < NOON < ticks.latest
    day = end(b'2026-11-22"', None)
    assert day is not None
    assert day.latest - day.earliest == timedelta(hours=50)
    for text, expected in ((b"2026-11-10", State.EXPIRED), (b"2026-11-22", State.UNKNOWN), (b"2027-01-10", State.LIVE)):
        assert state(b'{"access_token":"%s","expires_at":"%s"}' % (A, text)) is expected


@given(st.binary(max_size=40))
def test_no_value_raises(value: bytes) -> None:
    for text in (value, b"P" + value, b"datetime.datetime(" + value, b"/Date(" + value, b"2" + value):
        found = duration(text)
        assert found is None or 0 < found.seconds < LONGEST
        end(text, None)


def test_a_very_long_duration_is_no_end_in_the_past() -> None:
    assert state(HOUR_AGO + b' {"access_token":"%s","expires_in":1000000000}' % A) is State.UNKNOWN
    found = verdicts(HOUR_AGO + b' {"access_token":"%s","expires_in":"2026-11-22T11:30:00Z"}' % A)[A].verdict
    assert (found.state, found.basis) == (State.EXPIRED, "expires_at")


SAID = {
    "in seconds": b"got access_token %s, expires in 3600 seconds",
    "in brackets": b"access_token=%s (expires in 3600s)",
    "in words": b"New access_token: %s, valid for 60 minutes",
    "before it": b"token will expire in 1 hour: access_token=%s",
    "bearer": b"Authorization: Bearer %s expires in 3600 seconds",
    "logfmt": b"access_token=%s expires_in=3600s",
}


@pytest.mark.parametrize("text", SAID.values(), ids=SAID)
def test_what_a_message_says_of_its_token(text: bytes) -> None:
    assert state(b"2026-11-22T11:30:00Z " + text % A) is State.LIVE
    assert state(b"2026-11-22T10:30:00Z " + text % A) is State.EXPIRED


FOREIGN = {
    "a certificate's": b"certificate for api expires in 60 seconds, access_token=%s",
    "the session's": b"session expires in 1 minute, access_token=%s",
    "the refresh token's": b"access_token=%s, refresh token expires in 1 minute",
    "the next token's": b"access_token=%s refresh_token=tUA0SRKWGpqGF9Yy2Enzl88wQz9OiGyGoF6JnG7w expires in 60 seconds",
    "a lock's": b"lock expires in 60 seconds; access_token=%s",
    "a date's": b"license valid until 2020-01-01T00:00:00Z access_token=%s",
    "no unit": b"access_token=%s expires in 60",
    "far away": b"access_token=%s " + b"word " * 40 + b"expires in 60 seconds",
    "another line's": b"access_token=%s\nexpires in 60 seconds",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_what_a_message_says_of_others(text: bytes) -> None:
    assert state(HOUR_AGO + b" " + text % A) is State.UNKNOWN


@pytest.mark.parametrize(
    "token", [b"TVih9T84Zsuh632aQR-31AD3BDvpMD-Mx1sFLyl5ubC", b"Vn2BqBS-ob5PALZqeB79jrPZsle9S6VA-HsYVKgzykj"]
)
def test_the_letters_a_token_ends_in_are_no_words(token: bytes) -> None:
    found = verdicts(HOUR_AGO + b" access_token=%s valid until 2026-11-22 13:00:00 UTC" % token)[token]
    assert found.verdict.state is State.LIVE


@pytest.mark.parametrize("text", [b"token=%s (expires 2026-11-22T13:00:00Z)", b"token '%s' (expires at 1795352400)"])
def test_what_stands_in_brackets_behind_a_token(text: bytes) -> None:
    assert state(HOUR_AGO + b" " + text % A) is State.LIVE


# The first token ends at 13:00, the second did at 10:00.
TABLES = {
    "CSV": b"id,access_token,expires_at\n1,%s,2026-11-22T13:00:00Z\n2,%s,2026-11-22T10:00:00Z\n",
    "CSV, quoted": b'"access_token","expires at"\n"%s","2026-11-22T13:00:00Z"\n"%s","2026-11-22T10:00:00Z"\n',
    "semicolons": b"access_token;user;expires\n%s;bob;1795352400\n%s;amy;1795341600\n",
    "tabs": b"user\taccess_token\texpires_at\nbob\t%s\t2026-11-22 13:00:00+00\namy\t%s\t2026-11-22 10:00:00+00\n",
    "psql": b" access_token | expires_at \n----+----\n %s | 2026-11-22 13:00:00+00\n %s | 2026-11-22 10:00:00+00\n",
    "mysql": b"+--+--+\n| access_token | expires_at |\n+--+--+\n| %s | 1795352400 |\n| %s | 1795341600 |\n+--+--+\n",
    "COPY": b"COPY t (access_token, expires_at) FROM stdin;\n%s\t2026-11-22 13:00:00+00\n%s\t2026-11-22 10:00:00+00\n",
    "INSERT": b"INSERT INTO t (access_token, expires_at) VALUES ('%s','2026-11-22T13:00:00Z'), ('%s',1795341600);",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_a_row_s_end_is_in_its_column(text: bytes) -> None:
    found = verdicts(text % (A, B))
    assert [found[x].verdict.state for x in (A, B)] == [State.LIVE, State.EXPIRED]
    assert found[A].verdict.basis == "expires_at"
    assert found[A].verdict.expires_at == AS_OF + timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    [
        b"id,access_token,cert_expires_at\n1,%s,2020-01-01T00:00:00Z\n",
        b"access_token,refresh_token_expires_at\n%s,2020-01-01T00:00:00Z\n",
        b"access_token,expires_at\n%s,2020-01-01T00:00:00Z,one more\n",
        b"access_token,expires_at\n%s,\n",
        b"INSERT INTO t (access_token, password_expires_at) VALUES ('%s','2020-01-01T00:00:00Z');",
        b"INSERT INTO t (access_token, expires_at) VALUES ('%s', NULL);",
        b"client_secret,expires_at\n%s,2020-01-01T00:00:00Z\n",
    ],
)
def test_a_column_of_something_else(text: bytes) -> None:
    found = verdicts(text % A)
    assert all(one.verdict.state in (State.UNKNOWN, State.NO_EXPIRY) for one in found.values())


def test_a_jar_of_cookies() -> None:
    """The file of Netscape's form, which curl and wget write."""
    row = b"#HttpOnly_.id.example\tTRUE\t/\tTRUE\t%d\tsession_token\t%s\n"
    assert state(row % (1795352400, A)) is State.LIVE
    assert state(row % (1795341600, A)) is State.EXPIRED
    assert state(row % (0, A)) is State.UNKNOWN


def test_the_next_cookie_s_age_is_its_own() -> None:
    line = HOUR_AGO + b" set-cookie: session_token=%s; Path=/, other=b; Max-Age=60" % A
    assert state(line) is State.UNKNOWN
    line = HOUR_AGO + b" set-cookie: session_token=%s; Expires=Sun, 22 Nov 2026 11:30:00 GMT; Path=/" % A
    assert state(line) is State.EXPIRED


OLD_ANSWERS = [
    b'%s {"original":{"timestamp":"2026-11-01T00:00:00Z","body":{"access_token":"%s","expires_in":7200}}}',
    b'%s INFO previous line: 2026-11-01 00:00:00 DEBUG got {"access_token":"%s","expires_in":7200}',
    b'%s {"headers":{"date":"Sun, 22 Nov 2026 09:30:00 GMT"},"body":{"access_token":"%s","expires_in":7200}}',
    b'%s {"access_token":"%s","expires_in":7200,"id_token":"' + jwt(1, iat=1795311600, exp=1795350600) + b'"}',
]


@pytest.mark.parametrize("line", OLD_ANSWERS)
def test_an_old_answer_that_is_logged_anew_is_not_taken_for_a_new_one(line: bytes) -> None:
    found = verdicts(line % (HOUR_AGO, A))[A].verdict
    assert found.state is State.UNKNOWN
    assert "the answer may be an old one" in found.reason
    assert state(line % (b"2026-11-22T09:59:59Z", A)) is State.EXPIRED  # whenever it was issued


RECORDS = {
    "OpenTelemetry": b'{"timeUnixNano":"%d000000000","body":%s}',
    "protobuf": b'{"timestamp":{"seconds":%d,"nanos":12},"r":%s}',
    "auditd": b"type=USER msg=audit(%d.123:456): %s",
    "strace": b"4711  %d.123456 write(1, %s",
    "strace -f": b"[pid  4711] %d.123456 write(1, %s",
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_record_times(record: bytes) -> None:
    answer = b'{"access_token":"%s","expires_in":3600}' % A
    assert state(record % (1795347000, answer)) is State.LIVE
    assert state(record % (1795343400, answer)) is State.EXPIRED


def test_glog_s_days_without_separators() -> None:
    line = b'I20261118 11:30:00.123456  12 auth.cc:7] {"access_token":"%s","expires_in":3600}' % A
    assert state(line) is State.EXPIRED


def test_an_archive_of_a_browser_tells_when_a_request_began() -> None:
    entry = (
        b'{"startedDateTime":"%s","time":12,"response":{"content":'
        b'{"text":"{\\"access_token\\":\\"%s\\",\\"expires_in\\":3600}"}}}'
    )
    assert state(entry % (b"2026-11-22T11:30:00.000Z", A)) is State.LIVE
    assert state(entry % (b"2026-11-22T10:30:00.000Z", A)) is State.EXPIRED


@pytest.mark.parametrize(
    ("day", "as_of", "expected"),
    [
        (b"Nov 20 03:30:00", AS_OF, State.EXPIRED),
        (b"Dec 20 03:30:00", AS_OF, State.EXPIRED),  # of last year at the latest
        (b"Nov 22 11:30:00", AS_OF, State.UNKNOWN),  # of this year, or of an earlier one
        (b"Dec 31 21:00:00", datetime(2027, 1, 5, tzinfo=UTC), State.EXPIRED),
        (b"Dec 31 23:59:00", datetime(2027, 1, 1, 0, 2, tzinfo=UTC), State.UNKNOWN),
    ],
)
def test_a_record_without_a_year_from_a_pipe(day: bytes, as_of: datetime, expected: State) -> None:
    """RFC 3164 section 4.1.2. Nothing tells the year, but a record is no younger than its reading."""
    line = day + b' host app[1]: {"access_token":"%s","expires_in":3600}' % A
    found = verdicts(line, as_of=as_of)[A]
    assert found.verdict.state is expected
    assert found.logged_at_basis == "record+assumed_zone+assumed_year"
    long = day + b' host app[1]: {"access_token":"%s","expires_in":864000}' % A
    assert verdicts(long, as_of=as_of)[A].verdict.state is not State.LIVE


def test_the_record_of_what_stands_encoded_in_it() -> None:
    """The line that holds the base64 has the time; a time among what was decoded is nearer."""
    token = b"ya" + b"29.a0" + opaque(5, 60)
    inner = b'{"access_token":"%s"}' % token
    outer = b"2026-11-20T11:30:00Z body: "
    (found,) = verdicts(outer + base64.b64encode(inner)).values()
    assert (found.verdict.basis, found.logged_at_basis) == ("vendor_max_lifetime+record_time", "preceding_record")
    old = b"2026-11-18T11:30:00Z answer\n  " + inner
    (found,) = verdicts(outer + base64.b64encode(old)).values()
    assert found.logged_at == datetime(2026, 11, 18, 11, 30, tzinfo=UTC)
    wide = ("2026-11-18T11:30:00Z answer\n" + inner.decode()).encode("utf-16-le")
    (found,) = verdicts(wide).values()
    assert found.logged_at == datetime(2026, 11, 18, 11, 30, tzinfo=UTC)


def test_a_secret_at_the_very_beginning_of_a_line_is_of_the_record_above() -> None:
    text = b"2026-11-18T11:30:00Z the token:\n" + jwt(1) + b"\n"
    assert {one.logged_at for one in verdicts(text).values()} == {datetime(2026, 11, 18, 11, 30, tzinfo=UTC)}


@pytest.mark.parametrize(
    "name",
    [
        "dob",
        "value",
        "x",
        "registered",
        "termination",
        "completed",
        "finished_at",
        "creationDate",
        "created",
        "updated_at",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        b'{"%s":"2020-01-01T00:00:00Z","access_token":"%s","expires_in":3600}',
        b'{\n  "%s": "2020-01-01T00:00:00Z",\n  "access_token": "%s",\n  "expires_in": 3600\n}\n',
        b"%s: 2020-01-01T00:00:00Z\naccess_token: %s\nexpires_in: 3600\n",
        b"%s=2020-01-01T00:00:00Z access_token=%s expires_in=3600",
        b'2026-11-22T11:30:00Z x\n{\n "%s": "2020-01-01T00:00:00Z",\n "access_token": "%s",\n "expires_in": 3600\n}\n',
    ],
)
def test_a_time_under_another_name_is_not_the_record_s(text: bytes, name: str) -> None:
    expected = State.LIVE if text.startswith(b"2026") else State.UNKNOWN
    assert state(text % (name.encode(), A)) is expected


def test_a_time_inside_an_answer_is_older_than_the_record() -> None:
    text = b'%s answer\n{\n  "timestamp": "2026-11-22T09:00:00Z",\n  "access_token": "%s",\n  "expires_in": 3600\n}\n'
    found = verdicts(text % (b"2026-11-22T11:30:00Z", A))[A].verdict
    assert found.state is State.UNKNOWN
    assert "the answer may be an old one" in found.reason
    assert state(text % (b"2026-11-22T10:59:00Z", A)) is State.EXPIRED  # whichever of the two
    alone = b'{\n  "timestamp": "2026-11-22T09:00:00Z",\n  "access_token": "%s",\n  "expires_in": 3600\n}\n' % A
    assert state(alone) is State.EXPIRED


@pytest.mark.parametrize(
    "header",
    [
        b'{"name":"expires","value":"Thu, 01 Jan 2015 00:00:00 GMT"}',
        b'"last-modified": "Wed, 21 Oct 2015 07:28:00 GMT"',
    ],
)
def test_headers_of_an_answer_are_not_its_record_s_time(header: bytes) -> None:
    text = b'2026-11-22T11:30:00Z {"headers":[%s],"body":{"access_token":"%s","expires_in":3600}}'
    assert state(text % (header, A)) in (State.LIVE, State.UNKNOWN)
    lines = b'{"headers":\n[\n%s\n],\n"body":{"access_token":"%s","expires_in":3600}}\n'
    assert state(lines % (header, A)) is State.UNKNOWN


@pytest.mark.parametrize("sign", [b">", b" > ", b" >= ", b" < "])
def test_a_condition_on_the_end_is_no_end(sign: bytes) -> None:
    text = HOUR_AGO + b" SELECT * FROM t WHERE access_token='%s' AND expires_at%s'2026-11-22T11:30:00Z'"
    assert state(text % (A, sign)) is State.UNKNOWN
