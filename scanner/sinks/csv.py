"""Comma-separated values (RFC 4180): one row a finding, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from scanner.model import Finding, Skipped, Summary
from scanner.sinks import records

COLUMNS = (
    "type", "kind", "state", "expires_at", "logged_at", "path", "layers", "line", "column", "start", "end", "detector",
    "confidence", "fingerprint", "preview", "client_id", "issuer", "weaknesses", "reason",
)  # fmt: skip


class CsvSink:
    """Writes to a binary stream. Skipped input and what was suppressed are rows too, with a `type` of their own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)

    def begin(self) -> None:
        self._rows.writerow(COLUMNS)

    def finding(self, finding: Finding) -> None:
        record = records.of_finding(finding)
        verdict, token = finding.verdict, finding.token
        self._write({
            "type": "finding", "kind": finding.kind.value, "state": verdict.state.value,
            "expires_at": records.time(verdict.expires_at), "logged_at": record["logged_at"],
            "path": finding.stream.path, "layers": "!".join(finding.stream.layers), "line": finding.line,
            "column": finding.column, "start": finding.spans[0].start, "end": finding.spans[-1].end,
            "detector": finding.detector, "confidence": finding.confidence.value, "fingerprint": finding.fingerprint,
            "preview": finding.preview, "client_id": token.client_id, "issuer": token.issuer,
            "weaknesses": " ".join(verdict.weaknesses), "reason": verdict.reason,
        })  # fmt: skip

    def skipped(self, skipped: Skipped) -> None:
        self._write({
            "type": "skipped", "path": skipped.stream.path, "layers": "!".join(skipped.stream.layers),
            "start": skipped.at_byte, "reason": skipped.reason,
        })  # fmt: skip

    def finish(self, summary: Summary) -> None:
        for one in summary.suppressed:
            self._write({"type": "suppressed", "reason": str(one)})
        for text in summary.notices:
            self._write({"type": "notice", "reason": text})
        self._text.flush()
        self._text.detach()

    def _write(self, row: dict[str, object]) -> None:
        self._rows.writerow([_inert(row.get(column)) for column in COLUMNS])


def _inert(value: object) -> object:
    """No spreadsheet takes it for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
