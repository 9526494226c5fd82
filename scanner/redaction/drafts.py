"""A file in the making: nobody sees it until it is whole, and then it is there at once under its name.

It has no name while it is written (O_TMPFILE), so that nothing is left behind however the process ends; on a file
system that can't do that it has a name of its own beside its place.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import signal
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from scanner.errors import InputError, OutputError

BUFFER = 1 << 20  # bytes written at once
PAGE = 4096  # bytes: what file systems make holes of
_ZEROS = bytes(PAGE)
_NAMELESS_UNKNOWN = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)  # how file systems say so


class Draft:
    """A file to be at `path`. Left without `place`, nothing of it remains."""

    def __init__(self, path: bytes, *, sparse: bool = False) -> None:
        """Raises OutputError. With `sparse`, pages of zeros become holes."""
        self._path = path
        self._name = os.path.basename(path)
        self._folder = os.path.dirname(path) or b"."
        self._sparse = sparse
        self._buffer = bytearray()
        self.size = 0  # bytes written
        self._temporary: bytes | None = None
        with _output(path):
            self._directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with _output(path):
                self.descriptor = self._open()
        except BaseException:
            os.close(self._directory)
            raise

    def _open(self) -> int:
        try:
            return os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in _NAMELESS_UNKNOWN:
                raise
        self._temporary = self._fresh_name()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(self._temporary, flags, 0o600, dir_fd=self._directory)

    def _fresh_name(self) -> bytes:
        return b".%s.%s.partial" % (self._name[:200], secrets.token_hex(4).encode())

    @property
    def os_path(self) -> bytes:
        """What opens the file while it is in the making."""
        return b"/proc/self/fd/%d" % self.descriptor

    def write(self, data: bytes) -> None:
        """Raises OutputError."""
        self._buffer += data
        if len(self._buffer) >= BUFFER:
            self._drain(len(self._buffer) - len(self._buffer) % PAGE)

    def flush(self) -> None:
        """All that was written can be read through `os_path`. Raises OutputError."""
        self._drain(len(self._buffer))
        with _output(self._path):
            os.ftruncate(self.descriptor, self.size)

    def copy(self, descriptor: int, size: int) -> None:
        """Instead of writing: all `size` bytes of another file, holes kept. Raises OSError of it, OutputError."""
        for start, end in _extents(descriptor, size):
            while start < end:
                data = os.pread(descriptor, min(BUFFER, end - start), start)
                if not data:
                    raise InputError("became shorter meanwhile; left as it is")
                with _output(self._path):
                    _put(self.descriptor, memoryview(data), start)
                start += len(data)
        self.size = size
        self.flush()

    def overwrite(self, offset: int, data: bytes) -> None:
        """Replaces bytes that were written and flushed. Raises OutputError."""
        with _output(self._path):
            _put(self.descriptor, memoryview(data), offset)

    def _drain(self, count: int) -> None:
        with memoryview(self._buffer) as view, view[:count] as data, _output(self._path):
            if self._sparse:
                _put_sparse(self.descriptor, data, self.size)
            else:
                _put(self.descriptor, data, self.size)
        self.size += count
        del self._buffer[:count]

    def place(self) -> None:
        """Written to the disk, then there under its name; what was there is gone. Raises OutputError."""
        with _output(self._path):
            os.fsync(self.descriptor)
            if self._temporary is None:
                self._temporary = self._fresh_name()
                # AT_SYMLINK_FOLLOW is set only where a folder's descriptor is given
                os.link(
                    self.os_path, self._temporary,
                    src_dir_fd=self._directory, dst_dir_fd=self._directory, follow_symlinks=True,
                )  # fmt: skip
            os.rename(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            self._temporary = None
            os.fsync(self._directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._directory)
        os.close(self.descriptor)
        os.close(self._directory)


class _output:  # noqa: N801 - used as a function
    """Within, an OSError becomes an OutputError that names the file."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, OSError):
            path = os.fsdecode(self._path)
            raise OutputError(f"{path!r} can't be written: {os.strerror(error.errno or 0)}") from None


def _put(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        count = os.pwrite(descriptor, data, offset)
        data, offset = data[count:], offset + count


def _extents(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """[start, end) of what is no hole (lseek(2)); all of it where the file system can't tell."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return
            start, end = end, size
        yield start, min(end, size)


def _put_sparse(descriptor: int, data: memoryview, offset: int) -> None:
    """Pages of zeros are left out; `offset` is at a page."""
    start = 0
    for at in range(0, len(data) + PAGE, PAGE):
        page = data[at : at + PAGE]
        if not page or page == _ZEROS[: len(page)]:
            _put(descriptor, data[start:at], offset + start)
            start = at + len(page)


def like(original: int, draft: int, *, strictly: bool) -> None:
    """Owner, mode, extended attributes (ACLs among them) and times of one file for another.

    Raises OutputError where one of them can't be kept; not `strictly`, owner and attributes are kept as far as allowed.
    """
    status = os.fstat(original)
    mine = os.fstat(draft)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        with _kept("owner", strictly):
            os.fchown(draft, status.st_uid, status.st_gid)
    with _kept("mode", True):
        os.fchmod(draft, stat.S_IMODE(status.st_mode))
    for name in os.listxattr(original):
        optional = not strictly or name.startswith(("security.", "trusted."))  # the kernel's, often not ours to set
        with _kept(f"attribute {name!r}", not optional):
            value = os.getxattr(original, name)
            if name not in os.listxattr(draft) or os.getxattr(draft, name) != value:
                os.setxattr(draft, name, value)
    with _kept("time", True):
        os.utime(draft, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextlib.contextmanager
def _kept(what: str, strictly: bool) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if strictly:
            raise OutputError(f"its {what} can't be kept: {os.strerror(error.errno or 0)}") from None


class Original:
    """A file as it was when it was opened, to be replaced only while it is still that."""

    def __init__(self, path: bytes) -> None:
        """Raises OSError; follows links."""
        self.path = os.path.realpath(path)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        self.status = os.fstat(self.descriptor)

    @property
    def sparse(self) -> bool:
        """Whether it has holes: fewer blocks of 512 bytes than it has bytes."""
        return self.status.st_blocks * 512 < self.status.st_size

    def check(self) -> None:
        """Raises InputError where another file has its name, or it was changed or is being written to."""
        try:
            now = os.stat(self.path)
        except OSError:
            raise InputError("is not there any more") from None
        if (now.st_dev, now.st_ino) != (self.status.st_dev, self.status.st_ino):
            raise InputError("was replaced by another file meanwhile (rotated?); left as it is")
        if (now.st_size, now.st_mtime_ns) != (self.status.st_size, self.status.st_mtime_ns):
            raise InputError("changed meanwhile (a live log?); left as it is")

    def check_unwritten(self) -> None:
        """Raises InputError where a process has it open for writing: what that writes would be lost with the old file.

        A read lease is granted only where no one has (fcntl(2)); it is given back at once. Where leases are not to be
        had (another owner, a network file system), nothing is known and nothing raised.
        """
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel asks for a lease to be given back
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                raise InputError("is open for writing (a live log?); left as it is") from None
        finally:
            signal.signal(signal.SIGIO, before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)
