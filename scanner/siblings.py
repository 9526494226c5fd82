"""Whose a token is, by what stands beside it in the same object: client and issuer.

The object is what the brackets around the token hold; without brackets, its line.
"""

from __future__ import annotations

import re

from msgspec import Struct

from detectors.patterns import pattern

REACH = 1500  # bytes on either side
# Something must part a key from its value: the words alone stand in random text too, and what follows them there is a
# piece of another secret.
_SEP = rb"""(?=[^A-Za-z0-9])["'\]\s]{0,4}(?:=>|->|:=|=|:|,|>)?\s{0,12}["'\[(]{0,2}"""
_CLIENT = pattern(
    rb"(?i)(?:client[_.-]?id|(?<![a-z0-9+/_-])azp|appid|app[_-]?id|consumer[_-]?key)"
    + _SEP
    + rb"(?!(?:bearer|basic|dpop|token)\s)(?P<v>[A-Za-z0-9][A-Za-z0-9._@:/-]{1,120})"
)
# Of its address the scheme, the host and the path: userinfo, query and fragment may hold secrets. A host is followed by
# what may follow one, else it is the user of a password that was cut.
_ISSUER = pattern(
    rb"(?i)(?<![a-z])(?:iss|issuer(?:[_-]?ur[il])?|token[_.-]?(?:ur[il]|endpoint)|authority)"
    + _SEP
    + rb"(?P<scheme>https?://)(?:[^\s\"'<>/?#]{0,256}@)?"
    + rb"(?P<place>(?:[a-z0-9._\x80-\xff-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?=[/?#|\s\"'<>,;)\]}&\\]|\Z)"
    + rb"(?:/[^\s\"'<>,;)\]}&?#@]{0,200})?)"
)
_BRACKETS = pattern(rb"[{}()\[\]]")
_MARKS = pattern(rb"[{}()\[\]\n]")
_GOES_ON = pattern(rb"""[ \t]*["'<:\[}]|\s*[A-Za-z_"'-]{3,40}\s{0,12}[:=]""")  # a line that continues an object


class Siblings(Struct, frozen=True):
    """Fields found; None where there is none."""

    client_id: str | None = None
    issuer: str | None = None


def beside(data: bytes, start: int, end: int) -> Siblings:
    """The siblings of the token at [start, end)."""
    after = _until_closed(data[end : end + REACH])
    before = _from_opened(data[max(0, start - REACH) : start])
    both = (after + before).lower()  # a word that is nowhere needs no expression to look for it
    client = issuer = None
    if b"client" in both or b"app" in both or b"azp" in both or b"consumer" in both:
        client = _CLIENT.search(after) or _last(_CLIENT, before)
    if b"://" in both:
        issuer = _ISSUER.search(after) or _last(_ISSUER, before)
    return Siblings(
        client_id=client["v"].decode("ascii") if client else None,
        issuer=(issuer["scheme"] + issuer["place"]).decode("utf-8", "replace") if issuer else None,
    )


def _last(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    return next(reversed(list(pattern.finditer(text))), None)


def _until_closed(text: bytes) -> bytes:
    """Up to the bracket that closes the object the text begins in, or the end of its line."""
    depth = 0
    for found in _MARKS.finditer(text):
        char = found[0]
        if char in b"{([":
            depth += 1
        elif char in b"})]":
            depth -= 1
            if depth < -1 or (depth < 0 and char == b"}"):
                return text[: found.start()]
        elif depth <= 0 and not _GOES_ON.match(text, found.end()):
            return text[: found.start()]
    return text


def _from_opened(text: bytes) -> bytes:
    """From the bracket that opens the object the text ends in."""
    depth = 0
    for high in range(len(text), 0, -_STEP):  # it mostly opens near
        for found in reversed(list(_BRACKETS.finditer(text, max(0, high - _STEP), high))):
            if found[0] in b"}])":
                depth += 1
            else:
                depth -= 1
                if depth < -1 or (depth < 0 and found[0] == b"{"):
                    return text[found.end() :]
    return text[text.rfind(b"\n") + 1 :] if depth >= 0 else text


_STEP = 256  # bytes looked at at once
