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
from functools import lru_cache

from msgspec import Struct

from detectors.patterns import pattern
from scanner.errors import UsageError
from scanner.model import Skipped, Source, StreamId
from scanner.names import printable

STDIN = "-"
_SCHEME = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://")

# Files in these are the kernel's answers: some never end, some block (/proc/kmsg), none is a log.
_KERNEL_FILE_SYSTEMS = frozenset(
    b"proc sysfs cgroup cgroup2 debugfs tracefs securityfs devpts bpf configfs fusectl mqueue pstore".split()
)
_SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}
_OCTAL = pattern(rb"\\([0-7]{3})")  # how the kernel writes blanks and backslashes in a mount's path


class WalkRules(Struct, frozen=True):
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
    from urllib.parse import unquote_to_bytes, urlsplit

    url = urlsplit(path)
    if url.scheme != "file":
        raise UsageError(f"{url.scheme}:// is not supported (yet); only files, folders, - and file://")
    if url.netloc not in ("", "localhost") or not url.path:
        raise UsageError("a file:// URL names no other host: file:///path")
    return unquote_to_bytes(os.fsencode(url.path))


class _Walk:
    """One walk over all that was named, with what it must remember."""

    def __init__(self, rules: WalkRules, named: list[bytes]) -> None:
        self._rules = rules
        self._named = named
        self._included = _matcher(rules.include) if rules.include else None
        self._excluded = _matcher(rules.exclude)
        self._tops: list[tuple[bytes, bytes]] | None = None  # folders named: real path, path as named
        self._behind_links: set[tuple[int, int]] = set()  # device and inode of files read through a link

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
        waiting = _listed(top)
        while waiting:
            item = waiting.pop()
            if isinstance(item, Skipped):
                yield item
                continue
            try:
                if item.is_symlink():
                    yield from self._link(item.path, device)
                elif not item.is_dir(follow_symlinks=False):
                    if found := self._file(item):
                        yield found
                elif (reason := self._closed(item, device)) is None:
                    waiting += _listed(item.path)
                elif reason:
                    yield _skipped(item.path, reason)
            except OSError as error:
                yield _unreadable(item.path, error)

    def _closed(self, folder: os.DirEntry[bytes], device: int) -> str | None:
        """Why a folder is not entered: None if it is, "" where the caller wished so."""
        if self._excluded(folder.path):
            return ""
        if folder.stat(follow_symlinks=False).st_dev == device:
            return None
        if self._rules.one_file_system:
            return ""
        if os.path.realpath(folder.path) in _kernel_mounts():
            return "is a file system of the kernel's, read only if named"
        return None

    def _file(self, entry: os.DirEntry[bytes]) -> Source | Skipped | None:
        path = entry.path
        if not self._wanted_name(path):
            return None
        found = entry.stat(follow_symlinks=False)
        if special := _special(found.st_mode):
            return _skipped(path, f"is {special}, left alone")
        return _source(path, found) if self._wanted(found) else None

    def _link(self, path: bytes, device: int) -> Iterator[Source | Skipped]:
        """A file behind a link is read once: where it lies if the walk comes there, else at its first link."""
        if not self._wanted_name(path):
            return
        try:
            found = os.stat(path)
        except FileNotFoundError:
            yield _skipped(path, "is a link to nothing")
            return
        if self._rules.one_file_system and found.st_dev != device:
            return
        if stat.S_ISDIR(found.st_mode):
            if not self._is_walked(os.path.realpath(path)):
                yield _skipped(path, "is a link to a folder, and links are not followed")
        elif special := _special(found.st_mode):
            yield _skipped(path, f"is a link to {special}, left alone")
        elif self._wanted(found) and not self._is_walked(os.path.realpath(path)):
            identity = (found.st_dev, found.st_ino)
            if identity not in self._behind_links:
                self._behind_links.add(identity)
                yield _source(path, found)

    def _is_walked(self, real: bytes) -> bool:
        """Whether the walk comes to this file or folder by its own name."""
        for root, named in self._roots():
            inside = real[len(root) :].lstrip(b"/")
            if real == root or (real.startswith(root.rstrip(b"/") + b"/") and self._leads_to(named, inside)):
                return True
        return False

    def _leads_to(self, top: bytes, inside: bytes) -> bool:
        *folders, last = inside.split(b"/")
        path = top
        device = os.stat(top).st_dev
        for folder in folders:
            path = os.path.join(path, folder)
            if self._excluded(path) or path in _kernel_mounts():
                return False
            if self._rules.one_file_system and os.stat(path).st_dev != device:
                return False
        path = os.path.join(path, last)
        return not self._excluded(path) if os.path.isdir(path) else self._wanted_name(path)

    def _roots(self) -> list[tuple[bytes, bytes]]:
        if self._tops is None:
            self._tops = [(os.path.realpath(path), path) for path in self._named if os.path.isdir(path)]
        return self._tops

    def _wanted_name(self, path: bytes) -> bool:
        return (self._included is None or self._included(path)) and not self._excluded(path)

    def _wanted(self, status: os.stat_result) -> bool:
        rules = self._rules
        if rules.newer is not None and status.st_mtime < rules.newer:
            return False
        return rules.max_size is None or status.st_size <= rules.max_size


def _listed(folder: bytes) -> list[os.DirEntry[bytes] | Skipped]:
    """What is in a folder, the first name last."""
    try:
        with os.scandir(folder) as entries:
            return [*sorted(entries, key=lambda entry: entry.name, reverse=True)]
    except OSError as error:
        return [_unreadable(folder, error)]


def _matcher(globs: Sequence[str]) -> Callable[[bytes], bool]:
    """Whether a path or its last part matches one of the globs."""
    if not globs:
        return lambda path: False
    matches = re.compile("|".join(f"(?:{fnmatch.translate(glob)})" for glob in globs)).match

    def any_matches(path: bytes) -> bool:
        text = os.fsdecode(path)
        return matches(text) is not None or matches(text.rpartition("/")[2]) is not None

    return any_matches


def _special(mode: int) -> str | None:
    """What a file is that is no regular one."""
    return _SPECIAL.get(stat.S_IFMT(mode))


def _source(path: bytes, status: os.stat_result) -> Source:
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return Source(printable(path), path, size, status.st_mtime)


def _skipped(path: bytes, reason: str) -> Skipped:
    return Skipped(StreamId(printable(path)), reason)


def _unreadable(path: bytes, error: OSError | ValueError) -> Skipped:
    if isinstance(error, (FileNotFoundError, ValueError)):  # a name with a NUL is a ValueError
        return _skipped(path, "no such file")
    return _skipped(path, f"cannot be read: {os.strerror(error.errno or 0)}")


@lru_cache(maxsize=1)
def _kernel_mounts() -> frozenset[bytes]:
    """Where file systems of the kernel's are mounted: fields 5 and, past the dash, 1 of proc_pid_mountinfo(5)."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return frozenset()
    return frozenset(
        _OCTAL.sub(lambda code: bytes([int(code[1], 8)]), mount[4])
        for mount in mounts
        if mount[mount.index(b"-") + 1] in _KERNEL_FILE_SYSTEMS
    )
