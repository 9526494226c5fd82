"""Base64, hex or UTF-16 inside base64 or hex, and base64 or hex inside UTF-16.

The matcher knows each anchor in one such form. Two inside each other are told by a few words of credentials written
so, as a run alone may be anything; what it holds is then matched as any text. Kubernetes secrets of files that are
base64 themselves, PowerShell's -EncodedCommand and its transcripts, SQL Server's binary literals of NVARCHAR.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from msgspec import Struct

# The start of words, cut so that the case of their first letter does not matter.
_WORDS = (
    b"efresh_", b"ccess_t",
    b"earer ", b"asic ", b"uthoriz", b"oken", b"ecret", b"asswor", b"rivate", b"RIVATE KEY", b"api_key", b"apikey",
    b"piKey", b"X-Api-Key", b"code=", b"code\"", b"ignature", b"lient_", b"grant_", b"HTTP/1", b"session",
    b"eyJhbGci", b"eyJ0eXAi", b"eyJraWQi",
)  # fmt: skip
_MAIL = b"ransfer-Encoding: "  # of a mail, whose lines are broken anywhere: once is enough
SHORTEST = {"base64": 6, "hex": 10, "utf-16le": 12, "utf-16be": 12}  # bytes of a form: shorter ones are met by chance


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Trigger(Struct, frozen=True):
    """`encoding` and `phase` are those of the run that is decoded, as in the matcher; `wide`: what that stands in."""

    expression: bytes
    caseless: bool
    encoding: str
    phase: int
    wide: str = ""
    narrow: bytes = b""  # the expression without the NULs of UTF-16, and the bytes of the form with them
    size: int = 0


def triggers() -> tuple[Trigger, ...]:
    """Each expression once."""
    forms = [one for word in _WORDS for one in _of(word)]
    forms += _told("base64", ((form, phase) for phase, form in _base64(_MAIL)))
    forms += _told("hex", ((form, 0) for form in _hex(_MAIL)[:1]))
    found = {(one.expression, one.caseless): one for one in forms}
    return tuple(found.values())


def _of(word: bytes) -> Iterator[Trigger]:
    runs = list(_base64(word))
    for _, inner in (*runs, *((0, form) for form in (*_hex(word), *_wide(word)))):
        yield from _told("base64", ((quoted, phase) for phase, quoted in _base64(inner)))
        yield from _told("hex", ((quoted, 0) for quoted in _hex(inner)[:1]))
    for phase, inner in runs:
        for wide, form in zip(("utf-16le", "utf-16be"), _wide(inner), strict=True):
            if len(form) >= SHORTEST[wide]:
                yield Trigger(_quoted(form), False, "base64", phase, wide, _quoted(inner), len(form))
    for inner in _hex(word):
        for wide, form in zip(("utf-16le", "utf-16be"), _wide(inner), strict=True):
            yield Trigger(_quoted(form), True, "hex", 0, wide, _quoted(inner), len(form))


def _told(encoding: str, forms: Iterator[tuple[bytes, int]]) -> Iterator[Trigger]:
    for form, phase in forms:
        if len(form) >= SHORTEST[encoding]:
            yield Trigger(_quoted(form), encoding == "hex", encoding, phase)


def _quoted(form: bytes) -> bytes:
    return re.escape(form).replace(b"\0", rb"\x00")


def _base64(text: bytes) -> Iterator[tuple[int, bytes]]:
    """(characters of the last quantum, those that depend on the text alone) at each of three alignments."""
    for lead in range(3):
        first, last = -(-lead * 8 // 6), (lead + len(text)) * 8 // 6
        form = base64.b64encode(bytes(lead) + text + bytes(3))[first:last]
        yield from ((last % 4, written) for written in dict.fromkeys((form, form.translate(_URL_SAFE))))


def _hex(text: bytes) -> tuple[bytes, ...]:
    lower = text.hex().encode()
    return (lower,) if lower == lower.upper() else (lower, lower.upper())


def _wide(text: bytes) -> tuple[bytes, bytes]:
    pairs = b"".join(b"%c\0" % c for c in text)
    return pairs, b"\0" + pairs[:-1]
