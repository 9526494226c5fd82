"""Many sources over a concurrent.futures.Executor (or inline), one iterator of events out, in order.

A unit of work is a handful of small sources, or a byte range of a large plain one. Units know
nothing of each other: what a range finds is what a scan of the whole file finds there.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from scanner.context import FileHints
from scanner.decoders import Limits, is_plain_file, open_source
from scanner.decoders.interface import Stream
from scanner.judge import Policy
from scanner.model import Finding, Skipped, Source, StreamId
from scanner.pipeline import Part, Scanner
from scanner.values import Keep, Value

RANGE = 32 * 1024 * 1024  # bytes of a plain file one unit takes: a few hundred milliseconds of work at the most
BATCH_BYTES = 4 * 1024 * 1024  # small sources are taken together up to this many bytes …
BATCH_FILES = 256  # … or this many files, so that handing out work costs little beside doing it
AHEAD = 3  # units handed out per worker beyond the one it is at: enough to keep it busy, little to hold in memory


@dataclass(frozen=True, slots=True)
class Options:
    """What a scan is done with; picklable, so that a worker process can be given it."""

    as_of: datetime  # aware, UTC: the instant verdicts are given for
    key: bytes = field(repr=False)  # 32 bytes, the HMAC key of fingerprints
    leeway: float = 0.0  # seconds of clock skew granted
    limits: Limits = field(default_factory=Limits)
    keep_values: bool = False  # found values come back to the caller of `run`, for a second look; local runs only


@dataclass(frozen=True, slots=True)
class Progress:
    """Told now and then (not per byte). Bytes are those of the files as they lie on disk."""

    bytes_done: int
    bytes_total: int | None  # None where it can't be told (a pipe among the sources)
    sources_done: int
    current: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """Sources to scan whole, or one source and the range [start, end) of it."""

    sources: tuple[Source, ...]
    start: int = 0
    end: int | None = None
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    events: list[Finding | Skipped]
    lines: tuple[int, int | None] = (0, None)
    values: list[Value] = field(default_factory=list, repr=False)


Tell = Callable[[Progress], None]


def run(
    sources: Iterable[Source],
    options: Options,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    progress: Tell | None = None,
    keep: Keep | None = None,
) -> Iterator[Finding | Skipped]:
    """Scans the sources in order and yields what is found, in order of source and offset.

    `keep` is given each finding's value, its finding placed in the file, before the finding is yielded.

    With an `executor`, units run there (it must accept this module's functions: processes, Dask).
    With `jobs` > 1 processes of our own are used, and one that dies loses only its unit, which is
    tried once more alone and then reported as skipped. Else all happens here and events stream.
    """
    everything = list(sources)
    options = replace(options, keep_values=keep is not None)
    meter = _Meter(everything, progress)
    if executor is not None:
        yield from _in_order(_units(everything), options, executor, 4, meter, keep)
    elif jobs > 1 and _is_worth_it(everything):
        yield from _in_processes(_units(everything), options, jobs, meter, keep)
    else:
        for source in everything:
            yield from _scan_source(source, options, meter.read, keep)
            meter.done(source)


def _is_worth_it(sources: list[Source]) -> bool:
    """Whether the work outweighs starting processes (about 0.2 s each)."""
    if any(source.size is None for source in sources):
        return False  # a pipe is to be streamed here
    return sum(source.size or 0 for source in sources) > RANGE // 2


class _Meter:
    """Adds up what was read, for the one who is told."""

    def __init__(self, sources: list[Source], tell: Tell | None) -> None:
        sizes = [source.size for source in sources]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._tell = tell
        self._bytes = self._sources = self._since = 0

    def read(self, source: Source, count: int) -> None:
        self._bytes += count
        self._since += count
        if self._tell and self._since >= 1 << 22:
            self._since = 0
            self._tell(Progress(self._bytes, self._total, self._sources, source.path))

    def done(self, source: Source) -> None:
        self._sources += 1
        if self._tell:
            self._tell(Progress(self._bytes, self._total, self._sources, source.path))


def _units(sources: list[Source]) -> Iterator[_Unit]:
    batch: list[Source] = []
    size = 0
    for source in sources:
        if source.size is not None and source.size >= 2 * RANGE and is_plain_file(source):
            if batch:
                yield _Unit(tuple(batch))
                batch, size = [], 0
            for start in range(0, source.size, RANGE):
                last = start + RANGE >= source.size
                yield _Unit((source,), start, None if last else start + RANGE, ranged=True)
            continue
        batch.append(source)
        size += source.size or 0
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield _Unit(tuple(batch))
            batch, size = [], 0
    if batch:
        yield _Unit(tuple(batch))


def _in_processes(
    units: Iterator[_Unit], options: Options, jobs: int, meter: _Meter, keep: Keep | None
) -> Iterator[Finding | Skipped]:
    _scanner(options)  # built before the fork, so that each worker has it without building it
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork"))
    try:
        yield from _in_order(units, options, pool, jobs, meter, keep)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _in_order(
    units: Iterator[_Unit], options: Options, executor: Executor, workers: int, meter: _Meter, keep: Keep | None
) -> Iterator[Finding | Skipped]:
    waiting: deque[tuple[_Unit, Future[_Result] | None]] = deque()
    lines = _Lines(keep)
    for unit in units:
        waiting.append((unit, _submit(executor, unit, options)))
        if len(waiting) > workers * (AHEAD + 1):
            yield from lines.placed(*_result(*waiting.popleft(), options, meter))
    while waiting:
        yield from lines.placed(*_result(*waiting.popleft(), options, meter))


def _submit(executor: Executor, unit: _Unit, options: Options) -> Future[_Result] | None:
    """None where the pool is broken already: the unit is then done alone."""
    try:
        return executor.submit(_work, unit, options)
    except BrokenProcessPool:
        return None


def _result(unit: _Unit, future: Future[_Result] | None, options: Options, meter: _Meter) -> tuple[_Unit, _Result]:
    try:
        result = future.result() if future else _alone(unit, options)
    except BrokenProcessPool:
        result = _alone(unit, options)
    for source in unit.sources:
        end = source.size if unit.end is None else unit.end
        meter.read(source, (end or 0) - unit.start)
        if unit.end is None:
            meter.done(source)
    return unit, result


def _alone(unit: _Unit, options: Options) -> _Result:
    """A unit whose worker died, once more in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            return pool.submit(_work, unit, options).result()
        except BrokenProcessPool:
            reason = "the worker process died twice (out of memory?)"
            return _Result([Skipped(StreamId(source.path), reason, unit.start) for source in unit.sources])


class _Lines:
    """Turns lines counted from a range's start into lines of the file. Ranges of a file come in order."""

    def __init__(self, keep: Keep | None) -> None:
        self._lines = 0
        self._newline = -1
        self._keep = keep

    def placed(self, unit: _Unit, result: _Result) -> Iterator[Finding | Skipped]:
        if unit.start == 0:
            self._lines, self._newline = 0, -1
        values = iter(result.values)
        for event in result.events:
            if not isinstance(event, Finding):
                yield event
                continue
            finding = self._moved(event, unit.start) if unit.ranged else event
            if self._keep:
                self._keep(replace(next(values), finding=finding))
            yield finding
        if not unit.ranged:
            return
        count, newline = result.lines
        self._lines += count
        self._newline = self._newline if newline is None else newline

    def _moved(self, finding: Finding, start: int) -> Finding:
        if finding.line is None or finding.column is None:
            return finding
        column = finding.column + (start - 1 - self._newline if finding.line == 1 else 0)
        return replace(finding, line=finding.line + self._lines, column=column)


@lru_cache(maxsize=2)
def _scanner(options: Options) -> Scanner:
    from detectors.registry import all_detectors
    from scanner.matcher import Matcher

    return Scanner(
        Matcher(all_detectors(), cached=True), Policy(as_of=options.as_of, leeway=options.leeway), options.key
    )


def _work(unit: _Unit, options: Options) -> _Result:
    if unit.ranged:
        return _scan_range(unit, options)
    events: list[Finding | Skipped] = []
    values: list[Value] = []
    keep = values.append if options.keep_values else None
    for source in unit.sources:
        events += _scan_source(source, options, None, keep)
    return _Result(events, values=values)


def _scan_range(unit: _Unit, options: Options) -> _Result:
    source = unit.sources[0]
    part = Part(unit.start, unit.end)
    stream = StreamId(source.path)
    values: list[Value] = []
    keep = values.append if options.keep_values else None
    try:
        with open(source.os_path, "rb", buffering=0) as file:
            file.seek(part.read_from)
            reader = _Bounded(file.readinto, part)
            events = list(_scanner(options).scan(stream, reader, FileHints(mtime=source.mtime), part, keep=keep))
    except OSError as error:
        return _Result([Skipped(stream, f"cannot be read: {os.strerror(error.errno or 0)}", unit.start)])
    return _Result(events, part.lines, values)


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


def _scan_source(
    source: Source, options: Options, read: Callable[[Source, int], None] | None, keep: Keep | None
) -> Iterator[Finding | Skipped]:
    hints = FileHints(mtime=source.mtime)
    for stream in open_source(source, options.limits):
        if isinstance(stream, Skipped):
            yield stream
            continue
        on_bytes = _counter(source, stream, read) if read else None
        events = _scanner(options).scan(stream.id, stream.reader, hints, on_bytes=on_bytes, keep=keep)
        yield from stream.completed(events) if stream.completed else events


def _counter(source: Source, stream: Stream, read: Callable[[Source, int], None]) -> Callable[[], None]:
    """Tells how many more of the source's own bytes a stream has used up."""
    told = 0

    def on_bytes() -> None:
        nonlocal told
        now = stream.consumed()
        read(source, now - told)
        told = now

    return on_bytes
