"""Turns lines counted from a range's start into lines of the file."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from scanner.model import Finding, Skipped
from scanner.run.units import Unit
from scanner.run.work import Result
from scanner.values import Keep


class Lines:
    """What stands before the range at hand. Ranges of a file come in order."""

    def __init__(self, keep: Keep | None) -> None:
        self._begun = False  # a range of the file at hand was placed already
        self._lines = 0
        self._newline = -1
        self._keep = keep

    def pass_over(self, unit: Unit) -> None:
        """Leaves a range out."""
        self._begun = unit.ranged and not unit.last

    def placed(self, unit: Unit, result: Result) -> Iterator[Finding | Skipped]:
        """The unit's events with the lines and columns of the file."""
        if not self._begun:
            self._lines, self._newline = 0, -1
        lines, columns = (self._lines, unit.start - 1 - self._newline) if unit.ranged else (0, 0)
        values = iter(result.values)
        for event in result.events(lines, columns):
            if self._keep and isinstance(event, Finding):
                self._keep(replace(next(values), finding=event))
            yield event
        self._begun = unit.ranged and not unit.last
        if not unit.ranged:
            return
        count, newline = result.lines
        self._lines += count
        self._newline = self._newline if newline is None else newline
