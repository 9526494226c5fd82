"""The second look at a large plain file: what its ranges found is put together, and its ranges are handed out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from scanner.copies import Known, Part
from scanner.run.units import Look, Unit
from scanner.run.work import Result
from scanner.secondlook import Places, notices
from scanner.values import Value, packed


class Again:
    """What the ranges of one file leave behind. They come in order."""

    def __init__(self) -> None:
        self.places = Places()
        self._known = Known()
        self._missed = False
        self._ranges: list[tuple[Unit, tuple[int, int | None]]] = []

    def take(self, unit: Unit, result: Result) -> None:
        """A range was done. Its events are to be noted in `places`."""
        self._ranges.append((unit, result.lines))
        self.know(result.known)
        self._known.refused = self._known.refused or result.refused
        self._missed = self._missed or result.missed

    def know(self, values: Iterable[Value]) -> None:
        """Values that a second look is for."""
        for value in values:
            self._known.add(value)

    def units(self, notice: Callable[[str], None]) -> Iterator[Unit]:
        """The same ranges, with what to look for; none where there is nothing to."""
        if not self._ranges:
            return
        source = self._ranges[0][0].sources[0]
        if self._missed:
            notice(f"{source.path}: copies were not looked for: values stay on the machine that found them")
        for text in notices(source.path, self._known, self.places):
            notice(text)
        if not self._known.values or not self.places.are_all:
            return
        values = packed(self._known.values.values())
        found = self.places.of(self._ranges[0][0].stream)
        for unit, lines in self._ranges:
            part = Part(unit.start, unit.end)
            look = Look(values, found.near(part.read_from, part.read_to), lines)
            yield replace(unit, again=look, last=unit is self._ranges[-1][0])
