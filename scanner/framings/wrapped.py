"""Tokens broken over lines by a mail client, a terminal, a console formatter or a logger's length limit.

Nothing marks such a break. For a token that is known to be incomplete the next line is taken on if, behind what every
line there begins with, it goes on in the token's alphabet (`gaps`). Of any other the width must tell: the line is as
wide as those between the token's ends, as its neighbours, or as terminals are, and none is wider (`at_width`).
"""

from __future__ import annotations

import re

from detectors.patterns import pattern

_ALPHABET = pattern(rb"[A-Za-z0-9_\-.+/=]*")
_BREAK = pattern(rb"""(?P<q>["'])?[ \t]{0,4}[+.\\&]?[ \t]{0,4}\r?\n""")
_LEAD = pattern(rb"[ \t]*(?:[>|#*;:]{1,3}[ \t]?|[+-] )*[ \t]*")
_FRAME_END = pattern(rb"[ \t\]:|>,]+")
MOST = 400  # lines one token is followed over


def gaps(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The stretches to take out behind an incomplete token at [start, end), in order; empty if it is not wrapped."""
    found: list[tuple[int, int]] = []
    line = data.rfind(b"\n", 0, start) + 1
    while len(found) < MOST:
        gap = _gap(data, line, end)
        if gap is None:
            break
        run = _ALPHABET.match(data, gap[1])
        if run is None or run.end() == gap[1]:
            break
        found.append(gap)
        line, end = data.find(b"\n", gap[0]) + 1, run.end()
    return found


def _gap(data: bytes, line: int, end: int) -> tuple[int, int] | None:
    """From the end of the token's part on one line to its next part."""
    broken = _BREAK.match(data, end)
    if broken is None:
        return None
    following = broken.end()
    frame = _same_frame(data, line, following)
    if frame:
        return end, frame
    lead = _LEAD.match(data, following)
    begin = lead.end() if lead else following
    if broken["q"]:
        if data[begin : begin + 1] != broken["q"]:
            return None
        begin += 1
    return end, begin


def _same_frame(data: bytes, line: int, following: int) -> int:
    """Where the text begins on a line that has the same frame (time, level, tag) as the one before; 0 if it has not.

    Frames are alike where they are equal but for their digits; the frame ends at its last separator.
    """
    limit = min(following - line, 200)
    here = data[line : line + limit]
    there = data[following : following + limit]
    alike = 0
    for a, b in zip(here, there, strict=False):
        if a != b and not (48 <= a <= 57 and 48 <= b <= 57):
            break
        alike += 1
    separators = [m.end() for m in _FRAME_END.finditer(there[:alike])]
    if not separators or not any(48 <= c <= 57 for c in there[: separators[-1]]) or separators[-1] < 8:
        return 0
    return following + separators[-1]


_IN_TOKEN = rb"[A-Za-z0-9_.~+/=%-]"
NARROWEST, WIDEST = 40, 1000  # bytes of a line that may have been cut at a width
NEIGHBOURS = 10  # lines before and behind that a line's width is compared with
ALIKE = 2  # of them that must be as wide
# Columns of terminals, mails and consoles.
USUAL = frozenset((64, 72, 74, 76, 78, 79, 80, 100, 120, 128, 132, 160, 200))
_ROW = pattern(
    rb"""\n(?P<lead>(?:[>|#][ ]?)?[ \t]{0,60})(?P<run>T{1,1000})"""
    rb"""(?:(?P<end>\r?(?:\n|\Z))|["'&,;)}\]>]|(?P<on>[ ]))""".replace(b"T", _IN_TOKEN)
)
_PART = pattern(rb"T+\Z".replace(b"T", _IN_TOKEN))
_NO_PART = pattern(rb"\d{4}-\d\d|--|[A-Za-z_][\w.-]{0,60}=[^=]")  # a date, an option, a field
_RANDOM = pattern(rb"(?=.{0,60}[0-9])(?=.{0,60}[A-Za-z]).{8}")


def may_go_on(data: bytes, at: int) -> bool:
    """Whether `at_width` may find something for the line that holds an index."""
    end = data.find(b"\n", at)
    if end < 0 or 0 <= data.rfind(b"\n", 0, end) >= end - NARROWEST:
        return False
    row = _ROW.match(data, end)
    return row is not None and row["on"] is None and not _NO_PART.match(row["run"])


def at_width(data: bytes, at: int) -> list[tuple[int, int]]:
    """The stretches to take out behind the line at an index, if it was cut at a width in the midst of a token."""
    if not may_go_on(data, at):
        return []
    line, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
    stop = end - (data[end - 1 : end] == b"\r")
    width = stop - line
    if not NARROWEST <= width <= WIDEST or not _PART.search(data, stop - 1, stop):
        return []
    rows = _rows(data, end, width)
    if not rows:
        return []
    around = _widths(data, line, rows[-1].end())
    if max(around, default=0) > width or around.count(width) < ALIKE:  # nothing says that the text was cut, but itself
        rows = rows[: len(rows) - (rows[-1]["on"] is not None)]
        if not (_is_even(rows) or (max(around, default=0) <= width and _is_random(rows, width))):
            return []
    starts = [row.start("run") for row in rows]
    ends = [stop, *(row.end("run") for row in rows[:-1])]
    return list(zip(ends, starts, strict=True))


def _rows(data: bytes, end: int, width: int) -> list[re.Match[bytes]]:
    """The rows behind a line that ends at an index: as wide as that and nothing but a token's, and the last one."""
    rows: list[re.Match[bytes]] = []
    while len(rows) < MOST and (row := _ROW.match(data, end)):
        size = row.end("run") - end - 1
        if size > width or _line_end(data, row.end("run")) - end - 1 > width:
            break
        if (row["lead"] != rows[0]["lead"] or _NO_PART.match(row["run"])) if rows else row["on"]:
            break
        rows.append(row)
        if size < width or row["end"] is None:
            break
        end = _line_end(data, row.end("run")) + len(row["end"]) - 1
    return rows


def _line_end(data: bytes, at: int) -> int:
    """Where the line ends that holds an index, a carriage return left out."""
    end = data.find(b"\n", at)
    end = len(data) if end < 0 else end
    return end - (data[end - 1 : end] == b"\r")


def _is_even(rows: list[re.Match[bytes]]) -> bool:
    """Whether rows between the first and the last are as wide as the first, and no list, whose last is as wide, too."""
    return len({len(row["run"]) for row in rows}) > 1


def _is_random(rows: list[re.Match[bytes]], width: int) -> bool:
    """Whether it is a usual width, and the one row behind it looks random."""
    return len(rows) == 1 and width in USUAL and _RANDOM.match(rows[0]["run"]) is not None


def _widths(data: bytes, start: int, end: int) -> list[int]:
    """The bytes of each of some lines that end before `start` or begin behind `end`."""
    before = data[max(0, start - NEIGHBOURS * WIDEST) : start].split(b"\n")[-NEIGHBOURS - 1 : -1]
    after = data[end : end + NEIGHBOURS * WIDEST].split(b"\n")[1 : NEIGHBOURS + 1]
    return [len(one.rstrip(b"\r")) for one in (*before, *after)]
