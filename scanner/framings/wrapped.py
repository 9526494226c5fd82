"""Tokens broken over lines by a mail client, a terminal, a console formatter or a logger's length limit.

Nothing marks such a break, so it is only undone for a token that is known to be incomplete: the next
line is taken on if, behind what every line there begins with, it goes on in the token's alphabet.
"""

from __future__ import annotations

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
