"""Units on an executor: handed out a few ahead, taken back in order; one whose worker dies is tried once more."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from scanner.model import Skipped, StreamId
from scanner.run.meter import Meter
from scanner.run.options import Options
from scanner.run.units import Unit
from scanner.run.work import Result, scanner_for, work

AHEAD = 3  # units handed out per worker beyond the one it is at: enough to keep it busy, little to hold in memory


def in_processes(units: Iterator[Unit], options: Options, jobs: int, meter: Meter) -> Iterator[tuple[Unit, Result]]:
    """On processes of our own."""
    scanner_for(options)  # built before the fork, so that each worker has it without building it
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork"))
    try:
        yield from in_order(units, options, pool, jobs, meter)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_order(
    units: Iterator[Unit], options: Options, executor: Executor, workers: int, meter: Meter
) -> Iterator[tuple[Unit, Result]]:
    """On any executor."""
    waiting: deque[tuple[Unit, Future[Result] | None]] = deque()
    for unit in units:
        waiting.append((unit, _submit(executor, unit, options)))
        if len(waiting) > workers * (AHEAD + 1):
            yield _result(*waiting.popleft(), options, meter)
    while waiting:
        yield _result(*waiting.popleft(), options, meter)


def _submit(executor: Executor, unit: Unit, options: Options) -> Future[Result] | None:
    """None where the pool is broken already: the unit is then done alone."""
    try:
        return executor.submit(work, unit, options)
    except BrokenProcessPool:
        return None


def _result(unit: Unit, future: Future[Result] | None, options: Options, meter: Meter) -> tuple[Unit, Result]:
    try:
        result = future.result() if future else _alone(unit, options)
    except BrokenProcessPool:
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
    """A unit whose worker died, once more in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            return pool.submit(work, unit, options).result()
        except BrokenProcessPool:
            reason = "the worker process died twice (out of memory?)"
            return Result([Skipped(StreamId(source.path), reason, unit.start) for source in unit.sources])
