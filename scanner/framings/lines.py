"""Long text that its writer broke into lines, where the break itself says how it goes on.

Runs of base64 (MIME's 76 columns, PEM's 64, `base64`'s 76) and of hex (`xxd -p`'s 60); the rows of curl --trace-ascii,
whose offsets count the characters of the row before; string literals continued on the next line. Nothing here
guesses from a token: that is done in wrapped.py.
"""

from __future__ import annotations

import re

from detectors.patterns import pattern

SHORTEST = 40  # characters a broken line of a run has at least: shorter ones are words
MOST = 2000  # lines a run is followed over
# Where none of this stands, there is nothing to join.
MARK = pattern(
    rb"""\n[0-9a-f]{3}[0-9a-f]: |["'][ \t]{0,4}[+.<>&|\\]{0,2}(?:[ ]_)?[ \t]{0,4}\r?\n[ \t]{0,200}[bru]?["']"""
)
_BREAK = pattern(rb"\r?\n[ \t>]{0,40}")
_BREAK_BEFORE = pattern(rb"\r?\n[ \t>]{0,40}\Z")
_TRACED = pattern(rb"^([0-9a-f]{4,8}): ([^\r\n]{32,})\r?\n(?=([0-9a-f]{4,8}): )", re.MULTILINE)
_ROW = pattern(rb"\n[0-9a-f]{3}[0-9a-f]: ")
# Where the second of two parts may begin: few lines do. Without one `gaps` finds nothing.
OPENS = pattern(rb"""\n(?:[0-9a-f]{3}[0-9a-f]: |[ \t]{0,200}[bru]?["'])""")
_IN_TOKEN = rb"[A-Za-z0-9_.+/=-]"
# With an operator between them two literals are one; without one, or with a backslash, only two parts of a long token.
_CONTINUED = pattern(
    (
        rb"""(?P<q>["'])(?:[ \t]{0,4}(?:\+|\.\.?|<>|&(?:[ ]_)?|\|\|)[ \t]{0,4}\r?\n[ \t]{0,200}[bru]?(?P=q)"""
        rb"""|(?<=TOKEN{40}["'])[ \t]{0,4}\\?\r?\n[ \t]{1,200}[bru]?(?P=q)"""
        rb"""(?=TOKEN{1,4096}(?P=q)[ \t]{0,4}(?:[,)}\];+\\]|\r?\n|\Z)))"""
    ).replace(b"TOKEN", _IN_TOKEN)
)


def run_around(data: bytes, start: int, end: int, alphabet: bytes, unit: int) -> list[tuple[int, int]]:
    """The parts [start, end) of the run of `alphabet` whose part at [start, end) was found, in order.

    Each part but the last is SHORTEST characters or more, the same number in each full line.
    """
    parts = [(start, end)]
    width = 0  # of a full line, not known from the first, which may begin behind other text
    while len(parts) < MOST and (found := _next(data, *parts[-1], alphabet)):
        size, last = found[1] - found[0], parts[-1][1] - parts[-1][0]
        if size > (width or last) or (width and last != width):
            break
        width = width or max(size, parts[-1][1] - parts[-1][0])
        parts.append(found)
    while len(parts) < MOST and (found := _before(data, parts[0][0], alphabet)):
        here = parts[0][1] - parts[0][0]
        if (found[1] - found[0]) % unit or (len(parts) > 1 and here != width) or found[1] - found[0] < here:
            break
        width = found[1] - found[0]
        parts.insert(0, found)
    return parts


def _next(data: bytes, start: int, end: int, alphabet: bytes) -> tuple[int, int] | None:
    """The run on the next line, where this one ends with its line and is long enough to have been broken."""
    broken = _BREAK.match(data, end) if end - start >= SHORTEST else None
    if broken is None:
        return None
    rest = data[broken.end() : broken.end() + end - start + 4]
    size = len(rest) - len(rest.lstrip(alphabet))
    follows = rest[size : size + 1]
    whole = size >= 8 and (not follows or follows in b"=\r\n\"'`<")
    return (broken.end(), broken.end() + size) if whole or (size and follows == b"=") else None


def _before(data: bytes, start: int, alphabet: bytes) -> tuple[int, int] | None:
    """The run that ends the line before, where this one begins its line."""
    broken = _BREAK_BEFORE.search(data, max(0, start - 44), start)
    if broken is None:
        return None
    line = data.rfind(b"\n", 0, broken.start()) + 1
    text = data[max(line, broken.start() - 4096) : broken.start()]
    size = len(text) - len(text.rstrip(alphabet))
    return (broken.start() - size, broken.start()) if size >= SHORTEST else None


def gaps(data: bytes) -> list[tuple[int, int]]:
    """The stretches [start, end) between the parts of traced rows and of continued string literals, in order."""
    found: list[tuple[int, int]] = []
    if not OPENS.search(data):
        return found
    if _ROW.search(data):
        found += [
            (row.end(2), row.end() + len(row[3]) + 2)
            for row in _TRACED.finditer(data)
            if int(row[3], 16) - int(row[1], 16) == len(row[2])
        ]
    found += [(part.start(), part.end()) for part in _CONTINUED.finditer(data)]
    return sorted(found)
