"""The data that flows along the street. Offsets are bytes, half-open, absolute in the decoded stream."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct, field

from detectors.detector import Confidence, Kind, TokenFacts


class Source(Struct, frozen=True):
    """Something to read. `path` is as given or walked, for people; `os_path` opens it ("-": stdin)."""

    path: str
    os_path: bytes
    size: int | None = None  # bytes, None where it can't be told (a pipe)
    mtime: float | None = None


class StreamId(Struct, array_like=True, frozen=True):
    """A decoded stream: the source's path and the layers peeled off, outermost first.

    `occurrence`: which one it is of those that are called the same, from 1; an archive may hold a name twice.
    """

    path: str
    layers: tuple[str, ...] = ()
    occurrence: int = 1

    @property
    def shown(self) -> str:
        """The path and all layers, each behind a `!`, then `#2` of a second one: how reports and messages name it."""
        return "!".join((self.path, *self.layers)) + (f"#{self.occurrence}" if self.occurrence > 1 else "")

    @property
    def members(self) -> str:
        """The path and, each behind a `!`, the named members inside it: what globs and users' rules look at."""
        return "!".join([self.path, *(name for layer in self.layers if (name := layer.partition(":")[2]))])


class Span(Struct, array_like=True, frozen=True, order=True):
    """[start, end) in the decoded stream."""

    start: int
    end: int


class Hit(Struct, frozen=True):
    """An anchor was seen. `end` is the offset just past its last byte in the decoded stream."""

    end: int
    anchor: int  # index into the matcher's table


class State(StrEnum):
    LIVE = "live"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NO_EXPIRY = "no_expiry"
    UNKNOWN = "unknown"
    UNUSABLE = "unusable"
    REVOKED = "revoked"


USABLE_OR_UNKNOWN = frozenset({State.LIVE, State.NOT_YET_VALID, State.NO_EXPIRY, State.UNKNOWN})


class Evidence(Struct, array_like=True, frozen=True):
    """One thing that tells when a credential ends: somewhere in [earliest, latest], both aware and UTC.

    `name` is the clock that spoke, `says` what it said in words. None for both where it tells something else (a
    signature, the issuer's word). `since`: it tells nothing of the time before. `counted`: the end was counted from the
    record's own time.
    """

    name: str
    says: str
    earliest: datetime | None = None
    latest: datetime | None = None
    since: datetime | None = None
    counted: bool = False


class Assessment(Struct, array_like=True, frozen=True):
    """Whether the credential could be used at `as_of`, and how that is known."""

    state: State
    basis: str
    as_of: datetime
    reason: str
    expires_at: datetime | None = None
    live_when_logged: bool | None = None
    weaknesses: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()  # all that spoke, the strongest first


Address = dict[str, str | int | bool | list[str] | None]


class Finding(Struct, array_like=True, tag="finding", frozen=True):
    """One occurrence of a secret. Holds no byte of it beyond the contract's preview."""

    id: str
    kind: Kind
    detector: str
    fingerprint: str
    preview: str
    stream: StreamId
    format: str
    spans: tuple[Span, ...]
    encoding: tuple[str, ...]
    line: int | None
    column: int | None
    logged_at: datetime | None
    logged_at_basis: str | None
    verdict: Assessment
    token: TokenFacts
    confidence: Confidence
    entropy: float
    replacement: str
    key: str | None = None
    family: str | None = None
    copy_of: str | None = None  # id of the finding whose context gave the value away that stands bare here
    related: tuple[str, ...] = ()  # fingerprints of other secrets: the tokens that this key signed
    address: Address | None = field(default=None)  # of a dump: where in memory it stands, and what holds it
    surroundings: str | None = None  # keyed hash of what stands there, see fingerprint.surroundings
    source_size: int | None = None  # bytes of the file on disk as the walk found it
    host: str | None = None  # that the record names as its own


class Skipped(Struct, array_like=True, tag="skipped", frozen=True):
    """Input that was not scanned whole."""

    stream: StreamId
    reason: str
    at_byte: int | None = None  # offset in the decoded stream from which on nothing was scanned


class Suppressed(Struct, frozen=True):
    """How many findings an entry of an allow list took out of the report."""

    entry: int  # its place in the file, from 1
    reason: str
    findings: int

    def __str__(self) -> str:
        count = f"{self.findings} finding{'s' * (self.findings != 1)} suppressed by entry {self.entry}"
        return count + (f" ({self.reason})" if self.reason else "")


class Identity(Struct, frozen=True):
    """An identity and what leaked of it. A secret or token counts once, however often it stands.

    One of `client_id` and `subject` is told: the subject is that of tokens that name no client.
    """

    client_id: str | None
    issuer: str | None
    secrets: int  # what stands until it is rotated
    tokens: int  # what was issued to it
    usable: int  # of both, what is not known to be of no use
    findings: int
    files: tuple[str, ...]
    hosts: tuple[str, ...]
    first_seen: datetime | None  # logged
    last_seen: datetime | None
    live_until: datetime | None  # the last end of those that are live
    subject: str | None = None
    weaknesses: tuple[str, ...] = ()
    registered: bool | None = None  # whether the inventory has it; None: there is no inventory. What it says:
    owner: str | None = None
    team: str | None = None
    environment: str | None = None
    token_endpoint: str | None = None
    rotation_due: date | None = None
    revoke: str | None = None


class Summary(Struct):
    """Totals of a run, kept by the caller of the sinks."""

    sources: int = 0
    bytes: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    by_state: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    suppressed: tuple[Suppressed, ...] = ()  # counted nowhere else
    identities: tuple[Identity, ...] = ()  # those with most to be done first
    more_identities: int = 0  # findings of identities there was no room for
    seconds: float = 0.0
    key_id: str = ""
    interrupted: bool = False
    notices: list[str] = field(default_factory=list)  # what of a second look was left out; all was scanned
    redaction: dict[str, int] | None = None  # of a redaction: files, values, copies, bytes_changed

    def add(self, event: Finding | Skipped) -> None:
        """Counts one event."""
        if isinstance(event, Skipped):
            self.skipped += 1
            return
        kind, state = event.kind.value, event.verdict.state.value
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        self.by_state[state] = self.by_state.get(state, 0) + 1
