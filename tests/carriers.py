"""A secret of each kind in a text that gives it away, drawn from a seed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from tests.scanning import jwt, opaque

Carrier = Callable[[int], tuple[bytes, bytes]]  # seed -> text, the secret as it stands in it
_DASHES = b"-----"


def _noise(seed: int, size: int) -> bytes:
    return b"".join(hashlib.sha512(b"%d %d" % (seed, i)).digest() for i in range(size // 64 + 1))[:size]


def _pair(seed: int) -> bytes:
    return base64.b64encode(b"billing-batch:" + opaque(seed, 16))


def _pem(seed: int) -> bytes:
    body = base64.encodebytes(_noise(seed, 121)).strip()
    return (
        _DASHES + b"BEGIN EC PRIVATE KEY" + _DASHES + b"\n" + body + b"\n" + _DASHES + b"END EC PRIVATE KEY" + _DASHES
    )


def _around(before: bytes, secret: Callable[[int], bytes], after: bytes) -> Carrier:
    def carry(seed: int) -> tuple[bytes, bytes]:
        value = secret(seed)
        return before + value + after, value

    return carry


def _letters(size: int) -> Callable[[int], bytes]:
    return lambda seed: opaque(seed, size)


CARRIERS: dict[str, Carrier] = {
    "jwt": _around(b"10:42 got token=", jwt, b" now"),
    "bearer_token": _around(b"GET / HTTP/1.1\r\nAuthorization: Bearer ", _letters(40), b"\r\nHost: a\r\n"),
    "refresh_token": _around(b'{"expires_in":299,"refresh_token":"', _letters(48), b'","scope":"a b"}'),
    "client_secret": _around(b"grant_type=client_credentials&client_secret=", _letters(32), b"&a=b"),
    "basic_credentials": _around(b"Authorization: Basic ", _pair, b"\r\nHost: a\r\n"),
    "api_key": _around(b'{"name":"a","apiKey":"', _letters(32), b'","n":1}'),
    "private_key": _around(b"loaded\n", _pem, b"\nin 3 ms\n"),
    "session_cookie": _around(b"Cookie: theme=dark; session=", jwt, b"; n=1\r\nHost: a\r\n"),
    "auth_code": _around(b"GET /callback?code=", _letters(32), b"&state=af0ifjsldkj HTTP/1.1"),
    "signed_url": _around(
        b"GET /b/k?X-Amz-Date=20261122T110000Z&X-Amz-Expires=900&X-Amz-Signature=",
        lambda seed: _noise(seed, 32).hex().encode(),
        b" HTTP/1.1",
    ),
}
