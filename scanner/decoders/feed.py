"""What the decoders of compressed data share: an input to take from, and a reader over members."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from scanner.decoders.interface import OpenReader
from scanner.errors import CorruptInput, InputError, TruncatedInput

CHUNK = 64 * 1024  # compressed bytes read at once: larger gains nothing (measured)
STEP = 64 * 1024  # decoded bytes asked of an engine at once: 16 KiB is a fifth slower. Engines drop what they made when
# they fail, so this much before damage is lost where a stream can't be read `again`.
LONG_STEP = 512 * 1024  # the same where it can: a thread that decodes ahead waits for the interpreter after each step


Again = Callable[[], OpenReader]
OnMember = Callable[[int, bytes], None]  # where in the decoded bytes a member begins, and its first bytes
MEMBER_HEAD = 1024  # bytes of a member that are shown: a header with a long file name


class Feed:
    """The bytes of a stream, with what was read too far put back. OSError and InputError pass through."""

    def __init__(self, reader: OpenReader) -> None:
        self._reader = reader
        self._buffer = memoryview(bytearray(CHUNK))
        self._ready: memoryview = self._buffer[:0]  # read and not yet taken
        self.offset = 0  # of the next byte to be taken

    def chunk(self, most: int = CHUNK) -> memoryview:
        """The next bytes, at most `most`; empty at the end. Valid until the next call."""
        if not self._ready:
            self._ready = self._buffer[: self._reader.readinto(self._buffer)]
        taken = self._ready[:most]
        self._ready = self._ready[most:]
        self.offset += len(taken)
        return taken

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes, fewer only at the end."""
        taken = bytes(self.chunk(count))
        if len(taken) == count:
            return taken
        parts = [taken]
        while count > len(parts[-1]) > 0:
            count -= len(parts[-1])
            parts.append(bytes(self.chunk(count)))
        return b"".join(parts)

    def put_back(self, data: bytes) -> None:
        """`data` comes again, before all else."""
        self.offset -= len(data)
        if data:
            self._ready = memoryview(data + bytes(self._ready))

    def skip(self, count: int) -> int:
        """Takes `count` bytes and forgets them. Returns how many were missing at the end."""
        while count > 0 and (chunk := self.chunk(count)):
            count -= len(chunk)
        return count

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, which are not taken; fewer only at the end."""
        data = self.take(count)
        self.put_back(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        """Straight from the reader where nothing is left to be taken."""
        if not self._ready:
            count = self._reader.readinto(buffer)
            self.offset += count
            return count
        chunk = self.chunk(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._reader.close()


class Engine(Protocol):
    """A decompressor of one member, in the shape of the standard library's bz2 and lzma."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes: ...


class Members:
    """The decoded bytes of all members of a stream, one after another.

    A subclass says how a member begins and ends. `readinto` gives what the input at hand makes and
    does not wait for more. An error met after bytes were made is held back until these are delivered.
    """

    name = ""  # of the format, for messages
    magic: tuple[bytes, ...] = ()
    padded = False  # zeros may follow the last member
    broken: tuple[type[Exception], ...] = ()  # what the engine raises at damage

    def __init__(self, reader: OpenReader, again: Again | None = None) -> None:
        """`again` opens the stream once more, from its start."""
        self.feed = Feed(reader)
        self._again = again
        self._most = STEP if again is None else LONG_STEP
        self.on_member: OnMember | None = None  # told of each member when it is met
        self.begun = 0  # members so far
        self._delivered = 0  # bytes made so far
        self._open = False  # within a member
        self._rest = b""  # made and not yet delivered
        self._failure: Exception | None = None
        self._ended = False

    def begin(self) -> bool:
        """Begins the next member; False where the stream ends well. Raises InputError."""
        raise NotImplementedError

    def step(self, most: int) -> bytes:
        """Some of the member's bytes, may be none yet: about `most`, and never more than a few blocks."""
        raise NotImplementedError

    @property
    def complete(self) -> bool:
        """Whether the member has given all its bytes."""
        raise NotImplementedError

    @property
    def starved(self) -> bool:
        """Whether the next step has to read more of the input."""
        raise NotImplementedError

    def end(self) -> None:
        """Checks what stands after a member's bytes. Raises InputError."""

    def readinto(self, buffer: memoryview, /) -> int:
        filled = 0
        while filled < len(buffer):
            if self._rest:
                count = min(len(self._rest), len(buffer) - filled)
                buffer[filled : filled + count] = self._rest[:count]
                self._rest = self._rest[count:]
                filled += count
                continue
            if self._failure is not None or self._ended or (filled and self._must_wait()):
                break
            self._rest = self._more(min(self._most, len(buffer) - filled))
        if not filled and self._failure is not None:
            raise self._failure
        return filled

    def _must_wait(self) -> bool:
        return not self._open or self.starved

    def _more(self, most: int) -> bytes:
        """One step. What goes wrong is kept for later in `_failure`."""
        made = b""
        try:
            if not self._open:
                self._open = self.begin()
                self._ended = not self._open
                self.begun += self._open
                return b""
            made = self.step(most)
            self._delivered += len(made)
            if self.complete:
                self._open = False
                self.end()
        except self.broken:
            self._failure = CorruptInput(f"the {self.name} data is damaged")
            made = made or self._lost()
        except (InputError, OSError) as error:
            self._failure = error
        return made

    def _lost(self) -> bytes:
        """What the engine made in the step in which it failed: found by decoding again, at last byte by byte."""
        if self._again is None:
            return b""
        lost = bytearray()
        try:
            with closing(self.twin(self._again())) as twin:
                while twin._delivered < self._delivered and twin._failure is None:
                    twin._more(min(STEP, self._delivered - twin._delivered))
                while twin._failure is None and len(lost) < self._most:
                    lost += twin._more(1)
        except OSError:
            pass  # it vanished meanwhile: the failure tells all that is known
        return bytes(lost)

    def twin(self, reader: OpenReader) -> Members:
        """Another reader like this one."""
        return type(self)(reader)

    def another(self) -> bool:
        """Whether a member follows. Raises InputError where something else does."""
        size = max(map(len, self.magic))
        head = self.feed.take(size)
        if self.padded and self.begun:
            while head and not head.strip(b"\0"):
                head = self.feed.take(size)
            head = head.lstrip(b"\0")
            head += self.feed.take(size - len(head)) if head else b""
        self.feed.put_back(head)
        if head.startswith(self.magic):
            if self.on_member:
                self.on_member(self._delivered, self.feed.peek(MEMBER_HEAD))
            return True
        if not head and self.begun:
            return False
        if begins(head, self.magic):
            raise self.too_short()
        raise CorruptInput(f"something else follows the {self.name} data; it was not scanned")

    def too_short(self) -> TruncatedInput:
        """To be raised where the input ends within a member."""
        return TruncatedInput(f"the {self.name} data ends too early")

    def close(self) -> None:
        self.feed.close()


class EngineMembers(Members):
    """Members whose data an engine of the usual shape decodes."""

    def __init__(self, reader: OpenReader, again: Again | None = None) -> None:
        super().__init__(reader, again)
        self._engine: Engine | None = None

    def engine(self) -> Engine:
        """A new engine, after what stands before a member's data was taken. Raises InputError."""
        raise NotImplementedError

    def begin(self) -> bool:
        self._engine = self.engine() if self.another() else None
        return self._engine is not None

    def step(self, most: int) -> bytes:
        assert self._engine is not None
        hungry = self._engine.needs_input
        data = self.feed.chunk() if hungry else b""
        made = self._engine.decompress(data, most)
        if self._engine.eof:
            self.feed.put_back(self._engine.unused_data or b"")
        elif hungry and not data and not made:
            raise self.too_short()
        return made

    @property
    def complete(self) -> bool:
        return self._engine is not None and self._engine.eof

    @property
    def starved(self) -> bool:
        return self._engine is None or self._engine.needs_input


def begins(head: bytes, magic: tuple[bytes, ...]) -> bool:
    """True where `head` is a proper beginning of one of `magic`."""
    return any(len(head) < len(first) and first.startswith(head) for first in magic)


Opener = Callable[[OpenReader, Again | None], OpenReader]
