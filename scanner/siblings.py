"""What stands beside a token in the same object: how long it lives, whose it is.

The object is what the brackets around the token hold; without brackets, its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from detectors.detector import Kind
from scanner import timestamps

REACH = 1500  # bytes on either side; larger objects hold their token's lifetime next to it all the same
_SEP = rb"""["'\]\s]{0,4}(?:=>|->|=|:|,|>)?\s{0,12}(?:int\(|float\(|NumberLong\()?["'\[(]{0,2}"""
_EXPIRES_IN = re.compile(
    rb"(?i)(?P<p>refresh[_-]?(?:token[_-]?)?)?expires?[_-]?in" + _SEP + rb"(?P<n>\d{1,9})(?![\d.]*[-:T])"
)
_EXPIRES_AT = re.compile(
    rb"(?i)(?P<p>refresh[_-]?(?:token[_-]?)?)?(?:expires?[_-]?at|expires?[_-]?on|expiry(?:[_-]?(?:time|date))?|"
    rb"expiration(?:[_-]?(?:time(?:stamp)?|date))?|valid[_-]?until|expires)" + _SEP + rb"(?P<t>\d[0-9T:. +Z/-]{8,34})"
)
_CLIENT = re.compile(
    rb"(?i)(?:client[_.-]?id|azp|appid|app[_-]?id|consumer[_-]?key)"
    + _SEP
    + rb"(?P<v>[A-Za-z0-9][A-Za-z0-9._@:/-]{1,120})"
)
_ISSUER = re.compile(
    rb"(?i)(?<![a-z])(?:iss|issuer(?:[_-]?ur[il])?|token[_.-]?(?:ur[il]|endpoint)|authority)"
    + _SEP
    + rb"(?P<v>https?://[^\s\"'<>,;)\]}&]{4,200})"
)
_BRACKETS = re.compile(rb"[{}()\[\]]")
_MARKS = re.compile(rb"[{}()\[\]\n]")
_GOES_ON = re.compile(rb"""[ \t]*["'<:\[}]|\s*[A-Za-z_"'-]{3,40}\s{0,12}[:=]""")  # a line that continues an object


@dataclass(frozen=True, slots=True)
class Siblings:
    """Fields found; None where there is none."""

    expires_in: float | None = None  # seconds
    expires_at: datetime | None = None
    client_id: str | None = None
    issuer: str | None = None


def beside(data: bytes, start: int, end: int, kind: Kind) -> Siblings:
    """The siblings of the token at [start, end)."""
    after = _until_closed(data[end : end + REACH])
    before = _from_opened(data[max(0, start - REACH) : start])
    own = kind is Kind.REFRESH_TOKEN
    both = (after + before).lower()  # a word that is nowhere needs no expression to look for it
    lifetime = moment = client = issuer = None
    if b"expir" in both or b"until" in both:
        lifetime = _pick(_EXPIRES_IN, after, before, own)
        moment = _pick(_EXPIRES_AT, after, before, own)
    stamp = timestamps.parse(moment["t"].strip()) if moment else None
    if b"client" in both or b"app" in both or b"azp" in both or b"consumer" in both:
        client = _CLIENT.search(after) or _last(_CLIENT, before)
    if b"://" in both:
        issuer = _ISSUER.search(after) or _last(_ISSUER, before)
    return Siblings(
        expires_in=float(lifetime["n"]) if lifetime else None,
        expires_at=stamp.moment if stamp else None,
        client_id=client["v"].decode("ascii") if client else None,
        issuer=issuer["v"].decode("utf-8", "replace") if issuer else None,
    )


def _pick(pattern: re.Pattern[bytes], after: bytes, before: bytes, refresh: bool) -> re.Match[bytes] | None:
    """The nearest match that is of this token: those named after the refresh token are its own, and only those."""
    for found in pattern.finditer(after):
        if bool(found["p"]) == refresh:
            return found
    for found in reversed(list(pattern.finditer(before))):
        if bool(found["p"]) == refresh:
            return found
    return None


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
    for found in reversed(list(_BRACKETS.finditer(text))):
        if found[0] in b"}])":
            depth += 1
        else:
            depth -= 1
            if depth < -1 or (depth < 0 and found[0] == b"{"):
                return text[found.end() :]
    return text[text.rfind(b"\n") + 1 :] if depth >= 0 else text
