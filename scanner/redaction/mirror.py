"""Where the copy of each source goes: below one folder, as `cp -r` would lay them out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from scanner.errors import UsageError
from scanner.model import Source


def mirrored(paths: Sequence[str], sources: Sequence[Source], folder: str) -> list[bytes]:
    """For each source its place: a file named goes by its name, one of a folder named with that folder's tree.

    Raises UsageError where two sources would have one place, or a source would be overwritten.
    """
    named = sorted((os.fsencode(path) for path in paths), key=len, reverse=True)
    places = [_place(source, named, os.fsencode(folder)) for source in sources]
    seen: dict[bytes, str] = {}
    originals = {os.path.realpath(source.os_path) for source in sources}
    for source, place in zip(sources, places, strict=True):
        if place in seen:
            raise UsageError(f"{source.path!r} and {seen[place]!r} would be written to the same file")
        if os.path.realpath(place) in originals:
            raise UsageError(f"the copy of {source.path!r} would overwrite what is read; use --in-place for that")
        seen[place] = source.path
    return places


def _place(source: Source, named: list[bytes], folder: bytes) -> bytes:
    for path in named:
        top = path.rstrip(b"/") + b"/"
        if source.os_path.startswith(top):
            own = os.path.basename(path.rstrip(b"/"))
            inside = source.os_path[len(top) :].lstrip(b"/")
            return os.path.join(folder, *([] if own in (b"", b".", b"..") else [own]), inside)
    return os.path.join(folder, os.path.basename(source.os_path))
