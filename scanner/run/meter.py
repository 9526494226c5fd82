"""Adds up what was read, for the one who is told."""

from __future__ import annotations

from scanner.model import Source
from scanner.run.options import Progress, Tell
from scanner.run.units import Unit

EVERY = 1 << 22  # bytes between two words


class Meter:
    """Bytes and sources done, of all there are."""

    def __init__(self, sources: list[Source], tell: Tell | None) -> None:
        sizes = [source.size for source in sources]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._tell = tell
        self._bytes = self._sources = self._since = 0

    def read(self, source: Source, count: int) -> None:
        """`count` more bytes of the source's own were used up."""
        self._bytes += count
        self._since += count
        if self._tell and self._since >= EVERY:
            self._since = 0
            self._tell(Progress(self._bytes, self._total, self._sources, source.path))

    def under_way(self, source: Source, count: int) -> None:
        """`count` bytes were used up by units that are not done yet; `source` is among them."""
        if self._tell:
            self._tell(Progress(self._bytes + count, self._total, self._sources, source.path))

    def took(self, unit: Unit) -> None:
        """All of a unit was read."""
        for source in unit.sources:
            self.read(source, unit.cost if unit.ranged else source.size or 0)
            if unit.last:
                self.done(source)

    def done(self, source: Source) -> None:
        """The source was read to its end."""
        self._sources += 1
        if self._tell:
            self._tell(Progress(self._bytes, self._total, self._sources, source.path))
