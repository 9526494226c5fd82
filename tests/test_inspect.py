"""One token explained, whoever wrote it: bounded, printable, and without its signature."""

from __future__ import annotations

import base64
import hmac
import json
import os
import pty
import subprocess

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.inspection import inspected
from scanner.judge import Policy
from tests.commands import AT, START, Ran, bearertrap, environment
from tests.scanning import AS_OF, b64url, jwt, opaque


def inspect(data: bytes, *options: str) -> Ran:
    return bearertrap("inspect", "--at", AT, *options, stdin=data)


def signed(payload: bytes, header: bytes = b'{"alg":"HS256","typ":"JWT"}', key: bytes = b"\x01" * 32) -> bytes:
    body = b64url(header) + b"." + b64url(payload)
    return body + b"." + b64url(hmac.digest(key, body, "sha256"))


@pytest.mark.parametrize(
    ("exp", "code", "said"),
    [
        (1795348800 - 3 * 86400, 10, "EXPIRED (3 days ago)"),
        (1795348800 + 299, 11, "LIVE (in 4 minutes)"),
        (None, 11, "NO EXPIRY"),
    ],
)
def test_the_verdict_and_the_times_in_words(exp: int | None, code: int, said: str) -> None:
    ran = inspect(jwt(0, exp=exp) + b"\n")
    assert ran.code == code
    lines = ran.out.decode().splitlines()
    assert lines[1].split(maxsplit=1) == ["state", said]
    assert any(line.split()[0] == "fingerprint" for line in lines)


def test_claims_evidence_and_weaknesses_are_told() -> None:
    record = json.loads(inspect(b"Authorization: Bearer " + jwt(7, scope="a:*"), "--json").out)
    assert record["header"] == {"alg": "HS256", "typ": "JWT"}
    assert record["claims"] == {"iss": "https://id.example", "sub": "job-7", "exp": 1795348807, "scope": "a:*"}
    assert [one["name"] for one in record["evidence"]] == ["claims"]
    assert set(record["explained"]) == set(record["weaknesses"]) == {"broad_scope", "no_audience", "no_jti"}
    assert record["verdict"]["state"] == "live"


def test_a_token_on_the_command_line_is_refused_and_not_repeated() -> None:
    token = jwt(5)
    ran = inspect(b"", token.decode())
    assert ran.code == 2
    assert b"takes no argument" in ran.err
    assert not ran.out
    assert token[:8] not in ran.err


def test_the_signature_is_never_shown() -> None:
    token = jwt(3)
    signature = token.rpartition(b".")[2]
    for options in ((), ("--json",)):
        ran = inspect(token, *options)
        assert not any(signature[i : i + 8] in ran.out + ran.err for i in range(len(signature) - 7))


def test_a_notorious_signing_key_is_told() -> None:
    body = b'{"sub":"x","exp":1795349800,"aud":"a","jti":"1"}'
    assert b"weak_signing_key" in inspect(signed(body, key=b"your-256-bit-" + b"secret")).out
    assert b"weak_signing_key" not in inspect(signed(body)).out


def test_what_is_no_jwt_is_taken_for_what_it_is() -> None:
    opaque_token = inspect(opaque(4))
    assert (opaque_token.code, opaque_token.out.split()[0]) == (11, b"bearer_token")
    assert inspect(b"A" * 300_000).code == 2


@pytest.mark.parametrize("data", [b"hello", b"", b"\n", bytes(range(256))])
def test_what_is_no_token_is_an_error(data: bytes) -> None:
    for options in ((), ("--json",)):
        ran = inspect(data, *options)
        assert (ran.code, ran.out, ran.err) == (2, b"", b"Error: no token is recognised in this\n")


def test_a_prompt_does_not_show_what_is_pasted() -> None:
    token = jwt(0, exp=1_000_000_000)
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*START, "inspect"], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal,
        env=environment(), start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(terminal, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while b"token: " not in shown:
        shown += os.read(master, 1024)
    os.write(master, token + b"\n")
    assert process.stdout
    with process.stdout as stdout:
        out = stdout.read()
    assert process.wait(timeout=60) == 10
    while True:
        try:
            more = os.read(master, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
    os.close(master)
    assert out.split()[0] == b"jwt"
    assert token[:30] not in shown


BOMBS = {
    "deep": b'{"exp":1795349800,"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "wide": b'{"exp":1795349800,' + b",".join(b'"k%d":1' % i for i in range(5000)) + b"}",
    "duplicate": b'{"exp":1795349800,"exp":1}',
    "string": b'{"exp":"1795349800"}',
    "float": b'{"exp":1795349800.5}',
    "negative": b'{"exp":-5}',
    "huge": b'{"exp":1e300}',
    "larger": b'{"exp":1' + b"0" * 400 + b"}",
    "milliseconds": b'{"exp":1795349800000}',
    "null": b'{"exp":null}',
    "object": b'{"exp":{"a":1}}',
    "true": b'{"exp":true}',
    "latin-1": b'{"exp":1795349800,"name":"caf\xe9"}',
    "surrogate": b'{"exp":1795349800,"name":"\\ud800"}',
    "controls": b'{"exp":1795349800,"name":"\\u001b[31m\\r\\n"}',
    "nan": b'{"exp":NaN}',
    "list": b"[1,2]",
    "empty": b"{}",
}


HEADERS = (
    b'{"alg":"HS256","crit":["x"],"x":1}',
    b'{"alg":"HS256","b64":false,"crit":["b64"]}',
    b'{"alg":"RS256","jku":"https://evil.example/keys","x5u":"https://evil.example/x"}',
    b'{"alg":"none"}',
    b'{"alg":"' + b"A" * 5000 + b'"}',
)


def explained(data: bytes) -> list[str]:
    """The lines of an explanation; both forms can be written, and all is printable and bounded."""
    found = inspected(data, Policy(AS_OF))
    if found is None:
        return []
    lines = list(found.lines())
    assert sum(map(len, lines)) < 60_000
    assert all(line.isprintable() for line in lines)
    assert len(orjson.dumps(found.record())) < 400_000
    return lines


@pytest.mark.parametrize("name", BOMBS)
def test_claims_of_a_stranger_are_bounded_and_printable(name: str) -> None:
    explained(signed(BOMBS[name]))


@pytest.mark.parametrize("header", HEADERS)
def test_headers_of_a_stranger(header: bytes) -> None:
    assert explained(signed(b'{"exp":1795349800}', header))


def test_a_nested_and_an_encrypted_token() -> None:
    nested = signed(jwt(1), b'{"alg":"HS256","cty":"JWT"}')
    assert explained(nested)
    parts = [b'{"alg":"RSA-OAEP","enc":"A256GCM"}', os.urandom(256), os.urandom(12), os.urandom(80), os.urandom(16)]
    ran = inspect(b".".join(map(b64url, parts)))
    assert ran.code == 11
    assert b"UNKNOWN" in ran.out
    assert b"encrypted" in ran.out


@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_nothing_makes_it_raise(payload: bytes) -> None:
    for data in (signed(payload), payload, base64.b64encode(payload)):
        explained(data)
