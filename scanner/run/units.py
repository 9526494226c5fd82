"""Cuts the sources into units of work: a handful of small ones, or a byte range of a large plain one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from scanner.copies import Part as CopiesPart
from scanner.decoders import Limits, data_of, is_plain_file
from scanner.decoders.frames import Framed, framed
from scanner.hygiene import repr_without
from scanner.looking import Part
from scanner.model import Source, StreamId
from scanner.spans import Spans

RANGE = 32 * 1024 * 1024  # bytes of a plain file one unit takes at most: a few hundred milliseconds of work
RANGE_LEAST = 4 * 1024 * 1024  # less is not worth the 0.6 MB around a range that are read again for it
BATCH_BYTES = 4 * 1024 * 1024  # small sources are taken together up to this many bytes …
BATCH_FILES = 256  # … or this many files, so that handing out work costs little beside doing it


class Look(Struct, frozen=True):
    """What is to be looked for in a range once more. `found`: the spans that stand there already."""

    values: bytes  # packed
    found: Spans
    lines: tuple[int, int | None]  # of the range, as the first look counted them

    def __repr__(self) -> str:
        return repr_without(self, "values")


class Inside(Struct, frozen=True):
    """A range is one of a compressed file's content. `mark`: where decoding begins, in the file and in the content;
    `packed`: bytes of the file the range counts for.
    """

    layer: str
    mark: tuple[int, int]
    packed: int


class Unit(Struct, frozen=True):
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
    inside: Inside | None = None

    @property
    def stream(self) -> StreamId:
        """What a range is one of."""
        return StreamId(self.sources[0].path, (self.inside.layer,) if self.inside else ())

    @property
    def cost(self) -> int:
        """How many bytes of a file a range counts for, with the holes around it; of whole sources, all."""
        if self.inside:
            return self.inside.packed
        end = self.sources[0].size if self.last or self.end is None else self.end
        return (end or 0) - self.start + self.hole if self.ranged else sum(source.size or 0 for source in self.sources)


def all_units(sources: list[Source], workers: int, limits: Limits | None = None) -> Iterator[Unit]:
    """All sources, in order, and the ranges of each in order."""
    total = sum(source.size or 0 for source in sources)
    most = max(RANGE_LEAST, min(RANGE, total // (4 * workers)))
    batch: list[Source] = []
    size = 0
    for source in sources:
        if cut := _cut(source, most, workers, limits or Limits()):
            if batch:
                yield Unit(tuple(batch))
                batch, size = [], 0
            yield from cut
            continue
        batch.append(source)
        size += source.size or 0
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield Unit(tuple(batch))
            batch, size = [], 0
    if batch:
        yield Unit(tuple(batch))


def _cut(source: Source, most: int, workers: int, limits: Limits) -> Iterator[Unit] | None:
    """The ranges of a source; None where it is to be scanned whole."""
    if source.size is None or source.size < RANGE_LEAST:
        return None
    if source.size >= 2 * most and is_plain_file(source):
        return ranges(source, source.size, data_of(source), _even(source.size, most, workers))
    found = framed(source, limits) if workers > 1 else None
    return _packed_ranges(source, found, workers) if found and found.size >= 2 * RANGE_LEAST else None


def _packed_ranges(source: Source, found: Framed, workers: int) -> Iterator[Unit]:
    step = max(RANGE_LEAST, min(RANGE, found.size // (4 * workers)))
    for unit in ranges(source, found.size, step=_even(found.size, step, workers)):
        begin = found.before(unit.start)[0]
        end = source.size if unit.end is None else found.before(unit.end)[0]
        read_from = min(part(unit.start, unit.end).read_from for part in (Part, CopiesPart))
        mark = found.before(read_from)
        yield replace(unit, inside=Inside(found.layer, mark, (end or 0) - begin))


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
