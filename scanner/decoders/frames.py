"""Compressed files whose frames say how large they are, so that stretches of the content can be decoded apart.

These are bgzip's blocks, which have their packed size in an extra field (SAM specification, 4.1, "The BGZF compression
format") and their content's at the end (RFC 1952, 2.3.1), and Zstandard frames with a content size (RFC 8878,
3.1.1.1), whose ends are found by walking their blocks. What says less, or breaks off, is decoded from front to back.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator

from msgspec import Struct

from scanner.decoders.chain import open_source
from scanner.decoders.interface import Limits, OpenReader, Stream
from scanner.decoders.opening import File, open_file
from scanner.decoders.zstd import MAGIC, SKIPPABLE
from scanner.errors import InputError
from scanner.model import Source

APART = 1 << 20  # bytes of content between marks: what is decoded in vain before a stretch begins
LARGEST = 8 << 20  # bytes of content of a frame: larger ones are decoded twice too often
_BGZF = b"\x1f\x8b\x08\4"
_BGZF_HEAD = 18  # bytes: "the total length of the extra field" is 6, and it is the only one
_SCRATCH = 256 * 1024  # bytes decoded at once in order to be passed over

_Walk = Callable[[int, int], Iterator[tuple[int, int]]]


class Framed(Struct, frozen=True):
    """A file's content: its size, and marks (offset in the file, offset in the content) where decoding can begin."""

    layer: str
    size: int
    marks: tuple[tuple[int, int], ...]

    def before(self, offset: int) -> tuple[int, int]:
        """The last mark that is not behind an offset in the content."""
        return self.marks[max(0, bisect_right(self.marks, offset, key=_content) - 1)]


def _content(mark: tuple[int, int]) -> int:
    return mark[1]


def framed(source: Source, limits: Limits) -> Framed | None:
    """What is known of a file's frames; None where they do not tell, hold more than plain text, or unfold too far."""
    try:
        with open_file(source) as file:
            head = os.pread(file.fileno(), 4, 0)
            walk = _WALKS.get(head)
            size = os.fstat(file.fileno()).st_size
            found = _marked(walk(file.fileno(), size), size, limits) if walk and file.regular else None
    except (OSError, InputError):
        return None
    if found is None:
        return None
    layer = "zstd" if head == MAGIC else "gzip"
    return Framed(layer, *found) if _is_plain_inside(source, layer) else None


def _marked(
    frames: Iterator[tuple[int, int]], size: int, limits: Limits
) -> tuple[int, tuple[tuple[int, int], ...]] | None:
    """(bytes of content, marks); `frames` tells of each where it ends in the file and how much it holds."""
    marks = [(0, 0)]
    begin = content = 0
    for end, count in frames:
        if content - marks[-1][1] >= APART:
            marks.append((begin, content))
        content += count
        if count > LARGEST or (content > limits.ratio_from and content > limits.ratio * begin):
            return None
        begin = end
    whole = begin == size and content <= min(limits.member_bytes, limits.total_bytes)
    return (content, tuple(marks)) if whole and len(marks) > 1 else None


def _is_plain_inside(source: Source, layer: str) -> bool:
    streams = open_source(source)
    for first in streams:
        return isinstance(first, Stream) and first.id.layers == (layer,) and not (first.completed or first.joined)
    return False


def _bgzf(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Of each block. Ends early where one is not what it should be."""
    at = 0
    while at < size:
        head = os.pread(descriptor, _BGZF_HEAD, at)
        # XLEN, then the field's name, its length and the block's size less one
        if len(head) < _BGZF_HEAD or head[:4] != _BGZF or head[10:16] != b"\6\0BC\2\0":
            return
        at += int.from_bytes(head[16:18], "little") + 1
        isize = os.pread(descriptor, 4, at - 4)
        if at > size or len(isize) < 4:
            return
        yield at, int.from_bytes(isize, "little")


def _zstd(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Of each frame. Ends early where one does not tell."""
    at = 0
    while at < size:
        head = os.pread(descriptor, 18, at)
        if head[:4] in SKIPPABLE and len(head) >= 8:
            at += 8 + int.from_bytes(head[4:8], "little")
            content = 0
        elif head[:4] == MAGIC and len(head) > 5:
            flags = head[4]
            single, kind = flags >> 5 & 1, flags >> 6
            field = 6 - single + (0, 1, 2, 4)[flags & 3]
            width = (single, 2, 4, 8)[kind]
            if not width or len(head) < field + width:
                return
            content = int.from_bytes(head[field : field + width], "little") + (256 if width == 2 else 0)
            at = _behind_blocks(descriptor, at + field + width) + (4 if flags & 4 else 0)
        else:
            return
        if at > size:
            return
        yield at, content


def _behind_blocks(descriptor: int, at: int) -> int:
    """Past the last block of a frame (RFC 8878, 3.1.1.2); past the file's end where there is none."""
    while True:
        head = os.pread(descriptor, 3, at)
        if len(head) < 3:
            return 1 << 63
        bits = int.from_bytes(head, "little")
        at += 3 + (1 if bits >> 1 & 3 == 1 else bits >> 3)
        if bits & 1:
            return at


_WALKS: dict[bytes, _Walk] = {_BGZF: _bgzf, MAGIC: _zstd}


class Content:
    """The content from some offset on, decoded from a mark before it."""

    def __init__(self, path: bytes, layer: str, mark: tuple[int, int], offset: int) -> None:
        """Raises OSError. The mark is not behind the offset; what breaks between them is raised by the first read."""
        self._path = path
        self._mark = mark
        self._layer = layer
        self._reader = self._open()
        self._left = offset - mark[1]

    def _open(self) -> OpenReader:
        from scanner.decoders.gzip import GzipReader
        from scanner.decoders.zstd import ZstdReader

        kind = ZstdReader if self._layer == "zstd" else GzipReader
        return kind(self._file(), self._file)

    def _file(self) -> File:
        file = open_file(Source("", self._path))
        file.seek(self._mark[0])
        return file

    def readinto(self, buffer: memoryview, /) -> int:
        """As of a Reader."""
        while self._left > 0:
            scratch = memoryview(bytearray(min(_SCRATCH, self._left)))
            count = self._reader.readinto(scratch)
            if not count:
                return 0
            self._left -= count
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self._reader.close()
