"""Units on an executor: handed out a few ahead, taken back in order; one whose worker dies is tried once more."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from scanner import hygiene
from scanner.model import Skipped, StreamId
from scanner.run.meter import Meter
from scanner.run.options import Options
from scanner.run.units import Unit
from scanner.run.work import Result, result_of, scanner_for, work

AHEAD = 3  # units handed out per worker beyond the one it is at: enough to keep it busy, little to hold in memory


def in_processes(units: Iterator[Unit], options: Options, jobs: int, meter: Meter) -> Iterator[tuple[Unit, Result]]:
    """On processes of our own."""
    scanner_for(options)  # built before the fork, so that each worker has it without building it
    pool = _Processes(jobs)
    try:
        yield from in_order(units, options, pool, jobs, meter)
    finally:
        pool.shutdown()


class _Processes:
    """A pool of processes that is made anew when one of them died."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = _pool(jobs)

    def submit(self, function: Callable[[Unit, Options], Result], unit: Unit, options: Options) -> Future[Result]:
        try:
            return self._pool.submit(function, unit, options)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = _pool(self._jobs)
            return self._pool.submit(function, unit, options)

    def shutdown(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork"), initializer=_begin)


def _begin() -> None:
    """In a new worker: an interrupt is for the one who started it, and without that one it is of no use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hygiene.die_with_parent()


class Submitting(Protocol):
    """What is asked of an executor."""

    def submit(
        self, function: Callable[[Unit, Options], Result], unit: Unit, options: Options, /
    ) -> Future[Result]: ...


def in_order(
    units: Iterator[Unit], options: Options, executor: Submitting, workers: int, meter: Meter
) -> Iterator[tuple[Unit, Result]]:
    """On any executor."""
    waiting: deque[tuple[Unit, Future[Result]]] = deque()
    for unit in units:
        waiting.append((unit, executor.submit(work, unit, options)))
        if len(waiting) > workers * (AHEAD + 1):
            yield _result(*waiting.popleft(), options, meter)
    while waiting:
        yield _result(*waiting.popleft(), options, meter)


def _result(unit: Unit, future: Future[Result], options: Options, meter: Meter) -> tuple[Unit, Result]:
    try:
        result = future.result()
    except BrokenProcessPool:  # it died, or another did while this one waited
        result = _alone(unit, options)
    return _metered(unit, result, meter)


def _metered(unit: Unit, result: Result, meter: Meter) -> tuple[Unit, Result]:
    for source in unit.sources:
        end = source.size if unit.last else unit.end
        meter.read(source, (end or 0) - unit.start + unit.hole)
        if unit.last:
            meter.done(source)
    return unit, result


def inline(units: Iterator[Unit], options: Options, meter: Meter) -> Iterator[tuple[Unit, Result]]:
    """One after another, here."""
    for unit in units:
        yield _metered(unit, work(unit, options), meter)


def _alone(unit: Unit, options: Options) -> Result:
    """A unit whose worker died, once more in a process of its own; what kills it again is narrowed down to a source."""
    with _pool(1) as pool:
        try:
            return pool.submit(work, unit, options).result()
        except BrokenProcessPool:
            pass
    if len(unit.sources) > 1:
        middle = len(unit.sources) // 2
        first, second = (_alone(Unit(some), options) for some in (unit.sources[:middle], unit.sources[middle:]))
        packed, counts = [*first.packed, *second.packed], (*first.counts, *second.counts)
        return Result(packed, counts, values=[*first.values, *second.values])
    lost = Skipped(StreamId(unit.sources[0].path), "the worker process died twice (out of memory?)", unit.start)
    return result_of([[lost]])
