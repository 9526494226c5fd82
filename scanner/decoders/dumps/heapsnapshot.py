"""V8 heap snapshots: what `v8.writeHeapSnapshot`, `node --heapsnapshot-signal` and Chrome write.

https://github.com/v8/v8/blob/main/src/profiler/heap-snapshot-generator.cc (HeapSnapshotJSONSerializer)

One JSON document: `nodes` and `edges` as rows of numbers, then `strings`. A finding stands in one of the strings; the
nodes that have it are looked for, and the edges that lead to them. Strings are cut at 1,024 characters.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import orjson

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.heapsnapshot_graph import Graph
from scanner.decoders.dumps.json_arrays import Broken, Strings
from scanner.decoders.interface import Stream
from scanner.model import Address, Finding, Skipped, State, StreamId

HEAD_MOST = 64 * 1024  # bytes in which `nodes` begins: the fields' names come before
FINDINGS_MOST = 10_000  # whose owners are looked for
CUT = 1024  # characters: V8's default limit of a string in a snapshot (--heap-snapshot-string-limit)
PACKED = "owner not looked for: the snapshot is compressed, unpack it first"
CAPPED = f"owner not looked for: only those of the first {FINDINGS_MOST} findings of a snapshot are"
_BEGINS = re.compile(rb'\s*\{\s*"snapshot"\s*:\s*\{\s*"meta"\s*:\s*\{')
_START = b'{"snapshot":{"meta":{'
_NODES = re.compile(rb'[,\s]*"nodes"\s*:\s*\[')

Event = Finding | Skipped


class HeapSnapshot:
    """The format. A finding's address is its string's number, and who holds that string."""

    name = "heapsnapshot"

    def recognises(self, head: bytes) -> bool:
        return _BEGINS.match(head) is not None

    def undecided(self, head: bytes) -> bool:
        return len(head) < 256 and _START.startswith(b"".join(head.split())[: len(_START)])

    def attached(self, stream: Stream) -> Stream:
        path, identity = stream.plain_path, stream.id
        if path is None:
            return replace(stream, completed=lambda events: _unplaced(events, PACKED))
        return replace(stream, completed=lambda events: _completed(events, path, identity))


def _told(finding: Finding, address: Address) -> Finding:
    return replace(finding, format=HeapSnapshot.name, line=None, column=None, address=address)


def _unplaced(events: Iterable[Event], note: str) -> Iterator[Event]:
    address: Address = {"owner": None, "note": note}
    return (_told(event, address) if isinstance(event, Finding) else event for event in events)


def _completed(events: Iterable[Event], path: bytes, stream: StreamId) -> Iterator[Event]:
    events = iter(events)
    first = list(islice(events, FINDINGS_MOST))
    found = [event for event in first if isinstance(event, Finding)]
    reason = None
    size = 0
    told: dict[str, Finding] = {}
    try:
        with File(path) as file:
            size = file.size
            if not file.read(max(0, size - 64), 64).rstrip().endswith(b"]}"):
                reason = "the snapshot is cut short"
            told = {one.id: one for one in _Snapshot(file).told(found)} if found else {}
    except OSError as error:
        yield from _unplaced(chain(first, events), f"owner not told: {os.strerror(error.errno or 0)}")
        return
    except Broken:
        pass  # every byte was scanned all the same; that no owner could be told is in each finding's note
    note = _unplaced(first, "owner not told: the snapshot is broken")
    for event, unplaced in zip(first, note, strict=True):
        yield told.get(event.id, unplaced) if isinstance(event, Finding) else event
    yield from _unplaced(events, CAPPED)
    if reason:
        yield Skipped(stream, reason, size)


class _Snapshot:
    """One document and the findings in it."""

    def __init__(self, file: File) -> None:
        """Raises Broken."""
        self._file = file
        head = file.read(0, HEAD_MOST)
        begins = _NODES.search(head)
        if begins is None:
            raise Broken
        try:
            meta = orjson.loads(head[: begins.start()] + b"}")["snapshot"]["meta"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise Broken from None
        self._graph = Graph(file, meta, begins.end())

    def told(self, findings: list[Finding]) -> list[Finding]:
        """The findings with their addresses, in their order. Raises Broken, OSError."""
        strings = Strings(self._file, self._graph.strings_start)
        places = strings.read([finding.spans[0].start for finding in findings])
        owners = self._graph.owners({number for number, _, _ in places.values()}, strings)
        out = []
        for finding in findings:
            place = places.get(finding.spans[0].start)
            if place is None:
                out.append(_told(finding, {"section": "metadata", "owner": None}))
                continue
            number, start, end = place
            address: Address = {"string": number, "offset": finding.spans[0].start - start - 1}
            out.append(_told(self._cut(finding, start, end), {**address, **owners.get(number, {"owner": None})}))
        return out

    def _cut(self, finding: Finding, start: int, end: int) -> Finding:
        """A value that reaches the end of a string that V8 may have cut is not known to be whole."""
        if finding.spans[-1].end != end - 1 or end - start - 2 < CUT:
            return finding
        try:
            text = orjson.loads(self._file.read(start, end - start))
        except orjson.JSONDecodeError:
            return finding
        if len(text.encode("utf-16le", "surrogatepass")) // 2 != CUT:
            return finding
        reason = f"V8 cuts strings at {CUT:,} characters: it can't be used as it stands here"
        return replace(
            finding, verdict=replace(finding.verdict, state=State.UNUSABLE, basis="truncated", reason=reason)
        )
