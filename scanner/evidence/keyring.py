"""Keys among the findings: an HMAC secret that signs a token found in the same scan, or that everyone knows; a private
key whose public half is in a key set or a certificate, or that signed a token. Who holds such a key makes tokens of his
own, or passes for its owner.

What is tried is held in memory and in one process only, and no hit holds a byte of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from detectors.patterns import pattern
from scanner.evidence.jose import ASYMMETRIC, Jws, NotCheckable, parse_jws
from scanner.evidence.weak_secrets import BUILT_IN

if TYPE_CHECKING:
    from scanner.evidence.jwks import Jwks

MOST_TOKENS = 2_000
MOST_SECRETS = 20_000
MOST_PRIVATE_KEYS = 500
MOST_CERTIFICATES = 2_000  # 0.05 ms each to read
MOST_ATTEMPTS = 2_000_000  # HMACs, about 1.5 µs each
MOST_CHECKS = 10_000  # public key operations, 0.05 to 0.4 ms each
LARGEST_SECRET = 4096  # bytes
WEAK_LIST = "weak-list"  # stands for the fingerprint where the secret is a notorious one

_HASHES: dict[str, tuple[Any, int]] = {  # RFC 7518 section 3.2; the block sizes are those of FIPS 180-4
    "HS256": (hashlib.sha256, 64),
    "HS384": (hashlib.sha384, 128),
    "HS512": (hashlib.sha512, 128),
}
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BASE64 = pattern(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_LEAST = 16  # bytes: what decodes to less was no encoded key (RFC 7518 section 3.2 asks for 32)
_HEX = pattern(rb"(?:[0-9a-fA-F]{2}){16,}")


class Relation(StrEnum):
    SIGNS_TOKEN = "signs_token"  # the secret or private key made the token's signature
    IN_KEY_SET = "in_key_set"  # the private key's public half is one of the named key set
    IN_CERTIFICATE = "in_certificate"  # … is that of a certificate found


class KeyHit(Struct, frozen=True):
    """A signing key that leaked. `token_fingerprint` is None where no token, but a key set shows it.

    `read_as` tells how the secret is used as a key: raw, base64, hex, password (of Basic) or private_key. `key_id` is
    the key set's own name of the key.
    """

    token_fingerprint: str | None
    secret_fingerprint: str
    relation: Relation
    read_as: str
    key_id: str | None = None
    named: str = ""  # in words, whose certificate it is and how long it is valid


class Keyring:
    """Collects tokens and secrets of a scan, then tries each on each, in the order of adding and within bounds."""

    __slots__ = ("_budget", "_certificates", "_key_sets", "_left_out", "_private", "_secrets", "_tokens", "_weak")

    def __init__(self, weak: Iterable[bytes] = (), key_sets: Iterable[Jwks] = ()) -> None:
        """`weak` adds to the built-in list of notorious secrets; `key_sets` are what private keys are compared with."""
        self._weak = tuple(dict.fromkeys((*BUILT_IN, *weak)))
        self._key_sets = tuple(key_sets)
        self._tokens: dict[str, Jws] = {}
        self._secrets: dict[str, bytes] = {}
        self._private: dict[str, bytes] = {}
        self._certificates: dict[bytes, None] = {}
        self._left_out: dict[str, None] = {}
        self._budget = MOST_ATTEMPTS

    def __repr__(self) -> str:
        return f"Keyring({len(self._tokens)} tokens, {len(self._secrets)} secrets, {len(self._private)} private keys)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Keyring is not to be pickled")

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was not tried because of a bound, for people. Complete once `hits()` has ended."""
        return tuple(self._left_out)

    def add_token(self, fingerprint: str, token: bytes) -> None:
        """A JWT. What is no whole signed JWS is left alone: no key can be tried on it."""
        if fingerprint in self._tokens:
            return
        try:
            jws = parse_jws(token)
        except NotCheckable:
            return
        if not jws.signature or jws.algorithm not in (ASYMMETRIC | _HASHES.keys()):
            return
        if self._has_room(self._tokens, MOST_TOKENS, "tokens"):
            self._tokens[fingerprint] = jws

    def add_secret(self, fingerprint: str, value: bytes) -> None:
        """Anything that may be an HMAC key: a client secret, an API key, a password, `k` of a JWK."""
        if fingerprint in self._secrets:
            return
        if len(value) > LARGEST_SECRET:
            self._left_out[f"secrets longer than {LARGEST_SECRET} bytes"] = None
        elif self._has_room(self._secrets, MOST_SECRETS, "secrets"):
            self._secrets[fingerprint] = value

    def add_private_key(self, fingerprint: str, value: bytes) -> None:
        """A private key: a PEM block as it stood in the log, or the private members of a JWK."""
        known = fingerprint in self._private
        if not known and self._has_room(self._private, MOST_PRIVATE_KEYS, "private keys"):
            self._private[fingerprint] = value

    def add_certificate(self, value: bytes) -> None:
        """A certificate in PEM, as it stood in the log. It is read only where there are private keys."""
        if value not in self._certificates and self._has_room(self._certificates, MOST_CERTIFICATES, "certificates"):
            self._certificates[value] = None

    def _has_room(self, kept: dict[Any, Any], most: int, what: str) -> bool:
        if len(kept) < most:
            return True
        self._left_out[f"more than {most} {what}"] = None
        return False

    def hits(self) -> Iterator[KeyHit]:
        """Each token's first secret among those found, and whether a notorious one signs it; then the private keys."""
        yield from self._hmac_hits()
        yield from self._private_hits()

    def _hmac_hits(self) -> Iterator[KeyHit]:
        self._budget = MOST_ATTEMPTS
        for algorithm, (new, block) in _HASHES.items():
            tokens = {name: jws for name, jws in self._tokens.items() if jws.algorithm == algorithm}
            if not tokens:
                continue
            candidates = ((WEAK_LIST, "raw", word) for word in self._weak)
            self._budget -= len(self._weak) * len(tokens)
            yield from _signers(dict(tokens), candidates, new, block)
            yield from _signers(tokens, self._within_budget(tokens), new, block)

    def _within_budget(self, tokens: dict[str, Jws]) -> Iterator[tuple[str, str, bytes]]:
        """The secrets found and how each may be read, as long as attempts are left."""
        for fingerprint, value in self._secrets.items():
            for read_as, key in _readings(value):
                if not tokens:
                    return
                if self._budget < len(tokens):
                    self._left_out[f"more than {MOST_ATTEMPTS} pairs of token and secret"] = None
                    return
                self._budget -= len(tokens)
                yield fingerprint, read_as, key

    def _private_hits(self) -> Iterator[KeyHit]:
        if not self._private:
            return
        # It takes 0.05 s to import what knows public keys, and few scans find a private one.
        from scanner.evidence.key_pairs import Pairs

        tokens = {name: jws for name, jws in self._tokens.items() if jws.algorithm in ASYMMETRIC}
        pairs = Pairs(tokens, self._key_sets, self._certificates, MOST_CHECKS)
        for fingerprint, value in self._private.items():
            for one in pairs.certificates_of(value):
                yield KeyHit(None, fingerprint, Relation.IN_CERTIFICATE, "private_key", named=one.said)
            for token, key_id, published in pairs.of(value):
                relation = Relation.IN_KEY_SET if published else Relation.SIGNS_TOKEN
                yield KeyHit(token, fingerprint, relation, "private_key", key_id)
            if pairs.exhausted:
                self._left_out[f"more than {MOST_CHECKS} pairs of token and private key"] = None
                return


def _signers(
    tokens: dict[str, Jws], candidates: Iterable[tuple[str, str, bytes]], new: Any, block: int
) -> Iterator[KeyHit]:
    """The tokens each candidate signed; a token that has its key is taken out and tried no more.

    HMAC (RFC 2104) is spelled out because a key's two hash states are the same for all tokens: copying them is three
    times as fast as `hmac.digest` for each pair.
    """
    open_tokens = [(name, jws.signing_input, jws.signature) for name, jws in tokens.items()]
    for fingerprint, read_as, key in candidates:
        padded = (new(key).digest() if len(key) > block else key).ljust(block, b"\0")
        inner, outer = new(padded.translate(_INNER)).copy, new(padded.translate(_OUTER)).copy
        found = []
        for name, text, signature in open_tokens:
            first = inner()
            first.update(text)
            second = outer()
            second.update(first.digest())
            if second.digest() == signature:
                found.append(name)
        for name in found:
            del tokens[name]
            yield KeyHit(name, fingerprint, Relation.SIGNS_TOKEN, read_as)
        if found:
            open_tokens = [row for row in open_tokens if row[0] in tokens]


def _readings(value: bytes) -> Iterator[tuple[str, bytes]]:
    """How the bytes may be used as a key: as they stand, or decoded, as many frameworks want a key configured."""
    yield "raw", value
    if _HEX.fullmatch(value):
        yield "hex", bytes.fromhex(value.decode("ascii"))
        return
    decoded = _decoded(value)
    if not decoded:
        return
    if len(decoded) >= _LEAST:
        yield "base64", decoded
    _, colon, password = decoded.partition(b":")  # the credentials of Basic, RFC 7617 section 2
    if colon and password:
        yield "password", password


def _decoded(value: bytes) -> bytes | None:
    if not _BASE64.fullmatch(value):
        return None
    bare = value.rstrip(b"=").translate(_URL_SAFE)
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4))
    except binascii.Error:
        return None
