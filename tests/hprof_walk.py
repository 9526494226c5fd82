"""A full walk over an HPROF, record by record, as an oracle for the reader that never makes one.

Written from the format's own description alone, `hprof_binary_format` of the JDK's heapDumper.cpp, and sharing no code.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field

SIZES = {2: 0, 4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}
ROOTS = {0xFF: (1, 0), 1: (2, 0), 2: (1, 8), 3: (1, 8), 4: (1, 4), 5: (1, 0), 6: (1, 4), 7: (1, 0), 8: (1, 8)}


@dataclass
class Walk:
    """What a whole dump holds: records by tag, and each primitive array as (data start, data end, type, id)."""

    idsize: int = 8
    records: Counter[int] = field(default_factory=Counter)
    inner: Counter[int] = field(default_factory=Counter)
    strings: dict[int, tuple[int, int]] = field(default_factory=dict)
    arrays: list[tuple[int, int, int, int]] = field(default_factory=list)
    segments: list[tuple[int, int]] = field(default_factory=list)


def walk(data: bytes) -> Walk:
    """Raises struct.error or KeyError where the dump is broken."""
    out = Walk()
    at = data.index(b"\0") + 1
    out.idsize = int.from_bytes(data[at : at + 4])
    at += 12
    while at < len(data):
        tag, _, size = struct.unpack_from(">BII", data, at)
        at += 9
        out.records[tag] += 1
        if tag == 1:
            out.strings[int.from_bytes(data[at : at + out.idsize])] = (at + out.idsize, at + size)
        if tag in (0x0C, 0x1C):
            out.segments.append((at, at + size))
            _segment(out, data, at, at + size)
        at += size
    assert at == len(data)
    return out


def _segment(out: Walk, data: bytes, at: int, end: int) -> None:
    wide = out.idsize
    sizes = {**SIZES, 2: wide}
    while at < end:
        tag = data[at]
        out.inner[tag] += 1
        at += 1
        if tag in ROOTS:
            ids, more = ROOTS[tag]
            at += ids * wide + more
        elif tag == 0x20:
            at = _class(data, at, wide, sizes)
        elif tag == 0x21:
            at += 2 * wide + 8 + struct.unpack_from(">I", data, at + 2 * wide + 4)[0]
        elif tag == 0x22:
            at += 2 * wide + 8 + wide * struct.unpack_from(">I", data, at + wide + 4)[0]
        else:
            assert tag == 0x23, hex(tag)
            count, kind = struct.unpack_from(">IB", data, at + wide + 4)
            start = at + wide + 9
            identity = int.from_bytes(data[at : at + wide])
            at = start + count * sizes[kind]
            out.arrays.append((start, at, kind, identity))
    assert at == end


def _class(data: bytes, at: int, wide: int, sizes: dict[int, int]) -> int:
    at += 7 * wide + 8
    (constants,) = struct.unpack_from(">H", data, at)
    at += 2
    for _ in range(constants):
        at += 3 + sizes[data[at + 2]]
    (statics,) = struct.unpack_from(">H", data, at)
    at += 2
    for _ in range(statics):
        at += wide + 1 + sizes[data[at + wide]]
    (fields,) = struct.unpack_from(">H", data, at)
    return at + 2 + fields * (wide + 1)
