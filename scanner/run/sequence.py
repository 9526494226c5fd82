"""Sources -> each with its events, in order: done here one after another, or put together from units done elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from scanner.context import FileHints
from scanner.decoders import Stream, attached, data_of, is_plain_file
from scanner.joined import Join, with_joined
from scanner.model import Finding, Skipped, Source, StreamId
from scanner.run.again import Again
from scanner.run.lines import Lines
from scanner.run.meter import Meter
from scanner.run.options import Notice, Options
from scanner.run.units import RANGE, Unit, all_units, ranges
from scanner.run.work import Result, all_of, first_look, scan_source, scanner_for, work
from scanner.signing import Trials
from scanner.values import Keep

if TYPE_CHECKING:
    from concurrent.futures import Executor

Events = Iterator[Finding | Skipped]
_Do = Callable[[Iterable[Unit], Meter | None], Iterator[tuple[Unit, Result]]]


class Sequence:
    """What a run does with its sources. The events of each are to be read to their end before the next is asked for."""

    def __init__(
        self,
        options: Options,
        executor: Executor | None,
        jobs: int,
        meter: Meter,
        keep: Keep | None,
        notice: Notice,
        trials: Trials | None,
    ) -> None:
        self._options = options
        self._executor = executor
        self._jobs = jobs
        self._meter = meter
        self._keep = keep
        self._notice = notice
        self._trials = trials

    def scanned(self, sources: list[Source]) -> Generator[tuple[Source, Events], None, None]:
        """Each source with its events."""
        if self._executor is None and (self._jobs == 1 or not _is_worth_it(sources)):
            for source in sources:
                yield source, self._here(source)
            return
        from scanner.run.pool import in_order, processes  # with all of multiprocessing: 10 ms that not every scan needs

        workers = FAR if self._executor else self._jobs
        with nullcontext(self._executor) if self._executor else processes(self._options, self._jobs) as pool:
            do = partial(in_order, options=self._options, executor=pool, workers=workers)
            yield from self._joined(all_units(sources, workers, self._options.limits), do)

    def _here(self, source: Source) -> Events:
        stretches = data_of(source)
        if stretches is not None and is_plain_file(source):
            cut = ranges(source, source.size or 0, stretches)
            for _, events in self._joined(cut, self._inline):
                yield from events
            return
        yield from scan_source(source, self._options, self._meter.read, self._keep, self._notice, self._trials)
        self._meter.done(source)

    def _joined(self, cut: Iterable[Unit], do: _Do) -> Iterator[tuple[Source, Events]]:
        """The ranges of a file put together again, the sources of a batch taken apart. `do`: does units, in order."""
        lines = Lines(self._keep)
        coming = do(cut, self._meter)
        for unit, result in coming:
            if unit.ranged:
                source = unit.sources[0]
                stream = None if unit.inside else attached(source)
                events = self._of_ranges(source, stream, chain([(unit, result)], _rest(unit, coming)), lines, do)
                yield source, stream.completed(events) if stream and stream.completed else events
                continue
            for text in result.notices:
                self._notice(text)
            self._offer(result)
            placed = lines.placed(unit, result)
            for source, count in zip(unit.sources, result.counts, strict=True):
                yield source, islice(placed, count)

    def _inline(self, units: Iterable[Unit], meter: Meter | None) -> Iterator[tuple[Unit, Result]]:
        """One after another, here."""
        for unit in units:
            result = work(unit, self._options)
            if meter:
                meter.took(unit)
            yield unit, result

    def _offer(self, result: Result) -> None:
        if self._trials:
            for trial in result.trials:
                self._trials.offer(trial)

    def _of_ranges(
        self, source: Source, stream: Stream | None, parts: Iterable[tuple[Unit, Result]], lines: Lines, do: _Do
    ) -> Events:
        """A file's findings, those in what it keeps in pieces, then its copies: its ranges are done once more."""
        again = Again()
        events = self._first(parts, lines, again)
        if stream and stream.joined:
            events = self._with_joined(source, stream.joined, events, again)
        yield from again.places.watched(events)
        for unit, result in do(again.units(self._notice), None):
            yield from lines.placed(unit, result)

    def _first(self, parts: Iterable[tuple[Unit, Result]], lines: Lines, again: Again) -> Events:
        broken = False
        for unit, result in parts:
            if broken:
                lines.pass_over(unit)
                continue  # damage came before: what a decoder finds behind it is not what one finds that comes to it
            broken = result.broken
            self._offer(result)
            again.take(unit, result)
            yield from lines.placed(unit, result)

    def _with_joined(self, source: Source, join: Join, events: Events, again: Again) -> Events:
        """Pieces are put together here, in one process: there is little of that, wherever the file is large."""
        options = self._options
        first = first_look(options)
        keep = all_of(first.take if first else None, self._keep, self._trials.take if self._trials else None)
        hints = FileHints(source.mtime, options.zone, source.size)
        stream, scanner = StreamId(source.path), scanner_for(options)
        yield from with_joined(events, stream, join, scanner, hints, keep, self._notice)
        if first:
            again.know(first.known.values.values())


FAR = 4  # workers an executor of the caller's is taken to have


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
