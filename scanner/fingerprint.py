"""Keyed fingerprints: equal for equal secrets, useless to one who has not the key.

A bare hash of a weak secret can be guessed; HMAC-SHA-256 (RFC 2104) with a key that never leaves the
machine can't. The key comes from a file, the environment, or is made once in the user's state folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from scanner.errors import UsageError
from scanner.model import Span, StreamId

KEY_BYTES = 32
SHORTEST_KEY = 16  # bytes: less than 128 bits could be tried out
PREVIEWED = 16  # bytes: a shorter secret shows nothing of itself, 4 characters would be a quarter of it
BEFORE = 64  # bytes before a span that tell whether a file still is what was scanned
_DOMAIN = b"bearertrap/1\0"
_PLACE = b"bearertrap/1 place\0"


def load_key(key_file: str | None = None) -> bytes:
    """The key: of `key_file`, of BEARERTRAP_KEY, or of the state folder, where it is made if need be.

    Raises UsageError where a key is too short, unreadable or open to others.
    """
    if key_file is not None:
        return _derived(_read(Path(key_file)))
    if value := os.environ.get("BEARERTRAP_KEY"):
        if len(value.encode()) < SHORTEST_KEY:
            raise UsageError(f"BEARERTRAP_KEY is shorter than {SHORTEST_KEY} bytes")
        return _derived(value.encode())
    try:
        path = state_folder() / "key"
    except RuntimeError:
        raise UsageError("no key can be kept: you have no home; use --key-file or BEARERTRAP_KEY") from None
    if not path.exists():
        _make(path)
    return _derived(_read(path))


def state_folder() -> Path:
    """$XDG_STATE_HOME/bearertrap, or ~/.local/state/bearertrap. Raises RuntimeError for a user without a home."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "bearertrap"


def key_id(key: bytes) -> str:
    """Eight hex digits that name a key without telling it; a report says which key its fingerprints are of."""
    return hmac.digest(key, b"key-id", "sha256").hex()[:8]


def fingerprint(key: bytes, value: bytes) -> str:
    """Hex HMAC-SHA-256 of a secret's decoded value."""
    return hmac.digest(key, _DOMAIN + value, "sha256").hex()


def preview(value: bytes) -> str:
    """What of a secret may be shown: at most its first 4 characters, and its length in bytes."""
    if len(value) < PREVIEWED:
        return f"({len(value)} bytes)"
    head = "".join([chr(c) if 33 <= c < 127 else "." for c in value[:4]])
    return f"{head}… ({len(value)} bytes)"


def surroundings(key: bytes, spans: Iterable[Span], read: Callable[[int, int], bytes]) -> str:
    """Keyed hash (32 hex digits) of the spans as they stand and of up to 64 bytes before each.

    What stands behind is left out: of a live stream it is not known yet. `read` gives the bytes [start, end).
    """
    stretches = [read(max(0, span.start - BEFORE), span.end) for span in spans]
    told = b"".join([_PLACE, *[len(one).to_bytes(8, "big") + one for one in stretches]])
    return hmac.digest(key, told, "sha256").hex()[:32]


def finding_id(stream: StreamId, spans: tuple[Span, ...], mark: str) -> str:
    """Sixteen hex digits, the same for the same secret at the same place in every run."""
    again = (stream.occurrence,) if stream.occurrence > 1 else ()
    place = repr((stream.path, stream.layers, *again, [(span.start, span.end) for span in spans], mark))
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _derived(material: bytes) -> bytes:
    return hashlib.sha256(b"bearertrap key\0" + material).digest()


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        material = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"the key file {path} can't be read: {error.strerror}") from None
    if status.st_mode & 0o077:
        raise UsageError(f"the key file {path} is open to others: chmod 600 {path}")
    if len(material) < SHORTEST_KEY:
        raise UsageError(f"the key file {path} holds less than {SHORTEST_KEY} bytes")
    return material


def _make(path: Path) -> None:
    """Makes a key; of two processes that do at once, the first wins and the second uses its key."""
    temporary = path.with_name(f"key.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w") as file:
            file.write(os.urandom(KEY_BYTES).hex() + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    except OSError as error:
        where = f"no key can be kept in {path.parent}: {error.strerror}"
        raise UsageError(f"{where}; use --key-file or BEARERTRAP_KEY") from None
    finally:
        with contextlib.suppress(OSError):  # also where the disk was full
            os.unlink(temporary)
