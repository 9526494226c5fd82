"""Findings held back until the structure of their file was read, then given their places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from msgspec import Struct
from msgspec.structs import replace

from scanner.decoders.dumps.access import File, Unindexed
from scanner.decoders.interface import Stream
from scanner.model import Address, Finding, Skipped, StreamId

FINDINGS_MOST = 10_000  # held back, some 40 MB; what comes after them goes out with a note

ANYWHERE = "it can't be read at any place (a pipe, an archive, compression other than gzip): unpack it first"

Event = Finding | Skipped
Open = Callable[[], File]
Tell = Callable[[File, StreamId, list[Finding]], tuple[list[Finding], list[Skipped]]]


def opener_of(stream: Stream) -> Open | None:
    """What opens a stream to be read at any place: a plain file, or one in gzip. Raises OSError, and Unindexed."""
    plain, packed = stream.plain_path, stream.packed_path
    if plain is not None:
        return lambda: File(plain)
    return (lambda: _packed(packed)) if packed is not None else None


def _packed(path: bytes) -> File:
    from scanner.decoders.dumps.packed import PackedFile

    return PackedFile(path)


class Held(Struct, frozen=True):
    """A format whose findings are told their places all at once.

    `tell` gives those of the findings that stay, placed, and what is missing in the file; OSError passes through.
    """

    format: str
    key: str  # of an address, null where it is not told
    what: str  # that is told, for people
    whole: str  # what the file is, for people
    tell: Tell

    def attached(self, stream: Stream) -> Stream:
        """The stream with its `completed` set."""
        opened, identity = opener_of(stream), stream.id
        if opened is None:
            return replace(stream, completed=lambda events: self.unplaced(events, self._unread))
        return replace(stream, completed=lambda events: self._completed(events, opened, identity))

    @property
    def _unread(self) -> str:
        return f"{self.what} not looked for: {ANYWHERE}"

    def placed(self, finding: Finding, address: Address) -> Finding:
        """The finding at its place, its line and column gone: a dump has none."""
        return replace(finding, format=self.format, line=None, column=None, address=address)

    def unplaced(self, events: Iterable[Event], note: str) -> Iterator[Event]:
        """The events, each finding with a note that says why its place is not told."""
        address: Address = {self.key: None, "note": note}
        return (self.placed(event, address) if isinstance(event, Finding) else event for event in events)

    def _completed(self, events: Iterable[Event], opened: Open, stream: StreamId) -> Iterator[Event]:
        events = iter(events)
        first = list(islice(events, FINDINGS_MOST))
        try:
            with opened() as file:
                told, missing = self.tell(file, stream, [event for event in first if isinstance(event, Finding)])
        except Unindexed:
            yield from self.unplaced(chain(first, events), self._unread)
            return
        except OSError as error:
            yield from self.unplaced(chain(first, events), f"{self.what} not told: {os.strerror(error.errno or 0)}")
            return
        yield from told
        yield from (event for event in first if isinstance(event, Skipped))
        capped = f"{self.what} not looked for: only those of the first {FINDINGS_MOST} findings of a {self.whole} are"
        yield from self.unplaced(events, capped)
        yield from missing
