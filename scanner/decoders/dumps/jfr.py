"""JDK Flight Recorder: what `jcmd JFR.dump` and `-XX:StartFlightRecording` write.

https://github.com/openjdk/jdk/tree/jdk-17-ga/src/jdk.jfr/share/classes/jdk/jfr/internal/consumer
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.jfr_chunks import MAGIC, Recording
from scanner.decoders.interface import Stream
from scanner.model import Address, Finding, Skipped, StreamId

FINDINGS_MOST = 10_000  # whose events are looked for
PACKED = "event not looked for: the recording is compressed, unpack it first"
CAPPED = f"event not looked for: only those of the first {FINDINGS_MOST} findings of a recording are"

Event = Finding | Skipped


class Jfr:
    """The format. A finding's address is the event and the field it stands in; its strings are not compressed."""

    name = "jfr"

    def recognises(self, head: bytes) -> bool:
        # the version: 1 was Oracle's own, 2 is OpenJDK's
        return head.startswith(MAGIC) and head[4:6] in (b"\0\1", b"\0\2")

    def undecided(self, head: bytes) -> bool:
        return len(head) < 6 and (head.startswith(MAGIC) or MAGIC.startswith(head))

    def attached(self, stream: Stream) -> Stream:
        path, identity = stream.plain_path, stream.id
        if path is None:
            return replace(stream, completed=lambda events: _unplaced(events, PACKED))
        return replace(stream, completed=lambda events: _completed(events, path, identity))


def _told(finding: Finding, address: Address) -> Finding:
    return replace(finding, format=Jfr.name, line=None, column=None, address=address)


def _unplaced(events: Iterable[Event], note: str) -> Iterator[Event]:
    address: Address = {"section": None, "note": note}
    return (_told(event, address) if isinstance(event, Finding) else event for event in events)


def _completed(events: Iterable[Event], path: bytes, stream: StreamId) -> Iterator[Event]:
    events = iter(events)
    first = list(islice(events, FINDINGS_MOST))
    try:
        with File(path) as file:
            recording = Recording(file)
            places = [event.spans[0].start for event in first if isinstance(event, Finding)]
            told = iter([recording.address(at) for at in places])
    except OSError as error:
        yield from _unplaced(chain(first, events), f"event not told: {os.strerror(error.errno or 0)}")
        return
    for event in first:
        yield _told(event, next(told)) if isinstance(event, Finding) else event
    yield from _unplaced(events, CAPPED)
    if recording.trouble:
        yield Skipped(stream, recording.trouble[1], recording.trouble[0])
