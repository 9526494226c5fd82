"""Targets whose places are known, in order -> the stream with each of them replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scanner.decoders.interface import Reader
from scanner.redaction.copying import Copy, Cuts, Write
from scanner.redaction.mask import AFTER, Slice, Style, Target, edits

Check = Callable[[Target, Slice], None]
BLOCK = 256 * 1024  # bytes read at once


def rewrite(
    reader: Reader,
    write: Write,
    targets: Iterable[Target],
    style: Style,
    check: Check = lambda target, read: None,
    cuts: Cuts | None = None,
) -> int:
    """Copies `reader` to `write`, targets in order of their first span. Gives back how many bytes were replaced.

    `check` is shown each target as it stands, before it is replaced. Raises what it, the reader and the writer raise.
    Holds what stands between the spans of one target, no more.
    """
    copy = Copy(write, cuts)
    buffer = memoryview(bytearray(BLOCK))
    ended = False
    for target in targets:
        start, end = target.spans[0].start, target.spans[-1].end + AFTER
        while copy.end < end and not ended:
            ended = not _read(reader, buffer, copy)
            copy.upto(min(start, copy.end))
        copy.upto(start)
        check(target, copy.read)
        replace(copy, target, style)
    while not ended:
        copy.upto(copy.end)
        ended = not _read(reader, buffer, copy)
    copy.upto(copy.end)
    return copy.changed


def replace(copy: Copy, target: Target, style: Style) -> int:
    """Edits a target's spans, which the copy holds. Gives back how many bytes are to change."""
    made = edits(target, copy.read, style)
    return sum(copy.edit(edit) for edit in made if edit.data != copy.read(edit.start, edit.end))


def _read(reader: Reader, buffer: memoryview, copy: Copy) -> int:
    count = reader.readinto(buffer)
    copy.add(buffer[:count])
    return count
