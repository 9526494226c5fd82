"""What a sink is: it is told of findings one by one and writes a report. No sink sees a secret."""

from __future__ import annotations

from typing import Protocol

from scanner.model import Finding, Skipped, Summary


class Sink(Protocol):
    """Calls come in this order: begin, then findings and skipped in any order, then finish once.

    `finish` is called also after an interrupt (summary.interrupted), never after an OSError of the
    sink itself. A sink may write at any call; a reader of jsonl can stop anywhere.
    """

    def begin(self) -> None: ...

    def finding(self, finding: Finding) -> None: ...

    def skipped(self, skipped: Skipped) -> None: ...

    def finish(self, summary: Summary) -> None: ...
