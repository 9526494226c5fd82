"""Where what is made of a source goes: the file, or, inside of containers, what each member is made in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from scanner.errors import InputError, OutputError
from scanner.redaction.copying import Cuts

IN_MEMORY = 1 << 20  # bytes of a member held before a file is made for it: most members of archives are smaller
BLOCK = 256 * 1024  # bytes copied at once
SAID_MOST = 64 * 1024  # bytes of names and comments that are looked at together

Write = Callable[[bytes], object]


class Refused(InputError):
    """A file that is not to be written; the message says why, `layers` where in it."""

    def __init__(self, message: str, layers: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.layers = layers


class Outputs:
    """`write` takes what the stream at hand becomes. `fixed`: that has to be as long as the stream. `cuts`: what is to
    be told where members of the stream began.

    `changed`: bytes replaced so far, counted by who writes. `said` is shown what containers say of their members
    (names, links, comments), which stays as it is.
    """

    def __init__(self, write: Write, folder: bytes, said: Write) -> None:
        """`folder`: where members are held until their size is known, in files without a name."""
        self.write = write
        self.fixed = False
        self.cuts: Cuts | None = None
        self.changed = 0
        self._folder = folder
        self._said = said
        self._waiting = bytearray()

    @contextmanager
    def into(self, write: Write, *, fixed: bool = False, cuts: Cuts | None = None) -> Iterator[None]:
        """Within, what is made goes elsewhere."""
        before = self.write, self.fixed, self.cuts
        self.write, self.fixed, self.cuts = write, fixed, cuts
        try:
            yield
        finally:
            self.write, self.fixed, self.cuts = before

    def spool(self) -> Spool:
        """A place for a member whose size has to be known before it is written. Raises OutputError."""
        return Spool(self._folder)

    def inscribed(self, text: bytes) -> None:
        """Something a container says, which is written as it stands. Raises what `said` raises."""
        self._waiting += text + b"\n"
        if len(self._waiting) >= SAID_MOST:
            self.all_inscribed()

    def all_inscribed(self) -> None:
        """There is no more of it for now."""
        text = bytes(self._waiting)
        self._waiting.clear()
        if text:
            self._said(text)


class Spool:
    """What a member becomes, until its size is known: in memory, a large one in a file that has no name."""

    def __init__(self, folder: bytes) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=os.fsdecode(folder))  # noqa: SIM115 - closed below
        self.size = 0

    def write(self, data: bytes) -> None:
        """Raises OutputError."""
        self.size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _trouble(error) from None

    def copy(self, write: Write) -> None:
        """All of it, in order. Raises OutputError, and what `write` raises."""
        try:
            self._file.seek(0)
            while data := self._file.read(BLOCK):
                write(data)
        except OSError as error:
            raise _trouble(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._file.close()


def _trouble(error: OSError) -> OutputError:
    return OutputError(f"a member can't be held until its size is known: {os.strerror(error.errno or 0)}")
