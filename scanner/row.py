"""One row of what the matcher looks for."""

from __future__ import annotations

import re
from typing import NamedTuple

# The rest of a key. Bounded: else a run of base64 with a key's word in it stays a candidate to its end, and the whole
# database goes through it at a tenth of its speed.
KEY_REST = rb"[A-Za-z0-9_.\-]{0,48}"
# One of these separates a key from a value, in any escape: punctuation, a line's end, the bytes of a binary format.
FOLLOW = rb"""[ \t]{0,40}(?:["'`=:\\%>)\]}(<,;#|\r\n\x00-\x08\x0e-\x1f\x7f-\xff]|!=|&[#aglq]|->)"""
TAIL = KEY_REST + FOLLOW
LONGEST_TAIL = 90  # characters


class Row(NamedTuple):
    """One expression of the database. `phase`: base64 characters of the last quantum that were matched.

    A tuple, since there are thousands: they are made in a sixth of a microsecond.
    """

    expression: bytes
    caseless: bool
    encoding: str  # "", "utf-16le", "utf-16be", "hex", "base64"
    users: tuple[int, ...]  # places of the detectors that want it among those the matcher was given
    phase: int = 0
    size: int = 0  # bytes of the form, for UTF-16; 0 where they vary
    keyed: bool = False  # UTF-16: counts only where a TAIL follows, which the expression leaves out
    framing: str = ""  # no anchor, but a layout whose bytes are to be decoded and matched again: see forms.py
    wide: str = ""  # the byte order of the UTF-16 that a run of `encoding` stands in, see framings/nested.py
    narrow: bytes = b""  # what the expression of a UTF-16 form is without the NULs


def quote(literal: bytes) -> bytes:
    """The expression for a literal; a NUL inside an expression would end it."""
    return re.escape(literal).replace(b"\0", rb"\x00")
