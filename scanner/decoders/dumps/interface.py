"""How a dump's structure is read: a parser asks for bytes, and fills a layout that translates offsets to addresses."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from msgspec import Struct

from scanner.model import Address, Skipped, StreamId

# A parser asks for [start, start + size) of the file and is given those bytes: fewer where the file ends before, or
# where a stream has passed them already. It asks front to back as far as its format allows.
Parsing = Generator[tuple[int, int], bytes, None]
ASKED = 1 << 20  # bytes it is given at once at the most


class Layout(Protocol):
    """What is known of a dump's structure; filled while it is parsed, and of use at any time."""

    def address(self, offset: int) -> Address | None:
        """Where the byte at this offset of the file stood."""
        ...

    def troubles(self, stream: StreamId, size: int) -> list[Skipped]:
        """What is missing, given that the file has `size` bytes."""
        ...


class Reading(Struct, frozen=True):
    """A layout, empty yet, and the parsing that fills it."""

    layout: Layout
    parsing: Parsing
