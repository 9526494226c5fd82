"""For Python programs: redact bytes or a stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import BinaryIO, overload

from msgspec import Struct

from scanner.context import FileHints
from scanner.decoders import unplain
from scanner.decoders.interface import Reader
from scanner.errors import InputError
from scanner.fingerprint import load_key
from scanner.judge import Policy
from scanner.matcher import Matcher
from scanner.model import Finding, Skipped, StreamId
from scanner.pipeline import Scanner
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Style, Target, edits
from scanner.redaction.rewriting import rewrite
from scanner.redaction.stream import Outcome, StreamRedactor

ROUNDS = 4  # redactions of one input: what a match had hidden shows when that match is gone, and no deeper was seen


class Redacted(Struct, frozen=True):
    """`findings` tell where the secrets stood in the data given, or, from a second round, in what was made of it."""

    data: bytes
    findings: tuple[Finding, ...]


class BytesReader:
    """Bytes as a stream, at most `size` at a time."""

    def __init__(self, data: bytes, size: int = 1 << 30) -> None:
        self._data = memoryview(data)
        self._size = size
        self._at = 0

    def readinto(self, buffer: memoryview, /) -> int:
        part = self._data[self._at : self._at + min(self._size, len(buffer))]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Nothing to let go of."""


@lru_cache(maxsize=4)
def scanner_for(key: bytes, as_of: datetime | None = None) -> Scanner:
    """A scanner of all detectors; built once a process (30 to 100 ms)."""
    from detectors.registry import all_detectors

    return Scanner(Matcher(all_detectors(), cached=True), Policy(as_of=as_of or datetime.now(UTC)), key)


@overload
def redact(data: bytes, /, *, style: Style = ..., key: bytes | None = ...) -> Redacted: ...


@overload
def redact(
    data: Reader | BinaryIO, write: Callable[[bytes], object], /, *, style: Style = ..., key: bytes | None = ...
) -> Outcome: ...


def redact(
    data: bytes | Reader | BinaryIO,
    write: Callable[[bytes], object] | None = None,
    /,
    *,
    style: Style = Style.LABEL,
    key: bytes | None = None,
) -> Redacted | Outcome:
    """Bytes without their secrets: a scan of what is returned finds none (claims kept on purpose aside).

    A stream is copied to `write`, see `redact_stream`. `key` is the HMAC key of fingerprints (bytes; default: as
    `bearertrap` finds it, see UsageError there). Raises TypeError for text: it is the caller who knows its encoding;
    InputError for bytes that are compressed or an archive.
    """
    if not isinstance(data, bytes):
        if write is None:
            raise TypeError("redact takes bytes, or a binary stream and where to write it")
        return redact_stream(data, write, style=style, key=key)
    _, packed, is_dump = unplain(BytesReader(data))
    if packed:
        raise InputError(_packed(packed))
    return _redacted(data, Style.DUMP if is_dump else style, key)


def _packed(name: str) -> str:
    """Why compressed data and archives are not taken: secrets inside of them would pass unseen."""
    return f"is {name}: unpack it before, and pack what comes out"


def _redacted(data: bytes, style: Style, key: bytes | None, copies: bool = True) -> Redacted:
    """`copies`: look for bare copies of what was found too, which costs milliseconds."""
    scanner = scanner_for(load_key() if key is None else key)
    told: list[Finding] = []
    known = Known()
    for turn in range(ROUNDS):
        if turn and not remaining(scanner, data, style):
            break
        parts: list[bytes] = []
        redactor = StreamRedactor(scanner, style, on_finding=told.append, on_value=known.take, stream=StreamId("data"))
        redactor.run(BytesReader(data), parts.append)
        data = b"".join(parts)
        if copies and len(known):
            data = _without_copies(data, known, style)
    return Redacted(data, tuple(told))


def redacted_text(text: str, style: Style, key: bytes) -> str:
    """A text without its secrets. Copies are masked behind the place their value was found at."""
    data = text.encode("utf-8", "surrogatepass")
    return _redacted(data, style, key, copies=False).data.decode("utf-8", "surrogatepass")


def _without_copies(data: bytes, known: Known, style: Style) -> bytes:
    """What stands bare of the values, in any encoding, also before the place they were found at."""
    known.prepare(style)
    left = known.left(lambda: iter([(0, BytesReader(data))]))
    parts: list[bytes] = []
    if left:
        rewrite(BytesReader(data), parts.append, left[0], style)
    return b"".join(parts) if left else data


def remaining(scanner: Scanner, data: bytes, style: Style) -> list[Finding]:
    """What a scan of redacted data still finds and a redaction would still change."""
    found = scanner.scan(StreamId("data"), BytesReader(data), FileHints(mtime=None))
    return [f for f in found if not isinstance(f, Skipped) and would_change(f, data, style)]


def would_change(finding: Finding, data: bytes, style: Style) -> bool:
    """False for a JWT whose claims were kept: it is found, and there is nothing left to take away."""
    return any(data[e.start : e.end] != e.data for e in edits(Target.of(finding), lambda a, b: data[a:b], style))


def redact_stream(
    reader: Reader | BinaryIO,
    write: Callable[[bytes], object],
    *,
    style: Style = Style.LABEL,
    key: bytes | None = None,
    on_finding: Callable[[Finding], None] | None = None,
    flush: Callable[[], object] | None = None,
) -> Outcome:
    """Copies a stream without its secrets. `write` takes bytes, in order; `flush` is called where lines are complete.

    A reader that has `wait(seconds) -> bool` is live: its complete lines are written at the latest 50 ms
    after input pauses. Raises OSError of `write`; what breaks in the input is `Outcome.trouble`. That also
    says that the input is compressed or an archive, of which nothing is written.
    """
    scanner = scanner_for(load_key() if key is None else key)
    peeked, packed, is_dump = unplain(reader)  # type: ignore[arg-type]
    if packed:
        return Outcome(trouble=Skipped(StreamId("-"), _packed(packed), 0))
    style = Style.DUMP if is_dump else style
    return StreamRedactor(scanner, style, on_finding=on_finding, flush=flush).run(peeked, write)
