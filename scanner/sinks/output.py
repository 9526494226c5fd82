"""Where a report is written to: a stream whose failures are told as what they are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from scanner.errors import OutputClosed, OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Output(io.RawIOBase):
    """Passes bytes on. Raises OutputClosed where nobody reads them any more, OutputError where they can't be kept."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """`name`: for the message, as the user knows it."""
        super().__init__()
        self._stream = stream
        self._name = name

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return self._stream.write(data)
        except OSError as error:
            raise self._told(error) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise self._told(error) from None

    def close(self) -> None:
        """Leaves the stream open: it belongs to whoever opened it."""

    def _told(self, error: OSError) -> OutputError:
        if isinstance(error, BrokenPipeError):
            return OutputClosed(f"{self._name} was closed")
        return OutputError(f"{self._name} could not be written: {error.strerror}")
