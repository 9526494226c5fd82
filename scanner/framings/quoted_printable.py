"""Quoted-printable (RFC 2045 section 6.7): `=XX` and soft line breaks, in lines that are all of that kind.

`=` is common in logs, so a line counts only among lines in which every `=` is an escape, and only
where two signs or more of the encoding stand together. At a line's end `=` may be the padding of base64 as well.
"""

from __future__ import annotations

from detectors.patterns import pattern

_LINE = pattern(rb"[^\n]*\n?")
_ODD = pattern(rb"=(?![0-9A-F]{2}|\r?$)")
_SOFT = pattern(rb"[^\r\n]{50,75}=\r?\n")  # section 6.7 rule 5: encoded lines are at most 76 characters long
# Padding: behind whole groups of four in a line that no encoder would have broken in the midst of a word.
FULL = 74  # characters: an encoder breaks a long word where its line is full, at 76, or 74 where an escape has no room
_PADDING = pattern(rb"(?:\A|[^A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{4}){2,18}[A-Za-z0-9+/_-]{3}=\r?\n?\Z")
_SIGN = pattern(rb"=3D|=20\r?$|=C3=|=E2=")
_ANY = pattern(rb"=(?:3D|\r?\n)")  # without one of these there is nothing to undo
MARKS = (b"=3D", rb"=\n", rb"=\r\n")  # the same for Vectorscan
_ESCAPE = pattern(rb"=\r?\n|=[0-9A-F]{2}")


def escapes(data: bytes) -> list[tuple[int, int, bytes]]:
    """(start, end, what it stands for) of each escape, in order; empty where the text is not quoted-printable."""
    if not _ANY.search(data):
        return []
    found: list[tuple[int, int, bytes]] = []
    for start, end in _stretches(data):
        for escape in _ESCAPE.finditer(data, start, end):
            code = escape[0][1:]
            if code[-1:] != b"\n":
                found.append((*escape.span(), bytes([int(code, 16)])))
            elif not _is_padded(data[max(start, data.rfind(b"\n", start, escape.start()) + 1) : escape.end()]):
                found.append((*escape.span(), b""))
    return found


def _is_padded(line: bytes) -> bool:
    return len(line.rstrip()) < FULL and _PADDING.search(line) is not None


def _stretches(data: bytes) -> list[tuple[int, int]]:
    """Runs of lines with no `=` but escapes, that hold at least two signs of the encoding."""
    runs: list[tuple[int, int]] = []
    start = signs = 0
    for line in _LINE.finditer(data):
        text = line[0]
        if _ODD.search(text.rstrip(b"\n")):
            if signs >= 2:
                runs.append((start, line.start()))
            start, signs = line.end(), 0
            continue
        signs += len(_SIGN.findall(text)) + (_SOFT.fullmatch(text) is not None and not _is_padded(text))
    if signs >= 2:
        runs.append((start, len(data)))
    return runs
