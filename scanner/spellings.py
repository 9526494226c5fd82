"""How a known value may be written, and a search for all of it at once: a fragment of each form goes to Vectorscan."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from detectors.detector import Secret
from detectors.patterns import pattern
from scanner.row import quote

FRAGMENT = 16  # bytes of a value that are enough to look closer

ALNUM = pattern(rb"[A-Za-z0-9]+")
GLUED = 20  # characters from which on a value is a copy also inside a longer word: chance no longer explains it
WORD_BEGIN = 6  # characters before a value that tell whether it is a word of its own: the longest escape
_BEFORE = pattern(rb"(?:\A|[^A-Za-z0-9]|\\[nrtbfv]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2})\Z")


class Form(Struct, frozen=True):
    """A way a value may be written, known by a fragment that ends `ahead` bytes after the value's start."""

    value: Secret
    encoding: str  # "", "utf-16le", "utf-16be", "hex", "base64", "utf-16le base64", "utf-16be base64"
    fragment: bytes
    ahead: int  # bytes (of the form) from its start to the fragment's end
    whole: bytes  # the form; of base64 only the characters that depend on the value alone
    expression: bytes = b""  # looked for instead of the fragment, where no stretch is sure to stand unescaped
    lead: int = 0  # base64: bytes before the value in its first group of three


class Search:
    """The fragments of all forms in one database. Made once for many streams: 2,000 values take seconds to compile."""

    def __init__(self, values: Iterable[Secret]) -> None:
        import hyperscan  # only where there is something to look for

        grouped: dict[tuple[bytes, bool], list[Form]] = {}
        for value in values:
            for form in _forms(value):
                grouped.setdefault((form.expression or quote(form.fragment), form.encoding == "hex"), []).append(form)
        self.forms = list(grouped.values())
        self._escaped: dict[Secret, re.Pattern[bytes]] = {}
        if not self.forms:
            return
        self._database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[expression for expression, _ in grouped],
            ids=list(range(len(grouped))),
            flags=[hyperscan.HS_FLAG_CASELESS if any_case else 0 for _, any_case in grouped],
        )

    def scan(self, data: memoryview, start: int, after: int) -> list[tuple[int, int]]:
        """(end, index into `forms`) of fragments that end past `after`; ascending. `start`: where `data` stands."""
        seen: list[tuple[int, int]] = []

        def on_match(index: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            seen.append((start + end, index))

        self._database.scan(data, match_event_handler=on_match)
        return sorted(hit for hit in set(seen) if hit[0] > after)

    def escaped(self, value: Secret) -> re.Pattern[bytes]:
        """The value with any of its special characters escaped; a fragment's end is not told by it."""
        if value not in self._escaped:
            self._escaped[value] = re.compile(b"".join(_any_spelling(byte) for byte in value.reveal()))
        return self._escaped[value]


def _any_spelling(byte: int) -> bytes:
    char = re.escape(bytes([byte]))
    if ALNUM.fullmatch(bytes([byte])):
        return char
    digits = b"(?i:%02x)" % byte
    return rb"(?:\\?" + char + b"|%(?:25)?" + digits + rb"|\\u00" + digits + rb"|\\x" + digits + b")"


def _forms(value: Secret) -> Iterator[Form]:
    plain = value.reveal()
    start, end = _fragment(plain)
    part = plain[start:end]
    escapable = b"" if ALNUM.fullmatch(part) else b"".join(map(_any_spelling, part))
    yield Form(value, "", part, end, plain, escapable)
    for encoding in ("utf-16le", "utf-16be"):
        yield Form(value, encoding, _wide(part, encoding), 2 * end, _wide(plain, encoding))
    yield Form(value, "hex", part.hex().encode(), 2 * end, plain.hex().encode())
    if b":" in plain:  # Basic credentials, which programs keep as they send them, in strings of two bytes a character
        blob = base64.b64encode(plain).rstrip(b"=")
        low, high = _fragment(blob)
        for order in ("utf-16le", "utf-16be"):
            yield Form(value, f"{order} base64", _wide(blob[low:high], order), 2 * high, _wide(blob, order))
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + plain + bytes(3))
        first, last = -(-lead * 8 // 6), (lead + len(plain)) * 8 // 6
        whole = encoded[first:last]
        for spelling in dict.fromkeys((whole, whole.translate(bytes.maketrans(b"+/", b"-_")))):
            start, end = _fragment(spelling)
            yield Form(value, "base64", spelling[start:end], end, whole, lead=lead)


def _wide(data: bytes, encoding: str) -> bytes:
    return data.decode("latin-1").encode(encoding)


def _fragment(form: bytes) -> tuple[int, int]:
    """[start, end) of the most telling stretch: letters and digits, most different ones; of equals the last."""
    runs = [match.span() for match in ALNUM.finditer(form)]
    longest = max((end - start for start, end in runs), default=0)
    if longest < FRAGMENT // 2:
        runs, longest = [(0, len(form))], len(form)  # too short to tell: any stretch will do, see Form.expression
    size = min(FRAGMENT, longest)
    places = [at for start, end in runs for at in range(start, end - size + 1, 4)]
    best = max(places, key=lambda at: (len(set(form[at : at + size])), at))
    return best, best + size


def stands_alone(size: int, before: bytes, after: bytes, unit: int) -> bool:
    """Whether a value is not just a part of a longer word. A character takes `unit` bytes of what stands before it (of
    that WORD_BEGIN characters) and after it (one): 2 in UTF-16. `size`: of the value, in characters.
    """
    if size >= GLUED:
        return True
    if unit == 2:
        before, after = before.replace(b"\0", b""), after.replace(b"\0", b"")
    return bool(_BEFORE.search(before)) and not after.isalnum()
