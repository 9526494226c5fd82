"""Many sources over a concurrent.futures.Executor (or inline), one iterator of events out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from scanner.model import Finding, Skipped, Source


@dataclass(frozen=True, slots=True)
class Options:
    """What a scan is done with; picklable, so that a worker process can be given it."""

    as_of: datetime  # aware, UTC: the instant verdicts are given for
    key: bytes  # 32 bytes, the HMAC key of fingerprints


@dataclass(frozen=True, slots=True)
class Progress:
    """Told now and then (not per byte). Bytes are those of the files as they lie on disk."""

    bytes_done: int
    bytes_total: int | None  # None where it can't be told (a pipe among the sources)
    sources_done: int
    current: str


def run(
    sources: Iterable[Source],
    options: Options,
    *,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[Finding | Skipped]:
    """Scans the sources in order and yields what is found, in order of source and offset."""
    raise NotImplementedError
