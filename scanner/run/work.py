"""One unit of work, in whatever process it is done. What a unit finds depends on its sources alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from scanner.codec import pack, unpack
from scanner.context import FileHints
from scanner.decoders import Ahead, open_source
from scanner.decoders.interface import Stream
from scanner.judge import Policy
from scanner.model import Finding, Skipped, Source, StreamId
from scanner.pipeline import Part, Scanner
from scanner.rules import detectors_of
from scanner.run.options import Options
from scanner.run.units import Unit
from scanner.values import Keep, Value

Read = Callable[[Source, int], None]  # told how many more of a source's own bytes were used up
PACKED = 256  # events packed at once: a finding takes 3 KB as objects and 0.5 KB packed, and a unit may have 100,000


@dataclass(frozen=True, slots=True)
class Result:
    """What a unit found, packed. `lines`: newlines in a range, and the offset of the last one.
    `counts`: how many of the events are each source's.
    """

    packed: list[bytes]
    counts: tuple[int, ...]
    lines: tuple[int, int | None] = (0, None)
    values: list[Value] = field(default_factory=list, repr=False)

    def events(self, lines: int = 0, columns: int = 0) -> Iterator[Finding | Skipped]:
        """The events, `lines` further down, and those of the first line `columns` further right."""
        for some in self.packed:
            yield from unpack(some, lines, columns)


def result_of(
    events: Iterable[Iterable[Finding | Skipped]], part: Part | None = None, values: list[Value] | None = None
) -> Result:
    """Packs the events of each source as they come, so that few are in memory as objects."""
    counts: list[int] = []
    packed = []
    coming = _counted(events, counts)
    while some := list(islice(coming, PACKED)):
        packed.append(pack(some))
    return Result(packed, tuple(counts), part.lines if part else (0, None), values or [])


def _counted(events: Iterable[Iterable[Finding | Skipped]], counts: list[int]) -> Iterator[Finding | Skipped]:
    for one in events:
        number = 0
        for event in one:
            number += 1
            yield event
        counts.append(number)


@lru_cache(maxsize=2)
def scanner_for(options: Options) -> Scanner:
    """Built once a process: the anchors' database can't be pickled."""
    from detectors.registry import all_detectors, on_demand
    from scanner.matcher import Matcher

    detectors = (*all_detectors(), *(on_demand() if options.entropy else ()), *detectors_of(options.rules))
    return Scanner(Matcher(detectors, cached=True), _policy(options), options.key)


def _policy(options: Options) -> Policy:
    if not options.key_sets:
        return Policy(options.as_of, options.leeway, options.max_lifetime)
    from scanner.evidence.signature import Signatures

    return Policy(options.as_of, options.leeway, options.max_lifetime, signatures=Signatures(options.key_sets))


def work(unit: Unit, options: Options, read: Read | None = None) -> Result:
    """Does one unit."""
    values: list[Value] = []
    keep = values.append if options.keep_values else None
    if unit.ranged:
        part = Part(unit.start, unit.end)
        return result_of([_scan_range(unit.sources[0], part, options, keep)], part, values)
    return result_of((scan_source(source, options, read, keep) for source in unit.sources), None, values)


def scan_source(source: Source, options: Options, read: Read | None, keep: Keep | None) -> Iterator[Finding | Skipped]:
    """A source from start to end. `read` is told how many of its bytes were used up, now and then."""
    hints = FileHints(source.mtime, options.zone)
    for stream in open_source(source, options.limits):
        if isinstance(stream, Skipped):
            yield stream
            continue
        on_bytes = _counter(source, stream, read) if read else None
        packed = options.overlap and source.size is not None and stream.id.layers
        with closing(Ahead(stream.reader)) if packed else nullcontext(stream.reader) as reader:
            events = scanner_for(options).scan(stream.id, reader, hints, on_bytes=on_bytes, keep=keep)
            yield from stream.completed(events) if stream.completed else events


def _scan_range(source: Source, part: Part, options: Options, keep: Keep | None) -> Iterator[Finding | Skipped]:
    stream = StreamId(source.path)
    try:
        with open(source.os_path, "rb", buffering=0) as file:
            file.seek(part.read_from)
            reader = _Bounded(file.readinto, part)
            yield from scanner_for(options).scan(stream, reader, FileHints(source.mtime, options.zone), part, keep=keep)
    except OSError as error:
        yield Skipped(stream, f"cannot be read: {os.strerror(error.errno or 0)}", part.start)


class _Bounded:
    """A reader that ends where a part does."""

    def __init__(self, readinto: Callable[[memoryview], int | None], part: Part) -> None:
        self._readinto = readinto
        self._left = None if part.read_to is None else part.read_to - part.read_from

    def readinto(self, buffer: memoryview, /) -> int:
        if self._left is None:
            return self._readinto(buffer) or 0
        count = self._readinto(buffer[: self._left]) or 0
        self._left -= count
        return count


def _counter(source: Source, stream: Stream, read: Read) -> Callable[[], None]:
    """Tells how many more of the source's own bytes a stream has used up."""
    told = 0

    def on_bytes() -> None:
        nonlocal told
        now = stream.consumed()
        read(source, now - told)
        told = now

    return on_bytes
