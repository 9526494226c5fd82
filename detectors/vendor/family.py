"""A vendor's token type as data, and the one confirm that turns such a row into a Detector."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from msgspec import Struct

from detectors.detector import (
    Anchor,
    Confidence,
    Detector,
    Kind,
    Match,
    NeedMore,
    Rank,
    Secret,
    Text,
    TokenFacts,
    Usual,
)
from detectors.patterns import pattern

ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
URLSAFE = ALNUM | frozenset(b"_-")
BASE64 = ALNUM | frozenset(b"+/=")
NOTHING: frozenset[int] = frozenset()

# Strings that examples are cut from: random once, so that no example is anyone's token.
HEX = b"3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f48e2b6d5390fa47c18de2635b" * 5
B62 = (
    b"7Qm2ZxR9aLkV4tYbN0cWpE8sUdJ6fHgT3iKoXrB5vMyDq1wFzGnSPjCeAuhOIl"
    b"k4TnVb8XqLm0ZcRw7JyHs2FgDp9KtEaNu5BiQoGx3CrYv6MdWfPj1SzAhUeIlO"
) * 4
B64U = (
    b"Zk3_xQ9-bTmL2vRw8YcN0aHs-Jd5FgKpU7eXo_i4MzVq1tSyBnG6rEWfCjDuAhPl"
    b"O0w-Kb7_Tq4RzXn8VcLm2YsHg5DdFpJ9uEaNtBiQoGx3CrUvW6MfkPj1SyAheIlZ"
) * 4
UPPER = b"7QZR2LKV4TYBN0CWPE8SUDJ6FHGT3IKOXRB5VMYDQ1WFZGN9SPJCEAUHOIL4MKTX" * 3
LOWER = b"7qzr2lkv4tybn0cwpe8sudj6fhgt3ikoxrb5vmydq1wfzgn9spjceauhoil4mktx" * 3
LETTERS = b"QmZxRaLkVtYbNcWpEsUdJfHgTiKoXrBvMyDqwFzGnSPjCeAuhOIlQrTkWmZpXc" * 2
DIGITS = b"48213907561730429685" * 3

Check = Callable[[bytes], bool]
Facts = Callable[[bytes], TokenFacts]

_RUN = pattern(rb"[!-~]*")
# What people write where a secret would stand, or mask it with; a random body has one of these once in ages.
_PLACEHOLDER = pattern(
    rb"(?i)example|placeholder|redacted|your[_-]|changeme|123456789|abcdefgh|qwertyui|([0-9a-z])\1{6}"
)


class Family(Struct, frozen=True):
    """One token type. A row of a table: what it looks like, what it is, where that is written.

    `shape` is a `re` expression of the whole token, linear in its length; a group named `secret`
    narrows the match where the anchor is context. `anchors` are literals of the token: its start,
    or, with `back`, anything that ends at most `back` bytes after its start. A token whose
    following byte is in `goes_on` is none: it would be a longer string that only begins alike;
    memory has no separators, so there a fixed length or a checksum says where it ends.
    """

    id: str
    title: str
    anchors: tuple[bytes, ...]
    shape: bytes
    example: bytes
    reference: str
    kind: Kind = Kind.API_KEY
    goes_on: frozenset[int] = ALNUM
    weak: bool = False  # the start is short or a common word: no letter or digit may stand before
    check: Check | None = None  # a checksum: True proves the token
    must_check: bool = False  # the vendor documents the checksum: without it, it is no such token
    dense: bool = False  # packed binary: long runs of one character are normal in it
    back: int = 0
    lifetime: float | None = None  # seconds, documented maximum
    usual: Usual | None = None  # the default, where no maximum is documented
    static: bool = True  # valid until revoked or rotated
    confidence: Confidence = Confidence.HIGH
    facts: Facts | None = None
    patterns: tuple[bytes, ...] = ()  # anchors that no literal can be, see Anchor.pattern
    caseless: bool = False  # of the anchors
    context: bytes = b""  # what the example needs before it
    counterexamples: tuple[bytes, ...] = ()
    near: int = 0  # bytes past the anchor in which the token may begin, where blanks may stand before it
    after: int = 1024  # bytes past the anchor that decide


def detectors(*families: Family) -> tuple[Detector, ...]:
    """A Detector for each row."""
    return tuple(_detector(family) for family in families)


def _detector(row: Family) -> Detector:
    anchors = tuple(Anchor(literal, row.caseless) for literal in row.anchors)
    anchors += tuple(Anchor(pattern=pattern) for pattern in row.patterns)
    plain = not any(_ESCAPED.search(literal) for literal in row.anchors)
    masked = () if row.back or row.patterns else _masked(row.anchors[0])
    return Detector(
        id=row.id,
        kind=row.kind,
        title=row.title,
        anchors=anchors,
        confirm=_confirm(row),
        reference=row.reference,
        examples=(
            (b"auth: " + row.context + row.example + b"\n", row.example),
            (b'{"v":"' + row.context + row.example + b'"}', row.example),
        ),
        counterexamples=masked + row.counterexamples,
        before=max(64, row.back + 16),
        after=row.after,
        glance=_glance(row.anchors) if row.weak and not row.back and not row.caseless and plain else None,
    )


_ESCAPED = pattern(rb"[^A-Za-z0-9_.~-]")  # what percent or JSON may write otherwise
# Where a token may begin: at the start, behind what is no letter or digit, behind one that ends an escape or a colour.
_FREE = pattern(
    rb"(?:\A|[^A-Za-z0-9]|\\[A-Za-z0-9]|\\[0-7]{2,3}|[%=#&\\][xu]?[0-9A-Fa-f]{2,8}|\[[0-9;]{0,14}[A-Za-z])\Z"
)


def _glance(anchors: tuple[bytes, ...]) -> Callable[[bytes, bytes], bool]:
    """Whether a token that must stand alone may begin where its anchor does."""

    def glance(before: bytes, _after: bytes) -> bool:
        return any(before.endswith(start) and _FREE.search(before[: -len(start)]) for start in anchors)

    return glance


def _masked(anchor: bytes) -> tuple[bytes, ...]:
    return (anchor + b"*" * 40, anchor + b"x" * 64, anchor + b"<your-token>", b"starts with " + anchor + b" and")


def _confirm(row: Family) -> Callable[[Text], Iterable[Match]]:
    shape = pattern(row.shape, re.DOTALL)

    def confirm(text: Text) -> Iterable[Match]:
        found = _find(row, shape, text)
        if found is None:
            return ()
        match = _judge(row, text, found)
        return (match,) if match else ()

    return confirm


def _find(row: Family, shape: re.Pattern[bytes], text: Text) -> re.Match[bytes] | None:
    """The token this hit belongs to. Raises NeedMore where the data was cut inside it."""
    data, hit = text.data, text.hit
    found: re.Match[bytes] | None = None
    if row.back:
        for candidate in shape.finditer(data, max(0, hit - row.back), min(len(data), hit + row.after)):
            if candidate.end() >= hit:
                found = candidate if candidate.start() < hit else None
                break
    else:
        found = shape.match(data, _anchor_start(row, text), min(len(data), hit + row.after))
    if text.cut and len(data) - hit < row.after:
        run = _RUN.match(data, found.end() if found else hit)
        if (run and run.end() == len(data)) or (found is None and len(data) - hit < row.near):
            raise NeedMore
    return found


def _anchor_start(row: Family, text: Text) -> int:
    data, hit = text.data, text.hit
    for anchor in row.anchors:
        seen = data[max(0, hit - len(anchor)) : hit]
        if seen == anchor or (row.caseless and seen.lower() == anchor.lower()):
            return hit - len(anchor)
    return hit


def _judge(row: Family, text: Text, found: re.Match[bytes]) -> Match | None:
    group = "secret" if "secret" in found.re.groupindex else 0
    start, end = found.span(group)
    token = text.data[start:end]
    proven = row.check is not None and row.check(token)
    looks_it = _separate(row, text, start, end) and varied(_body(row, token), row.dense)
    if not proven and (row.must_check or not looks_it):
        return None
    checked = row.check is None or proven
    return Match(
        start=start,
        end=end,
        kind=row.kind,
        secret=Secret(token),
        rank=Rank.CHECKED if proven else Rank.STRUCTURE,
        confidence=row.confidence if checked else Confidence.MEDIUM,
        facts=row.facts(token) if row.facts else TokenFacts(),
        family=row.id,
        max_lifetime=row.lifetime,
        usual=row.usual,
        static=row.static,
    )


def _body(row: Family, token: bytes) -> bytes:
    for anchor in row.anchors:
        if token.startswith(anchor):
            return token[len(anchor) :]
    return token


def _separate(row: Family, text: Text, start: int, end: int) -> bool:
    """Whether the token stands on its own where its looks alone do not say so."""
    data = text.data
    if end < len(data) and data[end] in row.goes_on and not (text.binary and not row.weak):
        return False
    return not (row.weak and glued(data, start))


def glued(data: bytes, start: int) -> bool:
    """Whether a letter or digit that is no part of an escape (`\\n`, `%3D`) stands right before `start`."""
    if not start or data[start - 1] not in ALNUM:
        return False
    if start >= 2 and data[start - 2] == 0x5C and data[start - 1] in b"nrtbfv0":
        return False
    return not (start >= 3 and data[start - 3] == 0x25 and _is_hex(data[start - 2 : start]))


def _is_hex(two: bytes) -> bool:
    return all(c in b"0123456789abcdefABCDEF" for c in two)


def varied(body: bytes, dense: bool = False) -> bool:
    """Whether a body could be random: no mask, no filler, no word. `dense` bodies may repeat a character."""
    if len(set(body)) < (7 if len(body) >= 16 else 4):
        return False
    if not dense and _PLACEHOLDER.search(body):
        return False
    return not (len(body) >= 16 and not any(c < 0x5B and c in ALNUM for c in body))  # lower-case words only
