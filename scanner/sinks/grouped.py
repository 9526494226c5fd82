"""Findings grouped by secret, and what is said of one in words: for the reports that people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from scanner.model import Finding, Skipped, State, Summary

PLACES = 5  # shown for each secret; the rest is counted
PROCESSES = 100  # named in a report for a person
MOST = 10_000  # secrets shown one by one; a report for a person, and memory stays bounded
MOST_ALIKE = 10  # secrets of one kind, state, detector, client and issuer shown one by one; more are told of together,
LEADING = 5  # but for the first
MOST_SKIPPED = 10_000  # of what was not scanned; the rest is counted
ORDER = (
    State.LIVE, State.NOT_YET_VALID, State.NO_EXPIRY, State.UNKNOWN, State.EXPIRED, State.REVOKED, State.UNUSABLE,
)  # fmt: skip
SIGNING_KEY = "signing_key"  # the basis of a verdict on a key that made a token's signature
ACT = frozenset(ORDER[:4])  # what may still be used
_ADVICE = {
    "client_secret": "rotate it at the issuer, then redact the file",
    "basic_credentials": "change the password, then redact the file",
    "api_key": "revoke the key at its vendor and issue a new one",
    "private_key": "replace the key pair and withdraw the public half",
    "refresh_token": "revoke it (RFC 7009): it can be exchanged for new tokens",
    "jwt": "end the session; until it expires, whoever holds it can use it",
    "bearer_token": "revoke it (RFC 7009)",
    "auth_code": "check that it was exchanged once, by its client",
    "session_cookie": "end the session",
    "signed_url": "rotate the signing key if it must not be used until it expires",
}


class Secret(Struct):
    """All that was found of one secret. `worst` is the finding whose verdict asks most for action."""

    worst: Finding
    count: int = 0
    first: datetime | None = None  # logged, as far as is known
    last: datetime | None = None
    _places: list[tuple[int, int, str, str]] = field(default_factory=list)  # rank, number, holder, place

    def add(self, finding: Finding) -> None:
        if ORDER.index(finding.verdict.state) < ORDER.index(self.worst.verdict.state):
            self.worst = finding
        self._keep(finding)
        self.count += 1
        if finding.logged_at:
            self.first = min(self.first or finding.logged_at, finding.logged_at)
            self.last = max(self.last or finding.logged_at, finding.logged_at)

    def _keep(self, finding: Finding) -> None:
        """Keeps the places that tell most: of a dump those of different owners, before garbage and unnamed memory."""
        if len(self._places) >= PLACES and finding.address is None:
            return
        holder = next(_held(finding), "")
        again = bool(holder) and any(holder == other for _, _, other, _ in self._places)
        self._places.append((_rank(finding) + 3 * again, self.count, holder, place(finding)))
        if len(self._places) > PLACES:
            self._places.remove(max(self._places))

    @property
    def places(self) -> list[str]:
        """At most PLACES of those it stands in, the most telling ones first."""
        return [place for _, _, _, place in sorted(self._places)]

    @property
    def usable(self) -> bool:
        """Whether it may be used still, so that something is to be done."""
        return self.worst.verdict.state in ACT or self.worst.verdict.basis == SIGNING_KEY

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


class Bundle(Struct):
    """Secrets of one kind, state, detector, client and issuer, told of together: at least one, the worst first."""

    secrets: list[Secret]

    @property
    def first(self) -> Secret:
        return self.secrets[0]

    def span(self) -> tuple[datetime, datetime] | None:
        """When they were logged, as far as is known."""
        first = [one.first for one in self.secrets if one.first]
        last = [one.last for one in self.secrets if one.last]
        return (min(first), max(last)) if first and last else None

    def sources(self) -> list[tuple[str, int]]:
        """Where they are (the worst finding of each) and how many there, most first."""
        return Counter(one.worst.stream.shown for one in self.secrets).most_common()


def bundled(secrets: Iterable[Secret]) -> Iterator[Secret | Bundle]:
    """The secrets in their order. Of more than MOST_ALIKE alike the first LEADING stay, then a bundle follows."""
    groups: dict[tuple[object, ...], list[Secret]] = {}
    ordered = [(groups.setdefault(_likeness(one), []), one) for one in secrets]
    for group, one in ordered:
        group.append(one)
    told: dict[int, int] = {}  # by the group's id, how many of it were told of
    for group, one in ordered:
        at = told[id(group)] = told.get(id(group), -1) + 1
        if len(group) <= MOST_ALIKE or at < LEADING:
            yield one
        elif at == LEADING:
            yield Bundle(group[LEADING:])


def _likeness(secret: Secret) -> tuple[object, ...]:
    worst = secret.worst
    token, verdict = worst.token, worst.verdict
    return verdict.basis == SIGNING_KEY, verdict.state, worst.kind, worst.detector, token.client_id, token.issuer


def alike(secrets: Iterable[Secret]) -> list[list[Secret]]:
    """Those of one kind, state and identity together, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Secret]] = {}
    for secret in secrets:
        worst = secret.worst
        key = worst.verdict.basis == SIGNING_KEY, worst.verdict.state, worst.kind, identity(worst)
        groups.setdefault(key, []).append(secret)
    return list(groups.values())


def advice(finding: Finding) -> str | None:
    """What to do first; None where nothing need be done."""
    if finding.verdict.basis == SIGNING_KEY:
        return "replace the signing key at once: whoever has it makes valid tokens until then"
    return _ADVICE.get(finding.kind.value, "revoke it") if finding.verdict.state in ACT else None


def place(finding: Finding) -> str:
    """Path, layers, line and column; of what has no lines, the byte."""
    path = finding.stream.shown
    place = f"{path}:{finding.line}:{finding.column}" if finding.line else f"{path} byte {finding.spans[0].start:,}"
    return " ".join((place, *_held(finding)))


def _rank(finding: Finding) -> int:
    """How little a finding's place says of who keeps it: 0 for files and owners, 2 for garbage and unnamed memory."""
    address = finding.address
    if address is None or (address.get("owner") and not str(address["owner"]).startswith("stack of ")):
        return 0
    named = address.get("owner") or address.get("section") or address.get("part")
    return 1 if named or address.get("mapping") not in (None, "[anonymous]", "[private]") else 2


def _held(finding: Finding) -> Iterator[str]:
    """What of a process or a report holds it, where a dump tells."""
    address = finding.address or {}
    holder = address.get("owner") or address.get("section") or address.get("mapping")
    if isinstance(holder, str):
        yield f"in {holder}"
    elif address.get("reachable") is False:
        yield "in garbage: nothing refers to it any more"
    for name in ("part", "virtual", "physical"):
        if name in address:
            yield str(address[name])


def identity(finding: Finding) -> str:
    """Whose it is, as far as that is told; empty if it is not."""
    token = finding.token
    subject = None if token.subject == token.client_id else token.subject
    named = (("client", token.client_id), ("subject", subject), ("issuer", token.issuer))
    return ", ".join(f"{name} {value}" for name, value in named if value)


def reach(finding: Finding) -> str:
    """What it opens, as far as it says; empty if it does not."""
    token = finding.token
    audience = f"for {', '.join(token.audience)}" if token.audience else ""
    scope = f"scope {' '.join(token.scope)}" if token.scope else ""
    return ", ".join(filter(None, (audience, scope)))


class Processes(Struct):
    """Whose memory the dumps of a run are."""

    told: dict[str, None] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Takes what a finding says of its process."""
        address = finding.address
        if address and ("process" in address or "command" in address) and len(self.told) < PROCESSES:
            path = finding.stream.shown
            named = " ".join(filter(None, (str(address.get("process") or ""), _numbered(address.get("pid")))))
            command = f": {address['command']}" if address.get("command") else ""
            self.told[f"{path} is the memory of {named}{command}"] = None


def _numbered(pid: object) -> str:
    return f"(pid {pid})" if pid is not None else ""


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


def totals(summary: Summary, secrets: int | None = None) -> str:
    """The last line: how much of what, in how much, and how long it took. `secrets`: how many different ones."""
    states = ", ".join(f"{summary.by_state[s.value]} {s.value}" for s in ORDER if s.value in summary.by_state)
    found = sum(summary.by_kind.values())
    of = "" if secrets is None else f" of {counted(secrets, 'secret')}"
    head = f"{counted(found, 'finding')}{of}: {states}" if found else "nothing found"
    tail = f"; {summary.skipped} not scanned" if summary.skipped else ""
    stop = " (interrupted: not all was read)" if summary.interrupted else ""
    size = f"{counted(summary.sources, 'source')}, {summary.bytes / 1e6:,.1f} MB, {summary.seconds:.1f} s"
    return f"{head}{tail} in {size}{stop}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
