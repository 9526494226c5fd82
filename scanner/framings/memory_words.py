"""Memory printed as words by Android's tombstones and by the JVM: an address, 64-bit or 32-bit words, maybe the text.

    memory near x0 ([anon:libc_malloc]):
        0000007b2c3f4a10 6f54796265722065 6e656b6f54207265  e rebyToer Token

    Top of Stack: (sp=0x00007fffd9fc4230)
    0x00007fffd9fc4230:   6f54796265722065 6e656b6f54207265

A word shows its last byte first (AOSP debuggerd, utility.cpp: dump_memory). Words not to be had are dashes.
"""

from __future__ import annotations

import re

from msgspec import Struct

from detectors.patterns import pattern

TRIGGER = rb"memory near |Top of Stack: "
AHEAD = 64 * 1024  # bytes after it: a block has 16 or 32 lines
_LINE = pattern(
    rb"[ \t]{0,8}(?:0x)?([0-9a-f]{8,16})(?:\.[0-9a-f]+)?:? {0,3}"
    rb"((?: (?:[0-9a-f]{16}|-{16})){1,8}|(?: (?:[0-9a-f]{8}|-{8})){1,16})(?:  ([^\n]{0,64}))?\r?(?:\n|\Z)"
)


class Line(Struct, frozen=True):
    """One line. `words`: where each word begins; `text`: where the text column does, or -1."""

    address: int
    data: bytes
    words: tuple[int, ...]
    text: int


class Words(Struct, frozen=True):
    """Lines whose addresses follow each other; `size`: bytes of a word."""

    data: bytes
    lines: tuple[Line, ...]
    starts: tuple[int, ...]
    size: int

    def outer(self, start: int, end: int) -> list[tuple[int, int]]:
        """Where the bytes [start, end) stand: of each line the parts of words in order, then of the text."""
        ranges: list[tuple[int, int]] = []
        for line, first in zip(self.lines, self.starts, strict=True):
            low, high = max(start - first, 0), min(end - first, len(line.data))
            if low >= high:
                continue
            for number, at in enumerate(line.words):
                inside = max(low - number * self.size, 0), min(high - number * self.size, self.size)
                if inside[0] < inside[1]:
                    ranges.append((at + 2 * (self.size - inside[1]), at + 2 * (self.size - inside[0])))
            if line.text >= 0:
                ranges.append((line.text + low, line.text + high))
        return ranges

    def inner(self, offset: int) -> int:
        """The first byte of the line that stands at or after an outer index."""
        for line, first in zip(self.lines, self.starts, strict=True):
            if line.words[-1] >= offset:
                return first
        return len(self.data)


def block_after(data: bytes, at: int) -> Words | None:
    """The block whose heading is at index `at`, or None."""
    position = data.find(b"\n", at) + 1
    lines: list[Line] = []
    starts: list[int] = []
    size = length = 0
    while position and (found := _LINE.match(data, position)):
        here = len(found[2].split(b" ", 2)[1]) // 2
        line = _line(found, here)
        if lines and (here != size or line.address != lines[-1].address + len(lines[-1].data)):
            break
        size = here
        lines.append(line)
        starts.append(length)
        length += len(line.data)
        position = found.end()
    return Words(b"".join(line.data for line in lines), tuple(lines), tuple(starts), size) if lines else None


def _line(found: re.Match[bytes], size: int) -> Line:
    """Dashes count as zeros."""
    words = found[2].split(b" ")[1:]
    data = b"".join(bytes(size) if word.startswith(b"-") else bytes.fromhex(word.decode())[::-1] for word in words)
    at = tuple(found.start(2) + 1 + number * (2 * size + 1) for number in range(len(words)))
    shown = found[3]
    return Line(int(found[1], 16), data, at, found.start(3) if shown and len(shown) == len(data) else -1)
