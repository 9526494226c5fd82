"""Many files: scanned first, so that the values of all are known, then each rewritten where something stands in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType

from msgspec import Struct

from scanner import hygiene
from scanner.model import Skipped, Source, StreamId
from scanner.redaction.files import Done, Settings, redact_file
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Target

WORTH = 16 << 20  # bytes of all files from which on processes of their own pay (each costs about 0.1 s)


class Task(Struct, frozen=True):
    """One file to be redacted. `place` None: where it is. `found`: a scan found something in it."""

    source: Source
    place: bytes | None
    found: bool
    recorded: Mapping[int, Sequence[Target]] | None = None  # of each stream, by its number


def redact_all(tasks: Sequence[Task], known: Known, settings: Settings, jobs: int) -> Iterator[Done]:
    """Does all tasks, in order. The values never leave this process and those it forks."""
    known.prepare(settings.style)
    if jobs == 1 or len(tasks) < 2 or sum(task.source.size or 0 for task in tasks) < WORTH:
        for task in tasks:
            yield _done(task, known, settings)
        return
    pool = ProcessPoolExecutor(
        min(jobs, len(tasks)), multiprocessing.get_context("fork"), initializer=_begin, initargs=(known, settings)
    )
    try:
        waiting = [(task, pool.submit(_work, task)) for task in tasks]
        for task, future in waiting:
            yield _result(task, future)
    except BaseException:  # an interrupt, or nobody wants the rest
        for worker in (getattr(pool, "_processes", None) or {}).values():
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_shared: list[tuple[Known, Settings]] = []  # of a worker: what it was forked with


def _begin(known: Known, settings: Settings) -> None:
    """In a new worker: an interrupt is for the one who started it, and without that one it is of no use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    hygiene.die_with_parent()
    _shared[:] = [(known, settings)]


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)  # what is in the making is cleared away on the way out


def _work(task: Task) -> Done:
    try:
        return _done(task, *_shared[0])
    except SystemExit:
        os._exit(1)  # else the pool would give it the next task


def _result(task: Task, future: Future[Done]) -> Done:
    try:
        return future.result()
    except BrokenProcessPool:
        return Done(task.source.path, trouble=_trouble(task, "the worker process died (out of memory?)"))


def _done(task: Task, known: Known, settings: Settings) -> Done:
    """One file; a bug of ours costs that file and is told without its words."""
    try:
        return redact_file(task.source, task.place, known, settings, found=task.found, recorded=task.recorded)
    except Exception as error:
        said = hygiene.described(type(error), error.__traceback__)
        return Done(task.source.path, failures=1, trouble=_trouble(task, said))


def _trouble(task: Task, reason: str) -> Skipped:
    return Skipped(StreamId(task.source.path), f"not redacted: {reason}")
