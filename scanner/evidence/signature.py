"""Whether a token was signed by one of the keys the user named: the best evidence there is without asking the issuer.

Only the bytes of the token and the keys at hand count. `jku`, `jwk`, `x5u`, `x5c` and `iss` are never followed or
believed (RFC 8725 section 3.10). Times are not looked at: a genuine token may well have expired.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from jwt.algorithms import Algorithm, get_default_algorithms
from msgspec import Struct

from detectors.detector import Secret
from scanner.evidence.jose import ASYMMETRIC, Jws, NotCheckable, parse_jws
from scanner.evidence.jwks import Jwks, Key, PublicKey, fitting
from scanner.evidence.key_set import KeySet

MOST_TRIED = 50  # keys for one token that names none of them: at most 50 * 0.2 ms (ES512)
_TELLING_KEY_ID = 8  # characters: a shorter `kid` ("1", "default", "sig-1") may be any issuer's
_VERIFIERS = {name: a for name, a in get_default_algorithms().items() if name in ASYMMETRIC}
_VERIFIERS |= dict.fromkeys(("Ed25519", "Ed448"), _VERIFIERS["EdDSA"])  # RFC 9864: the same, by their full names


REMEMBERED = 4096  # answers, of 200 bytes and a reference to the token


class Outcome(StrEnum):
    GENUINE = "genuine"  # one of the keys made the signature
    FORGED = "forged"  # the token names one of the keys, and that key did not make the signature
    WRONG_KEY = "wrong_key"  # it names no key, and none that could have made the signature did
    KEY_UNKNOWN = "key_unknown"  # it names a key that is not in the set, or that the set has only for another use
    NOT_CHECKABLE = "not_checkable"


# Among several sets: one that made the signature, one whose word is final (1, between them), then what says most.
_TELLING = (
    Outcome.GENUINE, None, Outcome.FORGED, Outcome.KEY_UNKNOWN, Outcome.WRONG_KEY, Outcome.NOT_CHECKABLE,
)  # fmt: skip


class SignatureEvidence(Struct, frozen=True):
    """What a key set says of a token.

    `key_id` is the set's own name of the key that spoke. `conclusive` tells of `forged` and `wrong_key` whether the set
    is known to be that of the token's issuer, so that the token is surely unusable there: the user bound the set to
    that issuer, or the token names a key by an id too long to be another issuer's by chance.
    """

    outcome: Outcome
    reason: str
    key_id: str | None = None
    conclusive: bool = False

    @property
    def genuine(self) -> bool:
        """Whether a key at hand made the signature."""
        return self.outcome is Outcome.GENUINE

    @property
    def unusable(self) -> bool:
        """Whether no server that uses these keys accepts the token."""
        return self.conclusive and self.outcome in (Outcome.FORGED, Outcome.WRONG_KEY)


class Signatures:
    """Checks tokens against all key sets the user named. Answers are remembered: a log repeats its tokens."""

    def __init__(self, key_sets: Iterable[KeySet]) -> None:
        self._sets = tuple(Jwks.of(keys) for keys in key_sets)
        self._known: dict[Secret, SignatureEvidence] = {}
        self.issuers = frozenset(
            issuer for keys in self._sets for issuer in keys.issuers
        )  # whose public keys these are

    def of(self, token: Secret) -> SignatureEvidence:
        """The word of the set that tells most. Never raises on a token."""
        known = self._known.get(token)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            answers = [check(token.reveal(), keys) for keys in self._sets]
            known = self._known[token] = min(answers, key=_rank)
        return known


def _rank(evidence: SignatureEvidence) -> int:
    if evidence.unusable:
        return 1
    return _TELLING.index(evidence.outcome)


def check(token: bytes, keys: Jwks) -> SignatureEvidence:
    """Checks a JWS against a key set. Never raises on a token."""
    try:
        return _check(parse_jws(token), keys)
    except NotCheckable as error:
        return SignatureEvidence(Outcome.NOT_CHECKABLE, f"the signature could not be judged because {error}")


def _check(jws: Jws, keys: Jwks) -> SignatureEvidence:
    if keys.issuers and jws.issuer is not None and jws.issuer not in keys.issuers:
        raise NotCheckable("the token names another issuer than the key set's")
    bound = jws.issuer in keys.issuers
    named = keys.named(jws.key_id)
    if jws.algorithm not in ASYMMETRIC:
        return _foreign(jws, named, bound)
    usable = fitting(named, jws.algorithm)
    for key in usable:
        if verify(jws, key.public):
            return SignatureEvidence(Outcome.GENUINE, "a key of the given set made the signature", key.key_id)
    if usable:
        conclusive = bound or len(jws.key_id or "") >= _TELLING_KEY_ID
        reason = "the token names a key of the given set, which did not make the signature"
        return SignatureEvidence(Outcome.FORGED, reason, usable[0].key_id, conclusive)
    return _unnamed(jws, keys, bound)


def _foreign(jws: Jws, named: tuple[Key, ...], bound: bool) -> SignatureEvidence:
    """`none`, HMAC, and what nobody knows: a public key is never an HMAC secret (RFC 8725 sections 2.1, 3.1)."""
    if jws.algorithm.lower() == "none":
        if named:
            reason = "the token names a key of the given set and is not signed at all (alg none)"
            return SignatureEvidence(Outcome.FORGED, reason, named[0].key_id, bound)
        raise NotCheckable("the token is not signed at all (alg none)")
    if jws.algorithm in ("HS256", "HS384", "HS512"):
        if named:
            reason = "the token is an HMAC and names a public key, a known attack (RFC 8725 section 2.1)"
            return SignatureEvidence(Outcome.FORGED, reason, named[0].key_id, bound)
        raise NotCheckable("the token is an HMAC, which only the issuer's secret can check")
    raise NotCheckable("its algorithm is not known")


def _unnamed(jws: Jws, keys: Jwks, bound: bool) -> SignatureEvidence:
    """No key of the token's `kid` is there. A `kid` is a hint only (RFC 7515 section 4.1.4): others are tried."""
    candidates = fitting(keys.keys, jws.algorithm)
    for key in candidates[:MOST_TRIED]:
        if verify(jws, key.public):
            return SignatureEvidence(Outcome.GENUINE, "a key of the given set made the signature", key.key_id)
    if jws.key_id is not None:
        return SignatureEvidence(Outcome.KEY_UNKNOWN, "the key the token names is not in the given set (rotated out?)")
    if len(candidates) > MOST_TRIED:
        raise NotCheckable(f"the token names no key and the set has more than {MOST_TRIED} that could have signed it")
    if not candidates:
        return SignatureEvidence(Outcome.KEY_UNKNOWN, "the given set has no key for the token's algorithm")
    reason = "the token names no key, and none of the given set made the signature"
    return SignatureEvidence(Outcome.WRONG_KEY, reason, conclusive=bound)


def verify(jws: Jws, key: PublicKey) -> bool:
    """Whether the key made the signature. False too where key and algorithm don't fit."""
    verifier: Algorithm | None = _VERIFIERS.get(jws.algorithm)
    if verifier is None:
        return False
    try:
        return bool(verifier.verify(jws.signing_input, key, jws.signature))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
