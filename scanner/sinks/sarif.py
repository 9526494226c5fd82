"""SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): one run, a result a finding, for code scanning views.

Results are written as they come; the rules met, which a reader finds by index, follow at the end.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import BinaryIO
from urllib.parse import quote

import orjson

from scanner.model import Finding, Skipped, State, Summary
from scanner.names import as_bytes
from scanner.sinks import records

_HEAD = b'{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"results":['
# "error" is what surely can be used, "note" what can do no harm any more.
_LEVEL = {
    State.LIVE: "error", State.NOT_YET_VALID: "error", State.NO_EXPIRY: "error", State.UNKNOWN: "warning",
    State.EXPIRED: "note", State.REVOKED: "note", State.UNUSABLE: "note",
}  # fmt: skip


class SarifSink:
    """Writes to a binary stream. Skipped input stands among the invocation's notifications."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rules: dict[str, int] = {}  # index by detector
        self._titles: list[str] = []
        self._skipped: list[records.Record] = []
        self._any = False

    def begin(self) -> None:
        self._stream.write(_HEAD)

    def finding(self, finding: Finding) -> None:
        if finding.detector not in self._rules:
            self._rules[finding.detector] = len(self._titles)
            self._titles.append(f"{finding.kind.value} found by {finding.detector}")
        self._stream.write(b",\n" if self._any else b"\n")
        self._any = True
        self._stream.write(orjson.dumps(_result(finding, self._rules[finding.detector])))

    def skipped(self, skipped: Skipped) -> None:
        place = {"physicalLocation": {"artifactLocation": {"uri": _uri(skipped.stream.path)}}}
        text = _placed(skipped.stream.layers, skipped.reason)
        self._skipped.append({"level": "error", "message": {"text": text}, "locations": [place]})

    def finish(self, summary: Summary) -> None:
        rules = [
            {"id": detector, "shortDescription": {"text": self._titles[index]}, "properties": {"tags": ["security"]}}
            for detector, index in self._rules.items()
        ]
        tail = {
            "tool": {"driver": {"name": "bearertrap", "version": version("bearertrap"), "rules": rules}},
            "invocations": [
                {
                    "executionSuccessful": not (summary.skipped or summary.interrupted),
                    "toolExecutionNotifications": self._skipped,
                }
            ],
            "properties": {"summary": records.of_summary(summary)},
        }
        self._stream.write(b"\n]," + orjson.dumps(tail)[1:] + b"]}\n")
        self._stream.flush()


def _placed(layers: tuple[str, ...], said: str) -> str:
    """What is said, behind the layers that no URI names."""
    return ": ".join(filter(None, ("!".join(layers), said)))


def _result(finding: Finding, rule: int) -> records.Record:
    verdict = finding.verdict
    said = f"{finding.kind.value} {finding.preview}: {verdict.state.value}; {verdict.reason}"
    return {
        "ruleId": finding.detector,
        "ruleIndex": rule,
        "level": _LEVEL[verdict.state],
        "message": {"text": _placed(finding.stream.layers, said)},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {"bearertrap/1": finding.fingerprint},
        "properties": records.of_finding(finding),
    }


def _place(finding: Finding) -> records.Record:
    """The file, and where in it; of what was packed in it, only the file: SARIF's offsets are those of the artifact."""
    artifact: records.Record = {"artifactLocation": {"uri": _uri(finding.stream.path)}}
    if finding.stream.layers:
        return artifact
    start, end = finding.spans[0].start, finding.spans[-1].end
    line = {"startLine": finding.line} if finding.line else {}
    return {**artifact, "region": {**line, "byteOffset": start, "byteLength": end - start}}


def _uri(path: str) -> str:
    """The path, as reports show it, as a URI reference (RFC 3986)."""
    return ("file://" if path.startswith("/") else "") + quote(as_bytes(path))
