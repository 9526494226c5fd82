"""The memory of a process in a file: which bytes stood at which address, and what was mapped there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct, field

from scanner.model import Address, Skipped, StreamId

OVERLAPPING = 8  # stretches before an offset that are looked at: those of a sound dump nest three deep at the most


class _Stretch(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Range(Struct, frozen=True):
    """Bytes [start, end) of the file stood at `virtual` and on."""

    start: int
    end: int
    virtual: int
    writable: bool = True


class Mapping(Struct, frozen=True):
    """[start, end) of the address space, and what it was. `part`: what of that, where it can be told."""

    start: int
    end: int
    name: str
    part: str = ""


class Place(Struct, frozen=True):
    """Bytes [start, end) of the file that are no memory, and what they are."""

    start: int
    end: int
    name: str


class Memory(Struct):
    """Filled by a parser. Offsets and addresses are bytes, half-open."""

    kind: str = "virtual"  # or "physical"
    process: Address = field(default_factory=dict)  # of every finding: process, pid, command
    ranges: list[Range] = field(default_factory=list)
    mappings: list[Mapping] = field(default_factory=list)  # where they nest, the inner one says more
    places: list[Place] = field(default_factory=list)
    trouble: list[tuple[str, int | None]] = field(default_factory=list)  # reason, offset
    wanted: int = 0  # bytes the file must have
    _by_offset: _Index[Range] | None = None
    _by_address: _Index[Mapping] | None = None
    _by_virtual: _Index[_Held] | None = None

    def address(self, offset: int) -> Address | None:
        """Where a byte of the file stood; None where nothing is known of it."""
        if self._by_offset is None or self._by_offset.size != len(self.ranges):
            self._by_offset = _Index(self.ranges)
        found = self._by_offset.at(offset)
        if found is not None:
            virtual = found.virtual + offset - found.start
            return {self.kind: f"{virtual:#x}", **self._named(virtual), **self.process}
        place = next((place for place in self.places if place.start <= offset < place.end), None)
        named: Address = {"mapping": place.name} if place else {}
        return {**named, **self.process} or None

    def _named(self, virtual: int) -> Address:
        if self._by_address is None or self._by_address.size != len(self.mappings):
            self._by_address = _Index(self.mappings)
        mapping = self._by_address.at(virtual)
        if mapping is None:
            return {"mapping": "[anonymous]"} if self.kind == "virtual" else {}
        return {"mapping": mapping.name, "part": mapping.part} if mapping.part else {"mapping": mapping.name}

    def range_of(self, virtual: int) -> Range | None:
        """The range that holds an address."""
        if self._by_virtual is None or self._by_virtual.size != len(self.ranges):
            self._by_virtual = _Index(_Held(one.virtual, one.virtual + one.end - one.start, one) for one in self.ranges)
        held = self._by_virtual.at(virtual)
        return held.range if held else None

    def offset_of(self, virtual: int) -> tuple[int, int] | None:
        """(offset in the file, bytes from there to the end of its range) of an address."""
        one = self.range_of(virtual)
        offset = one.start + virtual - one.virtual if one else 0
        return (offset, one.end - offset) if one else None

    def troubles(self, stream: StreamId, size: int) -> list[Skipped]:
        """What is missing of a file of `size` bytes."""
        told = [Skipped(stream, reason, at) for reason, at in self.trouble]
        if size < self.wanted:
            told.append(Skipped(stream, f"the dump is cut off: {self.wanted - size:,} bytes are missing", size))
        return told


class _Held(Struct, frozen=True):
    """A range by its addresses."""

    start: int
    end: int
    range: Range


S = TypeVar("S", bound=_Stretch)


class _Index(Generic[S]):
    """Stretches by where they start; of those that hold a place, the one that starts last."""

    def __init__(self, stretches: Iterable[S]) -> None:
        self._ordered = sorted(stretches, key=lambda one: one.start)
        self._starts = [one.start for one in self._ordered]
        self.size = len(self._ordered)

    def at(self, place: int) -> S | None:
        count = bisect_right(self._starts, place)
        for one in reversed(self._ordered[max(0, count - OVERLAPPING) : count]):
            if place < one.end:
                return one
        return None
