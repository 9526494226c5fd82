"""A small file read at once: most hold no anchor, and then there is nothing else to do.

All that a scan sets up for a file takes four times as long as reading and matching 4 KB of it.
"""

from __future__ import annotations

import os
import stat

from scanner.decoders import is_plain
from scanner.decoders.interface import HEAD
from scanner.matcher import Matcher
from scanner.model import Source

SMALL = 64 * 1024  # bytes: a larger one takes longer to match than to set up
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def holds_nothing(source: Source, matcher: Matcher) -> bool:
    """Whether the source is a small plain file in which no anchor stands. False also where that can't be told, for
    whatever reason: a scan will say it.
    """
    if source.size is None or source.size > SMALL:
        return False
    try:
        file = os.open(source.os_path, _FLAGS)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size > SMALL:
                return False
            data = os.read(file, status.st_size + 1)
        finally:
            os.close(file)
    except OSError:
        return False
    # Fewer bytes than it had: it is being cut; more: it grows, or is one of /proc, whose size says nothing.
    return len(data) == status.st_size and is_plain(data[:HEAD]) and not matcher.scan(data, 0, 0)
