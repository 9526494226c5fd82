"""The bytes of a stream on their way from input to output, held back until what is in them is known."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Protocol

from detectors.patterns import pattern
from scanner.redaction.mask import Edit

KEPT = 64 * 1024  # bytes kept behind what was written: a secret of which a part is out is still to be read whole
ROOM = 1 << 20  # bytes written before they are let go of (moving the rest costs memory bandwidth)
MARKER = b"[REDACTED:error]"  # stands for a line that could not be worked on

Write = Callable[[bytes], object]


class Cuts(Protocol):
    """Places in a stream that whoever takes what is written wants to know of."""

    def ahead(self) -> int | None:
        """The offset of the next one that is known, in bytes of the stream; ascending."""
        ...

    def passed(self) -> None:
        """All that stands before it was written; of a secret it lies in as much, or all of what replaces it."""
        ...


# What may be part of a secret, for a line that has to go out before it is known whole. Escapes and short words stay,
# so that JSON and most frames survive; numbers become ones, since a star is no number.
_LIKELY = pattern(rb"\\+(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.)|[A-Za-z0-9+/=_.~%-]{6,}", re.DOTALL)
_NUMBER = pattern(rb"-?[0-9]+(?:\.[0-9]+)?")
_ONES = bytes(0x31 if 0x30 <= byte <= 0x39 else byte for byte in range(256))


def covered(data: bytes) -> bytes:
    """`data` with all that may be (part of) a secret starred; the same length, the same line ends."""
    return _LIKELY.sub(_cover, data)


def _cover(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text[:1] == b"\\":
        return text
    return text.translate(_ONES) if _NUMBER.fullmatch(text) else b"*" * len(text)


class Copy:
    """Writes the stream in order, with edits applied. Offsets are bytes of the stream.

    Invariants: base <= done <= end; nothing before `done` is written again; edits do not overlap.
    """

    def __init__(self, write: Write, cuts: Cuts | None = None) -> None:
        self._write = write
        self._cuts = cuts
        self._held = bytearray()
        self._edits: list[tuple[int, int, bytes]] = []  # ascending, all of them past `done`
        self.base = self.done = 0
        self.changed = 0  # bytes of the input that were replaced

    @property
    def end(self) -> int:
        return self.base + len(self._held)

    def add(self, fresh: memoryview) -> None:
        """The next bytes of the stream."""
        self._held += fresh

    def read(self, start: int, end: int) -> bytes:
        """The bytes [start, end) as they came, as far as they are held."""
        low = max(start, self.base) - self.base
        return bytes(self._held[low : max(low, end - self.base)])

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins, not before what was written."""
        found = self._held.rfind(b"\n", self.done - self.base, max(0, offset - self.base))
        return self.done if found < 0 else self.base + found + 1

    def line_end(self, offset: int) -> int:
        """The offset just past the line that holds `offset`; the end where it is not complete."""
        found = self._held.find(b"\n", max(0, offset - self.base))
        return self.end if found < 0 else self.base + found + 1

    def edit(self, edit: Edit) -> int:
        """Takes an edit. What was written is out, and what was there first stays: only the rest is applied.

        Gives back how many bytes that rest is.
        """
        start = edit.start
        if start >= (self._edits[-1][1] if self._edits else self.done):
            self._edits.append((start, edit.end, edit.data))  # nearly all come in order
            return edit.end - start
        start = max(start, self.done)
        taken = 0
        while start < edit.end:
            at = bisect_right(self._edits, start, key=_start)
            if at and self._edits[at - 1][1] > start:
                start = self._edits[at - 1][1]
                continue
            end = min(edit.end, self._edits[at][0]) if at < len(self._edits) else edit.end
            self._edits.insert(at, (start, end, _part(edit, start, end)))
            taken += end - start
            start = end
        return taken

    def cover(self, start: int, end: int) -> None:
        """What may be a secret in [start, end) is starred, since it goes out before it is known."""
        start = max(start, self.done)
        text = self.read(start, end)
        for found in _LIKELY.finditer(text):
            if text[found.start()] != 0x5C:
                self.edit(Edit(start + found.start(), start + found.end(), _cover(found)))

    def mark(self, start: int, end: int) -> bool:
        """Each line that touches [start, end) becomes a marker; its end stays. False if the last is not complete."""
        position = max(self.done, self.line_start(start))
        end = max(end, position + 1)
        while position < min(end, self.end):
            stop = self.line_end(position)
            tail = self.read(position, stop)
            content = len(tail.rstrip(b"\r\n"))
            self._edits = [e for e in self._edits if e[1] <= position or e[0] >= stop]
            self.edit(Edit(position, position + content, MARKER))
            position = stop
        return self.read(position - 1, position) == b"\n"

    def upto(self, limit: int) -> None:
        """Writes everything before `limit`, and the rest of an edit that reaches past it."""
        limit = min(limit, self.end)
        count = bisect_left(self._edits, limit, key=_start)
        for start, end, data in self._edits[:count]:
            self._out(start)
            self._replaced(end, data)
            self.changed += end - start
        del self._edits[:count]
        self._out(limit)
        if self.done - self.base > KEPT + ROOM:
            drop = self.done - self.base - KEPT
            del self._held[:drop]
            self.base += drop

    def _out(self, limit: int) -> None:
        while self._cuts and (cut := self._cuts.ahead()) is not None and cut <= limit:
            self._put(cut)
            self._cuts.passed()
        self._put(limit)

    def _replaced(self, end: int, data: bytes) -> None:
        """What stands for [done, end): where lengths stay it is cut to the byte, else it is all before the cut."""
        if self._cuts and len(data) == end - self.done:
            while (cut := self._cuts.ahead()) is not None and cut < end:
                head, data = data[: cut - self.done], data[cut - self.done :]
                self._write(head)
                self.done = cut
                self._cuts.passed()
        if data:
            self._write(data)
        self.done = end

    def _put(self, limit: int) -> None:
        if limit > self.done:
            self._write(bytes(memoryview(self._held)[self.done - self.base : limit - self.base]))
            self.done = limit


def _start(edit: tuple[int, int, bytes]) -> int:
    return edit[0]


def _part(edit: Edit, start: int, end: int) -> bytes:
    """What of an edit's data stands for [start, end): to the byte where lengths stay, else all at its beginning."""
    if len(edit.data) == edit.end - edit.start:
        return edit.data[start - edit.start : end - edit.start]
    return edit.data if start == edit.start else b""
