"""What a decoder is: it recognises a format by its first bytes and turns one stream into others.

A decoder never looks at a name. It reads through `Reader.readinto` only, and holds no more than its
format's own window in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from scanner.model import Finding, Skipped, StreamId


class Reader(Protocol):
    """A byte stream that is read once, front to back."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills at most len(buffer) bytes; 0 means the end. May return less than asked.

        Raises InputError (TruncatedInput, CorruptInput, LimitExceeded) where the format breaks;
        all bytes before the damage have been delivered by earlier calls. OSError passes through.
        """
        ...


class OpenReader(Reader, Protocol):
    """A reader that holds something to be let go of. After `close` it is not read again."""

    def close(self) -> None: ...


class Joined(Struct, frozen=True):
    """Text that a format keeps in pieces, put together, at most a few megabytes at once.

    `pieces`: (start, end, offset), ascending; the bytes [start, end) of the text are those of the stream at `offset`.
    What lies between the pieces stands nowhere in the stream.
    """

    text: bytes
    pieces: tuple[tuple[int, int, int], ...]

    def __repr__(self) -> str:
        return f"Joined({len(self.text)} bytes, {len(self.pieces)} pieces)"


Completed = Callable[[Iterable[Finding | Skipped]], Iterator[Finding | Skipped]]


def _nothing() -> int:
    return 0


class Stream(Struct, frozen=True):
    """A stream on its way through the decoders. Containers yield one after another: each is read
    to its end, or abandoned, before the next is asked for.

    `consumed()` tells how many bytes of the file on disk this stream has used up so far; over all
    streams of a source they add up to the file. `plain_path` opens a stream that is a regular file
    as it lies on disk (so that it can be read in ranges), None for all others; `packed_path` one that is such a
    file's content inflated, gzip and nothing else between. `completed` adds to the
    stream's findings what only its format can tell (a dump: address, mapping, owner); it takes them in
    order and may hold them back until the last, bounded by itself. `joined` gives what the format keeps in pieces, when
    the stream was read to its end, and says in words what of that it leaves out.
    """

    id: StreamId
    reader: OpenReader
    consumed: Callable[[], int] = _nothing
    plain_path: bytes | None = None
    packed_path: bytes | None = None
    completed: Completed | None = None
    joined: Callable[[], Iterator[Joined | str]] | None = None


class Limits(Struct, frozen=True):
    """How much one source may unfold to. What is beyond is a Skipped, never silence."""

    depth: int = 8  # layers; a log in gzip in tar in zip has three, and only a bomb or a quine nests on and on
    ratio: int = 2_000  # decoded bytes per byte on disk: DEFLATE reaches 1,032 at most, repetitive logs in xz 500
    ratio_from: int = 1 << 30  # decoded bytes before `ratio` counts: less costs a second and is not worth refusing
    members: int = 1_000_000  # of all containers in a source: a year of minutely logs has half as many
    member_bytes: int = 1 << 40  # decoded bytes of one stream: more memory than the machines that get dumped have
    total_bytes: int = 1 << 42  # decoded bytes of one source: an hour or two of scanning


class Decoder(Protocol):
    """One format. `HEAD` bytes of a stream are enough for every `recognises`."""

    @property
    def name(self) -> str: ...

    def recognises(self, head: bytes) -> bool:
        """True where the first bytes (at most HEAD, fewer at the end) are of this format."""
        ...

    def undecided(self, head: bytes) -> bool:
        """True where `head` is too short to tell and more bytes could make it this format.

        A pipe is waited on only while this holds, so that a slow log is not held back.
        """
        ...

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        """The streams inside, each with this decoder's layer added to its id."""
        ...


class Dump(Protocol):
    """A format whose bytes are scanned as they lie, so that ranges of it can be scanned apart. What it knows of
    the places of its findings it adds when they are there. `HEAD` bytes are enough for `recognises`.
    """

    @property
    def name(self) -> str: ...

    def recognises(self, head: bytes) -> bool: ...

    def undecided(self, head: bytes) -> bool:
        """As for a decoder."""
        ...

    def attached(self, stream: Stream) -> Stream:
        """The stream with its `completed` set. One that is no plain file may get a reader that looks on as it passes;
        of a plain file, ranges of which are read elsewhere, only the id and `plain_path` are to be used.
        """
        ...


HEAD = 4096  # bytes peeked to tell the format; tar's magic stands at 257, ISO formats need less

WINDOW_MOST = 128 << 20  # bytes a format may make us remember: zstd's own default, and twice what `xz -9` needs
