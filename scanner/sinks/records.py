"""Events as the contract's objects: what the jsonl and json sinks write, and others build on."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from scanner.model import Evidence, Finding, Identity, Skipped, StreamId, Summary
from scanner.timeline import MOST_LISTED, Timeline
from scanner.weaknesses import exposure

SCHEMA = "bearertrap/1"
Record = dict[str, object]


def of_finding(finding: Finding) -> Record:
    """A finding, every field of the contract present, null where unknown."""
    verdict, token = finding.verdict, finding.token
    return {
        "schema": SCHEMA,
        "type": "finding",
        "id": finding.id,
        "kind": finding.kind.value,
        "detector": finding.detector,
        "fingerprint": finding.fingerprint,
        "preview": finding.preview,
        "source": {**_source(finding.stream), "format": finding.format, "size": finding.source_size},
        "spans": [{"start": span.start, "end": span.end} for span in finding.spans],
        "encoding": list(finding.encoding),
        "line": finding.line,
        "column": finding.column,
        "address": finding.address,
        "logged_at": time(finding.logged_at),
        "logged_at_basis": finding.logged_at_basis,
        "host": finding.host,
        "verdict": {
            "state": verdict.state.value,
            "basis": verdict.basis,
            "as_of": time(verdict.as_of),
            "expires_at": time(verdict.expires_at),
            "live_when_logged": verdict.live_when_logged,
            "reason": verdict.reason,
            "evidence": [_evidence(one) for one in verdict.evidence],
        },
        "token": {
            "issuer": token.issuer,
            "subject": token.subject,
            "audience": list(token.audience) or None,
            "client_id": token.client_id,
            "scope": list(token.scope) or None,
            "key_id": token.key_id,
            "algorithm": token.algorithm,
            "issued_at": _seconds(token.issued_at),
            "not_before": _seconds(token.not_before),
            "expires_at": _seconds(token.expires_at),
        },
        "weaknesses": list(verdict.weaknesses),
        "cwe": list(exposure(finding.format)),
        "confidence": finding.confidence.value,
        "entropy": finding.entropy,
        "replacement": finding.replacement,
        "key": finding.key,
        "family": finding.family,
        "copy_of": finding.copy_of,
        "surroundings": finding.surroundings,
        "related": list(finding.related),
    }


def _evidence(one: Evidence) -> Record:
    return {"name": one.name, "says": one.says, "earliest": time(one.earliest), "latest": time(one.latest)}


def of_skipped(skipped: Skipped) -> Record:
    """A part of the input that was not scanned."""
    source = _source(skipped.stream)
    return {"schema": SCHEMA, "type": "skipped", "source": source, "at_byte": skipped.at_byte, "reason": skipped.reason}


def of_identity(one: Identity) -> Record:
    """An identity and what leaked of it."""
    return {
        "schema": SCHEMA,
        "type": "identity",
        "client_id": one.client_id,
        "subject": one.subject,
        "issuer": one.issuer,
        "secrets": one.secrets,
        "tokens": one.tokens,
        "usable": one.usable,
        "findings": one.findings,
        "files": list(one.files),
        "hosts": list(one.hosts),
        "first_seen": time(one.first_seen),
        "last_seen": time(one.last_seen),
        "live_until": time(one.live_until),
        "weaknesses": list(one.weaknesses),
        "registered": one.registered,
        "owner": one.owner,
        "team": one.team,
        "environment": one.environment,
        "token_endpoint": one.token_endpoint,
        "rotation_due": None if one.rotation_due is None else one.rotation_due.isoformat(),
        "revoke": one.revoke,
    }


def of_timeline(timeline: Timeline) -> Record:
    """How many usable credentials were exposed from which moment on, and which ones from when to when."""
    exposures = timeline.exposures()[:MOST_LISTED]
    return {
        "exposures": [
            {"fingerprint": one.fingerprint, "since": time(one.since), "until": time(one.until)} for one in exposures
        ],
        "steps": [{"at": time(step.at), "count": step.count} for step in timeline.steps()],
        "open": timeline.open,
        "untimed": timeline.untimed,
        "left_out": timeline.left_out,
    }


def of_summary(summary: Summary) -> Record:
    """The totals of a run."""
    return {
        "schema": SCHEMA,
        "type": "summary",
        "sources": summary.sources,
        "bytes": summary.bytes,
        "findings": sum(summary.by_kind.values()),
        "by_kind": dict(sorted(summary.by_kind.items())),
        "by_state": dict(sorted(summary.by_state.items())),
        "skipped": summary.skipped,
        "more_identities": summary.more_identities,
        "suppressed": sum(one.findings for one in summary.suppressed),
        "suppressed_by": [
            {"entry": one.entry, "reason": one.reason, "findings": one.findings} for one in summary.suppressed
        ],
        "seconds": round(summary.seconds, 3),
        "key_id": summary.key_id,
        "interrupted": summary.interrupted,
        "notices": summary.notices,
        **({"redaction": summary.redaction} if summary.redaction is not None else {}),
    }


def _source(stream: StreamId) -> Record:
    told: Record = {"path": stream.path, "layers": list(stream.layers)}
    return {**told, "occurrence": stream.occurrence} if stream.occurrence > 1 else told


@lru_cache(maxsize=1024)  # of one finding most are the same moment, of a scan one is
def time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, with Z; fractions only where there are any; None for None."""
    if moment is None:
        return None
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()
    return text[:-6] + "Z"  # without the "+00:00" that UTC ends with


@lru_cache(maxsize=16384)  # tokens of one client are issued at the same moments, and logged again and again
def _seconds(value: float | None) -> str | None:
    """A NumericDate as a time; null for what no calendar holds."""
    if value is None or not -62135596800 <= value <= 253402300799:
        return None
    return time(datetime.fromtimestamp(value, UTC))
