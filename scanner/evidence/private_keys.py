"""The public half of a private key as it stands in a log: PEM with or without line breaks, the members of a JWK.

Only the public half is worked out; no private key object is kept. RSA moduli are read from the DER itself, since a
library's full check of a 4096-bit key takes 0.4 s.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from itertools import combinations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_ssh_private_key

from detectors.claims import decode_part
from detectors.patterns import pattern
from scanner.evidence.jwks import LARGEST_MODULUS, PublicKey

LARGEST = 16 * 1024  # bytes: what the detectors take for one key
_BEGIN = pattern(rb"-{4,5} ?BEGIN ([A-Z0-9 ]{0,32}PRIVATE KEY) ?-{4,5}")
_END = pattern(rb"-{4,5} ?END ")
_BREAK = pattern(rb"(?:\\+[rn]|[\r\n])+")
_LAST_RUN = pattern(rb"([0-9A-Za-z+/]+={0,2})[^0-9A-Za-z+/=]*\Z")
_RUN = pattern(rb"[A-Za-z0-9_-]{22,2800}")
_CURVES: dict[int, tuple[type[ec.EllipticCurve], ...]] = {
    32: (ec.SECP256R1, ec.SECP256K1),
    48: (ec.SECP384R1,),
    66: (ec.SECP521R1,),
}
_EDWARDS: dict[int, Callable[[bytes], ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey]] = {
    32: ed25519.Ed25519PrivateKey.from_private_bytes,
    57: ed448.Ed448PrivateKey.from_private_bytes,
}
KINDS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
_BROKEN = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError)


def public_halves(value: bytes) -> list[PublicKey]:
    """What may be the public half of the private key in the bytes: of a PEM one or none, of a JWK's members several.

    Encrypted and damaged keys give none. Never raises.
    """
    if len(value) > LARGEST:
        return []
    begin = _BEGIN.search(value)
    if begin is None:
        return list(_of_jwk(value))
    if b"ENCRYPTED" in value:
        return []
    end = _END.search(value, begin.end())
    if end is None:
        return []
    if begin[1] == b"OPENSSH PRIVATE KEY":
        return _of_ssh(value[begin.end() : end.start()])
    halves = (_of_der(der) for der in bodies(value[begin.end() : end.start()]))
    return next(([half] for half in halves if half is not None), [])


def bodies(block: bytes) -> Iterator[bytes]:
    """The DER of a block: the last word of each line (a logger may put a header before it, the END line included), or
    all words."""
    lines = [found[1] for found in map(_LAST_RUN.search, _BREAK.split(block)) if found]
    for text in (b"".join(lines), b"".join(lines[:-1]), b"".join(_BREAK.sub(b"", block).split())):
        try:
            yield base64.b64decode(text, validate=True)
        except binascii.Error:
            continue


def _of_ssh(block: bytes) -> list[PublicKey]:
    for der in bodies(block):
        text = base64.encodebytes(der)
        label = b"OPENSSH PRIVATE KEY-----\n"
        try:
            public = load_ssh_private_key(b"-----BEGIN " + label + text + b"-----END " + label, None).public_key()
        except _BROKEN:
            continue
        if isinstance(public, KINDS):
            return [public]
    return []


def _of_der(der: bytes) -> PublicKey | None:
    inner = _pkcs8(der)
    numbers = _rsa_numbers(der if inner is None else inner)
    try:
        if numbers is not None:
            return numbers.public_key()
        public = load_der_private_key(der, None).public_key()
    except _BROKEN:
        return None
    return public if isinstance(public, KINDS) else None


def _pkcs8(der: bytes) -> bytes | None:
    """The key inside a PrivateKeyInfo (RFC 5958 section 2): version, algorithm, octets."""
    parts = _sequence(der, 3)
    return parts[2][1] if parts and [tag for tag, _ in parts] == [0x02, 0x30, 0x04] else None


def _rsa_numbers(der: bytes) -> rsa.RSAPublicNumbers | None:
    """Modulus and public exponent of an RSAPrivateKey (RFC 8017 appendix A.1.2): 9 integers, version first."""
    parts = _sequence(der, 9)
    if parts is None or len(parts) < 9 or any(tag != 0x02 for tag, _ in parts):
        return None
    modulus, exponent = (int.from_bytes(value, "big") for _, value in parts[1:3])
    return _numbers(modulus, exponent)


def _numbers(modulus: int, exponent: int) -> rsa.RSAPublicNumbers | None:
    if not 512 <= modulus.bit_length() <= LARGEST_MODULUS or not 3 <= exponent < 1 << 64:
        return None
    return rsa.RSAPublicNumbers(exponent, modulus)


def _sequence(der: bytes, most: int) -> list[tuple[int, bytes]] | None:
    """Tag and value of the first members of a DER SEQUENCE that is all there, else None."""
    outer = _element(der, 0)
    if outer is None or outer[0] != 0x30:
        return None
    parts: list[tuple[int, bytes]] = []
    at = outer[1]
    while at < outer[2] and len(parts) < most:
        part = _element(der, at)
        if part is None or part[2] > outer[2]:
            return None
        parts.append((part[0], der[part[1] : part[2]]))
        at = part[2]
    return parts


def _element(der: bytes, at: int) -> tuple[int, int, int] | None:
    """Tag, start and end of the value of the DER element at an index (X.690 section 8.1), None where it is cut."""
    if at + 2 > len(der):
        return None
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            return None
        size = int.from_bytes(der[start : start + count], "big")
        start += count
    return (tag, start, start + size) if start + size <= len(der) else None


def _of_jwk(value: bytes) -> Iterator[PublicKey]:
    """The members of a JWK that stood in the bytes, without their names: `d` alone, or `d` and the primes of RSA."""
    members = [part for part in map(decode_part, _RUN.findall(value)[:8]) if part]
    for member in members[:1]:
        yield from _of_scalar(member)
    for one, other in combinations(members, 2):
        numbers = _numbers(int.from_bytes(one, "big") * int.from_bytes(other, "big"), 65537)
        if numbers is not None and numbers.n % 2 and len(one) == len(other):
            try:
                yield numbers.public_key()
            except ValueError:
                continue


def _of_scalar(scalar: bytes) -> Iterator[PublicKey]:
    for curve in _CURVES.get(len(scalar), ()):
        try:
            yield ec.derive_private_key(int.from_bytes(scalar, "big"), curve()).public_key()
        except ValueError:
            continue
    if len(scalar) in _EDWARDS:
        yield _EDWARDS[len(scalar)](scalar).public_key()
