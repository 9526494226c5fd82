"""The top-level records of an HPROF: where the heap's segments lie, and the names of its classes and methods.

Format: `hprof_binary_format` in the JDK's src/hotspot/share/services/heapDumper.cpp. All numbers are big-endian.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable

from msgspec import Struct, field

from scanner.decoders.dumps.access import File

HEADER_MOST = 64  # bytes in which the header's text ends
STRING, LOAD_CLASS, FRAME, TRACE, HEAP, SEGMENT, HEAP_END = 0x01, 0x02, 0x04, 0x05, 0x0C, 0x1C, 0x2C
TAGS = frozenset((*range(0x01, 0x0F), SEGMENT, HEAP_END))
STRINGS_MOST = 2_000_000  # 32 MB of ids and offsets; a large application has some hundred thousand symbols
CLASSES_MOST = 200_000  # some 40 MB; large applications load 50,000
FRAMES_MOST = 100_000  # of all threads' stacks
SEGMENTS_MOST = 1_000_000  # of 1 MB: a terabyte
NAME_MOST = 512  # bytes of a name that are read
_RECORD = struct.Struct(">BII")


class Index(Struct):
    """What is known of a dump before its heap is looked at. Offsets are bytes of the file."""

    idsize: int
    segments: list[tuple[int, int]] = field(default_factory=list)  # [start, end) of sub-records, ascending
    classes: dict[int, int] = field(default_factory=dict)  # class object id -> name's string id
    traces: dict[int, int] = field(default_factory=dict)  # thread serial -> offset of its trace's frame ids
    frames: dict[int, int] = field(default_factory=dict)  # frame id -> offset of the record's body
    serials: dict[int, int] = field(default_factory=dict)  # class serial -> name's string id
    trouble: tuple[int, str] | None = None  # from where on the file is no HPROF, and why
    string_ids: array[int] = field(default_factory=lambda: array("Q"))
    string_offsets: array[int] = field(default_factory=lambda: array("Q"))  # of the text; 4 bytes before idsize: length

    def names(self, file: File, wanted: Iterable[int]) -> dict[int, str]:
        """The texts of the strings with these ids."""
        left = set(wanted)
        places = [(i, at) for i, at in zip(self.string_ids, self.string_offsets, strict=True) if i in left]
        return {identity: self._text(file, at) for identity, at in places}

    def _text(self, file: File, at: int) -> str:
        head = self.idsize + 4
        size = int.from_bytes(file.near(at - head, 4, 64 * 1024)) - self.idsize
        return file.near(at, max(0, min(size, NAME_MOST)), 64 * 1024).decode("utf-8", "replace")

    def is_symbol(self, at: int) -> bool:
        """Whether the offset stands before the heap, among the strings."""
        return bool(self.string_offsets) and at < self.string_offsets[-1] + NAME_MOST and not self.segment_of(at)

    def segment_of(self, at: int) -> tuple[int, int] | None:
        """The segment an offset stands in."""
        low, high = 0, len(self.segments)
        while low < high:
            middle = (low + high) // 2
            if self.segments[middle][1] <= at:
                low = middle + 1
            else:
                high = middle
        found = self.segments[low] if low < len(self.segments) else None
        return found if found and found[0] <= at else None


def index_of(file: File) -> Index | None:
    """Walks the top-level records; None where the file does not begin as an HPROF."""
    head = file.read(0, HEADER_MOST)
    end = head.find(b"\0")
    if end < 0 or len(head) < end + 13:
        return None
    idsize = int.from_bytes(head[end + 1 : end + 5])
    if idsize not in (4, 8):
        return None
    index = Index(idsize)
    _walk(file, index, end + 13)
    return index


def _walk(file: File, index: Index, at: int) -> None:
    tag = STRING
    while at < file.size:
        # small records stand together; a segment is stepped over, and reading on into the next would be in vain
        head = file.near(at, _RECORD.size + 24, 0 if tag in (HEAP, SEGMENT) else 256 * 1024)
        if len(head) < _RECORD.size:
            index.trouble = at, "the dump ends inside a record's header"
            return
        tag, _, size = _RECORD.unpack_from(head)
        body = at + _RECORD.size
        if tag not in TAGS or len(index.segments) >= SEGMENTS_MOST:
            index.trouble = at, "the records of the dump make no sense from here on"
            index.segments.append((at, file.size))  # some of the heap may yet be told by itself
            return
        if tag == HEAP and size == 0 and body < file.size and _is_heap(file, body):
            last = file.read(file.size - _RECORD.size, 1)[0] == HEAP_END
            size = file.size - body - (_RECORD.size if last else 0)  # more than its four bytes can say
        if tag in (HEAP, SEGMENT):
            index.segments.append((body, min(body + size, file.size)))
        else:
            _take(index, tag, size, body, head[_RECORD.size :])
        at = body + size
    if at > file.size:
        index.trouble = file.size, f"the dump is cut short: {at - file.size} bytes of its last record are missing"


def _is_heap(file: File, at: int) -> bool:
    """Whether a sub-record begins here, and not the next record, whose tag has a time near 0 behind it."""
    return file.read(at, 1)[0] not in TAGS or file.read(at + 1, 3) != b"\0\0\0"


def _take(index: Index, tag: int, size: int, body: int, head: bytes) -> None:
    wide = index.idsize
    if tag == STRING and size >= wide:
        if len(index.string_ids) < STRINGS_MOST:
            index.string_ids.append(int.from_bytes(head[:wide]))
            index.string_offsets.append(body + wide)
    elif tag == LOAD_CLASS and size >= 8 + 2 * wide:
        if len(index.classes) < CLASSES_MOST:
            name = int.from_bytes(head[8 + wide : 8 + 2 * wide])
            index.classes[int.from_bytes(head[4 : 4 + wide])] = name
            index.serials[int.from_bytes(head[:4])] = name
    elif tag == FRAME and len(index.frames) < FRAMES_MOST:
        index.frames[int.from_bytes(head[:wide])] = body
    elif tag == TRACE and len(index.traces) < FRAMES_MOST:
        index.traces[int.from_bytes(head[4:8])] = body + 12
