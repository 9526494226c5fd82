"""The records of an HPROF's heap, each found from any place inside it.

A heap has tens of millions of records that are not worth a walk. The record around an offset is told
from near it: candidates for its header backwards, believed only where its class is a known one, its
end lies past the offset, and the records that follow make sense too.
"""

from __future__ import annotations

import re
import struct
from array import array
from bisect import bisect_right

from msgspec import Struct

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.hprof_index import Index

CLASS, INSTANCE, ARRAY, PRIMITIVES = 0x20, 0x21, 0x22, 0x23
NEXT = 4  # records behind a candidate that have to make sense
BACK = (512, 4 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024)  # bytes looked back, in turn: few objects are larger
WALKED = 4 << 20  # bytes: a segment of at most this size is walked where nothing near tells (JDK 9 and later: 1 MB)
CANDIDATES = 20_000  # headers tried for one offset: what looks like one is rare, and this is a tenth of a second
HEAD = 40  # bytes that hold any record's head
CLASS_MOST = 1 << 20  # bytes of a class's record: 65,535 static fields
TYPES = {4: "boolean", 5: "char", 6: "float", 7: "double", 8: "byte", 9: "short", 10: "int", 11: "long"}
SIZES = {4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}
# tag -> (ids, bytes) behind it; 0x89 to 0x8E and 0xFE are Android's (art/runtime/hprof/hprof.cc)
ROOTS = {
    0xFF: (1, 0), 0x01: (2, 0), 0x02: (1, 8), 0x03: (1, 8), 0x04: (1, 4), 0x05: (1, 0), 0x06: (1, 4), 0x07: (1, 0),
    0x08: (1, 8), 0x89: (1, 0), 0x8A: (1, 0), 0x8B: (1, 0), 0x8C: (1, 0), 0x8D: (1, 0), 0x8E: (1, 8), 0xFE: (1, 4),
    0x90: (1, 0),
}  # fmt: skip
HEAP_INFO = 0xFE  # Android: the heap's number and the id of its name, no object
NO_ARRAY_DATA = 0xC3  # Android: a primitive array without its elements


class Record(Struct, frozen=True):
    """A sub-record [start, end); its values, elements or fields are [data, end)."""

    tag: int
    start: int
    data: int
    end: int
    id: int
    cls: int = 0  # class object id of an instance or of an array's own class; a class's super
    kind: int = 0  # of primitives


class ClassRecord(Struct, frozen=True):
    """A class as its record tells it. Names are string ids; `statics`: (name, type, offset of the value)."""

    id: int
    parent: int
    statics: tuple[tuple[int, int, int], ...]
    fields: tuple[tuple[int, int], ...]  # (name, type) in the order of an instance's values
    end: int


class Records:
    """Finds records by their place. OSError passes through."""

    def __init__(self, file: File, index: Index) -> None:
        self.file = file
        self.index = index
        self.wide = index.idsize
        self.sizes = {**SIZES, 2: self.wide}
        letter = "Q" if self.wide == 8 else "I"
        self._instance = struct.Struct(f">{letter}I{letter}I")  # id, trace, class, bytes
        self._array = struct.Struct(f">{letter}II{letter}")  # id, trace, elements, class
        self._primitives = struct.Struct(f">{letter}IIB")  # id, trace, elements, type
        self._header = re.compile(
            # a class's id in an instance comes 1 + idsize + 4 bytes in, an array's 4 later, a primitive's type there
            rb"(?=[\x20-\x22]|\x23.{%d}[\x04-\x0b])" % (self.wide + 8),
            re.DOTALL,
        )
        self._mask = self._never_set()
        self._last: Record | None = None  # large arrays are asked for again and again
        self._starts: array[int] = array("Q")  # of the records of the segment walked last
        self._walked_at = -1

    def _never_set(self) -> int:
        """Bits that no object's id has: low ones by alignment, high ones by the size of an address space."""
        seen = 0
        for identity in self.index.classes:
            seen |= identity
        return ~seen & (0xFFFF_0000_0000_0007 if self.wide == 8 else 0x7)

    def at(self, offset: int) -> Record | None:
        """The record that holds the offset; None where that can't be told."""
        last = self._last
        if last is None or not last.start <= offset < last.end:
            segment = self.index.segment_of(offset)
            last = self._found(offset, *segment) if segment else None
            self._last = last or self._last
        return last

    def _found(self, offset: int, start: int, end: int) -> Record | None:
        high = offset + 1
        for back in BACK:
            low = max(start, offset - back)
            found = self._probed(offset, low, high, end)
            if found is not None:
                return found
            high = low
            if low == start or (end - start <= WALKED and back >= 64 * 1024):
                break
        return self._walked(offset, start, end) if end - start <= WALKED else None

    def _probed(self, offset: int, low: int, high: int, end: int) -> Record | None:
        """By the candidates for its header in [low, high), the nearest first."""
        window = self.file.read(low, high - low + HEAD)
        places = [match.start() for match in self._header.finditer(window, 0, high - low + 20)]
        for place in places[: -CANDIDATES - 1 : -1]:
            at = low + place
            if at >= high:
                continue
            record = self.parse(at, end, window[place : place + HEAD])
            if record is not None and record.start <= offset < record.end and self._goes_on(record.end, end):
                return record
        return self._root(offset, end) if high > offset else None

    def _root(self, offset: int, end: int) -> Record | None:
        """The root record whose id stands at the offset: it has no class to be known by, but what follows counts."""
        record = self.parse(offset - 1, end)
        if record is None or record.tag in (CLASS, INSTANCE, ARRAY, PRIMITIVES):
            return None
        return record if self._goes_on(record.end, end) else None

    def _walked(self, offset: int, start: int, end: int) -> Record | None:
        """By a walk over the whole segment, which is kept for its other offsets."""
        if self._walked_at != start:
            self._walked_at, self._starts = start, array("Q")
            at = start
            while at < end:
                record = self.parse(at, end)
                if record is None or record.end <= at:
                    break
                self._starts.append(at)
                at = record.end
        number = bisect_right(self._starts, offset) - 1
        record = self.parse(self._starts[number], end) if number >= 0 else None
        return record if record and offset < record.end else None

    def _goes_on(self, at: int, end: int) -> bool:
        cut = end == self.file.size and self.index.trouble is not None
        for _ in range(NEXT):
            if at == end or (cut and at > end - HEAD):
                return True
            record = self.parse(at, end)
            if record is None:
                return False
            at = record.end
        return True

    def parse(self, at: int, end: int, head: bytes | None = None) -> Record | None:
        """The record that begins at an offset, None where none can. `end`: of its segment."""
        if at >= end or at < 0:
            return None
        head = head if head is not None and len(head) >= HEAD else self.file.near(at, HEAD)
        tag = head[0] if head else 0
        try:
            record = self._parsed(tag, at, head)
        except struct.error:
            return None  # the file ends in it
        if record is None or (tag != HEAP_INFO and (not record.id or record.id & self._mask)):
            return None
        # a dump that was cut short ends inside a record
        return record if record.end <= end or (end == self.file.size and self.index.trouble) else None

    def _parsed(self, tag: int, at: int, head: bytes) -> Record | None:
        if tag == INSTANCE:
            identity, _, cls, size = self._instance.unpack_from(head, 1)
            data = at + 1 + self._instance.size
            return Record(tag, at, data, data + size, identity, cls) if cls in self.index.classes else None
        if tag == ARRAY:
            identity, _, count, cls = self._array.unpack_from(head, 1)
            data = at + 1 + self._array.size
            known = cls in self.index.classes
            return Record(tag, at, data, data + count * self.wide, identity, cls) if known else None
        if tag in (PRIMITIVES, NO_ARRAY_DATA):
            identity, _, count, kind = self._primitives.unpack_from(head, 1)
            data = at + 1 + self._primitives.size
            size = 0 if tag == NO_ARRAY_DATA else count * SIZES.get(kind, 0)
            return Record(tag, at, data, data + size, identity, 0, kind) if kind in SIZES else None
        if tag in ROOTS:
            ids, more = ROOTS[tag]
            data = at + 1 + self.wide
            return Record(tag, at, data, at + 1 + ids * self.wide + more, int.from_bytes(head[1 : 1 + self.wide]))
        if tag == CLASS and int.from_bytes(head[1 : 1 + self.wide]) in self.index.classes:
            found = self.class_at(at)
            return Record(tag, at, at + 1, found.end, found.id, found.parent) if found else None
        return None

    def class_at(self, at: int) -> ClassRecord | None:
        """The class whose record begins at an offset; None where none does."""
        for room in (1024, 32 * 1024, CLASS_MOST):
            data = self.file.near(at, room, 64 * 1024)
            try:
                return self._class(data, at)
            except (struct.error, IndexError):  # it is longer, or the file ends
                if len(data) < room:
                    break
        return None

    def _class(self, data: bytes, start: int) -> ClassRecord | None:
        wide, number, word = self.wide, struct.Struct(">H"), struct.Struct(">Q" if self.wide == 8 else ">I")
        identity, parent = word.unpack_from(data, 1)[0], word.unpack_from(data, wide + 5)[0]
        known = self.index.classes
        if identity not in known or (parent and parent not in known):
            return None
        at = 1 + 7 * wide + 8
        count, at = number.unpack_from(data, at)[0], at + 2
        for _ in range(count):  # the constant pool: index, type, value
            if data[at + 2] not in self.sizes:
                return None
            at += 3 + self.sizes[data[at + 2]]
        count, at = number.unpack_from(data, at)[0], at + 2
        statics = []
        for _ in range(count):
            name, kind = word.unpack_from(data, at)[0], data[at + wide]
            if kind not in self.sizes:
                return None
            statics.append((name, kind, start + at + wide + 1))
            at += wide + 1 + self.sizes[kind]
        count, at = number.unpack_from(data, at)[0], at + 2
        fields = tuple(
            (word.unpack_from(data, i)[0], data[i + wide]) for i in range(at, at + count * (wide + 1), wide + 1)
        )
        if any(kind not in self.sizes for _, kind in fields):
            return None
        return ClassRecord(identity, parent, tuple(statics), fields, start + at + count * (wide + 1))
