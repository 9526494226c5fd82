"""Plain bytes and where they stood: what a layer that is taken off leaves, and the map back through all of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from msgspec import Struct

from detectors.detector import Text
from scanner.escapes import Unescaped
from scanner.framings import byte_list, hexdump, memory_words
from scanner.model import Span


class View(Struct, frozen=True):
    """Plain bytes with a map to stream offsets, composed of one step a layer, innermost last."""

    data: bytes
    steps: tuple[Step, ...]
    encoding: tuple[str, ...]  # outermost first
    depth: bytes | None
    cut: bool

    def spans(self, start: int, end: int) -> tuple[Span, ...]:
        """Where the bytes [start, end) of the view stand in the stream, in order, touching ones joined."""
        if len(self.steps) == 1 and self.steps[0].__class__ is Linear:  # nothing was taken off: most views
            ((low, high),) = self.steps[0].outer(start, end)
            return (Span(low, high),) if low < high else ()
        ranges = [(start, end)]
        for step in reversed(self.steps):
            ranges = _joined(piece for low, high in ranges for piece in step.outer(low, high))
        return tuple(Span(low, high) for low, high in ranges)

    def index(self, offset: int) -> int:
        """The view index of a stream offset (of the byte an escape became, inside an escape)."""
        for step in self.steps:
            offset = step.inner(offset)
        return max(0, min(offset, len(self.data)))

    def text(self, hit: int) -> Text:
        """What a detector is shown for a hit that ends at view index `hit`."""
        return Text(self.data, hit, self.depth, self.cut, binary=is_binary(self.data, hit))


def is_binary(data: bytes, hit: int) -> bool:
    """Whether the bytes around are no text: memory, a database page."""
    return b"\0" in data[max(0, hit - 64) : hit + 64]


class Linear(Struct, frozen=True):
    """Inner byte i stands at outer [base + i*wide/narrow, base + (i+1)*wide/narrow): (1,1), (2,1), (4,3)."""

    base: int
    wide: int = 1
    narrow: int = 1

    def outer(self, start: int, end: int) -> list[tuple[int, int]]:
        return [(self.base + start * self.wide // self.narrow, self.base - (-end * self.wide // self.narrow))]

    def inner(self, offset: int) -> int:
        return (offset - self.base) * self.narrow // self.wide


class Pieces(Struct, frozen=True):
    """The map of one layer of escapes."""

    layer: Unescaped

    def outer(self, start: int, end: int) -> list[tuple[int, int]]:
        """Outer ranges; several where something between the bytes became nothing (a colour code)."""
        layer = self.layer
        ranges: list[tuple[int, int]] = []
        low = self._start(start)
        for i in range(bisect_right(layer.at, start), len(layer.at)):
            if layer.at[i] >= end:
                break
            if layer.made[i] == 0:
                ranges.append((low, layer.raw[i] - layer.width[i]))
                low = layer.raw[i]
        ranges.append((low, self._end(end)))
        return [piece for piece in ranges if piece[0] < piece[1]]

    def _start(self, index: int) -> int:
        """Outer index of the first byte of inner byte `index`."""
        layer = self.layer
        i = bisect_right(layer.at, index)
        if i < len(layer.at) and layer.at[i] - layer.made[i] <= index:
            return layer.raw[i] - layer.width[i]  # inside what an escape became
        return index + (layer.raw[i - 1] - layer.at[i - 1] if i else 0)

    def _end(self, index: int) -> int:
        """Outer index just past inner byte `index - 1`."""
        layer = self.layer
        i = bisect_left(layer.at, index)
        if i < len(layer.at) and layer.at[i] - layer.made[i] < index:
            return layer.raw[i]
        return index + (layer.raw[i - 1] - layer.at[i - 1] if i else 0)

    def inner(self, offset: int) -> int:
        layer = self.layer
        i = bisect_left(layer.raw, offset)
        if i < len(layer.raw) and layer.raw[i] - layer.width[i] < offset:
            return layer.at[i]
        return offset - (layer.raw[i - 1] - layer.at[i - 1] if i else 0)


Step = Linear | Pieces | hexdump.Block | memory_words.Words | byte_list.Items


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if high <= low:
            continue
        if joined and joined[-1][0] <= low <= joined[-1][1]:  # two bytes may share a character of base64
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined
