"""Sources -> each with its events, in order: done here one after another, or put together from units done elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor
from itertools import chain, islice

from scanner.decoders import completion, data_of, is_plain_file
from scanner.model import Finding, Skipped, Source
from scanner.run.lines import Lines
from scanner.run.meter import Meter
from scanner.run.options import Options
from scanner.run.pool import in_order, in_processes, inline
from scanner.run.units import RANGE, Unit, all_units, ranges
from scanner.run.work import Result, scan_source
from scanner.values import Keep

Events = Iterator[Finding | Skipped]


def scanned(
    sources: list[Source], options: Options, executor: Executor | None, jobs: int, meter: Meter, keep: Keep | None
) -> Generator[tuple[Source, Events], None, None]:
    """The events of each source are to be read to their end before the next source is asked for."""
    if executor is not None:
        yield from _joined(in_order(all_units(sources, FAR), options, executor, FAR, meter), keep)
    elif jobs > 1 and _is_worth_it(sources):
        yield from _joined(in_processes(all_units(sources, jobs), options, jobs, meter), keep)
    else:
        for source in sources:
            yield source, _here(source, options, meter, keep)


FAR = 4  # workers an executor of the caller's is taken to have


def _here(source: Source, options: Options, meter: Meter, keep: Keep | None) -> Events:
    stretches = data_of(source)
    if stretches is not None and is_plain_file(source):
        done = inline(ranges(source, source.size or 0, stretches), options, meter)
        for _, events in _joined(done, keep):
            yield from events
        return
    yield from scan_source(source, options, meter.read, keep)
    meter.done(source)


def _joined(done: Iterable[tuple[Unit, Result]], keep: Keep | None) -> Iterator[tuple[Source, Events]]:
    """The ranges of a file put together again, the sources of a batch taken apart."""
    lines = Lines(keep)
    coming = iter(done)
    for unit, result in coming:
        if unit.ranged:
            source = unit.sources[0]
            parts = chain([(unit, result)], _rest(unit, coming))
            events = (event for part in parts for event in lines.placed(*part))
            completed = completion(source)
            yield source, completed(events) if completed else events
            continue
        placed = lines.placed(unit, result)
        for source, count in zip(unit.sources, result.counts, strict=True):
            yield source, islice(placed, count)


def _rest(unit: Unit, coming: Iterator[tuple[Unit, Result]]) -> Iterator[tuple[Unit, Result]]:
    """What follows of a file's ranges after the first."""
    while not unit.last:
        unit, result = next(coming)
        yield unit, result


def _is_worth_it(sources: list[Source]) -> bool:
    """Whether the work outweighs starting processes (about 0.2 s each)."""
    if any(source.size is None for source in sources):
        return False  # a pipe is to be streamed here
    return sum(source.size or 0 for source in sources) > RANGE // 2
