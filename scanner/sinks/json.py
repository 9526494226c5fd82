"""One JSON document (RFC 8259): findings as they come, then what was skipped, the timeline and the summary."""

from __future__ import annotations

from typing import BinaryIO

import orjson

from scanner.model import Finding, Skipped, Summary
from scanner.sinks import records
from scanner.timeline import Timeline


class JsonSink:
    """Writes to a binary stream; holds what was skipped, and a few words on each secret, until the findings are out."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._skipped: list[bytes] = []
        self._any = False
        self._timeline = Timeline()

    def begin(self) -> None:
        self._stream.write(b'{"schema":"%s","findings":[' % records.SCHEMA.encode())

    def finding(self, finding: Finding) -> None:
        self._timeline.add(finding)
        self._stream.write(b"," if self._any else b"")
        self._any = True
        self._stream.write(b"\n" + orjson.dumps(records.of_finding(finding)))

    def skipped(self, skipped: Skipped) -> None:
        self._skipped.append(orjson.dumps(records.of_skipped(skipped)))

    def finish(self, summary: Summary) -> None:
        self._stream.write(b'\n],"skipped":[' + b",".join(b"\n" + line for line in self._skipped))
        identities = (b"\n" + orjson.dumps(records.of_identity(one)) for one in summary.identities)
        self._stream.write(b'\n],"identities":[' + b",".join(identities))
        self._stream.write(b'\n],"timeline":' + orjson.dumps(records.of_timeline(self._timeline)))
        self._stream.write(b',\n"summary":' + orjson.dumps(records.of_summary(summary)) + b"}\n")
        self._stream.flush()
