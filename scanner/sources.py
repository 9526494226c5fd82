"""What to read: paths, folders, `-` and URLs -> Source. Nothing is opened here.

What is named by the caller is read, whatever it is: a link, a FIFO (`<(zcat …)`), a device. What a
walk meets is read where it is a regular file; the rest is left alone and said. Hidden and binary
files count like all others: this is no source tree, and secrets leak where nobody looks.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from scanner.errors import UsageError
from scanner.model import Skipped, Source, StreamId
from scanner.names import printable

STDIN = "-"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

# Files in these are the kernel's answers: some never end, some block (/proc/kmsg), none is a log.
_KERNEL_FILE_SYSTEMS = frozenset(
    b"proc sysfs cgroup cgroup2 debugfs tracefs securityfs devpts bpf configfs fusectl mqueue pstore".split()
)
_SPECIAL = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


@dataclass(frozen=True, slots=True)
class WalkRules:
    """Which files of a walk are wanted. Files named by the caller are read in any case.

    A glob is that of `fnmatch`, case-sensitive, tried on the path as walked and on its last part; `*` also
    crosses slashes. A file is read if it matches one of `include` (or there is none) and none of `exclude`;
    a folder that matches `exclude` is not entered. What the rules leave out is left out without a word.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    newer: float | None = None  # Unix seconds: files last modified at that time or later
    max_size: int | None = None  # bytes on disk, inclusive
    one_file_system: bool = False  # folders on another file system than the one named are not entered


def walk(paths: Sequence[str], rules: WalkRules | None = None) -> Iterator[Source | Skipped]:
    """The sources at `paths` in the order given, folders in the byte order of their names, depth first.

    Raises UsageError at once, before anything is yielded, for a URL that can't be read.
    """
    named = [_named(path) for path in paths]
    return _Walk(rules or WalkRules(), named).all()


def _named(path: str) -> bytes:
    if not _SCHEME.match(path):
        return os.fsencode(path)
    url = urlsplit(path)
    if url.scheme != "file":
        raise UsageError(f"{url.scheme}:// is not supported (yet); only files, folders, - and file://")
    if url.netloc not in ("", "localhost") or not url.path:
        raise UsageError("a file:// URL names no other host: file:///path")
    return unquote_to_bytes(os.fsencode(url.path))


class _Walk:
    def __init__(self, rules: WalkRules, named: list[bytes]) -> None:
        self._rules = rules
        self._named = named
        self._included = _matcher(rules.include) if rules.include else None
        self._excluded = _matcher(rules.exclude)
        self._roots: list[tuple[bytes, bytes]] | None = None  # folders named: (real path, path as named)
        self._behind_links: set[tuple[int, int]] = set()  # device and inode of files read through a link
        self._kernel: frozenset[bytes] | None = None

    def all(self) -> Iterator[Source | Skipped]:
        for path in self._named:
            if path == STDIN.encode():
                yield Source(STDIN, path)
                continue
            try:
                status = os.stat(path)
            except (OSError, ValueError) as error:
                yield _unreadable(path, error)
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._folder(path, status.st_dev)
            elif stat.S_ISSOCK(status.st_mode):
                yield _skipped(path, "is a socket")
            else:
                yield _source(path, status)

    def _folder(self, top: bytes, device: int) -> Iterator[Source | Skipped]:
        waiting: list[bytes | os.DirEntry[bytes]] = [top]
        while waiting:
            item = waiting.pop()
            if isinstance(item, os.DirEntry):
                try:
                    folder = yield from self._entry(item, device)
                except OSError as error:
                    yield _unreadable(item.path, error)
                    continue
                if folder is None:
                    continue
                item = folder
            try:
                with os.scandir(item) as entries:
                    waiting += sorted(entries, key=_name, reverse=True)
            except OSError as error:
                yield _unreadable(item, error)

    def _entry(self, entry: os.DirEntry[bytes], device: int) -> Iterator[Source | Skipped]:
        """Yields what an entry is to be read as; returns the path of a folder to be entered."""
        path = entry.path
        if entry.is_symlink():
            yield from self._link(path, device)
        elif entry.is_dir(follow_symlinks=False):
            if self._excluded(path):
                return None
            if self._rules.one_file_system and entry.stat(follow_symlinks=False).st_dev != device:
                return None
            if path in self._kernel_mounts() or os.path.realpath(path) in self._kernel_mounts():
                yield _skipped(path, "is a file system of the kernel's; it is read only if named")
                return None
            return path
        elif self._by_name(path):
            yield from self._file(path, entry.stat(follow_symlinks=False))
        return None
