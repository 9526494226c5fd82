"""Scans bytes with the real street, in any window and chunk size, for tests of its laws."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime
from functools import lru_cache

from detectors.registry import all_detectors
from detectors.shapes import is_wordy
from scanner.context import FileHints
from scanner.judge import Policy
from scanner.looking import Part
from scanner.matcher import Matcher
from scanner.model import Finding, Skipped, StreamId
from scanner.pipeline import Scanner
from scanner.windows import Shape

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32


class Chunks:
    """A reader that hands out at most `size` bytes at a time."""

    def __init__(self, data: bytes, size: int = 1 << 30) -> None:
        self._data = memoryview(data)
        self._size = size
        self._at = 0

    def readinto(self, buffer: memoryview, /) -> int:
        part = self._data[self._at : self._at + min(self._size, len(buffer))]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


@lru_cache(maxsize=1)
def matcher() -> Matcher:
    return Matcher(all_detectors())


def scan(data: bytes, *, chunk: int = 1 << 30, shape: Shape | None = None, part: Part | None = None) -> list[Finding]:
    """The findings in the bytes; nothing may be skipped."""
    scanner = Scanner(matcher(), Policy(as_of=AS_OF), KEY, shape=shape)
    start = part.read_from if part else 0
    events = scanner.scan(StreamId("mem"), Chunks(data[start:], chunk), FileHints(mtime=None), part)
    found = []
    for event in events:
        assert not isinstance(event, Skipped), event
        found.append(event)
    return found


def spans(findings: list[Finding]) -> list[list[tuple[int, int]]]:
    return [[(span.start, span.end) for span in finding.spans] for finding in findings]


def b64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jwt(seed: int = 0, alg: str = "HS256", **claims: object) -> bytes:
    """A signed token with claims made from a seed; real HMAC for HS256, bytes of the right length else."""
    header = b64url(json.dumps({"alg": alg, "typ": "JWT"}, separators=(",", ":")).encode())
    said = {"iss": "https://id.example", "sub": f"job-{seed}", "exp": 1795348800 + seed, **claims}
    payload = b64url(json.dumps(said, separators=(",", ":")).encode())
    body = header + b"." + payload
    size = {"HS256": 32, "HS384": 48, "HS512": 64, "ES256": 64, "RS256": 256, "EdDSA": 64}[alg]
    signature = b"".join(hmac.digest(b"%d" % i, body, "sha256") for i in range(8))[:size]
    return body + b"." + b64url(signature)


def opaque(seed: int = 0, size: int = 40) -> bytes:
    """A random-looking token of letters and digits, made from a seed.

    One draw in a thousand passes for words, which tests/test_shapes.py measures; here the next is drawn instead.
    """
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    for draw in itertools.count(seed, 10**6):
        data = b"".join(hashlib.sha256(b"%d-%d" % (draw, i)).digest() for i in range(size // 32 + 1))
        token = bytes(alphabet[byte % 62] for byte in data[:size])
        if not is_wordy(token):
            return token
    raise AssertionError
