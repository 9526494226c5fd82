"""Signatures against key sets: the RFCs' own examples, the attacks of RFC 8725, and the law that nothing raises."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import UsageError
from scanner.evidence.jwks import LARGEST_FILE, Jwks, read_key_set
from scanner.evidence.signature import Outcome, check
from tests.jose_vectors import (
    A1_KEY,
    A1_TOKEN,
    A2_KEY,
    A2_TOKEN,
    A3_KEY,
    A3_TOKEN,
    A4_KEY,
    A4_TOKEN,
    CLAIMS,
    ED_KEY,
    ED_TOKEN,
    b64u,
    token,
)

ISSUER = "https://id.example"
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "ES256K": ec.generate_private_key(ec.SECP256K1()),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
}


def key_set(*members: dict[str, Any], issuers: frozenset[str] = frozenset()) -> Jwks:
    return Jwks.load(json.dumps({"keys": members}).encode(), issuers)


def public(key: Any, **more: str) -> dict[str, Any]:
    """A public key as a JWK, written by PyJWT."""
    name = "RSAAlgorithm" if isinstance(key, rsa.RSAPrivateKey) else "ECAlgorithm"
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        name = "OKPAlgorithm"
    return {**json.loads(getattr(jwt.algorithms, name).to_jwk(key.public_key())), **more}


def signed(key: Any, algorithm: str, *, claims: dict[str, Any] | None = None, **header: Any) -> bytes:
    return jwt.encode(claims or {"iss": ISSUER, "exp": 1}, key, algorithm, headers=header).encode()


@pytest.mark.parametrize(
    ("key", "example"),
    [(A2_KEY, A2_TOKEN), (A3_KEY, A3_TOKEN), (A4_KEY, A4_TOKEN), (ED_KEY, ED_TOKEN)],
    ids=["7515-A.2", "7515-A.3", "7515-A.4", "8037-A.4"],
)
def test_examples_of_the_rfcs(key: dict[str, Any], example: bytes) -> None:
    keys = key_set({**key, "kid": "from-the-rfc"}, public(OTHER, kid="other"))
    evidence = check(example, keys)
    assert (evidence.outcome, evidence.key_id) == (Outcome.GENUINE, "from-the-rfc")
    head, payload, signature = example.split(b".")
    for place in range(0, len(payload), 7):
        changed = payload[:place] + (b"B" if payload[place : place + 1] == b"A" else b"A") + payload[place + 1 :]
        assert check(b".".join((head, changed, signature)), keys).outcome is Outcome.WRONG_KEY


@pytest.mark.parametrize("algorithm", KEYS)
def test_each_algorithm_by_kid_and_without(algorithm: str) -> None:
    keys = key_set(*(public(key, kid=f"key-of-{name}") for name, key in KEYS.items() if name != "RS256"))
    named = check(signed(KEYS[algorithm], algorithm, kid=f"key-of-{algorithm}"), keys)
    assert named.outcome is Outcome.GENUINE
    assert check(signed(KEYS[algorithm], algorithm), keys).outcome is Outcome.GENUINE


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()])
def test_edwards_curves_by_either_name(key: Any) -> None:
    keys = key_set(public(key, kid="k"))
    assert check(signed(key, "EdDSA", kid="k"), keys).outcome is Outcome.GENUINE
    assert check(signed(key, "EdDSA"), key_set(public(OTHER))).outcome is Outcome.KEY_UNKNOWN


def test_forged_wrong_and_unknown() -> None:
    keys = key_set(public(RSA, kid="2026-11-key"))
    forged = check(signed(OTHER, "RS256", kid="2026-11-key"), keys)
    assert (forged.outcome, forged.key_id, forged.unusable) == (Outcome.FORGED, "2026-11-key", True)
    assert check(signed(OTHER, "RS256", kid="2026-10-key"), keys).outcome is Outcome.KEY_UNKNOWN
    wrong = check(signed(OTHER, "RS256"), keys)
    assert (wrong.outcome, wrong.unusable) == (Outcome.WRONG_KEY, False)


def test_a_set_bound_to_an_issuer_speaks_of_that_issuer_only() -> None:
    keys = key_set(public(RSA, kid="1"), issuers=frozenset({ISSUER}))
    assert check(signed(OTHER, "RS256"), keys).unusable
    assert check(signed(OTHER, "RS256", kid="1"), keys).unusable
    assert not check(signed(OTHER, "RS256", kid="1"), key_set(public(RSA, kid="1"))).unusable
    stranger = check(signed(RSA, "RS256", claims={"iss": "https://other.example"}), keys)
    assert stranger.outcome is Outcome.NOT_CHECKABLE
    assert not check(signed(OTHER, "RS256", kid="1", claims={"sub": "x"}), keys).unusable


def test_a_rotated_key_is_found_by_trying() -> None:
    evidence = check(signed(RSA, "RS256", kid="renamed"), key_set(public(OTHER, kid="b"), public(RSA, kid="a")))
    assert (evidence.outcome, evidence.key_id) == (Outcome.GENUINE, "a")


def test_an_expired_token_is_still_genuine() -> None:
    assert check(signed(RSA, "RS256", claims={"exp": 1}), key_set(public(RSA))).outcome is Outcome.GENUINE


def test_a_public_key_is_never_an_hmac_secret() -> None:
    """RFC 8725 section 2.1: the verifier's RSA public key taken as the HMAC secret."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for header, outcome in (
        (b'{"alg":"HS256","kid":"k"}', Outcome.FORGED),
        (b'{"alg":"HS256"}', Outcome.NOT_CHECKABLE),
    ):
        body = token(header, CLAIMS, "")[:-1]
        attack = body + b"." + b64u(hmac.digest(pem, body, hashlib.sha256)).encode()
        assert check(attack, key_set(public(RSA, kid="k"))).outcome is outcome


def test_symmetric_keys_in_a_set_check_nothing() -> None:
    keys = key_set({"kty": "oct", "k": A1_KEY, "kid": "h"}, public(RSA, kid="r"))
    assert keys.ignored == 1
    assert check(A1_TOKEN, keys).outcome is Outcome.NOT_CHECKABLE


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b'{"alg":"none"}', "alg none"),
        (b'{"alg":"NonE"}', "alg none"),
        (b'{"alg":"RS256","crit":["exp"],"exp":1}', "crit"),
        (b'{"alg":"RS256","b64":false,"crit":["b64"]}', "7797"),
        (b'{"alg":"RSA-OAEP","enc":"A256GCM"}', "JWE"),
        (b'{"alg":"RS256","cty":"JWT"}', "nested"),
        (b'{"alg":"RS256","alg":"none"}', "each name once"),
        (b'{"alg":7}', "each name once"),
        (b'["alg"]', "each name once"),
        (b'{"alg":"RS1"}', "not known"),
        (b'{"alg":"RS256","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "header"),
        (b'{"alg":"RS256","x":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "each name once"),
        (b'{"alg":"RS256","n":' + b"9" * 9_000 + b"}", "each name once"),
        (b'{"alg":"\xff"}', "each name once"),
    ],
)
def test_what_cannot_be_checked_says_why(header: bytes, said: str) -> None:
    evidence = check(token(header, CLAIMS, "QUJD"), key_set(A2_KEY))
    assert evidence.outcome is Outcome.NOT_CHECKABLE
    assert said in evidence.reason


def test_an_encrypted_token_is_not_checkable() -> None:
    evidence = check(token(b'{"alg":"dir","enc":"A128GCM"}', b"", "") + b".AAAA.AAAA", key_set(A2_KEY))
    assert evidence.outcome is Outcome.NOT_CHECKABLE
    assert "JWE" in evidence.reason


@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_bombs_are_bounded(size: int) -> None:
    keys = key_set(A2_KEY)
    started = time.perf_counter()
    for bomb in (
        b"A" * size + b".A.A",
        b"eyJhbGciOiJSUzI1NiJ9." + b"W" * size + b".A",
        b"eyJhbGciOiJSUzI1NiJ9.e30." + b"A" * size,
        b"." * size,
    ):
        assert check(bomb, keys).outcome in (Outcome.NOT_CHECKABLE, Outcome.WRONG_KEY)
    assert time.perf_counter() - started < 0.5


def test_many_keys_are_tried_within_bounds() -> None:
    member = public(RSA)
    keys = key_set(*({**member, "kid": f"key-{n}"} for n in range(1000)))
    started = time.perf_counter()
    evidence = check(signed(OTHER, "RS256"), keys)
    assert time.perf_counter() - started < 0.5
    assert evidence.outcome is Outcome.NOT_CHECKABLE
    assert "more than 50" in evidence.reason


def test_keys_for_other_uses_check_nothing() -> None:
    good = public(RSA, kid="good-key")
    keys = key_set(
        good,
        {**public(OTHER), "use": "enc"},
        {**public(OTHER), "key_ops": ["encrypt"]},
        {**public(OTHER), "alg": "RSA-OAEP"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "RSA", "n": "A" * 100_000, "e": "AQAB"},
        {"kty": ["RSA"]},
    )
    assert (len(keys.keys), keys.ignored) == (1, 6)
    only_ps = key_set(public(RSA, kid="ps-only-key", alg="PS256"))
    assert check(signed(RSA, "RS256", kid="ps-only-key"), only_ps).outcome is Outcome.KEY_UNKNOWN


def test_private_members_of_a_set_are_not_used() -> None:
    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA))
    assert check(signed(RSA, "PS256"), key_set(private)).outcome is Outcome.GENUINE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"keys":7}', "neither"),
        (b'{"keys":[]}', "no key"),
        (b'{"keys":[{"kty":"oct","k":"AAAA"}]}', "no key"),
        (b'{"keys":[' + b"{}," * 1000 + b"{}]}", "more than 1000"),
        (b" " * (LARGEST_FILE + 1), "larger than 10 MB"),
    ],
)
def test_bad_key_sets_are_usage_errors(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(data)
    for source in (data, file):
        with pytest.raises(UsageError, match=said):
            Jwks.load(source)


def test_a_key_set_of_ten_megabytes_is_read_in_time(tmp_path: Path) -> None:
    """As large as one may be: mostly blanks, a huge member, or as many keys as a set may have."""
    file = tmp_path / "keys.json"
    member = json.dumps(A2_KEY).encode()
    many = b",".join([member[:-1] + b',"x5c":["' + b"A" * 10_000 + b'"]}'] * 900)
    huge = member[:-1] + b',"x":"' + b"A" * 9_900_000 + b'"}'
    for body in (member + b" " * 9_900_000, huge, b'{"keys":[%s]}' % many):
        file.write_bytes(body)
        started = time.perf_counter()
        kept = read_key_set(file)
        assert time.perf_counter() - started < 2
        assert len(kept.data) < 1_000_000
        assert check(A2_TOKEN, Jwks.of(kept)).outcome is Outcome.GENUINE


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Jwks.load(tmp_path / "none.json")


def test_a_file_and_a_single_key(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(A2_KEY))
    assert check(A2_TOKEN, Jwks.load(file)).outcome is Outcome.GENUINE


_SOME = key_set(A2_KEY, A3_KEY, ED_KEY)
_ALG = st.sampled_from(["RS256", "ES256", "EdDSA", "PS512", "none", "HS256", "Ed448", "ES512", ""])


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    assert check(data, _SOME).outcome is Outcome.NOT_CHECKABLE


@settings(max_examples=300)
@given(_ALG, st.none() | st.text(max_size=5), st.binary(max_size=40), st.binary(max_size=300))
def test_no_shape_of_token_raises_or_verifies(alg: str, kid: str | None, payload: bytes, signature: bytes) -> None:
    header = json.dumps({"alg": alg} if kid is None else {"alg": alg, "kid": kid}).encode()
    assert check(token(header, payload, b64u(signature)), _SOME).outcome is not Outcome.GENUINE


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_header_raises(member: Any) -> None:
    for name in ("alg", "kid", "crit", "cty", "typ", "jku", "x5u", "jwk"):
        header = json.dumps({"alg": "RS256", name: member}).encode()
        assert check(token(header, CLAIMS, "AAAA"), _SOME).outcome is not Outcome.GENUINE
