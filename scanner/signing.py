"""Keys among the findings: secrets found in a run are tried on the tokens found in it, and so are those everyone knows.

A secret that made a token's signature is worse than any token: who holds it makes tokens of their own. So each such key
is a finding of its own, after all others. Nothing is imported or computed for it where no token was found to try it on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.detector import Confidence, Kind, Match, Secret
from scanner.evidence.key_set import KeySet
from scanner.fingerprint import finding_id
from scanner.hygiene import repr_without
from scanner.model import Finding, Skipped, State
from scanner.values import Group, Role, Trial, Value

if TYPE_CHECKING:
    from scanner.evidence.jwks import Jwks
    from scanner.evidence.keyring import Keyring

DETECTOR = "signing-key"
MOST_TOKENS = 16  # tokens with one header, issuer and quarter of issue: one key signed them, or a few that were rotated
QUARTER = 91 * 86400  # seconds: keys are rotated, and those of a header without a `kid` unseen
MOST_GROUPS = 500  # different headers, issuers and quarters, each with up to so many tokens
MOST_CERTIFICATES = 2_000  # distinct ones a run; a system's bundle of authorities has 150
MOST_SECRETS = 20_000  # distinct ones a run
MOST_RELATED = 100  # fingerprints of tokens a finding names
_LATEST = 1 << 40  # seconds: a time of issue beyond is none
_SECRETS = frozenset({Kind.CLIENT_SECRET, Kind.API_KEY, Kind.BASIC_CREDENTIALS})


class Trials:
    """Chooses what is to be tried, of one unit's values or, since it takes the first ones, of those of all units."""

    def __init__(self, give: Callable[[Trial], None]) -> None:
        self._give = give
        self._known: set[str] = set()
        self._groups: Counter[Group] = Counter()
        self._secrets = self._certificates = 0
        self.left_out: set[str] = set()

    def take(self, value: Value) -> None:
        """A finding's value, as `Keep`."""
        match, mark = value.match, value.finding.fingerprint
        if match.flaw is not None or mark in self._known:
            return
        if match.family == "jwt":
            if match.facts.algorithm not in (None, "none") and match.facts.token_type != "JWE":
                header = match.secret.reveal().partition(b".")[0]
                group = header, match.facts.issuer, _quarter(match.facts.issued_at)
                self.offer(Trial(mark, Role.TOKEN, match.secret, group))
        elif match.kind is Kind.PRIVATE_KEY:
            self.offer(Trial(mark, Role.PRIVATE_KEY, match.secret))
        elif match.kind in _SECRETS:
            self.offer(Trial(mark, Role.SECRET, _password(match)))

    def compare(self, match: Match) -> None:
        """A certificate, which is no finding."""
        mark = hashlib.sha256(match.secret.reveal()).hexdigest()  # it is public: a bare hash gives nothing away
        self.offer(Trial(f"certificate {mark}", Role.CERTIFICATE, match.secret))

    def pass_over(self, finding: Finding) -> None:
        """A finding of an earlier run, whose value is not there any more."""
        if finding.family == "jwt" or finding.kind is Kind.PRIVATE_KEY or finding.kind in _SECRETS:
            self.left_out.add("values of sources that did not change since they were read")

    def offer(self, trial: Trial) -> None:
        """Gives it on unless it was given already or there are enough like it."""
        if trial.fingerprint in self._known or not self._has_room(trial):
            return
        self._known.add(trial.fingerprint)
        self._give(trial)

    def _has_room(self, trial: Trial) -> bool:
        if trial.role is Role.CERTIFICATE:
            self._certificates += 1
            if self._certificates > MOST_CERTIFICATES:
                self.left_out.add(f"more than {MOST_CERTIFICATES:,} certificates")
            return self._certificates <= MOST_CERTIFICATES
        if trial.role is not Role.TOKEN:
            self._secrets += 1
            if self._secrets > MOST_SECRETS:
                self.left_out.add(f"more than {MOST_SECRETS:,} secrets")
            return self._secrets <= MOST_SECRETS
        group = trial.group
        if group not in self._groups and len(self._groups) >= MOST_GROUPS:
            self.left_out.add(f"tokens of more than {MOST_GROUPS} issuers")
            return False
        self._groups[group] += 1
        return self._groups[group] <= MOST_TOKENS


class SigningKeys(Struct):
    """Takes the trials and the findings of a run, and makes findings of the keys among them."""

    weak: tuple[bytes, ...] = ()
    key_sets: tuple[KeySet, ...] = ()
    left_out: list[str] = field(default_factory=list)  # complete when the findings were given
    _trials: list[Trial] = field(default_factory=list)
    _first: dict[str, Finding | None] = field(default_factory=dict)  # of each trial's fingerprint

    def __repr__(self) -> str:
        return repr_without(self, "weak")

    def trial(self) -> Trials:
        """Where the trials of all units come together."""
        return Trials(self._taken)

    def _taken(self, trial: Trial) -> None:
        self._trials.append(trial)
        self._first[trial.fingerprint] = None

    def watched(self, events: Iterable[Finding | Skipped], trials: Trials) -> Iterator[Finding | Skipped]:
        """The events of the run, each trial taken before its finding; then the keys."""
        for event in events:
            if isinstance(event, Finding) and self._first.get(event.fingerprint, event) is None:
                self._first[event.fingerprint] = event
            yield event
        yield from self.findings(trials.left_out)

    def findings(self, left_out: Iterable[str] = ()) -> Iterator[Finding]:
        """The keys, in the order in which they were found; then the tokens that a notorious secret signed."""
        roles = {trial.role for trial in self._trials}
        if roles:
            self.left_out += sorted(left_out)
        public = bool(self.key_sets) or Role.CERTIFICATE in roles
        if Role.TOKEN not in roles and not (Role.PRIVATE_KEY in roles and public):
            return
        keyring = self._keyring()
        signed: dict[str, list[str]] = {}
        weak: dict[str, None] = {}
        public_in: dict[str, list[str]] = {}
        for hit in keyring.hits():
            if hit.relation.value in _PUBLIC_IN:
                public_in.setdefault(hit.secret_fingerprint, []).append(_PUBLIC_IN[hit.relation.value] + hit.named)
                signed.setdefault(hit.secret_fingerprint, [])
            elif hit.secret_fingerprint == "weak-list" and hit.token_fingerprint:
                weak[hit.token_fingerprint] = None
            elif hit.token_fingerprint:
                signed.setdefault(hit.secret_fingerprint, []).append(hit.token_fingerprint)
        self.left_out += [text for text in sorted(keyring.left_out) if text not in self.left_out]
        for trial in self._trials:
            first = self._first[trial.fingerprint]
            if first is not None and trial.fingerprint in signed:
                yield _key(first, signed[trial.fingerprint], public_in.get(trial.fingerprint, []))
        for mark in weak:
            token = self._first[mark]
            if token is not None:
                yield _weak(token)

    def _keyring(self) -> Keyring:
        from scanner.evidence.keyring import Keyring

        keyring = Keyring(self.weak, self._jwks() if self.key_sets else ())
        for trial in self._trials:
            value = trial.secret.reveal()
            if trial.role is Role.TOKEN:
                keyring.add_token(trial.fingerprint, value)
            elif trial.role is Role.CERTIFICATE:
                keyring.add_certificate(value)
            elif trial.role is Role.PRIVATE_KEY:
                keyring.add_private_key(trial.fingerprint, value)
            else:
                keyring.add_secret(trial.fingerprint, value)
        return keyring

    def _jwks(self) -> list[Jwks]:
        from scanner.evidence.jwks import Jwks

        return [Jwks.of(keys) for keys in self.key_sets]


def _quarter(issued_at: float | None) -> int:
    return int(issued_at // QUARTER) if issued_at is not None and 0 < issued_at < _LATEST else 0


def _password(match: Match) -> Secret:
    """The value; of a user's name and password (RFC 7617 section 2) the password."""
    name, colon, password = match.secret.reveal().partition(b":")
    return Secret(password) if match.kind is Kind.BASIC_CREDENTIALS and name and colon else match.secret


_PUBLIC_IN = {"in_key_set": "a key set you named", "in_certificate": "a certificate found in this scan"}


def _key(first: Finding, tokens: list[str], public_in: list[str]) -> Finding:
    """The finding that a secret is a signing key, at the first place of the secret."""
    count = len(tokens)
    signs = f"it signed {count} token{'s' * (count != 1)} tried of this scan" if tokens else ""
    listed = f"its public half is in {' and in '.join(dict.fromkeys(public_in))}" if public_in else ""
    reason = f"critical: {' and '.join(filter(None, (signs, listed)))}; {_CONSEQUENCE[bool(tokens), bool(public_in)]}"
    return _finding(first, "signs_found_token" if tokens else "known_key_pair", reason, tuple(tokens[:MOST_RELATED]))


_MAKES, _POSES = "who holds it makes tokens of their own", "who holds it can pass for its owner"
_CONSEQUENCE = {(True, True): _MAKES, (True, False): _MAKES, (False, True): _POSES}


def _weak(token: Finding) -> Finding:
    """The finding that everyone knows the key of a token, at the first place of the token."""
    reason = "critical: a notorious secret made this token's signature; anyone makes such tokens"
    return _finding(token, "weak_signing_key", reason, (token.fingerprint,))


def _finding(first: Finding, weakness: str, reason: str, related: tuple[str, ...]) -> Finding:
    """A key holds until it is rotated, whatever becomes of the tokens it made."""
    verdict = replace(
        first.verdict, state=State.NO_EXPIRY, basis="signing_key", reason=reason, expires_at=None,
        live_when_logged=None, weaknesses=tuple(sorted({*first.verdict.weaknesses, weakness})), evidence=(),
    )  # fmt: skip
    return replace(
        first,
        id=finding_id(first.stream, first.spans, f"{weakness} {first.fingerprint}"),
        detector=DETECTOR,
        verdict=verdict,
        confidence=Confidence.HIGH,
        related=related,
    )
