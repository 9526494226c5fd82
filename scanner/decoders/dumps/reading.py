"""Feeds a dump's parser, from its file at will or from a stream as it passes, and completes the findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from scanner.decoders.dumps.interface import ASKED, Parsing, Reading
from scanner.decoders.dumps.memory import Memory
from scanner.decoders.interface import OpenReader, Stream
from scanner.model import Finding, Skipped, StreamId

KEPT = 8 << 20  # bytes of a stream's beginning kept: program headers of 100,000 mappings, a minidump's small streams
RECENT = (
    1 << 20
)  # bytes just passed that are kept: gcore writes the main stack shortly before the notes that tell of it
HELD = 50_000  # findings that wait for a layout whose stream tells it last; further ones go out with what is known
ASKS = 1_000_000  # questions a parser may ask: more than all notes of 100,000 threads


class MemoryDump(Struct, frozen=True):
    """A format that a parser of its own reads."""

    name: str
    recognises: Callable[[bytes], bool]
    undecided: Callable[[bytes], bool]
    parse: Callable[[Memory], Parsing]

    def attached(self, stream: Stream) -> Stream:
        """A plain file's structure is read in the file, a stream's as it passes."""
        memory = Memory()
        reading = Reading(memory, self.parse(memory))
        if stream.plain_path is None:
            tap = Tap(stream.reader, reading)
            return replace(stream, reader=tap, completed=lambda events: tap.completed(self.name, stream.id, events))
        path = stream.plain_path
        return replace(stream, completed=lambda events: _of_file(self.name, reading, stream.id, path, events))


def begins(magic: bytes) -> Callable[[bytes], bool]:
    """Whether a head is too short to tell, and may become this magic and the two bytes behind it that decide."""
    return lambda head: len(head) < len(magic) + 4 and (magic.startswith(head) or head.startswith(magic))


def _of_file(
    name: str, reading: Reading, stream: StreamId, path: bytes, events: Iterable[Finding | Skipped]
) -> Iterator[Finding | Skipped]:
    """The structure is read first, in the file itself. A file that vanished is said by who scans it."""
    size = 0
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            feed(reading.parsing, lambda start, count: os.pread(file.fileno(), count, start))
    except OSError:
        yield from events
        return
    for event in events:
        yield placed(name, reading, event)
    yield from reading.layout.troubles(stream, size)


def feed(parsing: Parsing, read: Callable[[int, int], bytes]) -> None:
    """Answers the parser until it is done. Raises what `read` raises."""
    try:
        wanted = next(parsing)
        for _ in range(ASKS):
            wanted = parsing.send(_answer(wanted, read))
    except StopIteration:
        return
    parsing.close()


def _answer(wanted: tuple[int, int], read: Callable[[int, int], bytes]) -> bytes:
    start, size = wanted
    return read(start, min(size, ASKED)) if 0 <= start < 1 << 63 and size > 0 else b""


def placed(name: str, reading: Reading, event: Finding | Skipped) -> Finding | Skipped:
    """A finding in memory has an address and no line."""
    if isinstance(event, Skipped):
        return event
    address = reading.layout.address(event.spans[0].start)
    return replace(event, format=name, line=None, column=None, address=address)


class Tap:
    """A reader that lets a parser see what it asked for, as it passes. Nothing is read twice."""

    def __init__(self, inner: OpenReader, reading: Reading) -> None:
        self._inner = inner
        self._reading = reading
        self._head = bytearray()  # the stream's first bytes, at most KEPT
        self._recent = bytearray()  # those before `position`, at least RECENT where there are as many
        self._position = 0  # bytes passed
        self._got = bytearray()  # of what is wanted, from its start on
        self._wanted: tuple[int, int] | None = None
        self._asks = 0
        self._advance(None)

    @property
    def is_done(self) -> bool:
        """Whether the parser knows all it can."""
        return self._wanted is None

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._inner.readinto(buffer)
        if count > 0 and self._wanted is not None:
            self._passes(buffer[:count])
            self._keep(buffer[:count])
        self._position += max(0, count)
        return count

    def close(self) -> None:
        self._inner.close()

    def _advance(self, answer: bytes | None) -> None:
        self._asks += 1
        try:
            self._wanted = next(self._reading.parsing) if answer is None else self._reading.parsing.send(answer)
        except StopIteration:
            self._wanted = None
        if self._asks > ASKS:
            self._reading.parsing.close()
            self._wanted = None
        self._got = bytearray()

    def _keep(self, chunk: memoryview) -> None:
        if self._wanted is None:
            self._recent = self._head = bytearray()
            return
        if len(self._recent) > 2 * RECENT:
            del self._recent[:-RECENT]
        self._recent += chunk

    def _passes(self, chunk: memoryview) -> None:
        """Gives the parser what it wants of the bytes [position, position + len(chunk))."""
        if len(self._head) < KEPT:
            self._head += chunk[: KEPT - len(self._head)]
        end = self._position + len(chunk)
        while self._wanted is not None:
            start, size = self._wanted
            size = min(size, ASKED)
            have = start + len(self._got)
            if have < self._position:
                self._got += self._behind(have, min(start + size, self._position))
                have = start + len(self._got)
            if self._position <= have < end:
                self._got += chunk[have - self._position : max(0, start + size - self._position)]
                have = start + len(self._got)
            if len(self._got) >= size or have < end or start < 0:
                self._advance(bytes(self._got))
            else:
                return

    def _behind(self, start: int, end: int) -> bytearray:
        """The bytes [start, end) that have passed, if they were kept."""
        if end <= len(self._head):
            return self._head[start:end]
        low = start - (self._position - len(self._recent))
        return self._recent[low : low + end - start] if low >= 0 else self._head[start:end]

    def _finish(self) -> None:
        """The stream has ended: what is not there by now never comes."""
        while self._wanted is not None:
            start, size = self._wanted
            end = min(start + min(size, ASKED), self._position)
            known = self._got or (self._behind(start, end) if 0 <= start < end else b"")
            self._advance(bytes(known))

    def completed(
        self, name: str, stream: StreamId, events: Iterable[Finding | Skipped]
    ) -> Iterator[Finding | Skipped]:
        """Holds events back while the layout may still come."""
        held: list[Finding | Skipped] = []
        for event in events:
            if not self.is_done and len(held) < HELD:
                held.append(event)
                continue
            yield from (placed(name, self._reading, one) for one in held)
            held.clear()
            yield placed(name, self._reading, event)
        self._finish()
        yield from (placed(name, self._reading, one) for one in held)
        yield from self._reading.layout.troubles(stream, self._position)
