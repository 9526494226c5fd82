"""Secrets as they stand in memory: between NULs, length fields, pointers and the rest of what was there before."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.registry import all_detectors
from scanner.framings import byte_order
from tests.scanning import Finding, b64url, jwt, opaque, scan

POINTER = struct.pack("<Q", 0x7F3A5C000AB8)
PREFIXED = {
    one.id: one.examples[0][1]
    for one in all_detectors()
    if one.id in ("github-pat", "slack-bot", "gitlab-pat", "stripe-secret")
}

# What stands right before characters: a length of 4 or 8 bytes, a hash and a length (V8), a pointer, another string.
BEFORE = [
    b"", b"\0", b"\0" * 16, struct.pack("<I", 160), struct.pack("<Q", 160), b"\x11\x22\x33\x44\xa0\0\0\0",
    POINTER, b"abc\0", b"Z", b"\xff\xfe\xfd", b"x" * 3 + b"\0" * 5,
]  # fmt: skip
AFTER = [b"", b"\0", POINTER, b"\xc8\x03x7m\x7f\0\0", b"\0abc", b"\x80\x81"]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("wide", [False, True])
def test_a_jwt_between_anything(before: bytes, after: bytes, wide: bool) -> None:
    token = jwt(1)
    form = token.decode().encode("utf-16-le") if wide else token
    pad = bytes(64) + before
    data = pad + form + after + bytes(64)
    (found,) = scan(data)
    assert [(s.start, s.end) for s in found.spans] == [(len(pad), len(pad) + len(form))]
    assert found.encoding == (("utf-16le",) if wide else ())


@pytest.mark.parametrize("token", PREFIXED.values(), ids=PREFIXED)
@pytest.mark.parametrize("before", BEFORE)
def test_a_prefixed_token_between_anything(before: bytes, token: bytes) -> None:
    """No boundary is asked for before a strong prefix; any byte outside the alphabet ends it."""
    pad = bytes(64) + before
    for after in AFTER:
        found = scan(pad + token + after + bytes(64))
        assert [[(s.start, s.end) for s in f.spans] for f in found] == [[(len(pad), len(pad) + len(token))]]


@pytest.mark.parametrize("alg", ["HS256", "RS256", "ES256"])
@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("wide", [False, True])
def test_a_freed_block_loses_its_head(alg: str, size: int, wide: bool) -> None:
    """A list pointer and a key are written into it; what is left tells whose token it was and how long it held."""
    token = jwt(7, alg)
    form = token.decode().encode("utf-16-le") if wide else token
    lost = (POINTER + b"\x9d\x1f\x80\xf0\x01\x02\xfe\xff")[:size]
    data = bytes(100) + lost + form[size:] + bytes(100)
    (found,) = scan(data)
    assert (found.verdict.state, found.verdict.basis) == ("unusable", "damaged")
    assert found.token.subject == "job-7"
    assert found.token.expires_at == 1795348807
    assert found.spans[-1].end == 100 + len(form)


@given(st.binary(max_size=12), st.binary(max_size=12), st.integers(0, 3), st.booleans())
def test_utf_16_in_memory_is_little_endian_at_any_offset(before: bytes, after: bytes, lead: int, zeros: bool) -> None:
    """Whatever stands around: the finding is the one copy, in its own byte order."""
    form = jwt(3).decode().encode("utf-16-le")
    pad = bytes(32 + lead) + before + (bytes(4) if zeros else b"\x07")
    data = pad + form + bytes(2) + after + bytes(40)
    found: list[Finding] = scan(data)
    assert [f.encoding for f in found] == [("utf-16le",)]
    assert [(s.start, s.end) for s in found[0].spans] == [(len(pad), len(pad) + len(form))]


@pytest.mark.parametrize("lead", [0, 1])
def test_big_endian_characters_behind_a_type_and_before_a_record(lead: int) -> None:
    """As a heap dump holds a `char[]`: count, type 5, characters; the next record begins with its tag."""
    form = jwt(3).decode().encode("utf-16-be")
    pad = bytes(40 + lead) + struct.pack(">I", len(form) // 2) + b"\x05"
    (found,) = scan(pad + form + b"\x23" + bytes(40))
    assert found.encoding == ("utf-16be",)
    assert [(s.start, s.end) for s in found.spans] == [(len(pad), len(pad) + len(form))]


def test_the_byte_order_of_a_long_text_is_told_by_its_offsets() -> None:
    text = "a line of text\n" * 2000
    for codec, big in (("utf-16-le", False), ("utf-16-be", True)):
        data = text.encode(codec)
        letter = 20_000 + big
        assert byte_order.is_big(data[letter - 4096 : letter + 8192], 4096, letter % 2 == 0) is big


def test_a_short_header_that_is_gone_to_the_last_character_leaves_the_payload() -> None:
    """16 of the 20 characters of the shortest header are lost; four are left before the dot."""
    token = b64url(b'{"alg":"HS256"}') + b"." + jwt(9).split(b".", 1)[1]
    (found,) = scan(bytes(50) + b"\xf3" * 16 + token[16:] + bytes(50))
    assert (found.verdict.basis, found.token.subject) == ("damaged", "job-9")


def test_an_opaque_token_ends_where_memory_goes_on() -> None:
    value = opaque(4)
    (found,) = scan(bytes(40) + b"Authorization: Bearer " + value + b"\0\x19\0\0" + POINTER + bytes(40))
    assert found.fingerprint == scan(b"Authorization: Bearer " + value)[0].fingerprint


def test_escapes_of_a_neighbour_are_not_the_secret_s() -> None:
    other = b'{\\"level\\":\\"info\\"} %20 path\0'
    (plain,) = scan(bytes(20) + other + bytes(8) + jwt(5) + bytes(20))
    (quoted,) = scan(bytes(20) + other + bytes(8) + b'{\\"token\\":\\"' + jwt(5) + b'\\"}' + bytes(20))
    assert plain.encoding == ()
    assert quoted.encoding == ("json", "percent")


def _constant(text: bytes) -> bytes:
    """A text of a class file: tag 1, two bytes of length (JVMS 4.4.7)."""
    return b"\1" + struct.pack(">H", len(text)) + text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"javax/crypto/SecretKey", b"ssl,handshake-2"),
        (b"TlsServerHandshakeTrafficSecret", b"TlsUpdateNplus1"),
        (b"derivedSecret", b"([B)Ljavax/crypto/spec/HKDFParameterSpec$Builder;"),
        (b"token", b"lambda$createCachingTokenValueSupplier$1"),
        (b"(Lsun/security/provider/ML_DSA$ML_DSA_PrivateKey;", b"()Lsun/security/provider/ML_DSA$ML_DSA_PublicKey;"),
    ],
)
def test_names_in_a_class_file_are_no_keys_and_values(key: bytes, value: bytes) -> None:
    assert scan(b"\7\1\xca" + _constant(key) + b"\x08\1\xcd" + _constant(value) + b"\x0c\5\x3a") == []


def test_a_random_value_between_names_of_a_class_file_counts() -> None:
    data = b"\7\1\xca" + _constant(b"client_secret") + _constant(opaque(5, 40)) + b"\x0c\5\x3a"
    (found,) = scan(data)
    assert data[found.spans[0].start : found.spans[0].end] == opaque(5, 40)


def test_a_value_written_like_its_key_ends_where_its_length_says() -> None:
    """A flight recording's environment: type, length, text; then a time, which may look like letters."""
    value = opaque(3, 38)
    data = b"\x03\rCLIENT_SECRET\x03&" + value + b"A[\xc6\x98\xb0\x99\x03\x03\x04PATH\x03\x04/bin"
    (found,) = scan(bytes(20) + data)
    assert (found.spans[0].start, found.spans[0].end) == (37, 37 + len(value))


def test_names_in_a_table_have_no_length_before_them() -> None:
    assert scan(b"setct-CapTokenTBS\0setct-AcqCardCodeMsg\0setct-AuthRevReqTBS\0") == []
    symbol = b"RNvYINtNtCs4wgBoPItHVB_6anyhow5error9ErrorImplINtB5_12ContextErrorReNtNtCs8cF89d45DQ1_10libloading"
    assert scan(b"\0_ZN4core26cargo_credential_libsecret\0_" + symbol[:95] + b"\0") == []


def test_what_memory_left_before_a_key_is_not_shown_as_its_name() -> None:
    before = opaque(7, 40)
    (found,) = scan(bytes(40) + before + b"client_secret=" + opaque(8, 40) + b"&grant_type=Bearer\0")
    assert found.key == "client_secret"
    assert found.spans[0].end - found.spans[0].start == 40
