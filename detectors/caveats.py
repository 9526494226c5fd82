"""Macaroons and Biscuits: bearer tokens that anybody who holds them can narrow. Recognised by their binary form.

Of neither can the end be told without its issuer's words: their caveats and checks are the issuer's own language.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator

from detectors.claims import decode_part
from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text, TokenFacts
from detectors.patterns import pattern

BACK = 4096  # bytes before an anchor in which its token begins
AFTER = 8192  # bytes: a header's line, which servers bound at 8 KB
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_HEX = b"0123456789abcdefABCDEF"
_PAD = pattern(rb"={0,2}")

Holds = Callable[[bytes], bool]


def _around(family: str, holds: Holds) -> Callable[[Text], Iterable[Match]]:
    """A confirm for a token that is the whole run of its alphabet around the anchor."""

    def confirm(text: Text) -> Iterator[Match]:
        for alphabet, decode in ((_ALPHABET, decode_part), (_HEX, _from_hex)):
            before = text.data[max(0, text.hit - BACK) : text.hit]
            start = text.hit - (len(before) - len(before.rstrip(alphabet)))
            rest = text.data[text.hit : text.hit + AFTER]
            end = text.hit + len(rest) - len(rest.lstrip(alphabet))
            if end == len(text.data) and text.cut and end < text.hit + AFTER:
                raise NeedMore
            raw = decode(text.data[start:end])
            if raw and holds(raw):
                padded = _PAD.match(text.data, end)
                end = padded.end() if padded and alphabet is _ALPHABET else end
                yield Match(
                    start, end, Kind.BEARER_TOKEN, Secret(text.data[start:end]), Rank.STRUCTURE, Confidence.HIGH,
                    TokenFacts(token_type=family), family=family,
                )  # fmt: skip
                return

    return confirm


def _from_hex(run: bytes) -> bytes | None:
    return bytes.fromhex(run.decode("ascii")) if run and len(run) % 2 == 0 else None


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """(number, index behind it) of a varint of at most 4 bytes; (-1, at) where there is none."""
    number = 0
    for place, byte in enumerate(raw[at : at + 4]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    return -1, at


# "The binary format": a version, then packets of a type, a length and data; 0 ends a section, the signature the whole.
_END, _LOCATION, _IDENTIFIER, _VERIFIER, _SIGNATURE = 0, 1, 2, 4, 6


def _is_macaroon(raw: bytes) -> bool:
    if raw[:1] != b"\2":
        return False
    at, order = 1, [_END]
    while at < len(raw):
        kind, size = raw[at], 0
        if kind != _END:
            size, at = _varint(raw, at + 1)
        if size < 0 or at + size > len(raw) or kind not in (_END, _LOCATION, _IDENTIFIER, _VERIFIER, _SIGNATURE):
            return False
        if kind == _SIGNATURE:
            return size == 32 and at + size == len(raw) and order[-2:] == [_END, _END] and _IDENTIFIER in order
        at += size if kind != _END else 1
        order.append(kind)
    return False


# message Biscuit { optional uint32 rootKeyId = 1; required SignedBlock authority = 2; repeated SignedBlock blocks = 3;
# required Proof proof = 4; } message SignedBlock { required bytes block = 1; required PublicKey nextKey = 2; …}
def _is_biscuit(raw: bytes) -> bool:
    fields = _fields(raw)
    blocks = [value for number, value in fields if number in (2, 3)]
    numbers = [number for number, _ in fields]
    return (
        numbers.count(2) == 1
        and numbers[-1:] == [4]
        and all([number for number, _ in _fields(block)][:3] == [1, 2, 3] for block in blocks)
    )


def _fields(raw: bytes) -> list[tuple[int, bytes]]:
    """The fields of a protobuf message that has numbers and lengths only; none where it is no such message."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        size, at = _varint(raw, at)
        if tag < 0 or size < 0 or tag & 7 not in (0, 2):
            return []
        length = size if tag & 7 == 2 else 0
        if at + length > len(raw):
            return []
        found.append((tag >> 3, raw[at : at + length]))
        at += length
    return found


def _packet(kind: int, data: bytes) -> bytes:
    return bytes((kind, len(data))) + data


def _message(*fields: tuple[int, bytes]) -> bytes:
    return b"".join(
        bytes((number << 3 | 2, *((len(data),) if len(data) < 128 else (len(data) & 127 | 128, len(data) >> 7)))) + data
        for number, data in fields
    )


_RANDOM = bytes((i * 197 + 89) % 256 for i in range(256))
_HEAD = b"\2" + _packet(_LOCATION, b"https://id.acme.io/") + _packet(_IDENTIFIER, b"17-orders") + b"\0"
_MACAROONS = tuple(
    base64.urlsafe_b64encode(
        _HEAD + _packet(_IDENTIFIER, b"client = orders" + b"x" * more) + b"\0\0" + _packet(_SIGNATURE, _RANDOM[:32])
    ).rstrip(b"=")
    for more in range(3)
)
_LND_HEAD = b"\2" + _packet(_LOCATION, b"lnd") + _packet(_IDENTIFIER, _RANDOM[:34])
_LND = (_LND_HEAD + b"\0\0" + _packet(_SIGNATURE, _RANDOM[:32])).hex()
_NEXT_KEY = b"\x08\0\x12\x20" + _RANDOM[:32]
_BISCUITS = tuple(
    base64.urlsafe_b64encode(
        _message(
            (2, _message((1, b"\n\4user\x18\3" + b"x" * more), (2, _NEXT_KEY), (3, _RANDOM[:64]))),
            (4, _message((1, _RANDOM[32:64]))),
        )
    )
    for more in range(3)
)

DETECTORS = (
    Detector(
        id="macaroon-v2",
        kind=Kind.BEARER_TOKEN,
        title="Macaroon, version 2",
        # Base64 of the end of the last section and the signature's head (00 06 20), in its three places; LND's in hex.
        anchors=(
            Anchor(pattern=rb"AAYg[0-9A-Za-z_+/\-]{40}"),
            Anchor(pattern=rb"AGI[A-P][0-9A-Za-z_+/\-]{40}"),
            Anchor(pattern=rb"ABi[A-D][0-9A-Za-z_+/\-]{40}"),
            Anchor(pattern=rb"0201036c6e6402", caseless=True),
        ),
        confirm=_around("macaroon", _is_macaroon),
        reference="https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt",
        examples=(
            *((b"Authorization: Macaroon " + token + b"\n", token) for token in _MACAROONS),
            (b"grpc-metadata-macaroon: " + _LND.encode() + b"\n", _LND.encode()),
        ),
        counterexamples=(b"AgEUaHR0cHM6AAYg" + b"x" * 43, b"MAGICAL" + b"A" * 48),
        before=BACK + 8,
        after=AFTER,
    ),
    Detector(
        id="biscuit",
        kind=Kind.BEARER_TOKEN,
        title="Biscuit",
        # Base64 of the field of the next public key (12 24 08 00 12 20: Ed25519, 32 bytes), in its three places.
        anchors=(Anchor(pattern=rb"EiQIABIg"), Anchor(pattern=rb"IkCAASI"), Anchor(pattern=rb"SJAgAEi")),
        confirm=_around("biscuit", _is_biscuit),
        reference="https://github.com/biscuit-auth/biscuit/blob/main/schema.proto",
        examples=tuple((b"Authorization: Bearer " + token + b"\n", token) for token in _BISCUITS),
        counterexamples=(b"EiQIABIg" + b"x" * 80, b"EnYKDBgDEiQIABIgAAAA"),
        before=BACK + 8,
        after=AFTER,
    ),
)
