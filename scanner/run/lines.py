"""Turns lines counted from a range's start into lines of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scanner.model import Finding, Skipped, Source
from scanner.run.units import Unit
from scanner.run.work import Result
from scanner.values import Keep


class Lines:
    """What stands before the range at hand. Ranges of a file come in order."""

    def __init__(self, keep: Keep | None) -> None:
        self._of: tuple[Source, ...] = ()
        self._lines = 0
        self._newline = -1
        self._keep = keep

    def placed(self, unit: Unit, result: Result) -> Iterator[Finding | Skipped]:
        """The unit's events with the lines and columns of the file."""
        if unit.sources != self._of:
            self._of, self._lines, self._newline = unit.sources, 0, -1
        values = iter(result.values)
        for event in result.events:
            if not isinstance(event, Finding):
                yield event
                continue
            finding = self._moved(event, unit.start) if unit.ranged else event
            if self._keep:
                self._keep(replace(next(values), finding=finding))
            yield finding
        if not unit.ranged:
            return
        count, newline = result.lines
        self._lines += count
        self._newline = self._newline if newline is None else newline

    def _moved(self, finding: Finding, start: int) -> Finding:
        if finding.line is None or finding.column is None:
            return finding
        column = finding.column + (start - 1 - self._newline if finding.line == 1 else 0)
        return replace(finding, line=finding.line + self._lines, column=column)
