"""The members of a 7z, folder by folder: each folder is decoded once, from front to back."""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END, BytesIO, FileIO
from itertools import islice
from typing import cast

from isal import isal_zlib

from scanner.decoders.feed import Feed
from scanner.decoders.interface import OpenReader, Stream
from scanner.decoders.members import Checked, Slice, member_id
from scanner.decoders.sevenzip.coders import decoded, refusal
from scanner.decoders.sevenzip.header import (
    ENCODED,
    HEADER,
    HEADER_MOST,
    Cursor,
    Folder,
    Listing,
    damaged,
    read_listing,
    read_streams,
)
from scanner.errors import InputError, LimitExceeded, TruncatedInput
from scanner.model import Skipped, StreamId

START = 32  # bytes: magic, version, checksum, and where the list stands
DRAINED = 64 << 20  # bytes of a member read past what its scan wanted, in order to come to the next one


File = tuple[StreamId, int, int]  # size in bytes, CRC-32 or -1


def members(archive: StreamId, file: FileIO | BytesIO) -> Iterator[Stream | Skipped]:
    """Raises InputError."""
    listing = _listing(file)
    files = _files(archive, listing)
    for folder in listing.folders:
        here = islice(files, folder.parts)
        if reason := refusal(folder):
            yield from (Skipped(identity, reason, 0) for identity, _, _ in here)
        else:
            yield from _of_folder(file, folder, here)
    file.seek(0, SEEK_END)


def _files(archive: StreamId, listing: Listing) -> Iterator[File]:
    """Raises CorruptInput where there are more files than names."""
    names = listing.named()
    for size, crc in zip(listing.sizes, listing.crcs, strict=False):
        name = next(names, None)
        if name is None:
            raise damaged()
        yield member_id(archive, "7z", name), size, crc


def _of_folder(file: FileIO | BytesIO, folder: Folder, files: Iterator[File]) -> Iterator[Stream | Skipped]:
    feed = Feed(_decoded(file, folder))
    for identity, size, crc in files:
        content = Slice(feed, size, "7z archive")
        yield Stream(identity, Checked(content, size, None if crc < 0 else crc, "7z"))
        reason = "the member before it could not be read to its end" if content.broken else _passed(feed, content)
        if reason:
            yield from (Skipped(one, f"was not read: {reason}", 0) for one, _, _ in files)


def _passed(feed: Feed, content: Slice) -> str | None:
    """Goes on to the next member; why that is not possible, if so."""
    if content.left > DRAINED:
        return "the member before it was not read to its end"
    try:
        return "the archive ends before it" if feed.skip(content.left) else None
    except InputError as error:
        return str(error)


def _decoded(file: FileIO | BytesIO, folder: Folder) -> OpenReader:
    file.seek(START + folder.at)
    return decoded(folder, Slice(Feed(cast(OpenReader, file)), folder.packed, "7z archive"))


def _listing(file: FileIO | BytesIO) -> Listing:
    """Raises InputError."""
    start = file.read(START) or b""
    # 6 magic, 2 version, 4 checksum of the rest, 8 offset of the list past these 32 bytes, 8 its size, 4 its checksum
    if len(start) < START:
        raise TruncatedInput("the 7z archive ends too early")
    if isal_zlib.crc32(start[12:]) != int.from_bytes(start[8:12], "little"):
        raise damaged()
    at, size, crc = (int.from_bytes(start[low:high], "little") for low, high in ((12, 20), (20, 28), (28, 32)))
    if size == 0:
        return Listing()
    data = _exactly(file, START + at, size)
    if isal_zlib.crc32(data) != crc:
        raise damaged()
    for _ in range(4):  # a list may be packed like the files, its list again
        kind, data = data[0], data[1:]
        if kind == HEADER:
            return read_listing(data)
        if kind != ENCODED:
            break
        data = _unpacked(file, read_streams(Cursor(data)))
    raise damaged()


def _unpacked(file: FileIO | BytesIO, packed: Listing) -> bytes:
    """A list that is packed. Raises InputError."""
    if len(packed.folders) != 1 or not packed.folders[0].size:
        raise damaged()
    folder = packed.folders[0]
    if reason := refusal(folder):
        raise InputError(f"the list of its members {reason}" if "encrypted" in reason else reason)
    _admitted(folder.size)
    data = Feed(_decoded(file, folder)).take(folder.size)
    if len(data) < folder.size or (folder.crc is not None and isal_zlib.crc32(data) != folder.crc):
        raise damaged()
    return data


def _exactly(file: FileIO | BytesIO, at: int, size: int) -> bytes:
    _admitted(size)
    try:
        file.seek(at)
    except (OSError, OverflowError):
        raise damaged() from None
    parts = bytearray()
    while len(parts) < size and (piece := file.read(size - len(parts))):
        parts += piece
    if len(parts) < size:
        raise TruncatedInput("the 7z archive ends too early")
    return bytes(parts)


def _admitted(size: int) -> None:
    if size > HEADER_MOST:
        raise LimitExceeded(f"the 7z archive's list has more than {HEADER_MOST} bytes")
