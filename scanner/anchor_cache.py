"""What is derived from the anchors, kept between runs: the rows take 30 ms to derive, the database 0.3 s to compile.

It holds anchors only, never a scanned byte. A file is used only if it is this user's, nobody else
can write to it, and its checksum and the digest of what it was made from are right; else, and
wherever the folder can't be written, all is made as if there were no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

_MAGIC = b"bearertrap anchors 1\n"
KEPT = (
    16  # files: rows, and three databases, of what is scanned with and without own rules, by this version and the last
)
_LARGEST = 64 * 1024 * 1024  # bytes; ours has about 1 MB


def folder() -> Path:
    """Where the cache lives: $XDG_CACHE_HOME/bearertrap, or ~/.cache/bearertrap."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "bearertrap"


def load(digest: str) -> bytes | None:
    """What was made from what `digest` names, or None."""
    try:
        descriptor = os.open(folder() / f"{digest[:32]}.anchors", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (OSError, RuntimeError):  # of a user without a home
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid() or status.st_mode & 0o022 or not stat.S_ISREG(status.st_mode):
            return None
        data = file.read(_LARGEST)
    head = _MAGIC + digest.encode() + b"\n"
    body = data[len(head) + 32 :]
    if not data.startswith(head) or hashlib.sha256(body).digest() != data[len(head) : len(head) + 32]:
        return None
    return body


def store(digest: str, made: bytes) -> None:
    """Keeps what was made; the oldest are removed. Failing to is no error."""
    data = _MAGIC + digest.encode() + b"\n" + hashlib.sha256(made).digest() + made
    with contextlib.suppress(OSError, RuntimeError):
        _write(folder() / f"{digest[:32]}.anchors", data)


def _write(target: Path, data: bytes) -> None:
    """Raises OSError."""
    temporary = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        by_age = sorted(target.parent.glob("*.anchors"), key=lambda path: path.stat().st_mtime)
        for old in by_age[: 1 - KEPT]:
            old.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
