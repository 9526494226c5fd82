"""A tar archive written anew: headers, links and padding as they stand, but for the sizes of what was changed.

POSIX pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from detectors.patterns import pattern
from scanner.decoders.interface import Stream
from scanner.decoders.members import member_id
from scanner.decoders.tar.archive import PAX_TYPES, Archive, Member
from scanner.decoders.tar.header import BLOCK, parse
from scanner.decoders.tar.sparse import Map
from scanner.model import Skipped
from scanner.redaction.remaking.outputs import Outputs, Refused, Write

RECORD = 20 * BLOCK  # bytes: tar writes whole records, by default of 20 blocks
OCTAL_MOST = 8**11 - 1  # bytes: what eleven octal digits hold
_OTHER_LENGTH = "a sparse file inside of it would get another length, which its map does not allow"
_NULS = pattern(rb"\0+")


def remade_tar(stream: Stream, outputs: Outputs) -> Iterator[Stream | Skipped]:
    """The members with data; what each becomes is held until its size is known."""
    out = _Output(outputs.write)
    archive = Archive(stream)
    for entry in archive.entries():
        if isinstance(entry, Skipped):
            yield entry
        elif isinstance(entry, bytes):
            out.zeros(entry)
        elif entry.reader is None:
            outputs.inscribed(_NULS.sub(b"\n", entry.head))
            out.write(entry.head)
        else:
            outputs.inscribed(_NULS.sub(b"\n", entry.head))
            identity = member_id(stream.id, "tar", entry.name)
            with outputs.spool() as spool:
                parts = Parts(entry.sparse, spool.write) if entry.sparse else None
                with outputs.into(parts.write if parts else spool.write, fixed=parts is not None):
                    yield replace(stream, id=identity, reader=entry.reader, plain_path=None)
                if parts and not parts.complete:
                    raise Refused(_OTHER_LENGTH)
                if spool.size != entry.size and archive.gives_sizes:
                    raise Refused("a PAX header of the tar archive gives all members the same size")
                out.write(_headed(entry, spool.size))
                spool.copy(out.write)
                out.write(bytes(-spool.size % BLOCK))
    outputs.all_inscribed()
    out.end()


class _Output:
    """Writes an archive; zeros at its end so many that whole records stay whole records."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._count = 0
        self._read = 0  # blocks of zeros that wait
        self._rest = b""

    def write(self, data: bytes) -> None:
        zeros, self._read = self._read * BLOCK, 0
        while zeros:
            part = bytes(min(zeros, RECORD))
            zeros -= len(part)
            self.write(part)
        self._count += len(data)
        self._write(data)

    def zeros(self, block: bytes) -> None:
        """A block of zeros, or what remains of one at the very end."""
        if len(block) == BLOCK:
            self._read += 1
        else:
            self._rest = block

    def end(self) -> None:
        """The mark of the end: two blocks, where there were as many, and zeros up to a whole record."""
        blocks, self._read = self._read, 0
        self.write(bytes(min(blocks, 2) * BLOCK))
        if blocks > 1:
            self.write(bytes(-self._count % RECORD))
        self.write(self._rest)


class Parts:
    """Of a sparse file only the stored parts are written."""

    def __init__(self, where: Map, write: Write) -> None:
        self._size = max(where.size, sum(where.parts[-1]) if where.parts else 0)
        self._parts = iter(where.parts)
        self._write = write
        self._at = 0
        self._part = (0, 0)

    @property
    def complete(self) -> bool:
        """Whether the file was written to its end and no further."""
        return self._at == self._size

    def write(self, data: bytes) -> None:
        """The next bytes of the file. Those between the parts are zeros, before and after."""
        end = self._at + len(data)
        while True:
            low, count = self._part
            if low < end and self._at < low + count:
                self._write(data[max(0, low - self._at) : low + count - self._at])
            if low + count >= end or not (part := next(self._parts, None)):
                break
            self._part = part
        self._at = end


def _headed(entry: Member, size: int) -> bytes:
    """What stands before a member's data, which has `size` bytes now. Raises Refused."""
    if entry.sparse:
        if len(entry.sparse.stored) + size != entry.size:
            raise Refused(_OTHER_LENGTH)
        return entry.head
    return entry.head if size == entry.size else _resized(entry.head, size)


def _resized(head: bytes, size: int) -> bytes:
    """The headers of a member with its new size in the last, and in the PAX record that overrules it."""
    out: list[bytes] = []
    at = 0
    while True:
        block = head[at : at + BLOCK]
        header = parse(block)
        at += BLOCK
        if at == len(head):
            return b"".join(out) + _with_size(block, size)
        data = head[at : at + header.size]
        at += header.size + -header.size % BLOCK
        if header.kind in PAX_TYPES:
            data = b"".join(_record(b"size", b"%d" % size) if key == b"size" else raw for key, raw in _records(data))
            block = block if len(data) == header.size else _with_size(block, len(data))
        out.append(block + data + bytes(-len(data) % BLOCK))


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(key, the record as it stands) of a PAX header; what breaks its form comes last, without a key."""
    at = 0
    while (blank := data.find(b" ", at, at + 20)) > 0 and data[at:blank].isdigit():
        end = at + int(data[at:blank])
        if not blank < end <= len(data):
            break
        yield data[blank + 1 : end].partition(b"=")[0], data[at:end]
        at = end
    yield b"", data[at:]


def _record(key: bytes, value: bytes) -> bytes:
    """A PAX record: its own length counts, in decimal."""
    rest = b" %s=%s\n" % (key, value)
    size = len(rest)
    while len(b"%d" % size) + len(rest) != size:
        size = len(b"%d" % size) + len(rest)
    return b"%d%s" % (size, rest)


def _with_size(block: bytes, size: int) -> bytes:
    """A header with another size, in octal or (GNU) in base 256, and the checksum that belongs to it."""
    digits = b"%011o\0" % size if size <= OCTAL_MOST else b"\x80" + size.to_bytes(11, "big")
    block = block[:124] + digits + block[136:]
    total = sum(block[:148]) + 8 * 0x20 + sum(block[156:])
    return block[:148] + b"%06o\0 " % total + block[156:]
