"""Work done while nothing has come yet, so that the first secret of a stream does not have to wait for it."""

from __future__ import annotations

from collections.abc import Callable

from scanner.pipeline import Scanner
from scanner.redaction.library import BytesReader
from scanner.redaction.mask import Style
from scanner.redaction.stream import StreamRedactor


def warm(scanner: Scanner, style: Style, is_idle: Callable[[], bool]) -> None:
    """Redacts the detectors' own examples for as long as `is_idle`: expressions are compiled when they are first used,
    and so are the modules that know the formats. All of it takes 0.3 s.
    """
    from detectors.registry import all_detectors
    from scanner.decoders import dumps

    dumps.undecided(b"{")  # as JSON begins, and a heap snapshot
    for detector in all_detectors():
        for text, _ in detector.examples[:1]:
            if not is_idle():
                return
            redactor = StreamRedactor(scanner, style, on_finding=lambda _finding: None)
            redactor.run(BytesReader(text + b"\n"), lambda _data: None)
