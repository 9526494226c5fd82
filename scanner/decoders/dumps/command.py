"""A command line as a report may show it: programs, flags and files; whatever else stands in it may be a secret."""

from __future__ import annotations

import re

from detectors.patterns import pattern
from detectors.shapes import randomness

_FLAG = pattern(rb"(--[a-z][a-z0-9-]{0,39})(=.*)?", re.DOTALL)
# One letter, what follows it is a value; and those of a JVM, of which a property's name may be shown.
_LETTER = pattern(
    rb"(-(?:jar|cp|classpath|server|D[A-Za-z0-9_.-]{1,60}(?==)|Xm[sx][0-9]{1,6}[kKmMgG]?|XX:[+-][A-Za-z]{1,60}|[A-Za-z]))(.*)",
    re.DOTALL,
)
_SECRET = pattern(rb"(?i)pass|pwd|secret|token|key|auth|cred|bearer|header|user|jwt|cookie|session|^-[a-zA-Z]$")
_PLAIN = pattern(rb"[A-Za-z0-9_./:+-]{1,200}")
_FILE = pattern(
    rb"[A-Za-z0-9_.+-]{0,60}\.(?:py|js|mjs|cjs|ts|jar|war|dll|exe|sh|rb|pl|php|conf|cfg|ini|json|ya?ml|toml|xml|log)"
)
_MODULE = pattern(rb"[a-z_]{1,30}(?:\.[a-z_]{1,30}){0,5}")
LONGEST = 24  # characters of a part of a path, between / . - _ +, that is believed to be a name
MASK = "***"


def masked(line: bytes, cut: bool = False) -> str:
    """The line with only the program, flags, files and ports; all else is stars. `cut`: it may end within a word."""
    words = [word for word in re.split(rb"[\0 ]+", line) if word]
    shown: list[str] = []
    for number, word in enumerate(words):
        before = words[number - 1] if number > 1 else b""
        if cut and number == len(words) - 1:
            shown.append(MASK)
        else:
            shown.append(_shown(word, before, first=number == 0))
    return " ".join(shown)


def _shown(word: bytes, before: bytes, first: bool) -> str:
    flag = _FLAG.fullmatch(word) or _LETTER.fullmatch(word)
    if flag and not first:
        name = flag[1].decode("ascii")
        if not flag[2]:
            return name
        return name + ("=" if flag[2].startswith(b"=") else "") + MASK
    if first or before == b"-jar":
        return word.decode("ascii") if _is_path(word) else MASK
    if before == b"-m" and _MODULE.fullmatch(word):
        return word.decode("ascii")
    if _SECRET.search(before) or b"://" in word:
        return MASK
    port = word.isdigit() and len(word) <= 5
    named = (b"/" in word or _FILE.fullmatch(word)) and _is_path(word)
    return word.decode("ascii") if port or named else MASK


def _is_path(word: bytes) -> bool:
    """Whether it is made of short, wordlike parts."""
    return _PLAIN.fullmatch(word) is not None and all(map(_is_name, re.split(rb"[/.:_+-]+", word)))


def _is_name(part: bytes) -> bool:
    return len(part) <= LONGEST and (len(part) < 8 or (part.isalpha() and (part.islower() or randomness(part) < 0.9)))
