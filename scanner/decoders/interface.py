"""What a decoder is: it recognises a format by its first bytes and turns one stream into others.

A decoder never looks at a name. It reads through `Reader.readinto` only, and holds no more than its
format's own window in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from scanner.model import Skipped, StreamId


class Reader(Protocol):
    """A byte stream that is read once, front to back."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills at most len(buffer) bytes; 0 means the end. May return less than asked.

        Raises InputError (TruncatedInput, CorruptInput, LimitExceeded) where the format breaks;
        all bytes before the damage have been delivered by earlier calls. OSError passes through.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream on its way through the decoders. Containers yield one after another: each is read
    to its end, or abandoned, before the next is asked for."""

    id: StreamId
    reader: Reader


class Decoder(Protocol):
    """One format. `HEAD` bytes of a stream are enough for every `recognises`."""

    name: str

    def recognises(self, head: bytes) -> bool:
        """True where the first bytes (at most HEAD, fewer at the end) are of this format."""
        ...

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        """The streams inside, each with this decoder's layer added to its id."""
        ...


HEAD = 4096  # bytes peeked to tell the format; tar's magic stands at 257, ISO formats need less
