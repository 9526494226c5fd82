"""One token explained: what it says of itself, whether it can be used, how that is known, what is weak about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from detectors.claims import decode_part, json_object
from detectors.registry import all_detectors
from scanner.asking import Asker
from scanner.context import FileHints
from scanner.evidence.keyring import Keyring
from scanner.fingerprint import load_key
from scanner.judge import Policy, moment
from scanner.matcher import Matcher
from scanner.model import USABLE_OR_UNKNOWN, Finding, StreamId
from scanner.pipeline import Scanner
from scanner.sinks import records
from scanner.sinks.grouped import advice, words
from scanner.values import Value
from scanner.weaknesses import EXPLAINED

MOST_CLAIMS = 100  # shown of a header or a payload
LONGEST = 500  # characters shown of a claim
_TIMES = frozenset({"exp", "nbf", "iat", "auth_time", "updated_at", "rat"})  # RFC 7519, OpenID Connect Core


class Inspected(Struct, frozen=True):
    """A finding with what its token holds. `header` and `claims` are of a JWS; empty for all else."""

    finding: Finding
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def usable(self) -> bool:
        return self.finding.verdict.state in USABLE_OR_UNKNOWN

    def record(self) -> records.Record:
        """The finding's object of a report, with what is known only here."""
        evidence = [
            {
                "name": one.name,
                "says": one.says,
                "earliest": records.time(one.earliest),
                "latest": records.time(one.latest),
            }
            for one in self.finding.verdict.evidence
        ]
        explained = {name: _explained(name) for name in self.finding.verdict.weaknesses}
        record = records.of_finding(self.finding)
        more = {"evidence": evidence, "header": self.header, "claims": self.claims, "explained": explained}
        return {**record, "cwe": [], **more}  # it leaked to nowhere yet

    def lines(self) -> Iterator[str]:
        """For a person: a name and what it is, in each line."""
        finding, verdict = self.finding, self.finding.verdict
        yield _line(finding.kind.value, f"{finding.preview}  {finding.family or finding.detector}")
        yield _line("state", verdict.state.value.replace("_", " ").upper() + _ago(verdict.expires_at, verdict.as_of))
        yield _line("", verdict.reason)
        yield _line("as of", _said(verdict.as_of))
        for one in verdict.evidence:
            yield _line("evidence", f"{one.name}: {one.says}")
        for name, values in (("header", self.header), ("claims", self.claims)):
            for at, (key, value) in enumerate(values.items()):
                yield _line("" if at else name, f"{key}  {_value(key, value, verdict.as_of)}")
        for name in verdict.weaknesses:
            yield _line("weakness", f"{name}: {_explained(name)}")
        if first := advice(finding):
            yield _line("do first", first)
        yield _line("fingerprint", finding.fingerprint)


def inspected(data: bytes, policy: Policy, key_file: str | None = None, asker: Asker | None = None) -> Inspected | None:
    """The first token in the bytes, else all of them taken as an opaque bearer token; None where they are none.

    `asker` puts it to its issuer. Raises UsageError where there is no key for the fingerprint.
    """
    scanner = _scanner(policy, load_key(key_file))
    text = data.strip()
    for form in (text, b"Authorization: Bearer " + text):
        values: list[Value] = []
        for _ in scanner.scan(StreamId("-"), BytesIO(form), FileHints(), keep=values.append):
            break
        if values:
            token, finding = values[0].match.secret.reveal(), values[0].finding
            if asker:
                asker.keep(values[0])
                finding = asker.asked(finding)
            return Inspected(_tried(finding, token), *_decoded(token))
    return None


@lru_cache(maxsize=1)
def _scanner(policy: Policy, key: bytes) -> Scanner:
    return Scanner(Matcher(all_detectors(), cached=True), policy, key)


def _tried(finding: Finding, token: bytes) -> Finding:
    """The finding, with a weakness more where a notorious secret made the token's signature."""
    keyring = Keyring()
    keyring.add_token(finding.fingerprint, token)
    if not any(keyring.hits()):
        return finding
    weak = tuple(sorted({*finding.verdict.weaknesses, "weak_signing_key"}))
    return replace(finding, verdict=replace(finding.verdict, weaknesses=weak))


def _decoded(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWS in compact form (RFC 7515 section 7.1), bounded; empty where it is none."""
    header, payload, *_ = (*token.split(b"."), b"", b"")
    return _bounded(json_object(decode_part(header))), _bounded(json_object(decode_part(payload)))


def _bounded(claims: dict[str, Any] | None) -> dict[str, Any]:
    return dict(list((claims or {}).items())[:MOST_CLAIMS])


def _explained(name: str) -> str:
    one = EXPLAINED[name]
    return f"{one.says} ({one.rule}; OWASP {one.owasp})"


def _value(name: str, value: object, as_of: datetime) -> str:
    """A claim on one line, printable whatever it holds; of a time also what it is in words."""
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:LONGEST])
    shown += "…" if len(text) > LONGEST else ""
    if name not in _TIMES or isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return shown
    at = moment(value)
    return f"{shown}  {_said(at)}{_ago(at, as_of)}" if at else shown


def _said(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _ago(at: datetime | None, as_of: datetime) -> str:
    if at is None:
        return ""
    left = at - as_of
    return f" (in {words(left)})" if left > timedelta(0) else f" ({words(-left)} ago)"


def _line(name: str, text: str) -> str:
    return f"{name:<13} {text}"
