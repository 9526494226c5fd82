"""Quoted-printable (RFC 2045 section 6.7): `=XX` and soft line breaks, in lines that are all of that kind.

`=` is common in logs, so a line counts only among lines in which every `=` is an escape, and only
where two signs or more of the encoding stand together.
"""

from __future__ import annotations

import re

_LINE = re.compile(rb"[^\n]*\n?")
_ODD = re.compile(rb"=(?![0-9A-F]{2}|\r?$)")
_SOFT = re.compile(rb"[^\r\n]{50,75}=\r?\n")  # section 6.7 rule 5: encoded lines are at most 76 characters long
_SIGN = re.compile(rb"=3D|=20\r?$|=C3=|=E2=")
_ANY = re.compile(rb"=(?:3D|\r?\n)")  # without one of these there is nothing to undo
_ESCAPE = re.compile(rb"=\r?\n|=[0-9A-F]{2}")


def escapes(data: bytes) -> list[tuple[int, int, bytes]]:
    """(start, end, what it stands for) of each escape, in order; empty where the text is not quoted-printable."""
    if not _ANY.search(data):
        return []
    found: list[tuple[int, int, bytes]] = []
    for start, end in _stretches(data):
        for escape in _ESCAPE.finditer(data, start, end):
            code = escape[0][1:]
            found.append((*escape.span(), b"" if code[-1:] == b"\n" else bytes([int(code, 16)])))
    return found


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
        signs += len(_SIGN.findall(text)) + (_SOFT.fullmatch(text) is not None)
    if signs >= 2:
        runs.append((start, len(data)))
    return runs
