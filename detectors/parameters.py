"""The values of a statement's parameter markers, as data access libraries log them behind the statement.

`?`, `%s` and `$1` in SQL; then `Parameters: 17(Integer), V(String)` (MyBatis), `bind => [17, V]` (EclipseLink),
`$2 = 'V'` (PostgreSQL), `(17, 'V')` (SQLAlchemy), `["17", "V"]` (Ecto, Laravel, TypeORM, Prisma), `{"1": 17, "2": "V"}`
(Doctrine).
"""

from __future__ import annotations

from detectors.detector import NeedMore, Text
from detectors.patterns import pattern

BEHIND = 1200  # bytes between a statement's marker and the list of its values: the rest of it, a log line's head
MARKER = pattern(rb"\?|%s|\$(?P<number>\d{1,3})")
_NUMBERED = pattern(rb"\$(\d{1,3}) = (?:'((?:[^']|''){0,16384})'|NULL)")
_OPEN = pattern(
    rb"""(?:(?i:parameters|params|bind(?:ings)?|args)\b["']?[ ]?(?:=>|[:=])[ ]?(?:array)?[\[({]?"""
    rb"""|[ \n'"](?=[\[(]["'\d])[\[(]|;[ ](?=["']))"""
)
_ITEM = pattern(
    rb"""[ ]{0,4}(?:["']?\d{1,3}["']?[ ]?(?::|=>)[ ]?)?(?:"(?P<double>(?:[^"\\]|\\.){0,16384})\""""
    rb"""|'(?P<single>(?:[^'\\]|\\.|''){0,16384})'"""
    rb"""|(?P<bare>[^\s,()\[\]{}'"]{1,8192})(?:\([A-Za-z]{2,20}\))?|(?P<none>))[ ]{0,4}(?P<end>[,\])};\n]|\Z)"""
)


def value_of(text: Text, marker: int, number: int, *, named: bool) -> tuple[int, int] | None:
    """[start, end) of the value of the statement's marker number `number` (from 1), which ends at `marker`.

    `named`: the marker says its number, so that its value may stand under that. Raises NeedMore where a list may still
    follow.
    """
    limit = min(len(text.data), marker + BEHIND)
    told = _NUMBERED.finditer(text.data, marker, limit) if named else ()
    numbered = next((one for one in told if int(one[1]) == number), None)
    for opened in _OPEN.finditer(text.data, marker, numbered.start() if numbered else limit):
        if numbered and _NUMBERED.match(text.data, opened.end()):
            break
        found = _item(text.data, opened.end(), number)
        if found:
            return found
    if numbered:
        return numbered.span(2) if numbered[2] else None
    if text.cut and marker + BEHIND > len(text.data):
        raise NeedMore
    return None


def _item(data: bytes, position: int, number: int) -> tuple[int, int] | None:
    """[start, end) of an item of the list that opens before `position`."""
    for index in range(1, number + 1):
        item = _ITEM.match(data, position)
        if item is None:
            return None
        if index == number:
            name = next(name for name in ("double", "single", "bare", "none") if item.start(name) >= 0)
            return item.span(name) if name != "none" else None
        if item["end"] != b",":
            return None
        position = item.end()
    return None
