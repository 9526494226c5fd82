"""Many sources over a concurrent.futures.Executor (or inline), one iterator of events out, in order.

A unit of work is a handful of small sources, or a byte range of a large plain one. Units know
nothing of each other: what a range finds is what a scan of the whole file finds there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from itertools import groupby

from scanner.decoders import completion, data_of, is_plain_file
from scanner.model import Finding, Skipped, Source
from scanner.run.lines import Lines
from scanner.run.meter import Meter
from scanner.run.options import Options, Progress, Tell
from scanner.run.pool import in_order, in_processes, inline
from scanner.run.units import RANGE, Unit, all_units, ranges
from scanner.run.work import Result, scan_source
from scanner.values import Keep

__all__ = ["Options", "Progress", "run"]


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

    With an `executor`, units run there (it must accept this package's functions: processes, Dask).
    With `jobs` > 1 processes of our own are used, and one that dies loses only its unit, which is
    tried once more alone and then reported as skipped. Else all happens here and events stream.
    """
    everything = list(sources)
    options = replace(options, keep_values=keep is not None, overlap=jobs > 1)
    meter = Meter(everything, progress)
    if executor is None and (jobs == 1 or not _is_worth_it(everything)):
        for source in everything:
            stretches = data_of(source)
            if stretches is not None and is_plain_file(source):
                cut = ranges(source, source.size or 0, stretches)
                yield from _joined(inline(cut, options, meter), keep)
            else:
                yield from scan_source(source, options, meter.read, keep)
                meter.done(source)
        return
    workers = 4 if executor else jobs
    cut = all_units(everything, workers)
    done = in_order(cut, options, executor, workers, meter) if executor else in_processes(cut, options, jobs, meter)
    yield from _joined(done, keep)


def _joined(done: Iterable[tuple[Unit, Result]], keep: Keep | None) -> Iterator[Finding | Skipped]:
    """The events of all units, the ranges of a file put together again."""
    lines = Lines(keep)
    for ranged, parts in groupby(done, lambda part: part[0].sources[0] if part[0].ranged else None):
        events = (event for unit, result in parts for event in lines.placed(unit, result))
        completed = completion(ranged) if ranged else None
        yield from completed(events) if completed else events


def _is_worth_it(sources: list[Source]) -> bool:
    """Whether the work outweighs starting processes (about 0.2 s each)."""
    if any(source.size is None for source in sources):
        return False  # a pipe is to be streamed here
    return sum(source.size or 0 for source in sources) > RANGE // 2
