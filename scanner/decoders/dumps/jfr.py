"""JDK Flight Recorder: what `jcmd JFR.dump` and `-XX:StartFlightRecording` write.

https://github.com/openjdk/jdk/tree/jdk-17-ga/src/jdk.jfr/share/classes/jdk/jfr/internal/consumer
"""

from __future__ import annotations

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.held import Held
from scanner.decoders.dumps.jfr_chunks import MAGIC, Recording
from scanner.decoders.interface import Stream
from scanner.model import Finding, Skipped, StreamId


class Jfr:
    """The format. A finding's address is the event and the field it stands in; its strings are not compressed."""

    name = "jfr"

    def recognises(self, head: bytes) -> bool:
        # the version: 1 was Oracle's own, 2 is OpenJDK's
        return head.startswith(MAGIC) and head[4:6] in (b"\0\1", b"\0\2")

    def undecided(self, head: bytes) -> bool:
        return len(head) < 6 and (head.startswith(MAGIC) or MAGIC.startswith(head))

    def attached(self, stream: Stream) -> Stream:
        return HELD.attached(stream)


def _tell(file: File, stream: StreamId, findings: list[Finding]) -> tuple[list[Finding], list[Skipped]]:
    recording = Recording(file)
    told = [HELD.placed(one, recording.address(one.spans[0].start)) for one in findings]
    return told, [Skipped(stream, recording.trouble[1], recording.trouble[0])] if recording.trouble else []


HELD = Held(Jfr.name, "section", "event", "recording", _tell)
