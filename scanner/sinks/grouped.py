"""Findings grouped by secret, and what is said of one in words: for the reports that people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from scanner.model import Finding, Skipped, State, Summary

PLACES = 5  # shown for each secret; the rest is counted
MOST = 10_000  # secrets shown one by one; a report for a person, and memory stays bounded
MOST_SKIPPED = 10_000  # of what was not scanned; the rest is counted
ORDER = (
    State.LIVE, State.NOT_YET_VALID, State.NO_EXPIRY, State.UNKNOWN, State.EXPIRED, State.REVOKED, State.UNUSABLE,
)  # fmt: skip
SIGNING_KEY = "signing_key"  # the basis of a verdict on a key that made a token's signature
ACT = frozenset(ORDER[:4])  # what may still be used
_ADVICE = {
    "client_secret": "rotate it at the issuer, then take it out of the log",
    "basic_credentials": "change the password, then take it out of the log",
    "api_key": "revoke the key at its vendor and issue a new one",
    "private_key": "replace the key pair and withdraw the public half",
    "refresh_token": "revoke it (RFC 7009): it can be exchanged for new tokens",
    "jwt": "revoke the session or shorten the lifetime; it is valid to anyone who holds it",
    "bearer_token": "revoke it (RFC 7009)",
    "auth_code": "check that it was exchanged once, by its client",
    "session_cookie": "end the session",
    "signed_url": "rotate the signing key if it must not be used until it expires",
}


@dataclass(slots=True)
class Secret:
    """All that was found of one secret. `worst` is the finding whose verdict asks most for action."""

    worst: Finding
    count: int = 0
    places: list[str] = field(default_factory=list)
    first: datetime | None = None  # logged, as far as is known
    last: datetime | None = None

    def add(self, finding: Finding) -> None:
        self.count += 1
        if ORDER.index(finding.verdict.state) < ORDER.index(self.worst.verdict.state):
            self.worst = finding
        if len(self.places) < PLACES:
            self.places.append(place(finding))
        if finding.logged_at:
            self.first = min(self.first or finding.logged_at, finding.logged_at)
            self.last = max(self.last or finding.logged_at, finding.logged_at)

    def urgency(self) -> tuple[int, float, str]:
        """Less is more urgent: a signing key, then by state, by what can be used longest, by fingerprint."""
        verdict = self.worst.verdict
        lasts = -verdict.expires_at.timestamp() if verdict.expires_at else 0.0
        state = -1 if verdict.basis == SIGNING_KEY else ORDER.index(verdict.state)
        return state, lasts, self.worst.fingerprint


class Groups:
    """The secrets of a report, at most MOST of them, and what was not scanned."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, bool], Secret] = {}  # by fingerprint, and whether it is told of as a signing key
        self.more = 0  # findings of secrets there was no room for
        self.skipped: list[Skipped] = []
        self.more_skipped = 0

    def __len__(self) -> int:
        return len(self._secrets)

    def add(self, finding: Finding) -> None:
        key = finding.fingerprint, finding.verdict.basis == SIGNING_KEY
        known = self._secrets.get(key)
        if known is None:
            if len(self._secrets) >= MOST:
                self.more += 1
                return
            known = self._secrets[key] = Secret(finding)
        known.add(finding)

    def skip(self, skipped: Skipped) -> None:
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append(skipped)
        else:
            self.more_skipped += 1

    def by_urgency(self) -> Iterator[Secret]:
        yield from sorted(self._secrets.values(), key=Secret.urgency)


def advice(finding: Finding) -> str | None:
    """What to do first; None where nothing need be done."""
    if finding.verdict.basis == SIGNING_KEY:
        return "replace the signing key at once: whoever has it makes valid tokens until then"
    return _ADVICE.get(finding.kind.value, "revoke it") if finding.verdict.state in ACT else None


def place(finding: Finding) -> str:
    """Path, layers, line and column; of what has no lines, the byte."""
    path = "!".join((finding.stream.path, *finding.stream.layers))
    place = f"{path}:{finding.line}:{finding.column}" if finding.line else f"{path} byte {finding.spans[0].start:,}"
    return " ".join((place, *_held(finding)))


def _held(finding: Finding) -> Iterator[str]:
    """What of a process or a report holds it, where a dump tells."""
    address = finding.address or {}
    holder = address.get("owner") or address.get("section") or address.get("mapping")
    if isinstance(holder, str):
        yield f"in {holder}"
    for name in ("part", "virtual", "physical"):
        if name in address:
            yield str(address[name])


def identity(finding: Finding) -> str:
    """Whose it is, as far as that is told; empty if it is not."""
    token = finding.token
    subject = None if token.subject == token.client_id else token.subject
    named = (("client", token.client_id), ("subject", subject), ("issuer", token.issuer))
    return ", ".join(f"{name} {value}" for name, value in named if value)


def until(finding: Finding) -> str:
    """Its end and how far that is from the verdict's instant; empty where no end is known."""
    expires_at, as_of = finding.verdict.expires_at, finding.verdict.as_of
    if expires_at is None:
        return ""
    left = expires_at - as_of
    if left > timedelta(0):
        return f"valid until {short(expires_at)} (for {words(left)} more)"
    return f"expired {short(expires_at)} ({words(-left)} before)"


def short(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def words(span: timedelta) -> str:
    """A duration in its largest unit of which there are two."""
    seconds = int(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return f"{seconds} seconds"


def totals(summary: Summary, secrets: int) -> str:
    """The last line: how much of what, in how much, and how long it took."""
    states = ", ".join(f"{summary.by_state[s.value]} {s.value}" for s in ORDER if s.value in summary.by_state)
    found = sum(summary.by_kind.values())
    head = f"{counted(found, 'finding')} of {counted(secrets, 'secret')}: {states}" if found else "nothing found"
    tail = f"; {summary.skipped} not scanned" if summary.skipped else ""
    stop = " (interrupted)" if summary.interrupted else ""
    size = f"{counted(summary.sources, 'source')}, {summary.bytes / 1e6:,.1f} MB, {summary.seconds:.1f} s"
    return f"{head}{tail} in {size}{stop}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
