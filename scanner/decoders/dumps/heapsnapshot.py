"""V8 heap snapshots: what `v8.writeHeapSnapshot`, `node --heapsnapshot-signal` and Chrome write.

https://github.com/v8/v8/blob/main/src/profiler/heap-snapshot-generator.cc (HeapSnapshotJSONSerializer)

One JSON document: `nodes` and `edges` as rows of numbers, then `strings`. A finding stands in one of the strings, or in
several that the program put together; the nodes that have it are looked for, and the edges that lead to them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import orjson
from msgspec.structs import replace

from detectors.patterns import pattern
from scanner.decoders.dumps.access import File, Unindexed
from scanner.decoders.dumps.heapsnapshot_graph import Columns, Graph, strings_start
from scanner.decoders.dumps.heapsnapshot_texts import CUT, NODES_MOST, Texts
from scanner.decoders.dumps.held import Held, Open, opener_of
from scanner.decoders.dumps.json_arrays import Broken, Strings
from scanner.decoders.interface import Joined, Stream
from scanner.model import Address, Finding, Skipped, State, StreamId

HEAD_MOST = 64 * 1024  # bytes in which `nodes` begins: the fields' names come before
_BEGINS = pattern(rb'\s*\{\s*"snapshot"\s*:\s*\{\s*"meta"\s*:\s*\{')
_START = b'{"snapshot":{"meta":{'
_NODES = pattern(rb'[,\s]*"nodes"\s*:\s*\[')
_PARTS = ("truncated", "damaged")  # verdicts on what is not whole where it stands


class HeapSnapshot:
    """The format. A finding's address is its string's number, and who holds that string."""

    name = "heapsnapshot"

    def recognises(self, head: bytes) -> bool:
        return _BEGINS.match(head) is not None

    def undecided(self, head: bytes) -> bool:
        return len(head) < 256 and _START.startswith(b"".join(head.split())[: len(_START)])

    def attached(self, stream: Stream) -> Stream:
        opened, held = opener_of(stream), HELD.attached(stream)
        return held if opened is None else replace(held, joined=lambda: _joined(opened))


def _tell(file: File, stream: StreamId, findings: list[Finding]) -> tuple[list[Finding], list[Skipped]]:
    missing = []
    if not file.read(max(0, file.size - 64), 64).rstrip().endswith(b"]}"):
        missing.append(Skipped(stream, "the snapshot is cut short", file.size))
    findings = _whole(findings)
    try:
        return _Snapshot(file).told(findings) if findings else [], missing
    except Broken:  # every byte was scanned all the same
        note: Address = {"owner": None, "note": "owner not told: the snapshot is broken"}
        return [HELD.placed(finding, note) for finding in findings], missing


HELD = Held(HeapSnapshot.name, "owner", "owner", "snapshot", _tell)


def _whole(findings: list[Finding]) -> list[Finding]:
    """Without what is only a part of another, which was found in several pieces."""
    parts = sorted({(span.start, span.end) for one in findings if len(one.spans) > 1 for span in one.spans})
    ends = [end for _, end in parts]

    def is_part(one: Finding) -> bool:
        at = bisect_right(ends, one.spans[0].start)
        inside = at < len(parts) and parts[at][0] <= one.spans[0].start
        return inside and len(one.spans) == 1 and one.verdict.basis in _PARTS

    return [one for one in findings if not is_part(one)]


def _joined(opened: Open) -> Iterator[Joined | str]:
    """What stands in pieces. A snapshot that is broken, or vanished, has been said to be."""
    try:
        with opened() as file:
            texts = Texts(file, *_opened(file))
            yield from texts.joined()
    except (OSError, Broken, Unindexed):
        return
    if texts.left_out:
        yield f"more than {NODES_MOST:,} strings in pieces: the others were not put together"


def _opened(file: File) -> tuple[Columns, int]:
    """What the document says of itself, and where its nodes begin. Raises Broken."""
    head = file.read(0, HEAD_MOST)
    begins = _NODES.search(head)
    if begins is None:
        raise Broken
    try:
        meta = orjson.loads(head[: begins.start()] + b"}")["snapshot"]["meta"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Broken from None
    return Columns.of(meta), begins.end()


class _Snapshot:
    """One document and the findings in it."""

    def __init__(self, file: File) -> None:
        """Raises Broken."""
        self._file = file
        self._graph = Graph(file, *_opened(file))

    def told(self, findings: list[Finding]) -> list[Finding]:
        """The findings with their addresses, in their order. Raises Broken, OSError."""
        strings = Strings(self._file, strings_start(self._file))
        places, _ = strings.read(sorted({span.start for finding in findings for span in finding.spans}))
        owners = self._graph.owners({number for number, _, _ in places.values()}, strings)
        out = []
        for finding in findings:
            place, last = (places.get(span.start) for span in (finding.spans[0], finding.spans[-1]))
            if place is None or last is None:
                out.append(HELD.placed(finding, {"section": "metadata", "owner": None}))
                continue
            number, start, _ = place
            address: Address = {"string": number, "offset": finding.spans[0].start - start - 1}
            told = {**address, **owners.get(number, {"owner": None})}
            out.append(HELD.placed(self._cut(finding, *last[1:]), told))
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
