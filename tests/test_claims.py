"""What strangers write into claims: each oddity is told, none raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.claims import facts_of
from detectors.detector import Flaw, Text
from detectors.jwt import DETECTOR
from tests.scanning import b64url

HOUR = 1795348800


@pytest.mark.parametrize(
    ("written", "read", "problem"),
    [
        ("1795348800", 1795348800.0, None),
        ("1795348800.25", 1795348800.25, None),
        ('"1795348800"', 1795348800.0, "exp_a_string"),
        ('" 1795348800.5 "', 1795348800.5, "exp_a_string"),
        ("-5", -5.0, None),
        ("0", 0.0, None),
        ("1e300", 1e300, None),
        ("1795348800123", 1795348800.123, "exp_in_milliseconds"),
        ("1e999", None, "exp_not_a_number"),
        ("1" + "0" * 400, None, "exp_not_a_number"),
        ("NaN", None, "exp_not_a_number"),
        ("Infinity", None, "exp_not_a_number"),
        ("true", None, "exp_not_a_number"),
        ("[1795348800]", None, "exp_not_a_number"),
        ('{"at":1795348800}', None, "exp_not_a_number"),
        ('"2026-11-22T12:00:00Z"', None, "exp_not_a_number"),
        ('"--5"', None, "exp_not_a_number"),
        ('"²"', None, "exp_not_a_number"),
        ('"' + "1" * 5000 + '"', None, "exp_not_a_number"),
        ("null", None, None),
    ],
)
def test_an_expiry_as_it_is_written(written: str, read: float | None, problem: str | None) -> None:
    facts = facts_of(f'{{"exp":{written},"iss":"x"}}'.encode(), None)
    assert facts is not None
    assert (facts.expires_at, facts.problems) == (read, (problem,) if problem else ())


@pytest.mark.parametrize(
    ("payload", "problems"),
    [
        ('{"exp":1,"exp":2}', ("exp_duplicate",)),
        ('{"exp":1,"exp":1}', ()),
        ('{"exp":1,"act":{"exp":2}}', ()),
        ('{"exp":1,"note":"\\"exp\\""}', ()),
        ('{"exp":1,"iat":1,"iat":2,"exp":3}', ("exp_duplicate", "iat_duplicate")),
    ],
)
def test_only_the_tokens_own_times_count_as_twice(payload: str, problems: tuple[str, ...]) -> None:
    facts = facts_of(payload.encode(), None)
    assert facts is not None
    assert facts.problems == problems


@pytest.mark.parametrize(
    "payload", [b'{"exp":' + b"[" * 50_000, b'{"a":' * 50_000, b'{"exp":1}' * 2, b"[]", b"", b"\xff\xfe"]
)
def test_what_is_no_object_has_no_facts(payload: bytes) -> None:
    assert facts_of(payload, None) is None


_JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "aud", "scope", "iss", "azp", "x"]), _JSON))
def test_claims_never_raise(claims: dict[str, object]) -> None:
    facts = facts_of(json.dumps(claims).encode("utf-8", "surrogatepass"), None)
    if facts is not None and facts.expires_at is not None:
        assert facts.expires_at == facts.expires_at


@given(st.binary(max_size=200))
def test_bytes_never_raise(payload: bytes) -> None:
    facts_of(payload, None)
    facts_of(b'{"exp":' + payload + b"}", None)


@pytest.mark.parametrize(
    ("signature", "flaw"),
    [(342, None), (171, None), (184, Flaw.TRUNCATED), (130, Flaw.TRUNCATED), (341, Flaw.TRUNCATED)],
)
def test_a_signature_shorter_than_an_rsa_key_allows_was_cut(signature: int, flaw: Flaw | None) -> None:
    """RFC 7518 section 3.3: a key of 2048 bits or larger, hence 342 characters; 1024 bits are seen all the same."""
    token = b64url(b'{"alg":"RS256"}') + b"." + b64url(b'{"exp":1795348800}') + b"." + b"q3ZkXx9Qb" * 60
    token = token[: token.rfind(b".") + 1 + signature]
    found = list(DETECTOR.confirm(Text(b'"' + token + b'"', 4)))
    assert [(match.flaw, match.secret.reveal()) for match in found] == [(flaw, token)]
