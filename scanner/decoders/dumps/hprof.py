"""HPROF: what `jcmd GC.heap_dump`, `jmap -dump` and Android write of a Java heap.

https://github.com/openjdk/jdk/blob/jdk-17-ga/src/hotspot/share/services/heapDumper.cpp

The bytes are scanned as they lie: a `byte[]` holds Latin-1 or UTF-16 in the machine's order, a `char[]` UTF-16
big-endian. What is added here is which array a finding stands in, and who holds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from msgspec.structs import replace

from scanner.decoders.dumps.access import File, Unindexed
from scanner.decoders.dumps.held import ANYWHERE, Open, opener_of
from scanner.decoders.dumps.hprof_fields import INSTANCES_MOST, FieldTexts
from scanner.decoders.dumps.hprof_index import index_of
from scanner.decoders.dumps.hprof_places import Place, Places
from scanner.decoders.interface import Joined, Stream
from scanner.fingerprint import finding_id
from scanner.model import Finding, Skipped, Span, StreamId

MAGIC = b"JAVA PROFILE 1.0."
BATCH = 5_000  # findings whose owners are looked for at once: some 20 MB with all that is known of them
BATCHES = 20  # each takes its own searches of the file: seconds where that has gigabytes
UNREAD = f"owner not looked for: {ANYWHERE}"
CAPPED = f"owner not looked for: only those of the first {BATCH * BATCHES} findings of a dump are"
HEADER = "owner not looked for: the dump's header makes no sense"

Event = Finding | Skipped


class Hprof:
    """The format. A finding's address is the object that holds it, and who holds that object."""

    name = "hprof"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def undecided(self, head: bytes) -> bool:
        return MAGIC.startswith(head)

    def attached(self, stream: Stream) -> Stream:
        opened, identity = opener_of(stream), stream.id
        if opened is None:
            return replace(stream, completed=lambda events: _unplaced(events, UNREAD))
        return replace(
            stream,
            completed=lambda events: _completed(events, opened, identity),
            joined=lambda: _joined(opened),
        )


def _joined(opened: Open) -> Iterator[Joined | str]:
    """Strings beside the names of their fields. A dump that vanished, or makes no sense, has been said to be."""
    try:
        with opened() as file:
            index = index_of(file)
            if index is None:
                return
            texts = FieldTexts(file, index)
            yield from texts.joined()
    except (OSError, Unindexed):
        return
    if texts.left_out:
        yield f"strings were looked at by the names of their fields in {INSTANCES_MOST:,} objects of each class only"


def _unplaced(events: Iterable[Event], note: str) -> Iterator[Event]:
    place = Place({"owner": None, "note": note})
    return (_told(event, place) if isinstance(event, Finding) else event for event in events)


def _completed(events: Iterable[Event], opened: Open, stream: StreamId) -> Iterator[Event]:
    events = iter(events)
    batch = list(islice(events, BATCH))  # the whole file is read by then, if it holds few
    try:
        file = opened()
    except Unindexed:
        yield from _unplaced(chain(batch, events), UNREAD)
        return
    except OSError as error:
        yield from _unplaced(chain(batch, events), f"owner not looked for: {os.strerror(error.errno or 0)}")
        return
    with file:
        places = _places(file)
        if places is None:
            yield from _unplaced(chain(batch, events), HEADER)
            return
        for _ in range(BATCHES):
            told = iter(_owned(places, [event for event in batch if isinstance(event, Finding)]))
            for event in batch:
                yield _told(event, next(told)) if isinstance(event, Finding) else event
            batch = list(islice(events, BATCH))
        events = chain(batch, events)
        for event in events:
            yield _told(event, _alone(places, event)) if isinstance(event, Finding) else event
        if places.index.trouble:
            yield Skipped(stream, places.index.trouble[1], places.index.trouble[0])


def _places(file: File) -> Places | None:
    try:
        index = index_of(file)
    except OSError:
        return None
    return Places(file, index) if index else None


def _owned(places: Places, findings: list[Finding]) -> list[Place]:
    try:
        return places.owned(findings)
    except OSError as error:
        note = f"owner not told: {os.strerror(error.errno or 0)}"
        return [Place({"owner": None, "note": note})] * len(findings)


def _alone(places: Places, finding: Finding) -> Place:
    try:
        return places.alone(finding, CAPPED)
    except OSError:
        return Place({"owner": None, "note": CAPPED})


def _told(finding: Finding, place: Place) -> Finding:
    """The finding at its place, its line and column gone: a dump has none."""
    finding = _in_order(finding, place)
    address = place.address
    if place.data is not None:
        address = {**address, "offset": finding.spans[0].start - place.data}
    return replace(finding, format=Hprof.name, line=None, column=None, address=address)


def _in_order(finding: Finding, place: Place) -> Finding:
    """The finding with the order of UTF-16's bytes that its array has.

    In a run of UTF-16 each character but the first stands between two zeros, so that both orders fit, one byte
    apart. An array's own start tells which it is.
    """
    orders = {"utf-16be": ("utf-16le", 1), "utf-16le": ("utf-16be", -1)}
    seen = finding.encoding[0] if finding.encoding else ""
    if place.data is None or seen not in orders or seen == place.order:
        return finding
    if (finding.spans[0].start - place.data) % 2 == 0:
        return finding
    encoding, by = orders[seen]
    spans = tuple(Span(span.start + by, span.end + by) for span in finding.spans)
    identity = finding_id(finding.stream, spans, finding.fingerprint)
    return replace(finding, id=identity, spans=spans, encoding=(encoding, *finding.encoding[1:]))
