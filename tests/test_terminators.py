"""Every byte value before and after a token: the span is exact, whatever stands there."""

from __future__ import annotations

import pytest

from tests.scanning import jwt, opaque, scan, spans

BASE64URL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
BEARER = BASE64URL | frozenset(b".~+/|:!@$*^=%\\&")  # bytes a bearer token may hold, and those that open an escape


@pytest.mark.parametrize("byte", range(256))
def test_a_jwt_is_found_exactly_whatever_byte_stands_before_it(byte: int) -> None:
    token = jwt()
    data = b"x" + bytes([byte]) + token + b" y"
    assert spans(scan(data)) == [[(2, 2 + len(token))]]


@pytest.mark.parametrize("alg", ["HS256", "RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("byte", range(256))
def test_a_jwt_is_found_exactly_whatever_byte_stands_after_it(byte: int, alg: str) -> None:
    """Also where the byte is of the alphabet: the signature's length tells the end."""
    token = jwt(alg=alg)
    data = b"x " + token + bytes([byte]) + b" y"
    assert spans(scan(data)) == [[(2, 2 + len(token))]]


@pytest.mark.parametrize("byte", sorted(set(range(256)) - BEARER))
def test_an_opaque_bearer_ends_at_every_byte_that_is_not_its_own(byte: int) -> None:
    token = opaque()
    data = b"Authorization: Bearer " + token + bytes([byte]) + b" y"
    assert spans(scan(data)) == [[(22, 22 + len(token))]]


@pytest.mark.parametrize("byte", sorted(set(range(256)) - frozenset(b"\\%&")))
def test_an_opaque_bearer_is_found_whatever_byte_stands_before_the_header(byte: int) -> None:
    token = opaque()
    data = bytes([byte]) + b"Bearer " + token + b" y"
    assert spans(scan(data)) == [[(8, 8 + len(token))]]


@pytest.mark.parametrize(
    "after", [b"%26x=1", b"\\n", b"\\u0026", b"&amp;", b'\\"', b"%3B", b"&quot;", b"...", b".", b",", b"\x00\xff"]
)
def test_escapes_and_punctuation_end_a_jwt(after: bytes) -> None:
    token = jwt()
    assert spans(scan(b"t=" + token + after)) == [[(2, 2 + len(token))]]


@pytest.mark.parametrize("before", [b"%3D", b"\\n", b"\\t", b"_", b"a", b"9", b"=", b"\\u003d", b"\xff\x00"])
def test_escapes_and_letters_before_a_jwt_do_not_hide_it(before: bytes) -> None:
    token = jwt()
    start = len(before)
    assert spans(scan(before + token + b" ")) == [[(start, start + len(token))]]
