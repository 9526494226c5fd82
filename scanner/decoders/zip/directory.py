"""The directory at a zip's end (APPNOTE 4.3.12 to 4.3.16), read piece by piece: it may name millions."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from io import FileIO

from scanner.decoders.zip.entry import Entry, widened
from scanner.errors import CorruptInput

END, END64, LOCATOR, ENTRY = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
END_FORM = struct.Struct("<4s4H2LH")
END64_FORM = struct.Struct("<4sQ2H2L4Q")
LOCATOR_FORM = struct.Struct("<4sLQL")
ENTRY_FORM = struct.Struct("<4s6H3L5H2L")
COMMENT_MOST = 0xFFFF  # bytes of the archive's comment, behind the end record
PIECE = 256 * 1024  # bytes of the directory read at once; an entry has at most 46 and three times 65,535
_LONGEST = ENTRY_FORM.size + 3 * 0xFFFF


class NoDirectory(Exception):
    """The file has none, or it is not where its end record says."""


def entries(file: FileIO) -> Iterator[Entry]:
    """The members the directory names. Raises NoDirectory and OSError at once, CorruptInput where it breaks.

    An archive that does not begin where the file does counts as without one: what stands before it would be missed.
    """
    size = os.fstat(file.fileno()).st_size
    count, length, start, end = _end_record(file, size)
    if start + length != end or (count and os.pread(file.fileno(), 4, start) != ENTRY):
        raise NoDirectory
    return _entries(file, count, start, end)


def end_record(file: FileIO) -> bytes:
    """The record at the end, with the archive's comment. Raises NoDirectory."""
    low = max(0, os.fstat(file.fileno()).st_size - COMMENT_MOST - END_FORM.size)
    tail = os.pread(file.fileno(), COMMENT_MOST + END_FORM.size, low)
    if (at := tail.rfind(END)) < 0:
        raise NoDirectory
    return tail[at:]


def _end_record(file: FileIO, size: int) -> tuple[int, int, int, int]:
    """(members, bytes of the directory, where it begins by its own word, where it ends). Raises NoDirectory."""
    low = max(0, size - COMMENT_MOST - END_FORM.size)
    tail = os.pread(file.fileno(), size - low, low)
    at = tail.rfind(END)
    if at < 0 or at + END_FORM.size > len(tail):
        raise NoDirectory
    _, _, _, _, count, length, start, _ = END_FORM.unpack_from(tail, at)
    locator = os.pread(file.fileno(), LOCATOR_FORM.size, max(0, low + at - LOCATOR_FORM.size))
    if not locator.startswith(LOCATOR):
        return count, length, start, low + at
    where = LOCATOR_FORM.unpack(locator)[2]
    wide = os.pread(file.fileno(), END64_FORM.size, where) if where < size else b""
    if len(wide) < END64_FORM.size or not wide.startswith(END64):
        raise NoDirectory
    *_, count, length, start = END64_FORM.unpack(wide)
    return count, length, start, where


def _entries(file: FileIO, count: int, start: int, end: int) -> Iterator[Entry]:
    data, at = b"", 0
    for number in range(count):
        if len(data) - at < _LONGEST and start < end:
            fresh = os.pread(file.fileno(), min(PIECE, end - start), start)
            data, at = data[at:] + fresh, 0
            start = start + len(fresh) if fresh else end
        if data[at : at + 4] != ENTRY or at + ENTRY_FORM.size > len(data):
            raise CorruptInput(f"the zip directory breaks off after {number} of {count} members")
        fields = ENTRY_FORM.unpack_from(data, at)
        flags, method, (crc, packed, size, name, extra, comment), offset = *fields[3:5], fields[7:13], fields[-1]
        begin, at = at, at + ENTRY_FORM.size
        size, packed, offset = widened(data[at + name : at + name + extra], size, packed, offset)
        record = data[begin : at + name + extra + comment]
        yield Entry(data[at : at + name], flags, method, crc, packed, size, offset, record)
        at += name + extra + comment
