"""Keys among the findings: which secret or private key signs what, how it may be written, and the bounds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pickle
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UsageError
from scanner.evidence import keyring as module
from scanner.evidence.jwks import Jwks
from scanner.evidence.keyring import WEAK_LIST, KeyHit, Keyring, Relation
from scanner.evidence.private_keys import public_halves
from scanner.evidence.weak_secrets import BUILT_IN, load
from tests.jose_vectors import A1_KEY, A1_TOKEN, A3_KEY, A3_PRIVATE, A3_TOKEN, ED_KEY, ED_PRIVATE, ED_TOKEN, b64u

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP384R1())
PEM, PKCS8, PKCS1 = Encoding.PEM, PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
CLAIMS = {"iss": "https://id.example", "sub": "batch", "exp": 1_795_341_895}


def hs(key: bytes, algorithm: str = "HS256", **claims: object) -> bytes:
    """A token signed by the standard library, which takes short keys without a word."""
    body = ".".join(b64u(json.dumps(part).encode()) for part in ({"alg": algorithm}, {**CLAIMS, **claims}))
    return f"{body}.{b64u(hmac.digest(key, body.encode(), 'sha' + algorithm[2:]))}".encode()


def hits_of(token: bytes, *secrets: bytes) -> list[KeyHit]:
    ring = Keyring()
    ring.add_token("token", token)
    for number, secret in enumerate(secrets):
        ring.add_secret(f"secret-{number}", secret)
    return list(ring.hits())


KEY = bytes(range(7, 7 + 48))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (KEY, "raw"),
        (base64.b64encode(KEY), "base64"),
        (base64.urlsafe_b64encode(KEY).rstrip(b"="), "base64"),
        (KEY.hex().encode(), "hex"),
        (base64.b64encode(b"client:" + KEY), "password"),
    ],
)
def test_a_secret_that_signs_a_token(algorithm: str, written: bytes, read_as: str) -> None:
    found = hits_of(hs(KEY, algorithm), b"another-secret-of-the-scan", written)
    assert found == [KeyHit("token", "secret-1", Relation.SIGNS_TOKEN, read_as)]


@pytest.mark.parametrize("size", [1, 63, 64, 65, 127, 128, 129, 300])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_keys_of_every_size_agree_with_the_standard_library(size: int, algorithm: str) -> None:
    key = hashlib.shake_128(str(size).encode()).digest(size)
    assert [hit.read_as for hit in hits_of(hs(key, algorithm), key)] == ["raw"]


def test_the_example_of_rfc_7515_a1() -> None:
    assert [hit.read_as for hit in hits_of(A1_TOKEN, A1_KEY.encode())] == ["base64"]


def test_a_short_password_of_basic() -> None:
    assert [hit.read_as for hit in hits_of(hs(b"hunter7"), base64.b64encode(b"admin:hunter7"))] == ["password"]


@pytest.mark.parametrize("word", BUILT_IN)
def test_notorious_secrets(word: bytes) -> None:
    assert hits_of(hs(word)) == [KeyHit("token", WEAK_LIST, Relation.SIGNS_TOKEN, "raw")]


def test_the_list_is_of_the_announced_size_and_has_no_doubles() -> None:
    assert 60 <= len(BUILT_IN) == len(set(BUILT_IN)) <= 120


def test_a_notorious_secret_that_was_also_found_tells_both() -> None:
    assert {hit.secret_fingerprint for hit in hits_of(hs(b"changeme"), b"changeme")} == {WEAK_LIST, "secret-0"}


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "weak.txt"
    file.write_bytes(b"acme-2026\r\n\n\xff\xfe raw bytes\n")
    assert load(file) == (b"acme-2026", b"\xff\xfe raw bytes")
    ring = Keyring(weak=load(file))
    ring.add_token("t", hs(b"acme-2026"))
    assert [hit.secret_fingerprint for hit in ring.hits()] == [WEAK_LIST]


@pytest.mark.parametrize(
    ("data", "said"), [(b"x\n" * 20_001, "more than 20000"), (b"x" * 1_048_577, "larger than 1 MB")]
)
def test_bad_lists(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "weak.txt").write_bytes(data)
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "weak.txt")
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.txt")


def test_each_token_tells_its_first_secret_and_one_secret_all_its_tokens() -> None:
    ring = Keyring()
    for number in range(5):
        ring.add_token(f"t{number}", hs(KEY, jti=number))
    ring.add_secret("s", KEY)
    ring.add_secret("s-again", KEY.hex().encode())
    assert [(hit.token_fingerprint, hit.secret_fingerprint) for hit in ring.hits()] == [
        (f"t{n}", "s") for n in range(5)
    ]


def test_wrong_keys_and_unsigned_tokens_give_nothing() -> None:
    unsigned = b".".join(hs(b"x").split(b".")[:2]) + b"."
    assert hits_of(hs(KEY), KEY[:-1], KEY + b"\n") == []
    assert hits_of(unsigned, b"") == []
    assert hits_of(b"no token", b"no token") == []


def _pem(key: Any, form: PrivateFormat = PKCS8) -> bytes:
    return bytes(key.private_bytes(PEM, form, NoEncryption()))


@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize("form", [PKCS8, PKCS1])
@pytest.mark.parametrize(
    "logged",
    [
        lambda pem: pem,
        lambda pem: pem.replace(b"\n", b"\\n"),
        lambda pem: pem.replace(b"\n", b"\\r\\n"),
        lambda pem: pem.replace(b"\n", b"\n2026-11-22T12:00:00Z INFO server/main | "),
        lambda pem: pem.replace(b"\n", b" "),
    ],
    ids=["plain", "escaped", "escaped-crlf", "log-headers", "one-line"],
)
def test_a_private_key_that_signed_a_token(key: Any, form: PrivateFormat, logged: Any) -> None:
    ring = Keyring()
    ring.add_token("t", jwt.encode(CLAIMS, key, "PS256" if key is RSA else "ES384").encode())
    ring.add_private_key("k", logged(_pem(key, form)))
    assert list(ring.hits()) == [KeyHit("t", "k", Relation.SIGNS_TOKEN, "private_key")]


def test_an_openssh_key() -> None:
    ring = Keyring()
    ring.add_token("t", jwt.encode(CLAIMS, RSA, "RS256").encode())
    ring.add_private_key("k", _pem(RSA, PrivateFormat.OpenSSH))
    assert [hit.token_fingerprint for hit in ring.hits()] == ["t"]


def test_a_private_key_of_a_key_set() -> None:
    member = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "2026-11"}
    ring = Keyring(key_sets=[Jwks.load(json.dumps({"keys": [A3_KEY, member]}).encode())])
    ring.add_private_key("k", _pem(RSA))
    ring.add_private_key("other", _pem(EC))
    ring.add_token("t", jwt.encode(CLAIMS, RSA, "RS256").encode())
    assert list(ring.hits()) == [
        KeyHit(None, "k", Relation.IN_KEY_SET, "private_key", "2026-11"),
        KeyHit("t", "k", Relation.SIGNS_TOKEN, "private_key", "2026-11"),
    ]


@pytest.mark.parametrize(("private", "token", "key"), [(A3_PRIVATE, A3_TOKEN, A3_KEY), (ED_PRIVATE, ED_TOKEN, ED_KEY)])
def test_the_private_member_of_a_jwk(private: str, token: bytes, key: dict[str, Any]) -> None:
    ring = Keyring(key_sets=[Jwks.load(json.dumps(key).encode())])
    ring.add_private_key("k", private.encode())
    ring.add_token("t", token)
    assert {hit.relation for hit in ring.hits()} == {Relation.SIGNS_TOKEN, Relation.IN_KEY_SET}


@pytest.mark.parametrize("order", [("d", "p", "q", "dp", "dq", "qi"), ("q", "dp", "d", "qi", "p", "dq")])
def test_the_private_members_of_an_rsa_jwk(order: tuple[str, ...]) -> None:
    members = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA))
    written = json.dumps({name: members[name] for name in order})
    secret = written[
        written.index(": ") + 3 : -2
    ].encode()  # from the first value to the last, as the detector spans it
    ring = Keyring()
    ring.add_private_key("k", secret)
    ring.add_token("t", jwt.encode(CLAIMS, RSA, "RS256").encode())
    assert [hit.token_fingerprint for hit in ring.hits()] == ["t"]


def test_encrypted_and_truncated_keys_give_nothing() -> None:
    encrypted = RSA.private_bytes(PEM, PKCS8, BestAvailableEncryption(b"a passphrase"))
    whole = _pem(RSA)
    assert public_halves(encrypted) == []
    assert public_halves(whole[:900]) == []
    assert public_halves(whole[:900] + whole[-30:]) == []
    assert len(public_halves(whole)) == 1


def test_a_hundred_tokens_and_a_thousand_secrets_take_a_third_of_a_second() -> None:
    """One run of five has to: the law is about our work, not about what else the machine does."""
    ring = Keyring()
    for number in range(100):
        ring.add_token(
            f"t{number}", hs(KEY, jti=number, scope="read write", aud="https://api.example", client_id="batch")
        )
    for number in range(1000):
        ring.add_secret(f"s{number}", hashlib.sha256(str(number).encode()).hexdigest()[:40].upper().encode() + b"!")
    assert any(_seconds(ring) < 0.3 for _ in range(5))


def _seconds(ring: Keyring) -> float:
    started = time.perf_counter()
    assert list(ring.hits()) == []
    return time.perf_counter() - started


def test_bounds_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MOST_TOKENS", 3), ("MOST_SECRETS", 5), ("MOST_PRIVATE_KEYS", 1), ("MOST_ATTEMPTS", 290)):
        monkeypatch.setattr(module, name, value)
    ring = Keyring()
    for number in range(4):
        ring.add_token(f"t{number}", hs(KEY, jti=number))
    for number in range(6):
        ring.add_secret(f"s{number}", b"secret number %d" % number)
    ring.add_secret("long", b"x" * 5000)
    for number in range(2):
        ring.add_private_key(f"k{number}", b"x")
    assert list(ring.hits()) == []
    assert set(ring.left_out) == {
        "more than 3 tokens",
        "more than 5 secrets",
        "secrets longer than 4096 bytes",
        "more than 1 private keys",
        "more than 290 pairs of token and secret",
    }


def test_the_bound_on_public_key_checks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHECKS", 1)
    ring = Keyring()
    for number in range(2):
        ring.add_token(f"t{number}", jwt.encode({"jti": str(number)}, EC, "ES384").encode())
    ring.add_private_key("k", _pem(EC))
    assert list(ring.hits()) == []
    assert ring.left_out == ("more than 1 pairs of token and private key",)


def test_a_keyring_shows_nothing_and_is_not_pickled() -> None:
    ring = Keyring(weak=[b"weak-word-of-ours"])
    ring.add_secret("s", b"a-secret-nobody-may-see")
    ring.add_token("t", hs(KEY))
    assert "nobody" not in repr(ring)
    with pytest.raises(TypeError):
        pickle.dumps(ring)


@given(st.lists(st.binary(max_size=80), max_size=4), st.binary(max_size=120))
def test_arbitrary_bytes_never_raise(values: list[bytes], key: bytes) -> None:
    ring = Keyring()
    ring.add_token("t", hs(KEY))
    for number, value in enumerate(values):
        ring.add_token(f"x{number}", value)
        ring.add_secret(f"s{number}", value)
        ring.add_private_key(f"k{number}", value)
        ring.add_private_key(f"p{number}", b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(value) + b"\n-----END ")
    ring.add_private_key("j", b64u(key).encode())
    assert list(ring.hits()) == []


@given(st.data())
def test_damaged_keys_never_raise_nor_sign(data: st.DataObject) -> None:
    der = RSA.private_bytes(Encoding.DER, PKCS1, NoEncryption())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(der)), min_size=2, max_size=4)))
    kept = b"".join(der[start:end] for start, end in pairwise(cuts))
    label = b"RSA PRIVATE KEY-----\n"
    pem = b"-----BEGIN " + label + base64.encodebytes(kept) + b"-----END " + label
    same = [half for half in public_halves(pem) if half.public_numbers() == RSA.public_key().public_numbers()]
    assert not same or kept == der


def test_an_ed25519_key_from_pem() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    ring = Keyring()
    ring.add_token("t", jwt.encode(CLAIMS, key, "EdDSA").encode())
    ring.add_private_key("k", _pem(key))
    assert [hit.token_fingerprint for hit in ring.hits()] == ["t"]
