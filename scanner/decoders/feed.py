"""What the decoders of compressed data share: an input to take from, and a reader over members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from scanner.decoders.interface import OpenReader, Stream
from scanner.errors import CorruptInput, InputError, TruncatedInput
from scanner.model import Skipped, StreamId

CHUNK = 64 * 1024  # compressed bytes read at once: larger gains nothing, and damage costs the output of one chunk
STEP = 256 * 1024  # decoded bytes made at once, at most: a window's block


class Feed:
    """The compressed bytes of a stream, with what was read too far put back."""

    def __init__(self, reader: OpenReader) -> None:
        self._reader = reader
        self._buffer = memoryview(bytearray(CHUNK))
        self._back = b""

    def chunk(self) -> bytes | memoryview:
        """The next bytes, at most CHUNK (or what was put back); empty at the end. Valid until the next call."""
        if self._back:
            back, self._back = self._back, b""
            return back
        return self._buffer[: self._reader.readinto(self._buffer)]

    def put_back(self, data: bytes) -> None:
        """`data` comes again, before all else."""
        self._back = data + self._back

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while count > 0 and (chunk := self.chunk()):
            parts.append(bytes(chunk[:count]))
            if len(chunk) > count:
                self._back = bytes(chunk[count:])
            count -= len(parts[-1])
        return b"".join(parts)


class Engine(Protocol):
    """A decompressor of one member, in the shape of the standard library's bz2 and lzma."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes: ...


class Members:
    """The decoded bytes of all members of a stream, one after another.

    A subclass says how a member begins and ends. An error met after bytes were made is held back
    until these have been delivered.
    """

    name = ""  # of the format, for messages
    broken: tuple[type[Exception], ...] = ()  # what the engine raises at damage

    def __init__(self, reader: OpenReader) -> None:
        self._reader = reader
        self.feed = Feed(reader)
        self._engine: Engine | None = None
        self._members = 0
        self._failure: Exception | None = None

    def begin(self) -> Engine | None:
        """The engine for the next member, None where the stream ends well. Raises InputError."""
        raise NotImplementedError

    def made(self, data: bytes) -> None:
        """Is told of each piece of a member's decoded bytes."""

    def end(self) -> None:
        """Checks what stands after a member's data. Raises InputError."""

    def readinto(self, buffer: memoryview, /) -> int:
        if self._failure is not None:
            raise self._failure
        while True:
            try:
                if self._engine is None:
                    self._engine = self.begin()
                    if self._engine is None:
                        return 0
                    self._members += 1
                data = self._made(self._engine, min(len(buffer), STEP))
            except self.broken as error:
                raise self._fails(CorruptInput(f"the {self.name} data is damaged")) from error
            except (InputError, OSError) as error:
                raise self._fails(error) from None
            count = len(data)
            if count:
                buffer[:count] = data
            self._finish()
            if count:
                return count

    def _fails(self, error: Exception) -> Exception:
        self._failure = error
        return error

    def _made(self, engine: Engine, most: int) -> bytes:
        data: bytes | memoryview = b""
        if engine.needs_input:
            data = self.feed.chunk()
            if not data:
                raise TruncatedInput(f"the {self.name} data ends too early")
        made = engine.decompress(data, most)
        if made:
            self.made(made)
        return made

    def _finish(self) -> None:
        """Ends a member that is complete. Its bytes are still to be delivered, so nothing is raised here."""
        if self._engine is None or not self._engine.eof:
            return
        self.feed.put_back(self._engine.unused_data)
        self._engine = None
        try:
            self.end()
        except (InputError, OSError) as error:
            self._failure = error

    def another(self, magic: tuple[bytes, ...], padding: bool) -> bool:
        """Whether a member follows. Raises CorruptInput where something else does (zeros are padding if `padding`)."""
        size = max(map(len, magic))
        head = self.feed.take(size)
        if padding and self._members:
            while head and not head.strip(b"\0"):
                head = self.feed.take(size)
            head = head.lstrip(b"\0")
            head += self.feed.take(size - len(head)) if head else b""
        self.feed.put_back(head)
        if not head and self._members:
            return False
        if head.startswith(magic):
            return True
        if any(first.startswith(head) for first in magic):
            raise TruncatedInput(f"the {self.name} data ends too early")
        raise CorruptInput(f"something that is not {self.name} data follows the {self.name} data; it was not scanned")

    def close(self) -> None:
        self._reader.close()


def begins(head: bytes, magic: tuple[bytes, ...]) -> bool:
    """True where `head` is a proper beginning of one of `magic`."""
    return any(len(head) < len(first) and first.startswith(head) for first in magic)


def inner(stream: Stream, layer: str, reader: OpenReader) -> Stream:
    """The stream inside `stream`, with `layer` added to its id."""
    return Stream(StreamId(stream.id.path, (*stream.id.layers, layer)), reader, stream.consumed)


class Compressed:
    """A decoder of a format that holds one stream and begins with a magic."""

    def __init__(self, name: str, magic: tuple[bytes, ...], reader: type[Members]) -> None:
        self.name = name
        self._magic = magic
        self._reader = reader

    def recognises(self, head: bytes) -> bool:
        return head.startswith(self._magic)

    def undecided(self, head: bytes) -> bool:
        return begins(head, self._magic)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        yield inner(stream, self.name, self._reader(stream.reader))
