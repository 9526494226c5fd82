"""Long text that its writer broke into lines, where the break itself says how it goes on.

Runs of base64 (MIME's 76 columns, PEM's 64, `base64`'s 76) and of hex (`xxd -p`'s 60); the rows of curl --trace-ascii,
whose offsets count the characters of the row before; continued literals and folded lines, which have files of their
own. Nothing here guesses from a token: that is done in wrapped.py.
"""

from __future__ import annotations

import re

from detectors.patterns import pattern
from scanner.framings import folds, literals

SHORTEST = 40  # characters a broken line of a run has at least: shorter ones are words
SHORT = 8  # characters below which a run's last line could be a word
MOST = 2000  # lines a run is followed over
# Where the second of two parts may begin: few lines do. Without one `gaps` finds nothing.
OPENS = pattern(rb"\n[0-9a-f]{3}[0-9a-f]: |" + literals.OPENS + rb"|" + folds.MARK)
_MARK = pattern(rb"\n[0-9a-f]{3}[0-9a-f]: |" + literals.MARK + rb"|" + folds.MARK)
_BREAK = pattern(rb"\r?\n[ \t>]{0,40}")
_BREAK_BEFORE = pattern(rb"\r?\n[ \t>]{0,40}\Z")
_TRACED = pattern(rb"^([0-9a-f]{4,8}): ([^\r\n]{32,})\r?\n(?=([0-9a-f]{4,8}): )", re.MULTILINE)
_ROW = pattern(rb"\n[0-9a-f]{3}[0-9a-f]: ")


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
    return parts if _ends_run(data, parts, unit) else parts[:-1]


def _next(data: bytes, start: int, end: int, alphabet: bytes) -> tuple[int, int] | None:
    """The run on the next line, where this one ends with its line and is long enough to have been broken."""
    broken = _BREAK.match(data, end) if end - start >= SHORTEST else None
    if broken is None:
        return None
    rest = data[broken.end() : broken.end() + end - start + 4]
    size = len(rest) - len(rest.lstrip(alphabet))
    follows = rest[size : size + 1]
    return (broken.end(), broken.end() + size) if size and follows in b"=\r\n\"'`<" else None


def _ends_run(data: bytes, parts: list[tuple[int, int]], unit: int) -> bool:
    """Whether the last line is no word: long, or what fills the run's last unit."""
    low, high = parts[-1]
    if len(parts) < 2 or high - low >= SHORT or data[high : high + 1] == b"=":
        return True
    whole = sum(end - start for start, end in parts) % unit == 0
    return whole and not data[low:high].islower()


def _before(data: bytes, start: int, alphabet: bytes) -> tuple[int, int] | None:
    """The run that ends the line before, where this one begins its line."""
    broken = _BREAK_BEFORE.search(data, max(0, start - 44), start)
    if broken is None:
        return None
    line = data.rfind(b"\n", 0, broken.start()) + 1
    text = data[max(line, broken.start() - 4096) : broken.start()]
    size = len(text) - len(text.rstrip(alphabet))
    return (broken.start() - size, broken.start()) if size >= SHORTEST else None


def may_join(data: bytes) -> bool:
    """Whether `gaps` may find something; surer than OPENS alone, and as quick where that does not match."""
    return OPENS.search(data) is not None and _MARK.search(data) is not None


def gaps(data: bytes) -> list[tuple[int, int]]:
    """The stretches [start, end) between the parts of traced rows, continued literals and folded lines, in order."""
    found: list[tuple[int, int]] = []
    if not OPENS.search(data):
        return found
    if _ROW.search(data):
        found += [
            (row.end(2), row.end() + len(row[3]) + 2)
            for row in _TRACED.finditer(data)
            if int(row[3], 16) - int(row[1], 16) == len(row[2])
        ]
    return apart(sorted([*found, *literals.gaps(data), *folds.gaps(data)]))


def apart(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that begin inside the one before."""
    kept: list[tuple[int, int]] = []
    for gap in gaps:
        if not kept or gap[0] >= kept[-1][1]:
            kept.append(gap)
    return kept
