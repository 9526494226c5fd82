"""Opens a source and asks the decoders, by magic and never by name, until only raw bytes are left."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from scanner.decoders import dumps
from scanner.decoders.dumps import dump_of
from scanner.decoders.dumps.openings import may_have_structure
from scanner.decoders.formats import DECODERS, decoder_of
from scanner.decoders.interface import Decoder, Limits, OpenReader, Stream
from scanner.decoders.opening import STDIN, Counted, File, Peeked, head_of, open_file
from scanner.errors import InputError, LimitExceeded
from scanner.model import Skipped, Source, StreamId

Unfold = Callable[[Decoder, Stream, bytes], Iterator[Stream | Skipped]]


def _decoded(decoder: Decoder, stream: Stream, _head: bytes) -> Iterator[Stream | Skipped]:
    return decoder.decode(stream)


def open_source(source: Source, limits: Limits | None = None, unfold: Unfold = _decoded) -> Iterator[Stream | Skipped]:
    """The raw streams in `source`, one after another; each is read, or abandoned, before the next is asked for.

    What can't be opened is a Skipped. What breaks later is raised by the stream's reader. The file
    is closed when the iterator is exhausted or closed. `unfold` decodes instead of the decoder that knows the format
    of a stream, whose first bytes it is given too; it yields the same streams.
    """
    identity = StreamId(source.path)
    try:
        file = open_file(source)
    except OSError as error:
        yield Skipped(identity, "no such file" if isinstance(error, FileNotFoundError) else _cannot(error))
        return
    except InputError as error:
        yield Skipped(identity, str(error))
        return
    with file:
        if file.regular:
            outer = Stream(identity, file, file.consumed, source.os_path)
        else:
            counted = Counted(file)
            outer = Stream(identity, counted, lambda: counted.count)
        yield from _Peeling(outer, limits or Limits(), unfold).streams(_head(file))


def is_plain_file(source: Source) -> bool:
    """Whether the source is a regular file to be scanned as it lies, so that ranges of it can be scanned apart.

    False where it can't be read: `open_source` says why.
    """
    if source.os_path == STDIN or source.size is None:
        return False
    try:
        with open_file(source) as file:
            return file.regular and decoder_of(head_of(file)) is None
    except (OSError, InputError):
        return False


def is_plain(head: bytes) -> bool:
    """Whether a stream with these first bytes is scanned as it lies, and nothing is told of it but its findings."""
    return decoder_of(head) is None and not may_have_structure(head)


def attached(source: Source) -> Stream | None:
    """The stream of a plain file that was scanned in ranges, with what its format knows; None where that says no more.

    Its reader is closed.
    """
    try:
        with open_file(source) as file:
            dump = dump_of(head_of(file))
            stream = Stream(StreamId(source.path), file, plain_path=source.os_path)
            return dump.attached(stream) if dump else None
    except (OSError, InputError):
        return None  # it vanished meanwhile, and its ranges have said so


def _head(file: File) -> bytes | None:
    """The first bytes of a regular file that knows positions (some of /proc do not), else None."""
    try:
        return head_of(file) if file.regular else None
    except OSError:
        return None


def _cannot(error: OSError) -> str:
    return f"cannot be read: {os.strerror(error.errno or 0)}"


def unplain(reader: OpenReader) -> tuple[Peeked, str | None, bool]:
    """The reader, its first bytes looked at; the name of the format they are in, None for bytes to be scanned as they
    lie; and whether these are a dump, whose offsets depend on every length.
    """
    peeked = Peeked(reader)
    head = peeked.peek(_undecided)
    decoder = decoder_of(head)
    return peeked, decoder.name if decoder else None, decoder is None and dump_of(head) is not None


def _undecided(head: bytes) -> bool:
    return any(decoder.undecided(head) for decoder in DECODERS) or dumps.undecided(head)


class _Peeling:
    """One source on its way through the decoders, with what all its streams have used of the limits."""

    def __init__(self, outer: Stream, limits: Limits, unfold: Unfold) -> None:
        self._outer = outer
        self._unfold = unfold
        self._limits = limits
        self._totals: dict[int, int] = {}  # decoded bytes so far of all streams that are as many layers deep
        self._members = 0
        self._names: set[int] = set()  # hashes of the layers of the members that were given
        self._again: Counter[int] = Counter()  # of those that came again: how often
        self._told = 0  # bytes of the file that earlier streams have used up
        self._full: LimitExceeded | None = None  # a bound on the whole source was met: nothing more is decoded

    def streams(self, head: bytes | None) -> Iterator[Stream | Skipped]:
        """`head`: the first bytes where they are known already."""
        yield from self._peel(self._outer, 0, head)

    def _peel(self, stream: Stream, depth: int, head: bytes | None = None) -> Iterator[Stream | Skipped]:
        if head is None:
            peeked = Peeked(stream.reader)
            head = peeked.peek(_undecided)
            stream = replace(stream, reader=peeked)
        decoder = decoder_of(head)
        if decoder is None:
            told = self._told
            dump = dump_of(head)
            stream = replace(stream, id=self._told_apart(stream.id))
            stream = dump.attached(stream) if dump else stream
            yield replace(stream, consumed=lambda: self._outer.consumed() - told)
            self._told = self._outer.consumed()
        elif depth >= self._limits.depth:
            yield Skipped(stream.id, f"nested deeper than {depth} layers", 0)
        else:
            yield from self._inside(decoder, stream, depth, head)

    def _told_apart(self, stream: StreamId) -> StreamId:
        """The id with its occurrence. At the limit of members, what is kept of their names takes 80 MB."""
        name = hash(stream.layers)
        if not any(":" in layer for layer in stream.layers) or name not in self._names:
            self._names.add(name)
            return stream
        self._again[name] += 1
        return replace(stream, occurrence=1 + self._again[name])

    def _inside(self, decoder: Decoder, stream: Stream, depth: int, head: bytes) -> Iterator[Stream | Skipped]:
        try:
            for found in self._unfold(decoder, stream, head):
                if isinstance(found, Skipped):
                    yield found
                    continue
                self._admit()
                yield from self._peel(self._guarded(found, depth + 1), depth + 1)
        except InputError as error:
            yield Skipped(stream.id, f"the rest was not read: {error}" if self._full else str(error))
        except OSError as error:
            yield Skipped(stream.id, _cannot(error))

    def _admit(self) -> None:
        """Counts a stream. Raises LimitExceeded."""
        if self._full:
            raise self._full
        self._members += 1
        if self._members > self._limits.members:
            self._full = LimitExceeded(f"more than {self._limits.members} members")
            raise self._full

    def _guarded(self, stream: Stream, depth: int) -> Stream:
        def count(fresh: int, of_member: int) -> None:
            self._totals[depth] = self._totals.get(depth, 0) + fresh
            self._check(self._totals[depth], of_member)

        packed = stream.packed_path if depth == 1 else None  # of a container inside, a member is only a part
        return replace(stream, reader=_Guarded(stream.reader, count), plain_path=None, packed_path=packed)

    def _check(self, total: int, of_member: int) -> None:
        """Raises LimitExceeded."""
        limits = self._limits
        if of_member > limits.member_bytes:
            raise LimitExceeded(f"unfolds to more than {limits.member_bytes} bytes")
        if total > limits.total_bytes:
            self._full = LimitExceeded(f"the file unfolds to more than {limits.total_bytes} bytes")
        elif total > limits.ratio_from and total > limits.ratio * max(1, self._outer.consumed()):
            self._full = LimitExceeded(f"the file unfolds to more than {limits.ratio} times its size")
        if self._full:
            raise self._full


class _Guarded:
    """A decoded stream, counted against the limits."""

    def __init__(self, inner: OpenReader, count: Callable[[int, int], None]) -> None:
        self._inner = inner
        self._count = count
        self._made = 0

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._inner.readinto(buffer)
        self._made += count
        self._count(count, self._made)
        return count

    def close(self) -> None:
        self._inner.close()
