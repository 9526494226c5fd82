"""A compressed layer written anew: each of its members comes back as a member, with settings of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from scanner.decoders.feed import Members
from scanner.decoders.interface import Decoder, Stream
from scanner.model import Skipped
from scanner.redaction.packing import PACKERS, Packer, gzip_name
from scanner.redaction.remaking.outputs import Outputs

MOST_BEHIND = 16 * 1024  # members read and not yet written, at 1 KiB at most: what a window holds has fewer but in jest


def repacked(decoder: Decoder, stream: Stream, outputs: Outputs) -> Iterator[Stream | Skipped]:
    """What is inside of the layer, which is written when that was read. Raises Refused, OutputError."""
    members = Repacked(decoder.name, outputs)
    with outputs.into(members.write, cuts=members):
        for inside in decoder.decode(stream):
            if isinstance(inside, Stream) and isinstance(inside.reader, Members):
                inside.reader.on_member = members.begins
            yield inside
    members.close()


class Repacked:
    """Members as they were, told where each began in what was read. As `Cuts`, it is told where that is in what is
    written; by one who tells nothing (a container, which writes at its own pace), they become as long as they were.
    """

    def __init__(self, layer: str, outputs: Outputs) -> None:
        self._layer = layer
        self._outputs = outputs
        self._to = outputs.write
        self._packer: Packer | None = None
        self._waiting: deque[tuple[int, bytes]] = deque()  # of members not yet begun: where, and the first bytes
        self._count = 0  # bytes written
        self._told = False

    def begins(self, offset: int, head: bytes) -> None:
        """A member was met, at an offset of the decoded bytes."""
        if self._layer == "zstd" and head[1:4] == b"\x2a\x4d\x18":
            return  # a skippable frame: what a writer says of the frames as they were
        if self._layer == "gzip" and (name := gzip_name(head)):
            self._outputs.inscribed(name)
        if self._packer is None:
            self._packer = self._opened(head)
        elif len(self._waiting) < MOST_BEHIND:
            self._waiting.append((offset, head))

    def ahead(self) -> int | None:
        """Where the next member begins, in bytes read. Who asks will say when that has passed."""
        self._told = True
        return self._waiting[0][0] if self._waiting else None

    def passed(self) -> None:
        """All of the member at hand was written: the next begins."""
        assert self._packer is not None
        self._packer.close()
        self._packer = self._opened(self._waiting.popleft()[1])

    def write(self, data: bytes) -> None:
        """The next bytes of what it becomes."""
        while not self._told and self._waiting and (room := self._waiting[0][0] - self._count) <= len(data):
            self._put(data[:room])
            data = data[room:]
            self.passed()
        self._put(data)

    def _put(self, data: bytes) -> None:
        if data:
            self._count += len(data)
            assert self._packer is not None
            self._packer.write(data)

    def close(self) -> None:
        """The end; members that have nothing in them are also members (bgzip marks the end of a file by one)."""
        while self._waiting:
            self.passed()
        if self._packer is None:
            self._packer = self._opened(b"")
        self._packer.close()
        self._outputs.all_inscribed()

    def _opened(self, head: bytes) -> Packer:
        return PACKERS[self._layer](head, self._to)
