"""Anchors -> the forms in which they are looked for, each with the detectors that want it.

From each literal derive how it would look in UTF-16, hex and base64, so that encodings and detectors add up and do not
multiply.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from detectors.detector import Anchor, Detector
from scanner.framings import byte_list, hexdump, mail, memory_words, nested, partial
from scanner.row import TAIL, Row, quote
from scanner.rules.wide import widened

SHORTEST_HEX = 3  # bytes a literal needs for a hex or base64 form: shorter ones hit everywhere
SHORTEST_BASE64 = 4  # base64 characters that must be left of a literal that is not aligned


def all_rows(detectors: Sequence[Detector]) -> tuple[Row, ...]:
    """The forms of all their anchors, each once, then the layouts."""
    users: dict[Anchor, list[int]] = {}
    for place, detector in enumerate(detectors):
        for anchor in detector.anchors:
            users.setdefault(anchor, []).append(place)
    forms: dict[_Form, list[int]] = {}
    made = {anchor: tuple(_forms(anchor)) for anchor in users}
    for anchor, using in users.items():
        for form in made[anchor]:
            forms.setdefault(form, []).extend(using)
    keyed = {form for anchor in users if anchor.keyed for form in made[anchor]}
    keyed -= {form for anchor in users if not anchor.keyed for form in made[anchor]}
    return (*(_row(form, using, form in keyed) for form, using in forms.items()), *_framings())


def _row(form: _Form, using: list[int], keyed: bool) -> Row:
    expression, caseless, encoding, phase, narrow, size = form
    different = tuple(dict.fromkeys(using))
    return Row(expression, caseless, encoding, different, phase, size, bool(narrow) and keyed, narrow=narrow)


# A quotation mark of an expression, but in a class of characters: behind backslashes in a string of JSON or C.
_QUOTE = re.compile(rb"""(?<![\\\[\]'])"(?![\]'])""")
_Form = tuple[bytes, bool, str, int, bytes, int]  # as in a Row: expression, caseless, encoding, phase, narrow, size


def _forms(anchor: Anchor) -> Iterator[_Form]:
    if anchor.pattern:
        tail = TAIL if anchor.keyed else b""
        yield anchor.pattern + tail, anchor.caseless, "", 0, b"", 0
        if _QUOTE.search(anchor.pattern):
            yield _QUOTE.sub(rb"\\\\{1,8}\"", anchor.pattern) + tail, anchor.caseless, "", 0, b"", 0
        yield widened(anchor.pattern, big=False), anchor.caseless, "utf-16le", 0, anchor.pattern, 0
        yield widened(anchor.pattern, big=True), anchor.caseless, "utf-16be", 0, anchor.pattern, 0
        return
    literal = anchor.literal
    tail = TAIL if anchor.keyed else b""
    if not anchor.wrapped:
        yield quote(literal) + tail, anchor.caseless, "", 0, b"", 0
        yield from ((written + tail, anchor.caseless, "", 0, b"", 0) for written in _escaped(literal))
    quoted, narrow, size = [_QUOTED[c] for c in literal], quote(literal), 2 * len(literal)
    yield rb"\x00".join([*quoted, b""]), anchor.caseless, "utf-16le", 0, narrow, size
    yield rb"\x00".join([b"", *quoted]), anchor.caseless, "utf-16be", 0, narrow, size
    if len(literal) >= SHORTEST_HEX:
        table = _HEX_CASELESS if anchor.caseless else _HEX
        yield b"".join([table[c] for c in literal]), True, "hex", 0, b"", 0
    for spelling in _spellings(literal, anchor.caseless):
        for phase, form in base64_forms(spelling):
            yield quote(form), False, "base64", phase, b"", 0


def _framings() -> Iterator[Row]:
    """Layouts whose bytes are decoded and matched again."""
    yield from (Row(trigger, False, "", (), framing="hexdump") for trigger in hexdump.TRIGGERS)
    yield Row(memory_words.TRIGGER, False, "", (), framing="memory-words")
    yield from (Row(trigger, False, "", (), framing="partial") for trigger in partial.TRIGGERS)
    yield Row(mail.TRIGGER, True, "", (), framing="mail")
    yield from (Row(trigger, True, "", (), framing="byte-list") for trigger in byte_list.TRIGGERS)
    for one in nested.triggers():
        head = (one.expression, one.caseless, one.encoding, (), one.phase, one.size)
        yield Row(*head, framing="nested", wide=one.wide, narrow=one.narrow)


_QUOTED = [quote(bytes([byte])) for byte in range(256)]


_PERCENT = [
    quoted
    if bytes([byte]).isalnum() or byte in b"-._~"
    else b"%%(?:25)?%s"
    % b"".join(
        b"[%s%s]" % (digit.lower(), digit) if digit.isalpha() else digit
        for digit in (b"%X" % (byte >> 4), b"%X" % (byte & 15))
    )
    for byte, quoted in enumerate(_QUOTED)
]
_UNICODE = [rb"\\{1,4}u00%02x" % byte if byte in b"&'+<=>" else quoted for byte, quoted in enumerate(_QUOTED)]
_SLASHED = [rb"\\{1,4}/" if byte == 0x2F else quoted for byte, quoted in enumerate(_QUOTED)]


def _escaped(literal: bytes) -> Iterator[bytes]:
    """How a literal with more than letters in it looks in percent, once or twice, and in JSON that escapes needlessly.

    Sources: RFC 3986 section 2.3, RFC 8259 section 7 (`\\/` is PHP's, `\\u003d` Gson's and .NET's).
    """
    for table in (_PERCENT, _UNICODE, _SLASHED):
        written = b"".join([table[byte] for byte in literal])
        if written != quote(literal):
            yield written


_HEX = [b"%02x" % byte for byte in range(256)]
_HEX_CASELESS = [
    one if char.swapcase() == char else b"(?:%s|%s)" % (char.upper().hex().encode(), char.lower().hex().encode())
    for one, char in zip(_HEX, map(bytes, zip(range(256))), strict=True)
]


def _spellings(literal: bytes, caseless: bool) -> tuple[bytes, ...]:
    if not caseless:
        return (literal,)
    humps = [literal[: len(head)] + literal[len(head) :].capitalize() for head in _heads(literal.lower())]
    humps += [hump[:1].upper() + hump[1:] for hump in humps]
    return tuple(dict.fromkeys((literal, literal.lower(), literal.capitalize(), literal.upper(), *humps)))


def _heads(literal: bytes) -> Iterator[bytes]:
    """What stands before the last word of a glued name, which may begin with a capital: `api` of `apikey`."""
    for word in (b"key", b"code", b"string"):
        head = literal.removesuffix(word)
        if head != literal and head.isalpha() and len(head) > 2:
            yield head


def base64_forms(literal: bytes) -> Iterator[tuple[int, bytes]]:
    """(characters of the last quantum that were matched, characters) of a literal at each of 3 alignments.

    Only characters that depend on the literal alone are kept (RFC 4648 section 4).
    """
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + literal + bytes(3))
        first, last = -(-lead * 8 // 6), (lead + len(literal)) * 8 // 6
        kept = encoded[first:last]
        if len(kept) < SHORTEST_BASE64:
            continue
        yield last % 4, kept
        if kept != (other := kept.translate(bytes.maketrans(b"+/", b"-_"))):
            yield last % 4, other
