"""A zip written anew: names, times, attributes, extra fields and comments as they stand, each member by its own method.

PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5. Members keep their order, what stood between them is left out, and sizes
stand before the data also where they stood behind.
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from io import FileIO

from isal import isal_zlib

from scanner.decoders.interface import Stream
from scanner.decoders.members import member_id
from scanner.decoders.zip.archive import DESCRIPTOR, Member, entries
from scanner.decoders.zip.directory import (
    END,
    END64,
    END64_FORM,
    END_FORM,
    ENTRY,
    ENTRY_FORM,
    LOCATOR,
    LOCATOR_FORM,
    PIECE,
)
from scanner.decoders.zip.entry import DESCRIBED, HEAD, LOCAL, OVER, ZIP64, Entry, widened
from scanner.decoders.zip.member import BZIP2, DEFLATED, LZMA, STORED, XZ
from scanner.model import Skipped
from scanner.redaction.packing import Engine, Packer
from scanner.redaction.remaking.outputs import Outputs, Refused, Spool, Write

ENDED = 2  # the flag by which LZMA data tell their end themselves (4.4.4)
_DEFLATE_LEVELS = (6, 9, 3, 1)  # by bits 1 and 2 of the flags (4.4.4): normal, maximum, fast, super fast
_WIDE = 45  # the version that is needed for sizes of eight bytes (4.4.3.2)
_COUNT_OVER = 0xFFFF


def remade_zip(stream: Stream, outputs: Outputs) -> Iterator[Stream | Skipped]:
    """The members with data; what each becomes is held until its size is known."""
    out = _Output(outputs.write)
    for entry in entries(stream, records=True):
        if isinstance(entry, Skipped):
            yield entry
        elif isinstance(entry, bytes):
            outputs.inscribed(entry)
            out.record(entry)
        elif entry.reader is None:
            outputs.inscribed(entry.local.record)
            out.folder(entry)
        else:
            outputs.inscribed(entry.local.record)
            before = outputs.changed
            with outputs.spool() as spool:
                content = _Content(entry.entry, spool.write)
                with outputs.into(content.write):
                    yield Stream(member_id(stream.id, "zip", entry.entry.name), entry.reader)
                content.close()
                if outputs.changed == before and entry.local is not entry.entry:
                    assert isinstance(stream.reader, FileIO)
                    out.as_it_was(entry, stream.reader)
                else:
                    out.member(entry, content, spool)
    outputs.all_inscribed()


class _Content:
    """What a member becomes, packed by its method."""

    def __init__(self, entry: Entry, write: Write) -> None:
        self._packer = _packer(entry, write)
        self.size = self.crc = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.crc = isal_zlib.crc32(data, self.crc)
        self._packer.write(data)

    def close(self) -> None:
        self._packer.close()


class _Stored:
    def __init__(self, write: Write) -> None:
        self.write = write

    def close(self) -> None:
        """Nothing follows."""


def _packer(entry: Entry, write: Write) -> Packer:
    match entry.method:
        case _ if entry.method == STORED:
            return _Stored(write)
        case _ if entry.method == DEFLATED:
            level = _DEFLATE_LEVELS[entry.flags >> 1 & 3]
            return Engine(zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS), write)
        case _ if entry.method == BZIP2:
            return Engine(bz2.BZ2Compressor(), write)
        case _ if entry.method == XZ:
            return Engine(lzma.LZMACompressor(lzma.FORMAT_XZ), write)
        case _ if entry.method == LZMA:
            return _lzma(write)
    from zstandard import ZstdCompressor

    return Engine(ZstdCompressor(write_content_size=False).compressobj(), write)


def _lzma(write: Write) -> Packer:
    """5.8.8: a version, the size of the properties, then these: lc, lp, pb in a byte, the dictionary's size in four."""
    dictionary, lc, lp, pb = 8 << 20, 3, 0, 2
    write(struct.pack("<BBHBL", 9, 20, 5, (pb * 5 + lp) * 9 + lc, dictionary))
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}]
    return Engine(lzma.LZMACompressor(lzma.FORMAT_RAW, filters=chain), write)


class _Output:
    """Writes an archive, and keeps of each member what the directory has to say of it: 40 bytes."""

    def __init__(self, write: Write) -> None:
        self._to = write
        self._count = 0  # bytes written
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._base = self._count
        self._old, self._new = array("Q"), array("Q")  # where each member's header stood, and stands
        self._packed, self._size, self._crc = array("Q"), array("Q"), array("Q")
        self._order: list[int] | None = None  # of the members, by `_old`
        self._directory: int | None = None  # where it begins
        self._entries = 0

    def _write(self, data: bytes) -> None:
        self._count += len(data)
        self._to(data)

    def member(self, member: Member, content: _Content, spool: Spool) -> None:
        """A member whose data were made anew."""
        self._head(member, spool.size, content.size, content.crc)
        spool.copy(self._write)

    def as_it_was(self, member: Member, file: FileIO) -> None:
        """A member of a file that was not changed. Raises Refused, OSError."""
        entry = member.entry
        self._head(member, entry.packed, entry.size, entry.crc)
        at, left = entry.offset + len(member.local.record), entry.packed
        while left:
            data = os.pread(file.fileno(), min(left, PIECE), at)
            if not data:
                raise Refused("the zip archive ends too early")
            self._write(data)
            at, left = at + len(data), left - len(data)

    def folder(self, member: Member) -> None:
        """A folder, which holds nothing. Raises Refused."""
        if not member.local.record.startswith(LOCAL):
            raise Refused("a folder inside of it is not what the zip directory says")
        nothing: list[bytes] = []
        _packer(member.entry, nothing.append).close()  # of a method, nothing takes bytes too
        data = b"".join(nothing)
        self._head(member, len(data), 0, 0)
        self._write(data)

    def _head(self, member: Member, packed: int, size: int, crc: int) -> None:
        for values, value in (
            (self._old, member.entry.offset), (self._new, self._count - self._base),
            (self._packed, packed), (self._size, size), (self._crc, crc),
        ):  # fmt: skip
            values.append(value)
        self._write(_local(member.local.record, packed, size, crc))

    def record(self, record: bytes) -> None:
        """One that stands behind the members. Raises Refused."""
        if record.startswith(DESCRIPTOR):
            return
        if self._directory is None:
            self._directory = self._count - self._base
        if record.startswith(ENTRY):
            self._write(self._entry(record))
            self._entries += 1
        elif record.startswith(END):
            self._end(record[END_FORM.size :])
        elif not record.startswith((END64, LOCATOR)):
            raise Refused("the zip archive is signed, or its directory encrypted")

    def _entry(self, record: bytes) -> bytes:
        fields = ENTRY_FORM.unpack_from(record)
        name, extra = fields[10:12]
        end = ENTRY_FORM.size + name + extra
        offset = widened(record[ENTRY_FORM.size + name : end], fields[9], fields[8], fields[16])[2]
        number = self._number(offset)
        packed, size, crc = self._packed[number], self._size[number], self._crc[number]
        values = (size, packed, self._new[number])
        added = _zip64([value for value in values if value >= OVER])
        extra_fields = _without_zip64(record[ENTRY_FORM.size + name : end]) + added
        head = ENTRY_FORM.pack(
            *fields[:2], max(fields[2], _WIDE) if added else fields[2], _flags(fields[3], fields[4]), *fields[4:7],
            crc, min(packed, OVER), min(size, OVER), name, len(extra_fields), fields[12], 0, *fields[14:16],
            min(values[2], OVER),
        )  # fmt: skip
        return head + record[ENTRY_FORM.size : ENTRY_FORM.size + name] + extra_fields + record[end:]

    def _number(self, offset: int) -> int:
        """The member whose header stood there. Raises Refused."""
        if self._order is None:
            self._order = sorted(range(len(self._old)), key=self._old.__getitem__)
        at = bisect_left(self._order, offset, key=self._old.__getitem__)
        if at == len(self._order) or self._old[self._order[at]] != offset:
            raise Refused("the zip directory and the members do not agree")
        return self._order[at]

    def _end(self, comment: bytes) -> None:
        assert self._directory is not None
        size = self._count - self._base - self._directory
        if self._entries >= _COUNT_OVER or max(size, self._directory) >= OVER:
            where = self._count - self._base
            rest = END64_FORM.size - 12  # 4.3.14.1: its size leaves out the mark and itself
            counts = (self._entries, self._entries, size, self._directory)
            self._write(END64_FORM.pack(END64, rest, _WIDE, _WIDE, 0, 0, *counts))
            self._write(LOCATOR_FORM.pack(LOCATOR, 0, where, 1))
        count = min(self._entries, _COUNT_OVER)
        ends = (count, count, min(size, OVER), min(self._directory, OVER), len(comment))
        self._write(END_FORM.pack(END, 0, 0, *ends) + comment)
        self._begin_anew()


def _local(record: bytes, packed: int, size: int, crc: int) -> bytes:
    """A local header with other sizes, known before the data."""
    mark, version, flags, method, time, date, _, _, _, name, extra = HEAD.unpack_from(record)
    added = _zip64([size, packed]) if max(size, packed) >= OVER else b""
    extra_fields = _without_zip64(record[HEAD.size + name : HEAD.size + name + extra]) + added
    sizes = (OVER, OVER) if added else (packed, size)
    version = max(version, _WIDE) if added else version
    head = HEAD.pack(
        mark, version, _flags(flags, method), method, time, date, crc, *sizes, name, len(extra_fields)
    )  # fmt: skip
    return head + record[HEAD.size : HEAD.size + name] + extra_fields


def _flags(flags: int, method: int) -> int:
    return flags & ~DESCRIBED | (ENDED if method == LZMA else 0)


def _zip64(values: list[int]) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", ZIP64, 8 * len(values), *values) if values else b""


def _without_zip64(extra: bytes) -> bytes:
    """The extra fields but the one with sizes of eight bytes; what is no field any more stays."""
    kept, at = b"", 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        kept += b"" if kind == ZIP64 else extra[at : at + 4 + size]
        at += 4 + size
    return kept + extra[at:]
