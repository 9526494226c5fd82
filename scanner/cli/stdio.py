"""Standard input, output and error as a command may find them: closed, full, non-blocking, without a reader."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

from scanner.errors import OutputClosed, OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NAMES = ("stdin", "stdout", "stderr")


class Descriptor(io.RawIOBase):
    """Writes all it is given to a descriptor, waiting where whoever shares it made it non-blocking.

    Raises OutputClosed where nobody reads any more and OutputError where it can't be written, each once: what comes
    after is thrown away, so that what is still buffered does not fail again when the process ends.
    """

    def __init__(self, descriptor: int, *, forgiving: bool = False) -> None:
        """`forgiving`: raises nothing, as of messages, which nobody may be there to read."""
        super().__init__()
        self._descriptor = descriptor
        self._forgiving = forgiving
        self._gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        rest = memoryview(data).cast("B")
        while rest and not self._gone:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                ready = select.poll()
                ready.register(self._descriptor, select.POLLOUT)
                ready.poll()
            except OSError as error:
                self._gone = True
                if not self._forgiving:
                    raise self._told(error) from None
        return memoryview(data).nbytes

    def _told(self, error: OSError) -> OutputError:
        name = _NAMES[self._descriptor]
        if isinstance(error, BrokenPipeError):
            return OutputClosed(f"{name} was closed")
        return OutputError(f"{name} could not be written: {error.strerror}")


def prepare() -> None:
    """Called first of all, before any file is opened: it would get the number of a descriptor that is closed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: whoever closed stderr wants no messages; the other two fail when they are used
            os.open(os.devnull, os.O_RDONLY if descriptor == 1 else os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  # it lives as long as the process
    sys.stdout = _text(sys.stdout, Descriptor(1))
    sys.stderr = _text(sys.stderr, Descriptor(2, forgiving=True))


def _text(before: TextIO | None, raw: Descriptor) -> TextIO:
    """A text stream like the one that Python made."""
    encoding, errors = (before.encoding, before.errors) if before else ("utf-8", "backslashreplace")
    lines = raw.isatty() or raw.fileno() == 2
    return io.TextIOWrapper(io.BufferedWriter(raw, 1 << 16), encoding, errors, line_buffering=lines)
