"""One unit of work, in whatever process it is done. What a unit finds depends on its sources alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from functools import lru_cache, partial
from io import FileIO
from itertools import chain, islice

import lz4.block
from msgspec import Struct, field
from msgspec.structs import replace

from scanner.codec import pack, unpack
from scanner.context import FileHints
from scanner.copies import Known
from scanner.copies import Part as CopiesPart
from scanner.decoders import Ahead, open_source
from scanner.decoders.frames import Content
from scanner.decoders.interface import Reader, Stream
from scanner.errors import InputError
from scanner.joined import with_joined
from scanner.judge import Policy
from scanner.looking import Part
from scanner.model import Finding, Skipped, Source, StreamId
from scanner.pipeline import Scanner
from scanner.rules import detectors_of
from scanner.run.glance import holds_nothing
from scanner.run.options import Options
from scanner.run.units import Look, Unit
from scanner.secondlook import Copies, FirstLook, OpenAt, Places, copies_in_file, notices, second_look
from scanner.signing import Trials
from scanner.values import Keep, Trial, Value, unpacked
from scanner.windows import Bounded

Read = Callable[[Source, int], None]  # told how many more of a source's own bytes were used up
PACKED = 256  # events packed at once: a finding takes 3 KB as objects and 0.2 KB packed, and a unit may have 100,000


class Result(Struct, frozen=True):
    """What a unit found, packed. `lines`: newlines in a range, and the offset of the last one.
    `counts`: how many of the events are each source's.
    """

    packed: list[bytes]
    counts: tuple[int, ...]
    lines: tuple[int, int | None] = (0, None)
    values: list[Value] = field(default_factory=list)
    known: list[Value] = field(default_factory=list)  # those a second look at the file is for
    refused: bool = False  # there were more of them
    trials: list[Trial] = field(default_factory=list)
    missed: bool = False  # there were some, and none came along
    notices: list[str] = field(default_factory=list)
    broken: bool = False  # the stream ends in this range, since it is damaged: ranges behind it do not count

    def events(self, lines: int = 0, columns: int = 0) -> Iterator[Finding | Skipped]:
        """The events, `lines` further down, and those of the first line `columns` further right."""
        for some in self.packed:
            yield from unpack(lz4.block.decompress(some), lines, columns)


def packed_events(events: Iterable[Iterable[Finding | Skipped]]) -> tuple[list[bytes], tuple[int, ...]]:
    """Packs the events of each source as they come, so that few are in memory as objects; and counts them."""
    counts: list[int] = []
    packed = []
    coming = _counted(events, counts)
    while some := list(islice(coming, PACKED)):
        packed.append(lz4.block.compress(pack(some)))
    return packed, tuple(counts)


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
    from detectors.registry import all_detectors, on_demand, public
    from scanner.matcher import Matcher

    detectors = (*all_detectors(), *(on_demand() if options.entropy else ()), *detectors_of(options.rules))
    detectors += public() if options.trials else ()
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
    if unit.again:
        return Result(*packed_events([_look_again(unit, unit.again, keep)]), unit.again.lines, values)
    if unit.ranged:
        return _range(unit, options, keep, values)
    notices: list[str] = []
    trials: list[Trial] = []
    tried = Trials(trials.append) if options.trials else None
    scans = (scan_source(source, options, read, keep, notices.append, tried) for source in unit.sources)
    packed, counts = packed_events(scans)
    return Result(packed, counts, values=values, notices=notices, trials=trials)


def scan_source(
    source: Source,
    options: Options,
    read: Read | None,
    keep: Keep | None,
    notice: Callable[[str], None],
    trials: Trials | None = None,
) -> Iterator[Finding | Skipped]:
    """A source from start to end, then its copies. `read` is told how many of its bytes were used up, now and then."""
    if holds_nothing(source, scanner_for(options).matcher):
        if read:
            read(source, source.size or 0)
        return
    places = Places()
    first = first_look(options) if source.size is not None else None  # a pipe can't be opened again
    in_place = False
    for stream in open_source(source, options.limits):
        if isinstance(stream, Skipped):
            yield from places.watched((stream,))
            continue
        on_bytes = _counter(source, stream, read) if read else None
        packed = options.overlap and source.size is not None and stream.id.layers
        with closing(Ahead(stream.reader)) if packed else nullcontext(stream.reader) as reader:
            hints = _hints(source, options)
            kept = all_of(first.take if first else None, keep, trials.take if trials else None)
            aside = trials.compare if trials else None
            events = scanner_for(options).scan(stream.id, reader, hints, on_bytes=on_bytes, keep=kept, aside=aside)
            if stream.joined:
                events = with_joined(events, stream.id, stream.joined, scanner_for(options), hints, kept, notice)
            events = places.watched(events) if first else events
            if first and stream.plain_path is not None:  # its format has its last word on findings and copies at once
                in_place = True
                events = chain(events, _copies_in_place(stream.id, stream.plain_path, first, places, keep))
            yield from places.noted(stream.completed(events)) if stream.completed else events
    if not first:
        return
    for text in notices(source.path, first.known, places):
        notice(text)
    if first.known.values and places.are_all and not in_place:
        yield from second_look(source, first.known, places, options.limits, keep)


def first_look(options: Options) -> FirstLook | None:
    return None if options.copies is Copies.NEVER else FirstLook(options.copies, scanner_for(options))


def all_of(*wanted: Keep | None) -> Keep | None:
    """One for all that are there."""
    keeps = [keep for keep in wanted if keep]
    if len(keeps) < 2:
        return keeps[0] if keeps else None

    def keep(value: Value) -> None:
        for one in keeps:
            one(value)

    return keep


def _copies_in_place(
    stream: StreamId, path: bytes, first: FirstLook, places: Places, keep: Keep | None
) -> Iterator[Finding | Skipped]:
    """Asked for when the findings of the stream were taken."""
    if first.known.values and places.are_all:
        yield from copies_in_file(stream, partial(_file_at, path), first.known, places.of(stream), keep=keep)


def _range(unit: Unit, options: Options, keep: Keep | None, values: list[Value]) -> Result:
    part = Part(unit.start, unit.end)
    first = first_look(options)
    trials: list[Trial] = []
    tried = Trials(trials.append) if options.trials else None
    kept = all_of(first.take if first else None, keep, tried.take if tried else None)
    reader = _Watched()
    packed, counts = packed_events([_scan_range(unit, part, options, kept, tried, reader)])
    result = Result(packed, counts, part.lines, values, trials=trials, broken=reader.owned)
    if first is None or options.away:
        return replace(result, missed=bool(first and first.known.values))
    return replace(result, known=list(first.known.values.values()), refused=first.known.refused)


class _Watched:
    """A reader whose failure is kept. `owned`: it is this range's to tell."""

    def __init__(self) -> None:
        self.inner: Reader | None = None
        self.failure: str | None = None
        self.owned = False

    def readinto(self, buffer: memoryview, /) -> int:
        assert self.inner is not None
        try:
            return self.inner.readinto(buffer)
        except InputError as error:
            self.failure = str(error)
            raise


def _scan_range(
    unit: Unit, part: Part, options: Options, keep: Keep | None, trials: Trials | None, reader: _Watched
) -> Iterator[Finding | Skipped]:
    """What stands in a range; damage is told by the range in which the stream ends for it."""
    source, aside = unit.sources[0], trials.compare if trials else None
    hints = _hints(source, options)
    try:
        with closing(_opener(unit)(part.read_from)) as file:
            reader.inner = Bounded(file, part)
            for event in scanner_for(options).scan(unit.stream, reader, hints, part, keep=keep, aside=aside):
                if isinstance(event, Skipped) and reader.failure == event.reason:
                    reader.owned = part.owns(event.at_byte or 0)
                    if not reader.owned:
                        continue
                yield event
    except OSError as error:
        yield Skipped(unit.stream, f"cannot be read: {os.strerror(error.errno or 0)}", part.start)


def _opener(unit: Unit) -> OpenAt:
    """Opens what a range is one of."""
    path, inside = unit.sources[0].os_path, unit.inside
    return partial(Content, path, inside.layer, inside.mark) if inside else partial(_file_at, path)


def _file_at(path: bytes, offset: int) -> FileIO:
    file = FileIO(path)
    file.seek(offset)
    return file


def _look_again(unit: Unit, look: Look, keep: Keep | None) -> Iterator[Finding | Skipped]:
    known = Known()
    for value in unpacked(look.values):
        known.add(value)
    part = CopiesPart(unit.start, unit.end)
    return copies_in_file(unit.stream, _opener(unit), known, look.found, part, keep)


def _hints(source: Source, options: Options) -> FileHints:
    return FileHints(source.mtime, options.zone, source.size, options.read if source.mtime is None else None)


def _counter(source: Source, stream: Stream, read: Read) -> Callable[[], None]:
    """Tells how many more of the source's own bytes a stream has used up."""
    told = 0

    def on_bytes() -> None:
        nonlocal told
        now = stream.consumed()
        read(source, now - told)
        told = now

    return on_bytes
