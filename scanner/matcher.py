"""Anchors -> one Vectorscan database -> hits.

From each literal the matcher derives how it would look in UTF-16, hex and base64, so that encodings
and detectors add up and do not multiply. A hit tells which form was seen; views.py decodes from there.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from detectors.detector import Anchor, Detector
from scanner import anchor_cache
from scanner.framings import byte_list, hexdump, mail, memory_words, nested, partial
from scanner.model import Hit
from scanner.rules.wide import widened
from scanner.widetext import Expression, WideText, is_wide

if TYPE_CHECKING:
    import hyperscan

LONGEST = 384  # bytes no anchor's match exceeds, in any encoding: the overlap between two scanned blocks
# The rest of a key. Bounded: else a run of base64 with a key's word in it stays a candidate to its end, and the whole
# database goes through it at a tenth of its speed.
KEY_REST = rb"[A-Za-z0-9_.\-]{0,48}"
# One of these separates a key from a value, in any escape: punctuation, a line's end, the bytes of a binary format.
FOLLOW = rb"""[ \t]{0,40}(?:["'`=:\\%>)\]}(<,;#|\r\n\x00-\x08\x0e-\x1f\x7f-\xff]|&[#aglq]|->)"""
TAIL = KEY_REST + FOLLOW
LONGEST_TAIL = 90  # characters
SHORTEST_HEX = 3  # bytes a literal needs for a hex or base64 form: shorter ones hit everywhere
SHORTEST_BASE64 = 4  # base64 characters that must be left of a literal that is not aligned


class Row(NamedTuple):
    """One expression of the database. `phase`: base64 characters of the last quantum that were matched.

    A tuple, since there are thousands: they are made in half the time of a dataclass.
    """

    expression: bytes
    caseless: bool
    encoding: str  # "", "utf-16le", "utf-16be", "hex", "base64"
    detectors: tuple[Detector, ...]
    phase: int = 0
    size: int = 0  # bytes of the form, for UTF-16; 0 where they vary
    keyed: bool = False  # UTF-16: counts only where a TAIL follows, which the expression leaves out
    framing: str = ""  # no anchor, but a layout whose bytes are to be decoded and matched again: see _FRAMINGS
    wide: str = ""  # the byte order of the UTF-16 that a run of `encoding` stands in, see framings/nested.py
    narrow: bytes = b""  # what the expression of a UTF-16 form is without the NULs


class Matcher:
    """The compiled anchors of a set of detectors. Built once a process: a database can't be pickled."""

    def __init__(self, detectors: Iterable[Detector], *, cached: bool = False) -> None:
        """`cached`: keep the compiled database in the user's cache folder, for the next run."""
        self.rows = (*_rows(detectors), *_FRAMINGS)
        self._database = _database(self.rows, cached)
        self._scratch = Lock()  # what Vectorscan works in: one scan at a time, which it runs without the GIL
        self._wide = WideText(self.rows, lambda rows: _database(rows, cached))

    def scan(self, data: memoryview | bytes, start: int, after: int) -> list[Hit]:
        """Hits in `data`, whose first byte has the offset `start`, that end past `after`; ascending."""
        found: list[tuple[int, int]] = []
        seen = found.append

        def on_match(row: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            seen((end, row))

        with self._scratch:
            if is_wide(data):
                found += self._wide.scan(data)
            else:
                self._database.scan(data, match_event_handler=on_match)  # type: ignore[type-var]  # any buffer will do
        return [Hit(start + end, row) for end, row in sorted(set(found)) if start + end > after]


def _database(rows: Sequence[Row] | Sequence[Expression], cached: bool) -> hyperscan.Database:
    import hyperscan  # not needed to list detectors or to read an empty file

    expressions = [row.expression for row in rows]
    flags = [hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if row.caseless else 0) for row in rows]
    version = hyperscan.__version__  # type: ignore[attr-defined]  # its stubs leave it out
    made_by = f"{version} {platform.machine()}".encode()
    told = b"\n".join([made_by, bytes(flags), *[b"%d:%s" % (len(one), one) for one in expressions]])
    digest = hashlib.sha256(told).hexdigest()
    kept = anchor_cache.load(digest) if cached else None
    if kept is not None:
        try:
            database = hyperscan.loadb(kept, mode=hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.error:  # compiled for another processor
            pass
        else:
            return database
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=list(range(len(rows))), flags=flags)
    if cached:
        anchor_cache.store(digest, hyperscan.dumpb(database))
    return database


def _rows(detectors: Iterable[Detector]) -> Iterator[Row]:
    users: dict[Anchor, list[Detector]] = {}
    for detector in detectors:
        for anchor in detector.anchors:
            users.setdefault(anchor, []).append(detector)
    forms: dict[_Form, list[Detector]] = {}
    made = {anchor: tuple(_forms(anchor)) for anchor in users}  # takes a tenth of a start
    for anchor, using in users.items():
        for form in made[anchor]:
            forms.setdefault(form, []).extend(using)
    keyed = {form for anchor in users if anchor.keyed for form in made[anchor]}
    keyed -= {form for anchor in users if not anchor.keyed for form in made[anchor]}
    for form, using in forms.items():
        expression, caseless, encoding, phase, narrow, size = form
        different = tuple({d.id: d for d in using}.values()) if len(using) > 1 else tuple(using)
        only_keyed = bool(narrow) and form in keyed
        yield Row(expression, caseless, encoding, different, phase, size, only_keyed, narrow=narrow)


_Form = tuple[bytes, bool, str, int, bytes, int]  # as in a Row: expression, caseless, encoding, phase, narrow, size


def _forms(anchor: Anchor) -> Iterator[_Form]:
    if anchor.pattern:
        yield anchor.pattern, anchor.caseless, "", 0, b"", 0
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


# Layouts whose bytes are decoded and matched again.
_FRAMINGS = (
    *(Row(trigger, False, "", (), framing="hexdump") for trigger in hexdump.TRIGGERS),
    Row(memory_words.TRIGGER, False, "", (), framing="memory-words"),
    *(Row(trigger, False, "", (), framing="partial") for trigger in partial.TRIGGERS),
    Row(mail.TRIGGER, True, "", (), framing="mail"),
    *(Row(trigger, True, "", (), framing="byte-list") for trigger in byte_list.TRIGGERS),
    *(
        Row(one.expression, one.caseless, one.encoding, (), one.phase, one.size, False, "nested", one.wide, one.narrow)
        for one in nested.triggers()
    ),
)
_QUOTED = [re.escape(bytes([byte])).replace(b"\0", rb"\x00") for byte in range(256)]


def quote(literal: bytes) -> bytes:
    """The expression for a literal; a NUL inside an expression would end it."""
    return b"".join([_QUOTED[byte] for byte in literal])


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
