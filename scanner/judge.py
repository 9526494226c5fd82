"""Is it still live? Evidence is weighed, never guessed; no network, and no clock of its own.

Each clock that speaks gives an interval in which the credential ends. The strongest comes first: the token's own
claims, an expiry beside it, a duration beside it from its time of issue, the longest its kind lives from the record's
time. A weaker one may narrow what a stronger one leaves open, and never contradicts it. What the interval does not
settle is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from detectors.detector import Flaw, Kind, Match, Rank, Secret
from scanner.context import Context
from scanner.model import Assessment, Evidence, Finding, State
from scanner.record_time import Stamp
from scanner.weaknesses import weaknesses

if TYPE_CHECKING:  # they take 0.1 s to import, for the few scans that name keys or ask
    from scanner.evidence.introspection import IntrospectionEvidence
    from scanner.evidence.signature import Signatures

CODE_LIFETIME = 600.0  # seconds: "a maximum authorization code lifetime of 10 minutes is RECOMMENDED", RFC 6749 4.1.2
_FIRST, _LAST = -62135596800, 253402300799  # Unix seconds of the first and last moment datetime can hold


class Policy(Struct, frozen=True):
    """What verdicts are given by. In seconds: the clock skew granted, the longest an access token should live.
    `signatures` checks tokens against the keys the user named.
    """

    as_of: datetime
    leeway: float = 0.0
    max_lifetime: float = 3600.0
    signatures: Signatures | None = None


def assess(match: Match, context: Context, policy: Policy) -> Assessment:
    """The verdict on a match as of the policy's instant."""
    weak = weaknesses(match, policy.max_lifetime, context.lifetime.seconds)
    if match.flaw is not None:
        return Assessment(State.UNUSABLE, match.flaw.value, policy.as_of, _FLAWS[match.flaw], weaknesses=weak)
    begins = moment(match.facts.not_before)
    claimed = _claimed(match)
    evidence = (claimed,) if claimed else tuple(_evidence(match, context))
    end = claimed or _combined(evidence)
    state, basis, reason = _by(end, begins, policy) if end else _without_date(match, context, begins, policy)
    until = end.latest if end and (state is not State.UNKNOWN or end.latest == end.earliest) else None
    when_logged = _live_when_logged(begins, end, context, policy)
    verdict = Assessment(state, basis, policy.as_of, reason, until, when_logged, weak, evidence)
    return _signed(verdict, match, policy.signatures) if policy.signatures and match.family == "jwt" else verdict


def _signed(verdict: Assessment, match: Match, signatures: Signatures) -> Assessment:
    """With what the keys at hand say: a forged token is of no use whatever its claims say."""
    said = signatures.of(match.secret)
    one = Evidence(GENUINE if said.genuine else UNPROVEN, said.reason)
    verdict = replace(verdict, evidence=(one, *verdict.evidence))
    if (match.facts.algorithm or "").startswith("HS") and match.facts.issuer in signatures.issuers:
        verdict = replace(verdict, weaknesses=tuple(sorted({*verdict.weaknesses, "hmac_despite_public_keys"})))
    if said.unusable:
        reason = f"no server that uses the given keys accepts it: {said.reason}"
        return replace(verdict, state=State.UNUSABLE, basis=GENUINE, reason=reason, live_when_logged=False)
    return _with_signature(verdict)


GENUINE, UNPROVEN = "signature", "signature_unproven"
# What a verdict may rest on. Several clocks that narrow each other are joined by ", "; a signature that was checked
# stands before the rest as "signature+".
BASES = frozenset({
    "claims", "encrypted", "static", "none", "issued_at", "truncated", "damaged", "expires_at", "expires_in",
    "expires_in+issued_at", "expires_in+date", "expires_in+iat_beside", "expires_in+record_time",
    "vendor_max_lifetime+record_time", "code_lifetime+record_time", "default_lifetime+issued_at",
    "default_lifetime+record_time", GENUINE, "introspection", "signing_key",
})  # fmt: skip


def _with_signature(verdict: Assessment) -> Assessment:
    """The verdict by other evidence, with what its chain says of the signature."""
    said = next((one for one in verdict.evidence if one.name in (GENUINE, UNPROVEN)), None)
    if said is None:
        return verdict
    basis = f"{GENUINE}+{verdict.basis}" if said.name == GENUINE else verdict.basis
    return replace(verdict, basis=basis, reason=f"{verdict.reason}; {said.says}")


def with_issuers_word(verdict: Assessment, word: IntrospectionEvidence) -> Assessment:
    """A verdict and what the issuer says of the token, which outweighs all other evidence of the same instant."""
    evidence = (Evidence("introspection", word.reason), *verdict.evidence)
    state = word.state_at(verdict.as_of)
    if verdict.state in (State.UNUSABLE, State.EXPIRED, State.NOT_YET_VALID) and state is not State.LIVE:
        state = None  # inactive, as was to be expected
    if state is None:
        return replace(verdict, reason=f"{verdict.reason}; {word.reason}", evidence=evidence)
    asked = f" (asked {_said(word.asked_at)})" if word.asked_at else ""
    until = word.expires_at or (None if state is State.REVOKED else verdict.expires_at)
    reason = f"{word.reason}{asked}" + (f"; {verdict.reason}" if verdict.basis != "none" else "")
    return replace(verdict, state=state, basis="introspection", reason=reason, expires_at=until, evidence=evidence)


def rejudged(finding: Finding, policy: Policy) -> Assessment:
    """The verdict on an earlier finding as of another instant: what was evidence then still is."""
    old = replace(finding.verdict, as_of=policy.as_of)
    if old.state in (State.UNUSABLE, State.REVOKED):
        return old
    begins, end = moment(finding.token.not_before), _combined(old.evidence)
    if end:
        state, basis, reason = _by(end, begins, policy)
        until = end.latest if state is not State.UNKNOWN or end.latest == end.earliest else None
        return _with_signature(replace(old, state=state, basis=basis, reason=reason, expires_at=until))
    if old.state is not State.NOT_YET_VALID and not (begins and _ahead(begins, policy)):
        return old
    bare = Match(0, 0, finding.kind, Secret(b""), Rank.STRUCTURE, facts=finding.token, family=finding.family)
    state, basis, reason = _without_date(bare, Context(), begins, policy)
    return _with_signature(replace(old, state=state, basis=basis, reason=reason))


_FLAWS = {
    Flaw.TRUNCATED: "cut off before its end: it can't be used as it stands here",
    Flaw.DAMAGED: "its beginning was overwritten: it can't be used as it stands here",
    Flaw.FRAGMENT: "only its beginning stands here",
}
_STATIC = frozenset({Kind.CLIENT_SECRET, Kind.BASIC_CREDENTIALS, Kind.PRIVATE_KEY})


def _evidence(match: Match, context: Context) -> Iterator[Evidence]:
    """All clocks that speak where it does not state its end itself, the strongest first."""
    if match.family == "jwt" and match.facts.token_type != "JWE" and "claims_unreadable" not in match.facts.problems:
        return  # it says of itself that it has no end; what stands beside it may be another's
    lifetime, issued, logged = context.lifetime, context.issued, context.logged
    if lifetime.ends and (match.kind is Kind.CLIENT_SECRET or not _is_static(match)):
        yield _until(lifetime.ends, "expires_at", f"{lifetime.field} beside it says so")
    if _is_static(match):
        return  # what stands beside it is the end of the tokens got with it
    if lifetime.seconds is not None:
        issued = _own_issue(match) or issued
        by = "issued_at" if _own_issue(match) else context.issued_by
        if issued and (end := _later(issued, lifetime.seconds)):
            if lifetime.least is not None and (least := _later(issued, lifetime.least)):
                end = replace(end, earliest=least.earliest, assumed=("assumed_unit",))
            told = f"{_ISSUED[by]} {_said(issued.moment)}, {lifetime.field} beside it says {lifetime.seconds:.0f} s"
            one = _until(end, f"expires_in+{by}", told)
            yield replace(one, since=issued.earliest, counted=by == "record_time")
    if logged and match.max_lifetime is not None:
        told = f"logged {_said(logged.moment)}; its kind lives at most {match.max_lifetime:.0f} s"
        yield from _at_most(logged, match.max_lifetime, "vendor_max_lifetime+record_time", told)
    if by_default := _by_default(match, context):
        yield by_default
    if logged and match.kind is Kind.AUTH_CODE and "device" not in (match.key or ""):  # RFC 8628: as `expires_in` says
        told = f"logged {_said(logged.moment)}; a code lives 10 minutes"
        yield from _at_most(logged, CODE_LIFETIME, "code_lifetime+record_time", told)


_ISSUED = {"issued_at": "issued", "date": "answered", "iat_beside": "issued with another", "record_time": "logged"}


def _by_default(match: Match, context: Context) -> Evidence | None:
    """What a documented default tells: no interval, since its server may be told otherwise."""
    issued, logged = _own_issue(match), context.logged
    since = issued or logged
    if match.usual is None or since is None or (end := _later(since, match.usual.seconds)) is None:
        return None
    told, by = ("issued", "issued_at") if issued else ("logged", "record_time")
    says = (
        f"{told} {_said(since.moment)}; {match.usual.whose}, until {_said(end.latest)}, and its server's may be another"
    )
    return Evidence(f"default_lifetime+{by}", says)


def _is_static(match: Match) -> bool:
    return match.static or match.kind in _STATIC


def _claimed(match: Match) -> Evidence | None:
    """The end a token states of itself. In milliseconds, a server that reads seconds takes it for ages away."""
    until = moment(match.facts.expires_at)
    if until is None or "exp_duplicate" in match.facts.problems:
        return None
    if "exp_in_milliseconds" in match.facts.problems:
        says = f"its own expiry is in milliseconds ({_said(until)}); a server that reads seconds lets it live for ages"
        return Evidence("claims", says, until, moment(float(_LAST)))
    if "temporary_credentials" in match.facts.problems:
        made = moment(match.facts.issued_at) or until
        return Evidence(
            "claims", "its own expiry; the temporary credentials that signed it may end before", made, until
        )
    return Evidence("claims", "its own expiry says so", until, until)


def _own_issue(match: Match) -> Stamp | None:
    issued = moment(match.facts.issued_at)
    return Stamp(issued, issued, issued) if issued else None


def _until(stamp: Stamp, name: str, says: str) -> Evidence:
    return Evidence(name, says + _open(stamp), stamp.earliest, stamp.latest)


def _at_most(logged: Stamp, seconds: float, name: str, says: str) -> Iterator[Evidence]:
    """It was in use when it was logged, and ends some time from then on."""
    end = _later(logged, seconds)
    if end:
        yield Evidence(name, says + _open(logged), logged.earliest, end.latest, since=logged.earliest)


def _later(stamp: Stamp, seconds: float) -> Stamp | None:
    by = timedelta(seconds=seconds)
    try:
        return replace(stamp, moment=stamp.moment + by, earliest=stamp.earliest + by, latest=stamp.latest + by)
    except OverflowError:
        return None


def _open(stamp: Stamp) -> str:
    """In words, what a time leaves open."""
    if stamp.earliest == stamp.latest:
        return ""
    if "older_times" in stamp.assumed:
        return " (older times stand in the record: the answer may be an old one)"
    missing = [_MISSING[word] for word in stamp.assumed if word in _MISSING]
    return f" ({', '.join(missing) or 'nothing tells when exactly'})"


_MISSING = {
    "assumed_unit": "it may be in milliseconds",
    "assumed_order": "the order of day and month is open",
    "assumed_year": "the year is not written there",
    "assumed_day": "the day is not written there",
    "assumed_zone": "the zone is not written there",
    "assumed_time": "the time of day is not written there",
}


def _combined(evidence: tuple[Evidence, ...]) -> Evidence | None:
    """What all say together: each weaker one narrows the interval, unless it contradicts."""
    end: Evidence | None = None
    for one in evidence:
        if one.earliest is None or one.latest is None:
            continue
        if end is None or end.earliest is None or end.latest is None:
            end = one
            continue
        earliest, latest = max(end.earliest, one.earliest), min(end.latest, one.latest)
        if earliest > latest or (earliest, latest) == (end.earliest, end.latest):
            continue
        name, says = f"{end.name}, {one.name}", f"{end.says}; {one.says}"
        end = Evidence(name, says, earliest, latest, end.since, end.counted and one.counted)
    return end


def _by(end: Evidence, begins: datetime | None, policy: Policy) -> tuple[State, str, str]:
    assert end.earliest is not None
    assert end.latest is not None
    leeway = timedelta(seconds=policy.leeway)
    if begins is not None and _ahead(begins, policy):
        reason = f"valid from {_said(begins)} to {_said(end.latest)}: its own claims say so"
        return State.NOT_YET_VALID, end.name, reason
    if policy.as_of - leeway >= end.latest:
        return State.EXPIRED, end.name, f"ended {_bound(end, end.latest, 'latest')}: {end.says}"
    if end.since and policy.as_of + leeway < end.since:
        return State.UNKNOWN, end.name, f"seen only later, and valid until {_said(end.latest)} at most: {end.says}"
    if policy.as_of < end.earliest:
        return State.LIVE, end.name, f"valid until {_bound(end, end.earliest, 'least')}: {end.says}"
    if end.earliest == end.latest:
        return State.LIVE, end.name, f"ended {_said(end.latest)}, within the leeway: {end.says}"
    return State.UNKNOWN, end.name, f"may be valid until {_said(end.latest)}: {end.says}"


def _ahead(begins: datetime, policy: Policy) -> bool:
    return begins > policy.as_of and (begins - policy.as_of).total_seconds() > policy.leeway


def _bound(end: Evidence, bound: datetime, word: str) -> str:
    return _said(bound) if end.earliest == end.latest else f"{_said(bound)} at the {word}"


def _without_date(match: Match, context: Context, begins: datetime | None, policy: Policy) -> tuple[State, str, str]:
    facts = match.facts
    if begins is not None and _ahead(begins, policy):
        return State.NOT_YET_VALID, "claims", f"valid from {_said(begins)}, without an end: its own claims say so"
    if facts.token_type == "JWE":
        return State.UNKNOWN, "encrypted", "could not be judged because it is encrypted: its claims need the key"
    if match.family == "jwt":
        problem = next((words for name, words in _PROBLEMS.items() if name in facts.problems), None)
        if problem:
            return State.UNKNOWN, "claims", f"could not be judged because {problem}"
        return State.NO_EXPIRY, "claims", "carries no expiry: valid until its key is rotated or it is revoked"
    if _is_static(match):
        return State.NO_EXPIRY, "static", "static: valid until it is rotated or revoked"
    issued = moment(facts.issued_at)
    if by_default := _by_default(match, context):
        return State.UNKNOWN, by_default.name, by_default.says
    if issued:
        return State.UNKNOWN, "issued_at", f"issued {_said(issued)}: how long it lives is its server's setting"
    if context.lifetime.seconds is not None:
        told = f"{context.lifetime.field} beside it says {context.lifetime.seconds:.0f} s"
        return State.UNKNOWN, "expires_in", f"{told}, but nothing here tells when it was issued"
    return State.UNKNOWN, "none", "nothing here tells how long it is valid"


_PROBLEMS = {
    "claims_unreadable": "its payload is no claims set that can be read",
    "exp_duplicate": "it states its expiry twice and not alike",
    "exp_not_a_number": "its expiry is no number",
}


def _live_when_logged(begins: datetime | None, end: Evidence | None, context: Context, policy: Policy) -> bool | None:
    """Whether it could be used when the record was written; None where the intervals leave that open."""
    logged = context.logged
    if logged is None or end is None or end.earliest is None or end.latest is None:
        return None
    leeway = timedelta(seconds=policy.leeway)
    if begins is not None and begins > logged.latest + leeway:
        return False
    if end.latest <= logged.earliest - leeway:
        return False
    started = begins is None or begins <= logged.earliest + leeway
    return True if started and (end.counted or end.earliest > logged.latest) else None


def moment(seconds: float | None) -> datetime | None:
    """A NumericDate as a datetime; the nearest one where no calendar holds it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)


def _said(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(" ", "seconds")[:19] + " UTC"
