"""Whose credentials leaked: findings rolled up by the identity they belong to (issuer, and client id or subject).

A client id is a token's `azp`, `client_id`, `appid` or `cid`, the subject of a client-credentials token, what stands
beside a client secret, or the user of Basic credentials. What names no issuer belongs to the one issuer its client id
is known of, if there is exactly one. A token that names no client is its subject's: a service account's of a cluster or
a cloud, or a person's.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from detectors.detector import Kind
from scanner.inventory import Entry, Inventory
from scanner.model import USABLE_OR_UNKNOWN, Finding, Identity, State

MOST = 10_000  # identities told apart; findings of further ones are counted
MOST_SUBJECTS = 2_000  # of those the ones that are subjects: a log of a site's users must not crowd out its clients
MOST_SECRETS = 1_000  # fingerprints remembered of each identity
MOST_FILES = 100  # paths, and hosts, remembered of each identity
_STANDING = frozenset({Kind.CLIENT_SECRET, Kind.BASIC_CREDENTIALS, Kind.PRIVATE_KEY, Kind.API_KEY})
_MACHINE = (
    "@clients"  # Auth0 writes a machine's subject as CLIENT_ID@clients (auth0.com/docs/secure/tokens/access-tokens)
)


class _Known(Struct):
    """What has been seen of one identity so far. Sets of fingerprints, but for `files`, `hosts` and `weaknesses`."""

    client_id: str | None
    subject: str | None
    issuer: str | None
    secrets: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    usable: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    weaknesses: set[str] = field(default_factory=set)
    findings: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    live_until: datetime | None = None

    def add(self, finding: Finding) -> None:
        self.findings += 1
        mark, verdict = finding.fingerprint, finding.verdict
        kept = self.secrets if finding.kind in _STANDING else self.tokens
        if len(kept) < MOST_SECRETS:
            kept.add(mark)
        if verdict.state in USABLE_OR_UNKNOWN and len(self.usable) < MOST_SECRETS:
            self.usable.add(mark)
        if len(self.files) < MOST_FILES:
            self.files.add(finding.stream.path)
        if finding.host and len(self.hosts) < MOST_FILES:
            self.hosts.add(finding.host)
        if finding.logged_at:
            self.first_seen = min(self.first_seen or finding.logged_at, finding.logged_at)
            self.last_seen = max(self.last_seen or finding.logged_at, finding.logged_at)
        if verdict.state is State.LIVE and verdict.expires_at:
            self.live_until = max(self.live_until or verdict.expires_at, verdict.expires_at)

    def merge(self, other: _Known) -> None:
        """Takes over what is known of another that turned out to be the same."""
        self.findings += other.findings
        for name in ("secrets", "tokens", "usable", "files", "hosts", "weaknesses"):
            getattr(self, name).update(getattr(other, name))
        for name, pick in (("first_seen", min), ("last_seen", max), ("live_until", max)):
            known = [moment for moment in (getattr(self, name), getattr(other, name)) if moment]
            setattr(self, name, pick(known, default=None))

    def told(self, entry: Entry | None, registered: bool | None) -> Identity:
        known = entry or Entry("")
        return Identity(
            client_id=self.client_id,
            subject=self.subject,
            issuer=self.issuer,
            secrets=len(self.secrets),
            tokens=len(self.tokens),
            usable=len(self.usable),
            findings=self.findings,
            files=tuple(sorted(self.files)),
            hosts=tuple(sorted(self.hosts)),
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            live_until=self.live_until,
            weaknesses=tuple(sorted(self.weaknesses)),
            registered=registered,
            owner=known.owner,
            team=known.team,
            environment=known.environment,
            token_endpoint=known.token_endpoint,
            rotation_due=known.due(),
            revoke=known.revoke,
        )


_Key = tuple[str | None, str | None, str | None]  # client id, or else subject; issuer


class Roll:
    """Takes findings one by one; memory is bounded by the number of identities."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        self._inventory = inventory
        self._known: dict[_Key, _Known] = {}
        self._subjects = 0  # of those known
        self._owners: dict[str, set[str]] = {}  # client ids by the fingerprint of a client secret
        self.more = 0  # findings of identities there was no room for

    def add(self, finding: Finding) -> None:
        client_id = client_of(finding)
        subject = finding.token.subject if client_id is None else None
        if not client_id and not subject:
            return
        key = (client_id, subject, finding.token.issuer)
        if key not in self._known:
            if len(self._known) >= MOST or (subject and self._subjects >= MOST_SUBJECTS):
                self.more += 1
                return
            self._known[key] = _Known(*key)
            self._subjects += subject is not None
        self._known[key].add(finding)
        if client_id and finding.kind is Kind.CLIENT_SECRET:
            owners = self._owners.setdefault(finding.fingerprint, set())
            if len(owners) < MOST_FILES:
                owners.add(client_id)

    def identities(self, as_of: datetime) -> tuple[Identity, ...]:
        """All of them, those with most to be done first. Call it once, when all findings were added."""
        shared = {mark for mark, owners in self._owners.items() if len(owners) > 1}
        told = []
        for one in self._joined():
            if one.secrets & shared:
                one.weaknesses.add("shared_secret")
            if sum(mark in self._owners for mark in one.secrets) > 1:
                one.weaknesses.add("several_secrets")
            told.append(self._told(one, as_of))
        return tuple(sorted(told, key=_urgency))

    def _told(self, one: _Known, as_of: datetime) -> Identity:
        if self._inventory is None:
            return one.told(None, None)
        entry = self._inventory.entry(one.client_id or one.subject or "", one.issuer)
        if entry is None and one.client_id is None:
            return one.told(None, None)  # it may be a person's, and an inventory is of machines
        if entry is None:
            one.weaknesses.add("not_registered")
        elif (due := entry.due()) and as_of.astimezone(UTC).date() > due:
            one.weaknesses.add("rotation_overdue")
        return one.told(entry, entry is not None)

    def _joined(self) -> list[_Known]:
        issuers: dict[str, list[str]] = {}  # by client id
        for client_id, _, issuer in self._known:
            if client_id is not None and issuer is not None:
                issuers.setdefault(client_id, []).append(issuer)
        found = {key: one for key, one in self._known.items() if key[2] is not None}
        for key, one in self._known.items():
            client_id, _, issuer = key
            if issuer is not None:
                continue
            if client_id is not None and len(issuers.get(client_id, ())) == 1:
                found[client_id, None, issuers[client_id][0]].merge(one)
            else:
                found[key] = one
        return list(found.values())


def client_of(finding: Finding) -> str | None:
    """The client id a finding names, None where it names none."""
    token = finding.token
    if token.client_id:
        return token.client_id
    if token.subject and token.subject.endswith(_MACHINE):
        return token.subject.removesuffix(_MACHINE)
    return None


def _urgency(one: Identity) -> tuple[int, int, int, str, str]:
    return (-one.usable, -one.secrets, -one.tokens, one.client_id or one.subject or "", one.issuer or "")
