"""A set of public keys (RFC 7517) from a file or from bytes the user had fetched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from scanner.errors import UsageError
from scanner.evidence.jose import BY_CURVE, RSA
from scanner.evidence.key_set import KeySet

LARGEST_FILE = 10 * 1024 * 1024  # bytes
LONGEST_NAME = 1000  # characters of a key's id; issuers' have at most 100 or so
MOST_KEYS = 1000  # issuers publish 1 to 20
LARGEST_MODULUS = 16384  # bits: what OpenSSL itself accepts for a check; larger ones only cost time

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


@dataclass(frozen=True, slots=True)
class Key:
    """One public key and the algorithms it may check (RFC 8725 section 3.1: `alg`, where it says so, alone)."""

    public: PublicKey
    algorithms: frozenset[str]
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Jwks:
    """Public keys. `issuers` names whose they are, where the user said so; else they may be anyone's.

    `ignored` counts the keys that check no signature here: symmetric ones, those for encryption, unknown types and
    damaged ones.
    """

    keys: tuple[Key, ...]
    issuers: frozenset[str] = frozenset()
    ignored: int = 0
    _by_id: dict[str, tuple[Key, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for key in self.keys:
            if key.key_id is not None:
                self._by_id[key.key_id] = (*self._by_id.get(key.key_id, ()), key)

    def named(self, key_id: str | None) -> tuple[Key, ...]:
        """The keys of that `kid`."""
        return self._by_id.get(key_id, ()) if key_id is not None else ()

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes, issuers: frozenset[str] = frozenset()) -> Jwks:
        """A JWK set, or a single JWK, from a file's path or from bytes.

        Raises UsageError where it can't be read, is no such JSON, has more than 10 MB or 1,000 keys, or has none that
        could check a signature.
        """
        name = "the key set" if isinstance(source, bytes) else os.fspath(source)
        return cls._parse(source if isinstance(source, bytes) else _read(name), name, issuers)

    @classmethod
    def of(cls, keys: KeySet) -> Jwks:
        """The keys of a set that was read before."""
        return cls._parse(keys.data, "the key set", keys.issuers)

    @classmethod
    def _parse(cls, data: bytes, name: str, issuers: frozenset[str]) -> Jwks:
        if len(data) > LARGEST_FILE:
            raise UsageError(f"{name}: larger than {LARGEST_FILE // 1024 // 1024} MB")
        members = _members(data, name)
        if len(members) > MOST_KEYS:
            raise UsageError(f"{name}: more than {MOST_KEYS} keys")
        keys = [key for key in map(_key, members) if key is not None]
        if not keys:
            raise UsageError(f"{name}: no key in it can check a signature (RSA, EC or OKP public keys can)")
        return cls(tuple(keys), issuers, len(members) - len(keys))


def read_key_set(path: str | os.PathLike[str], issuers: frozenset[str] = frozenset()) -> KeySet:
    """A key set from a file, checked. Raises UsageError like `Jwks.load`."""
    name = os.fspath(path)
    data = _read(name)
    Jwks._parse(data, name, issuers)
    return KeySet(compact(data), issuers)


def compact(data: bytes) -> bytes:
    """A key set that was checked, without certificate chains, private halves and all else no check needs."""
    return orjson.dumps({"keys": [_needed(member) for member in _members(data, "the key set") if _key(member)]})


def _needed(member: dict[str, Any]) -> dict[str, Any]:
    kept = {name: member[name] for name in _OF_KIND[member["kty"]] if name in member}
    kept |= {
        name: member.get(name) for name in ("kid", "use", "alg") if 0 < len(str(member.get(name, ""))) <= LONGEST_NAME
    }
    if isinstance(member.get("key_ops"), list):
        kept["key_ops"] = [name for name in ("verify", "sign") if name in member["key_ops"]]
    return {name: value for name, value in kept.items() if value is not None}


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise UsageError(f"{path}: the key set cannot be read: {reason}") from None


def _members(data: bytes, name: str) -> list[Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise UsageError(f"{name}: no JSON") from None  # without the error's text, which quotes the document
    if isinstance(value, dict) and isinstance(value.get("keys"), list):
        return list(value["keys"])
    if isinstance(value, dict) and isinstance(value.get("kty"), str):
        return [value]
    raise UsageError(f"{name}: neither a JWK set (RFC 7517 section 5) nor a JWK")


def _key(member: Any) -> Key | None:
    """The key, None where it checks no signature. Section 5: members that are not understood are to be ignored."""
    if not isinstance(member, dict) or member.get("use", "sig") != "sig":
        return None
    operations = member.get("key_ops")
    if isinstance(operations, list) and not {"verify", "sign"} & {o for o in operations if isinstance(o, str)}:
        return None
    public = _public(member)
    if public is None:
        return None
    algorithms = algorithms_of(public)
    only = member.get("alg")
    if isinstance(only, str):
        algorithms &= {only}
    key_id = member.get("kid")
    return Key(public, algorithms, key_id if isinstance(key_id, str) else None) if algorithms else None


_LOADERS: dict[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}
_OF_KIND = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
_PUBLIC_MEMBERS = ("kty", "n", "e", "crv", "x", "y")  # a private key's others are not even looked at


def _public(member: dict[str, Any]) -> PublicKey | None:
    kind = member.get("kty")
    loader = _LOADERS.get(kind) if isinstance(kind, str) else None
    if loader is None:
        return None
    wanted = {name: member[name] for name in _PUBLIC_MEMBERS if name in member}
    if len(str(wanted.get("n", ""))) > LARGEST_MODULUS // 6 + 2:
        return None
    try:
        key = loader.from_jwk(wanted)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    kinds = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
    return key if isinstance(key, kinds) else None


def algorithms_of(public: PublicKey) -> frozenset[str]:
    """The JWS algorithms a key of that type and curve can check."""
    if isinstance(public, rsa.RSAPublicKey):
        return RSA if public.key_size <= LARGEST_MODULUS else frozenset()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return BY_CURVE.get(public.curve.name, frozenset())
    return frozenset({"EdDSA", "Ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "Ed448"})


def fitting(keys: Iterator[Key] | tuple[Key, ...], algorithm: str) -> list[Key]:
    """Those that may check a signature of that algorithm."""
    return [key for key in keys if algorithm in key.algorithms]
