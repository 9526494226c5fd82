"""A command line as a report may show it: what may be a secret in it is left out."""

from __future__ import annotations

import re

from detectors.shapes import randomness

_FLAG = re.compile(rb"(--?[A-Za-z][A-Za-z0-9_.-]{0,39})(=.*)?", re.DOTALL)
_SECRET = re.compile(rb"(?i)pass|pwd|secret|token|key|auth|cred|bearer|header|user|jwt|cookie|session|^-[pPuUHhkat]$")
_PLAIN = re.compile(rb"[A-Za-z0-9_./:+-]{1,200}")
LONGEST = 24  # characters of a part of a path, between / . - _ :, that is believed to be a name
MASK = "***"


def masked(line: bytes) -> str:
    """The line with only the program, flags, and words that are paths and names; the rest is stars."""
    shown: list[str] = []
    words = re.split(rb"[\0 ]+", line.strip(b"\0 "))
    hidden = False  # the word before is a flag whose value is a secret
    for number, word in enumerate(words if words != [b""] else ()):
        flag = _FLAG.fullmatch(word)
        if flag and _is_name(flag[1]):
            shown.append(flag[1].decode("ascii") + ("=" + MASK if flag[2] else ""))
        else:
            shown.append(word.decode("ascii") if not hidden and _is_name(word) else MASK)
        hidden = _SECRET.search(word) is not None and number > 0
    return " ".join(shown)


def _is_name(word: bytes) -> bool:
    """Whether it is made of short, wordlike parts."""
    if not _PLAIN.fullmatch(word):
        return False
    return all(_is_short(part) for part in re.split(rb"[/.:_+-]+", word))


def _is_short(part: bytes) -> bool:
    return len(part) <= LONGEST and (len(part) < 8 or (part.isalpha() and (part.islower() or randomness(part) < 0.9)))
