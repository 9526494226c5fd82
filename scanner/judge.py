"""Is it still live? Evidence is weighed, never guessed; no network, and no clock of its own.

Evidence, best first: the token's own claims, an expiry beside it, a lifetime beside it and the record's
time, the longest lifetime its vendor documents and the record's time, that it is static by nature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from detectors.detector import Flaw, Kind, Match
from scanner.model import Assessment, Context, State
from scanner.weaknesses import weaknesses

CODE_LIFETIME = 600.0  # seconds: "a maximum authorization code lifetime of 10 minutes is RECOMMENDED", RFC 6749 4.1.2
_FIRST, _LAST = -62135596800, 253402300799  # Unix seconds of the first and last moment datetime can hold


@dataclass(frozen=True, slots=True)
class Policy:
    """What verdicts are given by. In seconds: the clock skew granted, the longest an access token should live."""

    as_of: datetime
    leeway: float = 0.0
    max_lifetime: float = 3600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that tells when a credential ends. `latest`: it ends then at the latest, maybe earlier."""

    basis: str
    until: datetime
    source: str  # in words, for the reason
    latest: bool = False


def assess(match: Match, context: Context, policy: Policy) -> Assessment:
    """The verdict on a match as of the policy's instant."""
    weak = weaknesses(match, policy.max_lifetime)
    if match.flaw is not None:
        return Assessment(State.UNUSABLE, match.flaw.value, policy.as_of, _FLAWS[match.flaw], weaknesses=weak)
    begins = moment(match.facts.not_before)
    evidence = next(_evidence(match, context), None)
    when_logged = _live_when_logged(begins, evidence, context, policy)
    if evidence is not None:
        state, reason = _by(evidence, begins, policy)
        until = None if evidence.latest and state is State.UNKNOWN else evidence.until
        return Assessment(state, evidence.basis, policy.as_of, reason, until, when_logged, weak)
    state, basis, reason = _without_date(match, begins, policy)
    return Assessment(state, basis, policy.as_of, reason, None, when_logged, weak)


_FLAWS = {
    Flaw.TRUNCATED: "cut off before its end: it can't be used as it stands here",
    Flaw.DAMAGED: "its beginning was overwritten: it can't be used as it stands here",
    Flaw.FRAGMENT: "only its beginning stands here",
}


def _evidence(match: Match, context: Context) -> Iterator[Evidence]:
    if until := moment(match.facts.expires_at):
        yield Evidence("claims", until, "its own expiry says so")
        return
    if match.family == "jwt" and match.facts.token_type != "JWE":
        return  # it says of itself that it has no end; what stands beside it may be another's
    if match.static or match.kind in _STATIC:
        return  # what stands beside it is the end of the tokens got with it
    if context.expires_at is not None:
        yield Evidence("expires_at", context.expires_at, "the expiry beside it says so")
    logged = context.logged_at
    if logged is None:
        return
    if context.expires_in is not None and (until := _plus(logged, context.expires_in)):
        told = f"logged {_said(logged)} with {context.expires_in:.0f} s to live"
        yield Evidence("expires_in+record_time", until, told)
    if match.max_lifetime is not None and (until := _plus(logged, match.max_lifetime)):
        told = f"logged {_said(logged)}; its kind lives at most {match.max_lifetime:.0f} s"
        yield Evidence("vendor_max_lifetime+record_time", until, told, latest=True)
    if match.kind is Kind.AUTH_CODE and (until := _plus(logged, CODE_LIFETIME)):
        told = f"logged {_said(logged)}; a code lives 10 minutes"
        yield Evidence("code_lifetime+record_time", until, told, latest=True)


_STATIC = frozenset({Kind.CLIENT_SECRET, Kind.BASIC_CREDENTIALS, Kind.PRIVATE_KEY})


def _by(evidence: Evidence, begins: datetime | None, policy: Policy) -> tuple[State, str]:
    leeway = timedelta(seconds=policy.leeway)
    if begins is not None and begins - leeway > policy.as_of:
        return State.NOT_YET_VALID, f"valid from {_said(begins)} to {_said(evidence.until)}: its own claims say so"
    if policy.as_of >= evidence.until + leeway:
        return State.EXPIRED, f"ended {_said(evidence.until)}: {evidence.source}"
    if evidence.latest:
        return State.UNKNOWN, f"may be valid until {_said(evidence.until)}: {evidence.source}"
    return State.LIVE, f"valid until {_said(evidence.until)}: {evidence.source}"


def _without_date(match: Match, begins: datetime | None, policy: Policy) -> tuple[State, str, str]:
    if begins is not None and begins - timedelta(seconds=policy.leeway) > policy.as_of:
        return State.NOT_YET_VALID, "claims", f"valid from {_said(begins)}, without an end: its own claims say so"
    if match.facts.token_type == "JWE":
        return State.UNKNOWN, "encrypted", "encrypted: its claims can't be read without the key"
    if match.family == "jwt":
        problem = next((p for p in match.facts.problems if p.startswith(("exp", "claims"))), None)
        if problem:
            return State.UNKNOWN, "claims", f"its expiry can't be read ({problem})"
        return State.NO_EXPIRY, "claims", "carries no expiry: valid until its key is rotated or it is revoked"
    if match.static or match.kind in _STATIC:
        return State.NO_EXPIRY, "static", "static: valid until it is rotated or revoked"
    return State.UNKNOWN, "none", "nothing here tells how long it is valid"


def _live_when_logged(
    begins: datetime | None, evidence: Evidence | None, context: Context, policy: Policy
) -> bool | None:
    if context.logged_at is None or evidence is None or evidence.latest:
        return None
    leeway = timedelta(seconds=policy.leeway)
    return (begins is None or begins - leeway <= context.logged_at) and context.logged_at < evidence.until + leeway


def moment(seconds: float | None) -> datetime | None:
    """A NumericDate as a datetime; the nearest one where no calendar holds it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)


def _plus(logged: datetime, seconds: float) -> datetime | None:
    try:
        return logged + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _said(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
