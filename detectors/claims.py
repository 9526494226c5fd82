"""JOSE headers and JWT claims -> TokenFacts. Bounded, never raises on what a stranger wrote."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

import orjson

from detectors.detector import TokenFacts
from detectors.patterns import pattern

LARGEST = 128 * 1024  # base64url characters of one part that are decoded: far above any header limit of a server
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decode_part(part: bytes) -> bytes | None:
    """base64url without padding (RFC 7515 section 2), or None."""
    part = part.rstrip(b"=")
    if len(part) % 4 == 1 or len(part) > LARGEST:
        return None
    try:
        return base64.b64decode(part.translate(_URL_SAFE) + b"=" * (-len(part) % 4), validate=True)
    except binascii.Error:
        return None


def json_object(data: bytes | None) -> dict[str, Any] | None:
    """The JSON object in the bytes, or None. Deep nesting and huge numbers end as None, not as an exception."""
    if not data or data.lstrip()[:1] != b"{":
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _lenient(data)
    return value if isinstance(value, dict) else None


def _lenient(data: bytes) -> dict[str, Any] | None:
    """Claims in Latin-1, with lone surrogates or with numbers that JSON has not, as some issuers write them.

    What comes back can be written as JSON again: text is UTF-8, a number too large is infinite.
    """
    import json

    def whole(digits: str) -> float:
        return int(digits) if len(digits) < 20 else float(digits)

    def of_text(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {_encodable(name): _encodable(value) for name, value in pairs}

    try:
        value = json.loads(data.decode("utf-8", "replace"), parse_int=whole, object_pairs_hook=of_text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [_encodable(one) for one in value] if isinstance(value, list) else value


_OPENING = pattern(rb"[A-Za-z0-9_-]{12}")


def may_open_object(text: bytes, start: int) -> bool:
    """Whether base64url at `start` may be the beginning of a JSON object: its first 8 bytes are printable ASCII.

    True too where fewer than 12 characters stand together there: something may have come between them.
    """
    opening = _OPENING.match(text, start)
    if opening is None:
        return True
    plain = base64.b64decode(opening[0].translate(_URL_SAFE))[:8]
    return not plain.translate(None, b"\t\n\r").translate(None, _PRINTABLE)


_PRINTABLE = bytes(range(32, 127))


@lru_cache(maxsize=1024)
def jose_header(part: bytes) -> tuple[str | None, str | None, str | None, bool] | None:
    """(alg, kid, typ, encrypted) of an encoded header that names an algorithm, else None (RFC 7515 4.1.1)."""
    header = json_object(decode_part(part))
    if header is None or not isinstance(header.get("alg"), str):
        return None
    return header["alg"][:40], _text(header.get("kid")), _text(header.get("typ")), isinstance(header.get("enc"), str)


def facts_of(payload: bytes, header: tuple[str | None, str | None, str | None, bool] | None) -> TokenFacts | None:
    """The facts in a decoded payload, or None where it is no JSON object."""
    claims = json_object(payload)
    if claims is None:
        return None
    alg, kid, typ, _ = header or (None, None, None, False)
    problems = _duplicates(payload)
    return TokenFacts(
        issuer=_text(claims.get("iss")),
        subject=_text(claims.get("sub")),
        audience=_texts(claims.get("aud")),
        client_id=_client(claims),
        scope=_scopes(claims),
        key_id=kid,
        algorithm=alg,
        token_type=typ or _text(claims.get("typ")),
        token_id=_text(claims.get("jti")),
        issued_at=_time(claims, "iat", problems),
        not_before=_time(claims, "nbf", problems),
        expires_at=_time(claims, "exp", problems),
        problems=tuple(problems),
    )


def _duplicates(payload: bytes) -> list[str]:
    """The times a payload states twice and not alike: RFC 7519 section 4 lets a parser refuse them or take the last."""
    if payload.count(b'"exp"') < 2 and payload.count(b'"nbf"') < 2 and payload.count(b'"iat"') < 2:
        return []
    import json

    try:
        pairs = json.loads(payload.decode("utf-8", "replace"), object_pairs_hook=list)  # the outermost comes last
    except (ValueError, RecursionError):
        return []
    stated: dict[str, set[str]] = {name: set() for name in _TIMES}
    for name, value in pairs:
        if name in stated:
            stated[name].add(repr(value)[:40])
    return [f"{name}_duplicate" for name, values in stated.items() if len(values) > 1]


def _client(claims: dict[str, Any]) -> str | None:
    for name in _CLIENTS:
        if name in claims and (text := _text(claims[name])):
            return text
    return None


_CLIENTS = ("azp", "client_id", "appid", "cid", "clientId")
_TIMES = ("exp", "nbf", "iat")
_DIGITS = pattern(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")


def _time(claims: dict[str, Any], name: str, problems: list[str]) -> float | None:
    """A NumericDate (RFC 7519 section 2), in seconds; milliseconds, as some libraries write, are told by size."""
    value = claims.get(name)
    if value is None:
        return None
    if value.__class__ is int and 0 <= value <= 1e11:
        return float(value)  # as nearly all are
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        problems.append(f"{name}_a_string")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MOST or value != value:
        problems.append(f"{name}_not_a_number")
        return None
    if 1e11 < value < 1e14:
        problems.append(f"{name}_in_milliseconds")
        value = value / 1000
    return float(value)


_MOST = 1e300  # what a double holds; an integer may be longer


def _text(value: object) -> str | None:
    return value[:300] if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value[:300],)
    return tuple(v[:300] for v in value[:20] if isinstance(v, str)) if isinstance(value, list) else ()


def _scopes(claims: dict[str, Any]) -> tuple[str, ...]:
    """`scope` of RFC 8693 section 4.2 (a string), `scp` of Okta (a list) and Entra ID (a string)."""
    for name in ("scope", "scp", "scopes"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            return tuple(value[:2000].split()[:50])
        if isinstance(value, list):
            return tuple(v[:200] for v in value[:50] if isinstance(v, str))
    return ()
