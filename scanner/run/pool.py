"""Units on an executor: handed out a few ahead, taken back in order; one whose worker dies is tried once more."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawArray
from typing import Any, Protocol

from scanner import hygiene
from scanner.model import Skipped, Source
from scanner.run.meter import Meter
from scanner.run.options import Options
from scanner.run.units import Unit
from scanner.run.work import Result, packed_events, scanner_for, work

AHEAD = 2  # units handed out per worker beyond the one it is at: enough to keep it busy, little to hold in memory


class Submitting(Protocol):
    """What is asked of an executor."""

    def submit(
        self, function: Callable[[Unit, Options], Result], unit: Unit, options: Options, /
    ) -> Future[Result]: ...


class _Processes:
    """A pool of processes that is made anew when one of them died."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._board = RawArray("Q", SLOTS)  # shared with the workers: bytes used up by each unit so far
        self._slots: dict[Future[Result], int] = {}
        self._next = 0
        self._pool = _pool(jobs, self._board)

    def submit(self, function: Callable[[Unit, Options], Result], unit: Unit, options: Options) -> Future[Result]:
        slot = self._next = (self._next + 1) % SLOTS
        self._board[slot] = 0
        try:
            future = self._pool.submit(_told, slot, unit, options)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = _pool(self._jobs, self._board)
            future = self._pool.submit(_told, slot, unit, options)
        self._slots[future] = slot
        return future

    def wait(self, future: Future[Result], unit: Unit, meter: Meter | None) -> None:
        """Until the unit is done; meanwhile says how far all are."""
        while meter and not future.done():
            wait([future], timeout=TELL_EVERY)
            meter.under_way(unit.sources[0], sum(self._board[slot] for slot in self._slots.values()))
        del self._slots[future]

    def end(self) -> None:
        """Nobody waits for anything more: the workers are ended, and what they took is counted as ours. They only read,
        and leave nothing behind; by themselves they would take a dozen milliseconds to go.
        """
        workers = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join(timeout=1)  # one that hangs in a read is left to the system


SLOTS = 2048  # more than units can be out at once
TELL_EVERY = 0.5  # seconds
_board: Any = None  # in a worker: the pool's


def _pool(jobs: int, board: object = None) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(board,))


def _begin(board: object) -> None:
    """In a new worker: an interrupt is for the one who started it, and without that one it is of no use."""
    global _board
    _board = board
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hygiene.die_with_parent()


def _told(slot: int, unit: Unit, options: Options) -> Result:
    """In a worker: does a unit and says how far it is."""

    def read(_source: Source, count: int) -> None:
        _board[slot] += count

    return work(unit, options, read)


@contextmanager
def processes(options: Options, jobs: int) -> Iterator[Submitting]:
    """Processes of our own. Raises KeyboardInterrupt also where one broke a lock of the pool that was waited on."""
    scanner_for(options)  # built before the fork, so that each worker has it without building it
    pool = _Processes(jobs)
    try:
        yield pool
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None  # it came while `Condition.wait` held no lock to be released
        raise
    finally:
        pool.end()


def in_order(
    units: Iterable[Unit], meter: Meter | None, options: Options, executor: Submitting, workers: int
) -> Iterator[tuple[Unit, Result]]:
    """On any executor. The meter is told of what is read for the first time."""
    waiting: deque[tuple[Unit, Future[Result]]] = deque()

    def first() -> tuple[Unit, Result]:
        unit, future = waiting.popleft()
        if isinstance(executor, _Processes):
            executor.wait(future, unit, meter)
        result = _result(unit, future, options)
        if meter:
            meter.took(unit)
        return unit, result

    for unit in units:
        waiting.append((unit, executor.submit(work, unit, options)))
        if len(waiting) > workers * (AHEAD + 1):
            yield first()
    while waiting:
        yield first()


def _result(unit: Unit, future: Future[Result], options: Options) -> Result:
    try:
        return future.result()
    except BrokenProcessPool:  # it died, or another did while this one waited
        return _alone(unit, options)


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
        notices = [*first.notices, *second.notices]
        return Result(packed, counts, values=[*first.values, *second.values], notices=notices)
    lost = Skipped(unit.stream, "the worker process died twice (out of memory?)", unit.start)
    return Result(*packed_events([[lost]]))
