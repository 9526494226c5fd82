"""JSON Lines (https://jsonlines.org): each event a line that stands alone, the summary last."""

from __future__ import annotations

from typing import BinaryIO

import orjson

from scanner.model import Finding, Skipped, Summary
from scanner.sinks import records


class JsonlSink:
    """Writes to a binary stream. With `live`, each line is flushed, so that a reader downstream sees it at once."""

    def __init__(self, stream: BinaryIO, *, live: bool = False) -> None:
        self._stream = stream
        self._live = live

    def begin(self) -> None:
        """Nothing: a line needs no frame."""

    def finding(self, finding: Finding) -> None:
        self._write(records.of_finding(finding))

    def skipped(self, skipped: Skipped) -> None:
        self._write(records.of_skipped(skipped))

    def finish(self, summary: Summary) -> None:
        for identity in summary.identities:
            self._write(records.of_identity(identity))
        self._write(records.of_summary(summary))
        self._stream.flush()

    def _write(self, record: records.Record) -> None:
        self._stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if self._live:
            self._stream.flush()
