"""HPROF: what `jcmd GC.heap_dump`, `jmap -dump` and Android write of a Java heap.

https://github.com/openjdk/jdk/blob/jdk-17-ga/src/hotspot/share/services/heapDumper.cpp
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scanner.decoders.interface import Completed, Stream
from scanner.model import Finding, Skipped

MAGIC = b"JAVA PROFILE 1.0."


class Hprof:
    """The format. A finding's address is the object that holds it, and who holds that object."""

    name = "hprof"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def undecided(self, head: bytes) -> bool:
        return MAGIC.startswith(head)

    def attached(self, stream: Stream) -> Stream:
        return replace(stream, completed=self.completed(stream))

    def completed(self, stream: Stream) -> Completed:
        return _named


def _named(events: Iterable[Finding | Skipped]) -> Iterator[Finding | Skipped]:
    for event in events:
        if isinstance(event, Finding):
            event = replace(event, format=Hprof.name, line=None, column=None)
        yield event
