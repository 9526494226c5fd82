"""Verdicts through the whole street: which clock speaks, for whom, and what is left open. All as of noon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.detector import Kind, Match, Rank, Secret, Text
from scanner.context import FileHints, describe
from scanner.judge import Policy, assess
from scanner.model import Finding, State, StreamId
from scanner.pipeline import Scanner
from tests.scanning import AS_OF, KEY, Chunks, b64url, jwt, matcher, opaque

A, B = opaque(1), opaque(2)
HOUR_AGO, SOON = b"2026-11-22T11:00:00Z", b"2026-11-22T11:59:00Z"


def verdicts(
    text: bytes, *, as_of: datetime = AS_OF, leeway: float = 0.0, mtime: float | None = None
) -> dict[bytes, Finding]:
    """Findings by the bytes of their secret."""
    scanner = Scanner(matcher(), Policy(as_of, leeway), KEY)
    found = {}
    for event in scanner.scan(StreamId("mem"), Chunks(text), FileHints(mtime=mtime, read=as_of)):
        assert isinstance(event, Finding)
        found[b"".join(text[span.start : span.end] for span in event.spans)] = event
    return found


def state(text: bytes, secret: bytes = A, **how: float) -> State:
    return verdicts(text, **how)[secret].verdict.state  # type: ignore[arg-type]


# One response in many notations; the token was logged an hour ago and lives two.
NOTATIONS = {
    "JSON": b'%s {"access_token":"%s","token_type":"Bearer","expires_in":7200}',
    "JSON, sorted": b'%s {"expires_in":7200,"scope":"a","access_token":"%s"}',
    "JSON, a string": b'%s {"access_token":"%s","expires_in":"7200"}',
    "JSON, a float": b'%s {"access_token":"%s","expires_in":7200.0}',
    "JSON, camel case": b'%s {"accessToken":"%s","expiresIn":7200}',
    "JSON in JSON": b'{"time":"%s","msg":"{\\"access_token\\":\\"%s\\",\\"expires_in\\":7200}"}',
    "CSV": b'%s,"{""access_token"":""%s"",""expires_in"":7200}"',
    "Python": b"%s {'access_token': '%s', 'token_type': 'Bearer', 'expires_in': 7200}",
    "Ruby": b'%s {"access_token"=>"%s", "expires_in"=>7200}',
    "Ruby symbols": b'%s {:access_token=>"%s", :expires_in=>7200}',
    "Go": b"%s {AccessToken:%s TokenType:Bearer ExpiresIn:7200}",
    "form": b"%s body access_token=%s&token_type=bearer&expires_in=7200",
    "logfmt": b"%s msg=refreshed access_token=%s expires_in=7200",
    "Java": b"%s TokenResponse[accessToken=%s, tokenType=Bearer, expiresIn=7200]",
    "Kotlin": b"%s TokenResponse(accessToken=%s, tokenType=Bearer, expiresIn=7200)",
    "PHP": b"%s array ( 'access_token' => '%s', 'expires_in' => 7200, )",
    "Perl": b"%s $VAR1 = { 'access_token' => '%s', 'expires_in' => 7200 };",
    "XML": b"%s <token><access_token>%s</access_token><expires_in>7200</expires_in></token>",
    "milliseconds": b'%s {"access_token":"%s","expires_in_ms":7200000}',
    "PHP's var_dump": b'%s array(2) {\n  ["access_token"]=>\n  string(40) "%s"\n  ["expires_in"]=>\n  int(7200)\n}',
    "PHP's print_r": b"%s Array\n(\n    [access_token] => %s\n    [expires_in] => 7200\n)",
    "Keycloak": b'%s {"access_token":"%s","expires_in":7200,"refresh_expires_in":1,"x":"Bearer","not-before-policy":0}',
    "hours": b'%s {"token":"%s","expiresIn":"2h"}',
    "minutes": b'%s {"token":"%s","expiresIn":"120 minutes"}',
    "Rust": b'%s TokenResponse { access_token: "%s", expires_in: Some(7200s) }',
    "Clojure": b'%s {:access-token "%s" :expires-in 7200}',
    "YAML": b"%s config\ntoken:\n  access_token: %s\n  expires_in: 7200\n",
    "a list of PowerShell": b"%s\n\naccess_token : %s\nexpires_in   : 7200\n",
    "pretty": b'%s body:\n{\n  "access_token": "%s",\n  "token_type": "Bearer",\n  "expires_in": 7200\n}\n',
    "a wrapped value": b'%s {"access_token":["%s"],"expires_in":7200}',
    "a part of its own": b'%s {"access_token":"%s","meta":{"expires_in":7200}}',
}


@pytest.mark.parametrize("line", NOTATIONS.values(), ids=NOTATIONS)
def test_a_lifetime_beside_it_counts_from_the_record(line: bytes) -> None:
    found = verdicts(line % (HOUR_AGO, A))[A].verdict
    assert (found.state, found.basis) == (State.LIVE, "expires_in+record_time")
    assert found.expires_at == AS_OF + timedelta(hours=1)
    assert found.live_when_logged is True
    assert "7200 s" in found.reason
    assert "2026-11-22 11:00:00" in found.reason
    assert state(line % (b"2026-11-22T09:59:59Z", A)) is State.EXPIRED


ENDS = {
    "epoch": b'{"access_token":"%s","expires_at":1795352400}',
    "epoch in ms": b'{"access_token":"%s","expires_at":1795352400000}',
    "Google's clients": b'{"access_token":"%s","expiry_date":1795352400000}',
    "ISO": b'{"access_token":"%s","expires_at":"2026-11-22T13:00:00Z"}',
    "an offset": b'{"access_token":"%s","expiresAt":"2026-11-22T14:00:00+01:00"}',
    "Go": b"{AccessToken:%s Expiry:2026-11-22 13:00:00 +0000 UTC m=+3600.1}",
    "RFC 1123": b'{"access_token":"%s","expires_at":"Sun, 22 Nov 2026 13:00:00 GMT"}',
    "Entra ID": b'{"access_token":"%s","expires_in":"3599","ext_expires_in":"99999","expires_on":"1795352400"}',
    "Kubernetes": b'{"status":{"token":"%s","expirationTimestamp":"2026-11-22T13:00:00Z"}}',
    "Google IAM": b'{"accessToken":"%s","expireTime":"2026-11-22T13:00:00Z"}',
    "Python": b"{'token': '%s', 'expiry': datetime.datetime(2026, 11, 22, 13, 0, tzinfo=datetime.timezone.utc)}",
    "Azure, twice": b'{"accessToken":"%s","expiresOn":"2026-11-22 13:00:00.000000","expires_on":1795352400}',
    ".NET": b'{"access_token":"%s","expires_on":"\\/Date(1795352400000)\\/"}',
    "a claim beside": b'{"token":"%s","exp":1795352400}',
    "Java": b"OAuth2AccessToken(tokenValue=%s, issuedAt=2026-11-22T11:00:00Z, expiresAt=2026-11-22T13:00:00Z)",
    "a shell": b"export ACCESS_TOKEN=%s\nexport TOKEN_EXPIRES_AT=2026-11-22T13:00:00Z\n",
    "a profile": b"[default]\naccess_token = %s\nexpires_at = 1795352400\n\n[other]\nexpires_at = 1577836800\n",
    "prose": b"Bearer %s valid until 2026-11-22T13:00:00Z",
    "an end called a duration": b'{"access_token":"%s","expires_in":1795352400}',
}


@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_an_end_beside_it_needs_no_record_time(text: bytes) -> None:
    found = verdicts(text % A)[A].verdict
    assert (found.state, found.basis, found.expires_at) == (State.LIVE, "expires_at", AS_OF + timedelta(hours=1))
    later = verdicts(text % A, as_of=AS_OF + timedelta(hours=1))[A].verdict
    assert later.state is State.EXPIRED


# What stands near and is another's: no verdict may come of it.
FOREIGN = {
    "the refresh token's": b'{"access_token":"%s","refresh_token":"%s","refresh_expires_in":1}',
    "the access token's": b'{"refresh_token":"%s","access_token":"%s","expires_in":1}',
    "a certificate's": b'{"access_token":"%s","cert_expires_at":"2020-01-01T00:00:00Z","x":"%s"}',
    "a password's": b'{"token":"%s","password_expires_in":1,"x":"%s"}',
    "the outage's": b'{"access_token":"%s","ext_expires_in":1,"x":"%s"}',
    "a cache's": b"Authorization: Bearer %s\nExpires: Sun, 06 Nov 1994 08:49:37 GMT\nX-Y: %s",
    "the next object's": b'{"access_token":"%s"} {"access_token":"%s","expires_in":1}',
    "another element's": b'[{"access_token":"%s"},{"access_token":"%s","expires_in":1}]',
    "the parent's, of several": b'{"tokens":[{"access_token":"%s"},{"access_token":"%s"}],"expires_in":1}',
    "the next record's": b"access_token=%s\n2026-11-22T11:00:00Z access_token=%s expires_in=1",
    "never": b'{"access_token":"%s","expires_at":"0001-01-01T00:00:00Z","x":"%s"}',
    "for ever": b'{"access_token":"%s","expires_at":"9999-12-31T23:59:59Z","x":"%s"}',
    "no duration": b'{"access_token":"%s","expires_in":0,"x":"%s"}',
    "another object's in memory": b'{"access_token":"%s"\0,"expires_in":1}\0%s',
    "a duration without a fixed length": b'{"token":"%s","expiresIn":"P1M","x":"%s"}',
    "an odd unit": b'{"token":"%s","expiresIn":"1 fortnight","x":"%s"}',
    "an answer's, to a request with it": b'{"authorization":"Bearer %s","response":{"expires_in":1},"x":"%s"}',
    "the session's": b'{"user":"a","expires":"2020-01-01T00:00:00Z","accessToken":"%s","x":"%s"}',
    "a certificate's, inside": b'{"token":"%s","certificate":{"valid_until":"2020-01-01T00:00:00Z"},"x":"%s"}',
    "a lock's, around": b'{"job":{"id":7,"name":"a","token":"%s"},"expires_at":"2020-01-01T00:00:00Z","x":"%s"}',
    "an id": b'{"access_token":"%s","expires_in_policy":300,"x":"%s"}',
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_what_is_anothers_says_nothing(text: bytes) -> None:
    assert state(HOUR_AGO + b" " + text % (A, B)) is State.UNKNOWN


def test_each_of_several_tokens_has_its_own() -> None:
    line = HOUR_AGO + b' {"access_token":"%s","expires_in":7200,"refresh_token":"%s","refresh_expires_in":1800}'
    found = verdicts(line % (A, B))
    assert (found[A].verdict.state, found[B].verdict.state) == (State.LIVE, State.EXPIRED)
    array = HOUR_AGO + b' [{"access_token":"%s","expires_in":7200},{"access_token":"%s","expires_in":60}]'
    found = verdicts(array % (A, B))
    assert (found[A].verdict.state, found[B].verdict.state) == (State.LIVE, State.EXPIRED)
    flat = HOUR_AGO + b" access_token=%s expires_in=7200 access_token=%s expires_in=60"
    found = verdicts(flat % (A, B))
    assert [found[x].verdict.state for x in (A, B)] == [State.LIVE, State.EXPIRED]
    before = HOUR_AGO + b" expires_in=7200 access_token=%s expires_in=60 access_token=%s"
    found = verdicts(before % (A, B))
    assert [found[x].verdict.state for x in (A, B)] == [State.LIVE, State.EXPIRED]


def test_a_user_token_inside_an_answer_has_its_own() -> None:
    line = HOUR_AGO + b' {"access_token":"%s","expires_in":7200,"authed_user":{"access_token":"%s","expires_in":60}}'
    found = verdicts(line % (A, B))
    assert (found[A].verdict.state, found[B].verdict.state) == (State.LIVE, State.EXPIRED)


@pytest.mark.parametrize(
    ("more", "expected"),
    [(b',"expires_in":1800', State.LIVE), (b',"expires_in":300', State.EXPIRED), (b"", State.UNKNOWN)],
)
def test_a_device_code_lives_as_long_as_its_answer_says(more: bytes, expected: State) -> None:
    """RFC 8628 section 3.2: ten minutes are an authorization code's."""
    text = b'2026-11-22T11:45:00Z {"device_code":"%s","user_code":"WDJB-MJHT"%s}' % (A, more)
    start = text.find(A)
    match = Match(start, start + len(A), Kind.AUTH_CODE, Secret(A), Rank.KEYED, key="device_code")
    context = describe(Text(text, match.end), match, lambda: text[:start], FileHints())
    assert assess(match, context, Policy(AS_OF)).state is expected


def test_a_token_whose_lifetime_cannot_be_told_apart() -> None:
    line = HOUR_AGO + b" expires_in=60 access_token=%s access_token=%s expires_in=7200"
    found = verdicts(line % (A, B))
    assert [found[x].verdict.state for x in (A, B)] == [State.UNKNOWN, State.UNKNOWN]
    line = HOUR_AGO + b" access_token=%s expires_in=60 access_token=%s"
    found = verdicts(line % (A, B))
    assert [found[x].verdict.state for x in (A, B)] == [State.UNKNOWN, State.UNKNOWN]


def test_a_token_that_is_named_twice_is_one() -> None:
    line = HOUR_AGO + b" token=%s for access_token=%s expires_in=60"
    assert {one.verdict.state for one in verdicts(line % (A, A)).values()} == {State.EXPIRED}


@pytest.mark.parametrize(
    "text",
    [
        b'{"client_secret":"%s","access_token":"x","expires_in":60}',
        b'{"api_key":"%s","expires_at":"2020-01-01T00:00:00Z"}',
        b'client_secret = %s\ntoken = {"access_token":"x","expiry":"2020-01-01T00:00:00Z"}',
        b'#<Client @secret="%s">, @token="x", @expires_in=60, @expires_at=1577836800',
    ],
)
def test_a_static_credential_outlives_its_neighbours(text: bytes) -> None:
    assert state(HOUR_AGO + b" " + text % A) is State.NO_EXPIRY


def test_a_registered_secret_may_have_an_end_of_its_own() -> None:
    """RFC 7591 section 3.2.1; 0 is never."""
    text = b'{"client_id":"a","client_secret":"%s","client_secret_expires_at":%d}'
    assert state(text % (A, 1795352400)) is State.LIVE
    assert state(text % (A, 1577836800)) is State.EXPIRED
    assert state(text % (A, 0)) is State.NO_EXPIRY


def test_the_date_of_the_answer_beats_a_local_record_time() -> None:
    text = (
        b"2026-11-22 12:30:00 response\nHTTP/1.1 200 OK\nDate: Sun, 22 Nov 2026 11:30:00 GMT\n"
        b'Content-Type: application/json\n\n{"access_token":"%s","expires_in":3600}'
    )
    found = verdicts(text % A)[A].verdict
    assert (found.state, found.basis, found.expires_at) == (
        State.LIVE,
        "expires_in+date",
        AS_OF + timedelta(minutes=30),
    )


def test_the_date_of_another_answer_counts_for_nothing() -> None:
    text = (
        b"HTTP/1.1 200 OK\nDate: Sat, 21 Nov 2026 11:30:00 GMT\n\nok\n"
        b'HTTP/1.1 200 OK\nContent-Type: application/json\n\n{"access_token":"%s","expires_in":3600}'
    )
    assert state(text % A) is State.UNKNOWN


def test_a_time_of_issue_beside_it() -> None:
    """Docker registries, Doorkeeper, Salesforce."""
    for text in (
        b'{"token":"%s","expires_in":3600,"issued_at":"2026-11-22T11:30:00Z"}',
        b'{"access_token":"%s","token_type":"Bearer","expires_in":3600,"created_at":1795347000}',
        b'{"access_token":"%s","expires_in":3600,"issued_at":"1795347000000"}',
    ):
        found = verdicts(text % A)[A].verdict
        assert (found.state, found.basis) == (State.LIVE, "expires_in+issued_at")
        assert found.expires_at == AS_OF + timedelta(minutes=30)
    row = b'{"name":"app","created_at":"2019-03-03T08:00:00Z","access_token":"%s","expires_in":3600}'
    assert state(row % A) is State.UNKNOWN
    assert state(HOUR_AGO + b" " + row % A) is State.EXPIRED


def test_an_id_token_beside_it_tells_when_it_was_issued() -> None:
    identity = jwt(1, iat=1795347000, exp=1795350600)
    line = b'2026-11-22 09:30:01 {"access_token":"%s","expires_in":3600,"id_token":"%s"}' % (A, identity)
    found = verdicts(line)[A].verdict
    assert (found.state, found.basis) == (State.LIVE, "expires_in+iat_beside")
    stale = b'2026-11-22 09:37:01 {"access_token":"%s","expires_in":3600,"id_token":"%s"}' % (A, identity)
    assert verdicts(stale)[A].verdict.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60, State.UNKNOWN), (40 * 3600, State.LIVE), (12 * 3600, State.UNKNOWN)],
)
def test_a_local_time_settles_what_no_zone_could_change(seconds: int, expected: State) -> None:
    line = b'2026-11-22 11:00:00 {"access_token":"%s","expires_in":%d}' % (A, seconds)
    found = verdicts(line)[A].verdict
    assert found.state is expected
    assert "zone is not written" in found.reason
    assert verdicts(line.replace(b"11-22", b"11-18", 1))[A].verdict.state is State.EXPIRED


def test_a_line_far_from_its_time_is_of_the_time_between() -> None:
    text = b'2026-11-22T05:00:00Z session begins\nsome output\n$ get token\n{"access_token":"%s","expires_in":3600}\n%s'
    assert state(text % (A, b"")) is State.UNKNOWN
    assert state(text % (A, b"2026-11-22T11:30:00Z bye\n")) is State.UNKNOWN
    assert state(text % (A, b"2026-11-22T10:30:00Z bye\n")) is State.EXPIRED
    assert state(text % (A, b""), mtime=datetime(2026, 11, 22, 8, tzinfo=UTC).timestamp()) is State.EXPIRED


def test_set_cookie() -> None:
    line = HOUR_AGO + b" < Set-Cookie: session_token=%s; Path=/; Max-Age=%d; HttpOnly\n"
    assert state(line % (A, 7200)) is State.LIVE
    assert state(line % (A, 1800)) is State.EXPIRED
    dated = b"Set-Cookie: session_token=%s; Expires=Sun, 22 Nov 2026 13:00:00 GMT; Secure\n"
    assert state(dated % A) is State.LIVE
    assert state(dated % A, as_of=AS_OF + timedelta(hours=2)) is State.EXPIRED  # type: ignore[arg-type]


def test_a_code_lives_ten_minutes_at_the_most() -> None:
    line = b"%s GET /callback?code=%s&state=xyz HTTP/1.1"
    code = b"SplxlOBeZQQYbYS6WxSbIA" + opaque(9, 20)
    assert state(line % (HOUR_AGO, code), code) is State.EXPIRED
    assert state(line % (SOON, code), code) is State.UNKNOWN


CLAIMS = {
    "past": ({"exp": 1795348799}, State.EXPIRED),
    "future": ({"exp": 1795348801}, State.LIVE),
    "a fraction": ({"exp": 1795348800.5}, State.LIVE),
    "a string": ({"exp": "1795352400"}, State.LIVE),
    "negative": ({"exp": -1}, State.EXPIRED),
    "ages": ({"exp": 1e300}, State.LIVE),
    "milliseconds ahead": ({"exp": 1795352400000}, State.LIVE),
    "milliseconds past": ({"exp": 1795340000000}, State.UNKNOWN),
    "a word": ({"exp": "tomorrow"}, State.UNKNOWN),
    "a list": ({"exp": [1]}, State.UNKNOWN),
    "none": ({"exp": None}, State.NO_EXPIRY),
    "not yet": ({"exp": 1795356000, "nbf": 1795352400}, State.NOT_YET_VALID),
    "not yet, for ever": ({"exp": None, "nbf": 1795352400}, State.NOT_YET_VALID),
}


@pytest.mark.parametrize(("claims", "expected"), CLAIMS.values(), ids=CLAIMS)
def test_its_own_claims(claims: dict[str, object], expected: State) -> None:
    token = jwt(1, **claims)
    line = b'2026-11-22T01:00:00Z {"access_token":"%s","expires_in":60,"expires_at":1577836800}' % token
    assert verdicts(line)[token].verdict.state is expected


def _jws(header: bytes, payload: bytes) -> bytes:
    return b64url(header) + b"." + b64url(payload) + b"." + b64url(b"s" * 32)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (_jws(b'{"alg":"HS256"}', b'{"exp":1795340000,"exp":1795360000}'), "twice"),
        (_jws(b'{"alg":"HS256","cty":"JWT"}', jwt(1)), "no claims set"),
        (_jws(b'{"alg":"HS256","b64":false,"crit":["b64"]}', b"plain text, not encoded"), "no claims set"),
        (_jws(b'{"alg":"HS256"}', b"[" * 40_000), "no claims set"),
        (_jws(b'{"alg":"HS256"}', b'{"a":' * 8_000), "no claims set"),
        (_jws(b'{"alg":"HS256"}', b'{"exp":' + b"9" * 5000 + b"}"), "no "),
        (
            b64url(b'{"alg":"dir","enc":"A256GCM"}') + b".." + b64url(b"i" * 12) + b"." + b64url(b"c" * 60) + b".dGFn",
            "enc",
        ),
    ],
)
def test_what_cannot_be_judged_says_why(token: bytes, why: str) -> None:
    found = verdicts(b"token " + token + b" end")
    assert len(found) == 1
    verdict = next(iter(found.values())).verdict
    assert verdict.state is State.UNKNOWN
    assert "could not be judged because" in verdict.reason
    assert why in verdict.reason


def test_the_leeway_moves_both_ends() -> None:
    late, early = jwt(1, exp=1795348790), jwt(2, exp=1795352400, nbf=1795348810)
    assert verdicts(late)[late].verdict.state is State.EXPIRED
    assert verdicts(late, leeway=30)[late].verdict.state is State.LIVE
    assert verdicts(early)[early].verdict.state is State.NOT_YET_VALID
    assert verdicts(early, leeway=30)[early].verdict.state is State.LIVE


def test_time_travel() -> None:
    token = jwt(1, nbf=1795341600, exp=1795345200)  # 10:00 to 11:00
    line = b"2026-11-22T10:30:00Z " + token
    for hour, expected in ((9, State.NOT_YET_VALID), (10, State.LIVE), (11, State.EXPIRED), (23, State.EXPIRED)):
        found = verdicts(line, as_of=AS_OF.replace(hour=hour))[token].verdict
        assert found.state is expected
        assert found.live_when_logged is True
    assert verdicts(b"2026-11-22T11:30:00Z " + token)[token].verdict.live_when_logged is False
    assert verdicts(b"2026-11-22T09:30:00Z " + token)[token].verdict.live_when_logged is False
    assert verdicts(b"2026-11-22 10:30:00 " + token)[token].verdict.live_when_logged is None
    assert verdicts(token)[token].verdict.live_when_logged is None


def test_before_it_was_seen_nothing_is_said() -> None:
    line = HOUR_AGO + b' {"access_token":"%s","expires_in":7200}' % A
    assert verdicts(line, as_of=AS_OF - timedelta(days=1))[A].verdict.state is State.UNKNOWN


def test_the_chain_of_evidence_is_kept() -> None:
    token = b"ya" + b"29.a0" + opaque(5, 60)
    line = HOUR_AGO + b' {"access_token":"%s","expires_in":3599}' % token
    found = verdicts(line)[token].verdict
    assert [one.name for one in found.evidence] == ["expires_in+record_time", "vendor_max_lifetime+record_time"]
    assert found.state is State.EXPIRED


@pytest.mark.parametrize(
    "line",
    [
        rb'{"log":"2026-11-22 13:00:00 {\"access_token\":\"%s\",\"expires_in\":7200}\n","time":"2026-11-22T11:00:00Z"}',
        b'2026-11-22T11:00:00.5Z stdout F 2026-11-22 13:00:00 DEBUG {"access_token":"%s","expires_in":7200}',
        b'Nov 22 11:00:00 host app[1]: 2026-11-22T11:00:00Z {"access_token":"%s","expires_in":7200}',
        b'11:00:00.000 [main] ts=2026-11-22T11:00:00Z {"access_token":"%s","expires_in":7200}',
    ],
)
def test_of_two_times_in_a_line_the_one_that_leaves_less_open_counts(line: bytes) -> None:
    found = verdicts(line % A, mtime=(AS_OF + timedelta(hours=1)).timestamp())[A]
    assert found.logged_at is not None
    assert found.logged_at.replace(microsecond=0) == AS_OF - timedelta(hours=1)
    assert found.verdict.state is State.LIVE


def test_a_cell_of_a_table_is_no_record_time() -> None:
    row = b'INSERT INTO t VALUES (7, \'2019-03-03 10:00:00Z\', \'{"access_token":"%s","expires_in":3600}\');' % A
    assert state(row) is State.UNKNOWN


def test_a_url_signed_with_temporary_credentials_may_end_before() -> None:
    signature = b"3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f48e2b6d5390fa47c18de2635b"
    url = (
        b"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T113000Z&X-Amz-Expires=3600&"
    )
    assert state(url + b"X-Amz-Signature=" + signature, signature) is State.LIVE
    temporary = url + b"X-Amz-Security-Token=IQoJb3Jp&X-Amz-Signature=" + signature
    assert state(temporary, signature) is State.UNKNOWN
    assert state(temporary.replace(b"T1130", b"T0930"), signature) is State.EXPIRED
