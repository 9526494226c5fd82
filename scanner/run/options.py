"""What a scan is done with, and what is told of its progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from msgspec import Struct, field

from scanner.decoders import Limits
from scanner.evidence.key_set import KeySet
from scanner.hygiene import repr_without
from scanner.rules import RulesFile
from scanner.secondlook import Copies


class Options(Struct, frozen=True):
    """What a scan is done with; picklable, so that a worker process can be given it."""

    as_of: datetime  # aware, UTC: the instant verdicts are given for
    key: bytes  # 32 bytes, the HMAC key of fingerprints
    leeway: float = 0.0  # seconds of clock skew granted
    max_lifetime: float = 3600.0  # seconds an access token should live at most
    zone: tzinfo | None = None  # of times in logs that name none
    key_sets: tuple[KeySet, ...] = ()  # that the user named, read or fetched before
    limits: Limits = field(default_factory=Limits)
    rules: tuple[RulesFile, ...] = ()  # users' own, beside our detectors
    entropy: bool = False  # random strings without a name too
    overlap: bool = False  # decompress in a thread of its own while matching
    copies: Copies = Copies.AUTO  # which values are looked for once more where they stand bare
    trials: bool = False  # what may be a signing key, and tokens to try it on, come back to the caller; local runs only
    away: bool = False  # units may run on other machines: no value comes back from there
    keep_values: bool = False  # found values come back to the caller of `run`, for a second look; local runs only
    read: datetime | None = None  # when the scan began: nothing read from a pipe is younger

    def __repr__(self) -> str:
        return repr_without(self, "key")


class Progress(Struct, frozen=True):
    """Told now and then (not per byte). Bytes are those of the files as they lie on disk."""

    bytes_done: int
    bytes_total: int | None  # None where it can't be told (a pipe among the sources)
    sources_done: int
    current: str


Tell = Callable[[Progress], None]
Notice = Callable[[str], None]  # told in words what of a second look was left out, though everything was scanned
