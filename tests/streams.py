"""Reading streams in tests: whole, to the byte where they break, and a few bytes at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scanner.decoders import Limits, open_source
from scanner.errors import InputError
from scanner.model import Skipped, Source


@dataclass
class Read:
    """One stream as a consumer sees it."""

    layers: tuple[str, ...]
    data: bytes
    error: InputError | None = None
    consumed: int = 0
    plain: bool = False


@dataclass
class Result:
    streams: list[Read] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def only(self) -> Read:
        (stream,) = self.streams
        return stream

    @property
    def reasons(self) -> list[str]:
        return [item.reason for item in self.skipped]


def source_of(path: Path | str) -> Source:
    return Source(str(path), os.fsencode(path), os.path.getsize(path))


def read(source: Source | Path, limits: Limits | None = None, size: int = 1 << 16) -> Result:
    """All streams of a source, by reads of at most `size` bytes."""
    result = Result()
    opened = open_source(source if isinstance(source, Source) else source_of(source), limits)
    assert isinstance(opened, Iterator)
    buffer = memoryview(bytearray(size))
    for item in opened:
        if isinstance(item, Skipped):
            result.skipped.append(item)
            continue
        data = bytearray()
        stream = Read(item.id.layers, b"", plain=item.plain_path is not None)
        with closing(item.reader):
            try:
                while count := item.reader.readinto(buffer):
                    assert count <= size
                    data += buffer[:count]
                stream.consumed = item.consumed()
            except InputError as error:
                stream.error = error
        stream.data = bytes(data)
        result.streams.append(stream)
    return result
