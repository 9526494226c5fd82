"""Opens a source and looks at its first bytes without losing them."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
from collections.abc import Callable

from scanner.decoders.interface import HEAD, OpenReader
from scanner.errors import InputError
from scanner.model import Source

STDIN = b"-"
READ_AHEAD = 1 << 20  # bytes from which on a file is worth telling the kernel that it is read from front to back


class File(io.FileIO):
    """An open file. A regular one is read by FileIO.readinto itself, with nothing between."""

    regular: bool = False
    _position: int = 0  # where it was closed

    def consumed(self) -> int:
        """How many bytes of it were read, also after it was closed."""
        return self._position if self.closed else self.tell()

    def close(self) -> None:
        if self.regular and not self.closed:
            self._position = self.tell()
        super().close()


class _Unsized(File):
    """A regular file whose size is not told before it is read, as those of /proc are."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Raises BlockingIOError where it would have to be waited for, as for the kernel's next message."""
        count = super().readinto(buffer)
        if count is None:
            raise BlockingIOError(errno.EAGAIN, "it would have to be waited for")
        return count


def open_file(source: Source) -> File:
    """Opens `source` for reading. Raises OSError, and InputError where it is nothing to read.

    Files are read, never mapped: a mapped file that a rotation truncates kills the process (SIGBUS).
    A source of known size was a regular file when it was found; it is opened without waiting (which
    changes nothing for one that still is), so that a pipe that took its place can't hang the scan.
    """
    if source.os_path == STDIN:
        return File(0, "rb", closefd=False)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY
    known = source.size is not None
    fd = os.open(source.os_path, flags | (os.O_NONBLOCK if known else 0))
    try:
        status = os.fstat(fd)
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        regular = stat.S_ISREG(mode)
        if known and not regular:
            raise InputError("is no regular file any more")
        if regular and status.st_size >= READ_AHEAD:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        file = (_Unsized if regular and not status.st_size else File)(fd, "rb")
    except BaseException:
        os.close(fd)
        raise
    file.regular = regular
    return file


class Counted:
    """A pipe's bytes, counted (a regular file knows its own position)."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.count = 0

    def readinto(self, buffer: memoryview, /) -> int:
        while (count := self._file.readinto(buffer)) is None:  # whoever shares the pipe made it non-blocking
            self.wait(3600.0)
        self.count += count
        return count

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read, or nothing to come, within that time. False: the writer pauses."""
        ready = select.poll()  # not select(2), which knows only 1024 descriptors
        ready.register(self._file.fileno(), select.POLLIN | select.POLLHUP)
        return bool(ready.poll(seconds * 1000))

    def close(self) -> None:
        self._file.close()


class Peeked:
    """A reader whose first bytes were looked at. They are delivered again, then the reader is used directly.

    An error met while looking is raised only when the bytes before it have been read.
    """

    __slots__ = ("_error", "_head", "_inner", "readinto", "wait")

    def __init__(self, inner: OpenReader) -> None:
        self._inner = inner
        self._head = b""
        self._error: Exception | None = None
        self.readinto: Callable[[memoryview], int] = self._replay
        # As the reader's own; None where it has none, as decoded streams: they are read until they end.
        self.wait: Callable[[float], bool] | None = self._wait if getattr(inner, "wait", None) else None

    def peek(self, undecided: Callable[[bytes], bool]) -> bytes:
        """The first bytes: what one read gives, and more, up to HEAD, while `undecided` of them holds."""
        buffer = memoryview(bytearray(HEAD))
        count = 0
        try:
            while count < HEAD and (count == 0 or undecided(bytes(buffer[:count]))):
                more = self._inner.readinto(buffer[count:])
                if more == 0:
                    break
                count += more
        except (InputError, OSError) as error:
            self._error = error
        self._head = bytes(buffer[:count])
        return self._head

    def _replay(self, buffer: memoryview, /) -> int:
        if self._head:
            count = min(len(buffer), len(self._head))
            buffer[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        if self._error is not None:
            raise self._error
        self.readinto = self._inner.readinto
        return self._inner.readinto(buffer)

    def _wait(self, seconds: float) -> bool:
        return bool(self._head) or self._error is not None or self._inner.wait(seconds)  # type: ignore[attr-defined]

    def close(self) -> None:
        self._inner.close()


def head_of(file: File) -> bytes:
    """The first HEAD bytes of a regular file, its position unmoved. Raises OSError."""
    return os.pread(file.fileno(), HEAD, 0)
