"""Findings of an HPROF to the arrays they stand in, and their owners."""

from __future__ import annotations

from bisect import bisect_left

from msgspec import Struct

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.hprof_classes import Classes
from scanner.decoders.dumps.hprof_index import Index
from scanner.decoders.dumps.hprof_labels import Labels
from scanner.decoders.dumps.hprof_owners import Owners
from scanner.decoders.dumps.hprof_paths import Paths
from scanner.decoders.dumps.hprof_records import INSTANCE, PRIMITIVES, TYPES, Record, Records
from scanner.model import Address, Finding

OTHERS_MOST = 4  # further owners named beside the first
BYTE, CHAR = 8, 5  # types of a primitive array


class Place(Struct, frozen=True):
    """Where a finding stands. `data`: where its array's elements begin; `order`: of UTF-16's bytes in it, if any."""

    address: Address
    data: int | None = None
    order: str | None = None


class Places:
    """Tells places one by one, owners for many at once. OSError passes through."""

    def __init__(self, file: File, index: Index) -> None:
        self._file = file
        self.index = index
        self._records = Records(file, index)
        self._spans: list[tuple[int, int, str]] = []

    def owned(self, findings: list[Finding]) -> list[Place]:
        """The places of findings, each with its owner."""
        self._spans = sorted((one.spans[0].start, one.spans[-1].end, one.replacement) for one in findings)
        records = [self._records.at(finding.spans[0].start) for finding in findings]
        arrays = {record.id for record in records if record}
        if not arrays:
            return [self._place(finding, None, {}) for finding in findings]
        classes = Classes(self._records)
        labels = Labels(self._records, classes, self._covered)
        owners = Owners(self._records, classes, labels)
        classes.learn({record.cls for record in records if record and record.tag == INSTANCE})
        owners.search(arrays)
        paths = Paths(self._file, self.index, classes, labels, owners)
        said = {record.id: self._owner(record, owners, paths) for record in records if record}
        pairs = zip(findings, records, strict=True)
        return [self._place(finding, record, said[record.id] if record else {}) for finding, record in pairs]

    def alone(self, finding: Finding, note: str) -> Place:
        """The place of one finding whose owner is not looked for."""
        return self._place(finding, self._records.at(finding.spans[0].start), {"owner": None, "note": note})

    def _place(self, finding: Finding, record: Record | None, owner: Address) -> Place:
        start = finding.spans[0].start
        if record is None:
            if self.index.is_symbol(start):
                return Place({"section": "symbols", "owner": "the JVM's symbol table"})
            return Place({"owner": None, "note": "owner not told: no object could be made out around it"})
        address: Address = {"object": f"0x{record.id:x}"}
        if record.tag == PRIMITIVES:
            address["array"] = _array(record)
        if record.tag != PRIMITIVES:
            return Place({**address, **owner})
        return Place({**address, **owner}, record.data, {BYTE: "utf-16le", CHAR: "utf-16be"}.get(record.kind))

    def _owner(self, record: Record, owners: Owners, paths: Paths) -> Address:
        chain = owners.chain(record.id)
        address: Address = {
            "owner": paths.owner(chain),
            "path": paths.path(_array(record), chain),
            "reachable": chain.reachable,
        }
        if chain.others:
            address["others"] = sorted({paths.step(link) for link in chain.others})[:OTHERS_MOST]
        if not chain.owned and not chain.complete:
            address["note"] = "owner not told for certain: more objects hold it than were looked at"
        return address

    def _covered(self, start: int, end: int) -> str | None:
        """What stands for a finding that overlaps [start, end)."""
        at = bisect_left(self._spans, (end,))
        near = self._spans[max(0, at - 2) : at]
        return next((said for low, high, said in reversed(near) if low < end and high > start), None)


def _array(record: Record) -> str:
    return f"{TYPES.get(record.kind, '?')}[]" if record.tag == PRIMITIVES else "object"
