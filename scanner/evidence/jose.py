"""A JWS in compact form, taken apart within bounds. Nothing in it is believed and nothing it points to is followed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from detectors.claims import decode_part, json_object
from detectors.patterns import pattern

LARGEST_TOKEN = 256 * 1024  # bytes: twice the largest part that is decoded at all
LARGEST_HEADER = 32 * 1024  # encoded bytes: an x5c chain of five certificates has about 12 KB
_COMPACT = pattern(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")

# RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 8812 section 3.2, RFC 9864 section 2.2: which key an algorithm takes.
RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
BY_CURVE = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
    "secp256k1": frozenset({"ES256K"}),
}
ASYMMETRIC = RSA | frozenset().union(*BY_CURVE.values()) | {"EdDSA", "Ed25519", "Ed448"}


class NotCheckable(Exception):
    """The token's signature can't be checked. The message is the reason, for a person, without a byte of the token."""


@dataclass(frozen=True, slots=True)
class Jws:
    """The parts of a JWS compact serialization (RFC 7515 section 7.1)."""

    algorithm: str
    key_id: str | None
    issuer: str | None  # `iss`, for choosing among key sets the user named; never an address to ask
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_jws(token: bytes) -> Jws:
    """Takes a token apart. Raises NotCheckable, and nothing else, for whatever bytes.

    Refused: JWE (RFC 7516), nested tokens (RFC 7519 section 5.2), `crit` (RFC 7515 section 4.1.11: an extension that is
    not understood makes a JWS invalid), unencoded payloads (`b64`, RFC 7797) and a header with a name twice
    (RFC 7515 section 4).
    """
    if len(token) > LARGEST_TOKEN:
        raise NotCheckable(f"it is longer than {LARGEST_TOKEN // 1024} KiB")
    if token.count(b".") == 4:
        raise NotCheckable("it is encrypted (JWE): only its recipient can open it")
    if _COMPACT.fullmatch(token) is None:
        raise NotCheckable("it is no whole JWS in compact form")
    head, payload, tail = token.split(b".")
    header = _header(head)
    signature = decode_part(tail) if tail else b""
    if signature is None:
        raise NotCheckable("its signature is no base64url")
    return Jws(
        algorithm=_text(header, "alg") or "",
        key_id=_text(header, "kid"),
        issuer=_issuer(payload),
        signing_input=token[: len(head) + 1 + len(payload)],
        signature=signature,
    )


def _header(part: bytes) -> dict[str, Any]:
    if len(part) > LARGEST_HEADER:
        raise NotCheckable(f"its header is longer than {LARGEST_HEADER // 1024} KiB")
    header = _strict_object(decode_part(part))
    if header is None or not isinstance(header.get("alg"), str):
        raise NotCheckable("its header is no JSON object with an algorithm and each name once")
    if "enc" in header:
        raise NotCheckable("it is encrypted (JWE): only its recipient can open it")
    if "b64" in header:
        raise NotCheckable("its payload is marked as unencoded (RFC 7797), which no access token may be")
    if "crit" in header:
        raise NotCheckable("its header demands an extension (crit) that is not understood")
    if str(header.get("cty", "")).upper() in ("JWT", "APPLICATION/JWT"):
        raise NotCheckable("it holds another token inside (nested JWT)")
    return header


def _strict_object(data: bytes | None) -> dict[str, Any] | None:
    if not data:
        return None
    try:
        value = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _issuer(payload: bytes) -> str | None:
    claims = json_object(decode_part(payload))
    return _text(claims, "iss") if claims else None
