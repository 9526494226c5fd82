"""Stretches of known values: 12 characters or more of one, plain or in UTF-16, 18 or more inside of base64."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from detectors.detector import Kind
from detectors.patterns import pattern
from detectors.shapes import is_wordy
from scanner.decoders.interface import Reader
from scanner.model import Span
from scanner.redaction.index import WORD, Form, Index, Place
from scanner.redaction.mask import Style, Target, is_beheaded

FRAGMENT = 12  # characters: a shorter stretch tells too little, and chance makes too many
ENCODED = 24  # bytes of a fragment in UTF-16 or in base64, where it is 18 characters
CHANGES = 3  # to a capital, to a digit and from one, within a word: fewer have names and words
RSA_FROM = 800  # bytes of a PEM block: an RSA key of 1,024 bits has 880, one on a curve at most 500
STEP = 4  # of the index: 12 characters hold one of every fourth word
SPARSE = 16  # of so many words in a row of an encoded form, STEP are enough: ENCODED bytes hold one that is looked at
BLOCK = 256 * 1024  # bytes read at once

_CHANGE = pattern(rb"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def add(index: Index, value: bytes, kind: Kind, fingerprint: str, style: Style, *, encoded: bool) -> None:
    """Makes a value's fragments known to an index of STEP: plain ones, or those in UTF-16 and base64."""
    telling = _telling_words(value, kind, style)
    if not encoded:
        index.add(Form(value, kind, fingerprint), telling)
        return
    words = {at for at in telling if at >= _signed(value, kind)}  # a word in UTF-16 is too short to join two parts
    for form in _encoded(value, kind, fingerprint):
        sparse = (at for at in range(len(form.text) - WORD + 1) if at % SPARSE < STEP)
        index.add(form, [at for at in sparse if -(-(at * form.bits + form.shift) // 8) in words])


def _encoded(value: bytes, kind: Kind, fingerprint: str) -> Iterator[Form]:
    """UTF-16 of both orders, which differ in where the first zero stands only; and base64, by the place in a group."""
    wide = b"".join(bytes((byte, 0)) for byte in value)
    yield Form(wide, kind, fingerprint, ("utf-16le",), value=value, bits=4)
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + value)
        first, last = -(-lead * 8 // 6), (lead + len(value)) * 8 // 6
        for text in dict.fromkeys((encoded[first:last], encoded[first:last].translate(_URL_SAFE))):
            yield Form(text, kind, fingerprint, ("base64",), value=value, bits=6, shift=first * 6 - lead * 8)


def _telling_words(text: bytes, kind: Kind, style: Style) -> range | list[int]:
    """Where in a value the words begin by which a fragment of it is met."""
    size = len(text)
    if kind is Kind.BASIC_CREDENTIALS:
        return range(text.find(b":") + 1, size)  # user names stand everywhere
    if kind is Kind.PRIVATE_KEY:
        # A key pair: the public half stands elsewhere by right. In RSA's it is the first part; others are too short.
        return range(size * 3 // 5, size) if size > RSA_FROM else range(0)
    if not (signed := _signed(text, kind)):
        return range(size)
    # A header and a payload are base64 of much that stands in other base64 too: only what joins them is telling.
    dot = text.find(b".")
    if style.keeps_claims or dot < 0:
        return range(signed, size)
    return [*range(max(0, dot - WORD + 2), dot + STEP), *range(signed, size)]


def _signed(text: bytes, kind: Kind) -> int:
    """Where in a value the signature begins that follows encoded claims; its end where there is none, 0 for others."""
    if kind is Kind.JWT and is_beheaded(text):
        return text.rfind(b".") + 1
    damaged = kind is Kind.JWT and text.count(b".") > 1  # a freed block: its header's beginning is lost
    if not damaged and not text.startswith((b"ey", b"ew")):
        return text.rfind(b"_") + 1 if b"_eyJ" in text else 0
    return text.rfind(b".") + 1 if text.count(b".") > 1 else len(text)


def fragments(reader: Reader, index: Index) -> Iterator[Target]:
    """Where fragments of known values stand, in order."""
    buffer = memoryview(bytearray(BLOCK))
    text = b""
    start = told = 0
    while count := reader.readinto(buffer):
        text += bytes(buffer[:count])
        kept = max(0, len(text) - ENCODED)
        for place in index.places(text, _is_telling):
            if place.end == len(text):
                kept = min(kept, place.start)  # it may go on
            elif start + place.end > told:
                told = start + place.end
                yield _target(start, place)
        text, start = text[kept:], start + kept
    for place in index.places(text, _is_telling):
        if start + place.end > told:
            yield _target(start, place)


def _target(start: int, place: Place) -> Target:
    low, high = start + place.start, start + place.end
    if place.form.bits == 4:  # whole letters only
        low, high = low + place.at % 2, high - (place.at + high - low) % 2
    return Target((Span(low, high),), place.form.kind, place.form.fingerprint, place.form.encoding)


def _is_telling(_text: bytes, place: Place) -> bool:
    value, begin, end = place.stretch()
    if end - begin < FRAGMENT or (place.form.encoding and place.end - place.start < ENCODED):
        return False
    found, kind = value[begin:end], place.form.kind
    headed = kind is Kind.JWT or value.startswith((b"ey", b"ew"))
    if end <= _signed(value, kind) and not (headed and b"." in found):
        return False
    return len(_CHANGE.findall(found)) >= CHANGES and not is_wordy(found)
