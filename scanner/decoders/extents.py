"""Where a sparse file has data: holes read as zeros, and no secret stands in zeros (lseek(2), SEEK_DATA)."""

from __future__ import annotations

import errno
import os
import stat

from scanner.model import Source

HOLE = 8 << 20  # bytes of a hole worth leaving out: zeros are read at 4 GB/s, and each stretch costs a millisecond
MARGIN = 64  # bytes of a hole read as data on its left side's end: the zero half of a UTF-16BE unit may be in it


def data_of(source: Source) -> list[tuple[int, int]] | None:
    """[start, end) of the stretches that hold data, large holes between them; None where the file has none of those.

    The last stretch ends at the file's end, unless a hole does. A file that can't be asked counts as whole.
    """
    if source.size is None or source.size < HOLE:
        return None
    try:
        fd = os.open(source.os_path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_blocks * 512 > status.st_size - HOLE:
            return None
        found = _stretches(fd, status.st_size)
    except OSError:
        return None
    finally:
        os.close(fd)
    return None if found == [(0, status.st_size)] else found


def _stretches(fd: int, size: int) -> list[tuple[int, int]]:
    """Raises OSError where the file system can't tell."""
    found: list[tuple[int, int]] = []
    position = 0
    while position < size:
        try:
            start = os.lseek(fd, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                break
            raise
        position = min(size, os.lseek(fd, start, os.SEEK_HOLE))
        start = max(0, start - MARGIN)
        if found and start - found[-1][1] < HOLE:
            found[-1] = (found[-1][0], position)
        else:
            found.append((start if start >= HOLE else 0, position))
    return found
