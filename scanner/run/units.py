"""Cuts the sources into units of work: a handful of small ones, or a byte range of a large plain one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scanner.copies import Spans
from scanner.decoders import data_of, is_plain_file
from scanner.model import Source

RANGE = 32 * 1024 * 1024  # bytes of a plain file one unit takes at most: a few hundred milliseconds of work
RANGE_LEAST = 4 * 1024 * 1024  # less is not worth the 0.6 MB around a range that are read again for it
BATCH_BYTES = 4 * 1024 * 1024  # small sources are taken together up to this many bytes …
BATCH_FILES = 256  # … or this many files, so that handing out work costs little beside doing it


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked for in a range once more. `found`: the spans that stand there already."""

    values: bytes = field(repr=False)  # packed
    found: Spans
    lines: tuple[int, int | None]  # of the range, as the first look counted them


@dataclass(frozen=True, slots=True)
class Unit:
    """Sources to scan whole, or one source and the range [start, end) of it (None: to its end); with `again`, for a
    second look.
    """

    sources: tuple[Source, ...]
    start: int = 0
    end: int | None = None
    ranged: bool = False
    hole: int = 0  # bytes between the range before and this one that are left out: zeros that take no room on disk
    last: bool = True  # of its sources
    again: Look | None = None


def all_units(sources: list[Source], workers: int) -> Iterator[Unit]:
    """All sources, in order, and the ranges of each in order."""
    total = sum(source.size or 0 for source in sources)
    most = max(RANGE_LEAST, min(RANGE, total // (4 * workers)))
    batch: list[Source] = []
    size = 0
    for source in sources:
        if source.size is not None and source.size >= 2 * most and is_plain_file(source):
            if batch:
                yield Unit(tuple(batch))
                batch, size = [], 0
            yield from ranges(source, source.size, data_of(source), _even(source.size, most, workers))
            continue
        batch.append(source)
        size += source.size or 0
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield Unit(tuple(batch))
            batch, size = [], 0
    if batch:
        yield Unit(tuple(batch))


def _even(size: int, most: int, workers: int) -> int:
    """The size of ranges that keeps all workers busy to the end."""
    count = -(-size // most)
    count += -count % workers
    return -(-size // count)


def ranges(
    source: Source, size: int, stretches: list[tuple[int, int]] | None = None, step: int = RANGE
) -> Iterator[Unit]:
    """The ranges of a plain file, in order; with `stretches`, of these only."""
    stretches = [(0, size)] if stretches is None else stretches or [(size, size)]
    before = 0
    for low, high in stretches:
        for start in range(low, max(high, low + 1), step):
            end = min(start + step, high)
            last = end == stretches[-1][1]
            yield Unit((source,), start, None if end == size else end, True, start - before, last)
            before = end
