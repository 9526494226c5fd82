"""The members of a zip: those its directory names, or those that are met on the way through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from scanner.decoders.feed import Feed
from scanner.decoders.interface import OpenReader, Stream
from scanner.decoders.members import Slice, member_id
from scanner.decoders.opening import Peeked
from scanner.decoders.zip.directory import NoDirectory, end_record
from scanner.decoders.zip.directory import entries as listed
from scanner.decoders.zip.entry import DESCRIBED, LOCAL, Entry, read_local
from scanner.decoders.zip.member import Undescribed, opened, refusal
from scanner.errors import CorruptInput, InputError, TruncatedInput
from scanner.model import Skipped, StreamId

DESCRIPTOR = b"PK\7\x08"  # 4.3.9; by 8.5.3 also before the first member of an archive that was to be split
# What stands behind the members, with its fixed size past the mark, and where in that the sizes of the rest stand
# as (offset, bytes): 4.3.12 directory entries, 4.3.13 their signature, 4.3.11 extra data, 4.3.14 to 4.3.16 end records.
AFTER: dict[bytes, tuple[int, tuple[tuple[int, int], ...]]] = {
    b"PK\1\2": (42, ((24, 2), (26, 2), (28, 2))),
    b"PK\5\5": (2, ((0, 2),)),
    b"PK\6\x08": (4, ((0, 4),)),
    b"PK\6\6": (8, ((0, 8),)),
    b"PK\6\7": (16, ()),
    b"PK\5\6": (18, ((16, 2),)),
}
END = b"PK\5\6"
RECORD_MOST = 3 * 0xFFFF  # bytes of a record's parts of any length: an entry's name, extra fields and comment
GAP = 64 * 1024  # bytes looked through at once for the next member after damage
DRAINED = 64 << 20  # bytes of a member read past what its scan wanted, in order to find the next one


class Member(Struct, frozen=True):
    """A member and its bytes; None of a folder's. `local`: its header as it stands before the data (`entry` again
    where that can't be read of a folder).
    """

    entry: Entry
    local: Entry
    reader: OpenReader | None


def by_directory(archive: StreamId, file: FileIO, directory: Iterator[Entry]) -> Iterator[Member | Skipped]:
    """The members the directory names, in its order. Raises InputError where the directory breaks."""
    size = os.fstat(file.fileno()).st_size
    for entry in directory:
        identity = member_id(archive, "zip", entry.name)
        folder = entry.is_folder
        if not folder and (reason := refusal(entry)):
            yield Skipped(identity, reason, 0)
            continue
        try:
            if entry.offset >= size:
                raise CorruptInput("the zip directory points behind the archive's end")
            file.seek(entry.offset)
            feed = Feed(file)
            local = read_local(feed)
            if local.method != entry.method:
                raise CorruptInput("the zip directory and the member's own header do not agree")
            yield Member(entry, local, None if folder else opened(Slice(feed, entry.packed, "zip archive"), entry))
        except InputError as error:
            yield Member(entry, entry, None) if folder else Skipped(identity, str(error), 0)
    file.seek(0, os.SEEK_END)


def entries(stream: Stream, records: bool = False) -> Iterator[Member | Skipped | bytes]:
    """The members of an archive: by its directory where it is a file that has one, else as they come.

    With `records`, those of the directory and its end come too, as bytes, behind the members.
    """
    if not isinstance(stream.reader, FileIO) or stream.plain_path is None:
        return Sequence(stream).entries()
    try:
        directory = listed(stream.reader)
    except NoDirectory:
        return Sequence(stream).entries()
    members = by_directory(stream.id, stream.reader, directory)
    return chain(members, _records(stream.reader)) if records else members


def _records(file: FileIO) -> Iterator[bytes]:
    for entry in listed(file):
        yield entry.record
    yield end_record(file)


class Sequence:
    """The members of a zip that is read once, from front to back; and of others that follow it."""

    def __init__(self, stream: Stream) -> None:
        self._id = stream.id
        self._feed = Feed(stream.reader)
        self._ended = False  # an end record was the last thing read

    def entries(self) -> Iterator[Member | Skipped | bytes]:
        """All there is, in order; bytes are the records that stand behind the members.

        A member is read before the next is asked for.
        """
        base = 0  # where the archive began that the next record belongs to
        while True:
            mark = self._feed.peek(4)
            if not mark and self._ended:
                return
            base = self._feed.offset if self._ended else base
            if len(mark) < 4:
                raise TruncatedInput("the zip archive ends too early")
            if mark in AFTER:
                yield self._record(mark)
            elif mark == DESCRIPTOR:
                self._pass_descriptor()
            elif mark == LOCAL:
                offset = self._feed.offset - base
                yield from self._member(replace(read_local(self._feed), offset=offset))
            else:
                yield self._lost()
            self._ended = mark == END

    def _record(self, mark: bytes) -> bytes:
        """A record that stands behind the members; of a huge one only the beginning. Raises TruncatedInput."""
        fixed, sizes = AFTER[mark]
        head = self._feed.take(4 + fixed)
        rest = sum(int.from_bytes(head[4 + low : 4 + low + wide], "little") for low, wide in sizes)
        tail = self._feed.take(min(rest, RECORD_MOST))
        if len(head) < 4 + fixed or len(tail) < min(rest, RECORD_MOST) or self._feed.skip(rest - len(tail)):
            raise TruncatedInput("the zip archive ends too early")
        return head + tail

    def _pass_descriptor(self) -> None:
        """Past a descriptor behind a member whose sizes were known; at the very start it marks a split archive."""
        begin = self._feed.offset
        self._feed.take(4)
        for size in (0, 12, 8) if begin == 0 else (12, 8):
            self._feed.take(size)
            if self._feed.peek(4) in (LOCAL, *AFTER):
                return

    def _member(self, entry: Entry) -> Iterator[Member | Skipped]:
        identity = member_id(self._id, "zip", entry.name)
        if entry.flags & DESCRIBED and not (entry.packed and entry.crc):
            yield from self._undescribed(entry, identity)
            return
        content = Slice(self._feed, entry.packed, "zip archive")
        try:
            if reason := refusal(entry):
                yield Skipped(identity, reason, 0)
            else:
                yield Member(entry, entry, None if entry.is_folder else opened(content, entry))
        except InputError as error:
            yield Skipped(identity, str(error), 0)
        if self._feed.skip(content.left):
            if not content.broken:
                raise TruncatedInput("the zip archive ends too early")
            self._ended = True  # said by the member

    def _undescribed(self, entry: Entry, identity: StreamId) -> Iterator[Member | Skipped]:
        """A member whose sizes stand behind its data: only the data themselves tell where they end."""
        if reason := refusal(entry, sequential=True):
            yield Skipped(identity, reason, 0)
            self._lost()
            return
        member = Undescribed(self._feed, entry)
        yield Member(entry, entry, _not_empty(member) if entry.name.endswith(b"/") else member)
        scratch = memoryview(bytearray(GAP))
        drained = 0
        while not member.ended and drained < DRAINED and (count := member.readinto(scratch)):
            drained += count
        if not member.ended:
            raise CorruptInput("the rest was not read: where the next member begins is not known")

    def _lost(self) -> Skipped:
        """Goes on to the next member or the directory. Raises InputError where there is none."""
        begin = self._feed.offset
        what = "something else follows the zip archive" if self._ended else "the zip archive is damaged"
        window = b""
        while fresh := bytes(self._feed.chunk(GAP)):
            window = window[-3:] + fresh
            places = [at for at in map(window.find, (LOCAL, *AFTER)) if at >= 0]
            if places:
                self._feed.put_back(window[min(places) :])
                return Skipped(self._id, f"{what}: {self._feed.offset - begin} bytes were not scanned", begin)
        raise CorruptInput(f"{what} at byte {begin}, and no other member follows")


def _not_empty(member: Undescribed) -> Peeked | None:
    """A folder's bytes, which it should not have; None where it has none."""
    peeked = Peeked(member)
    peeked.peek(lambda head: False)
    return None if member.ended else peeked
