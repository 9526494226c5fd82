"""Names of files and members as people and reports see them: printable, one line, and never ambiguous."""

from __future__ import annotations

import re

from detectors.patterns import pattern

_ESCAPE = pattern(rb"\\(?:x([0-9a-f]{2})|\\)")


def printable(name: bytes) -> str:
    """`name` as text. What is no UTF-8 or can't be printed (controls, line breaks, direction marks) becomes
    \\xNN for each of its bytes, and a backslash becomes two, so that `as_bytes` gives `name` back.
    """
    text = name.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def as_bytes(shown: str) -> bytes:
    """The name that `printable` shows as `shown`."""
    return _ESCAPE.sub(_unescaped, shown.encode("utf-8", "surrogateescape"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits: bytes | None = match[1]
    return b"\\" if digits is None else bytes.fromhex(digits.decode("ascii"))
