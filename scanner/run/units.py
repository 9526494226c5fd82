"""Cuts the sources into units of work: a handful of small ones, or a byte range of a large plain one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.decoders import is_plain_file
from scanner.model import Source

RANGE = 32 * 1024 * 1024  # bytes of a plain file one unit takes: a few hundred milliseconds of work at the most
BATCH_BYTES = 4 * 1024 * 1024  # small sources are taken together up to this many bytes …
BATCH_FILES = 256  # … or this many files, so that handing out work costs little beside doing it


@dataclass(frozen=True, slots=True)
class Unit:
    """Sources to scan whole, or one source and the range [start, end) of it."""

    sources: tuple[Source, ...]
    start: int = 0
    end: int | None = None
    ranged: bool = False


def units(sources: list[Source]) -> Iterator[Unit]:
    """All sources, in order, and the ranges of each in order."""
    batch: list[Source] = []
    size = 0
    for source in sources:
        if source.size is not None and source.size >= 2 * RANGE and is_plain_file(source):
            if batch:
                yield Unit(tuple(batch))
                batch, size = [], 0
            yield from _ranges(source, source.size)
            continue
        batch.append(source)
        size += source.size or 0
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield Unit(tuple(batch))
            batch, size = [], 0
    if batch:
        yield Unit(tuple(batch))


def _ranges(source: Source, size: int) -> Iterator[Unit]:
    for start in range(0, size, RANGE):
        last = start + RANGE >= size
        yield Unit((source,), start, None if last else start + RANGE, ranged=True)
