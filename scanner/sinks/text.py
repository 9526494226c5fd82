"""For a person at a terminal: one entry a secret, what must be acted on first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from scanner.model import Finding, Skipped, State, Summary

PLACES = 5  # shown for each secret; the rest is counted
MOST = 10_000  # secrets shown one by one; a report for a person, and memory stays bounded
_ORDER = (
    State.LIVE, State.NOT_YET_VALID, State.NO_EXPIRY, State.UNKNOWN, State.EXPIRED, State.REVOKED, State.UNUSABLE,
)  # fmt: skip
_COLOURS = {State.LIVE: "1;31", State.NOT_YET_VALID: "1;33", State.NO_EXPIRY: "1;35", State.UNKNOWN: "33"}
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
class _Secret:
    first: Finding
    worst: Finding
    count: int = 0
    places: list[str] = field(default_factory=list)
    seen: tuple[datetime | None, datetime | None] = (None, None)


class TextSink:
    """Writes to a binary stream when all is known: the worst comes first."""

    def __init__(self, stream: BinaryIO, *, color: bool = False, width: int | None = None) -> None:
        self._stream = stream
        self._color = color
        self._width = width or shutil.get_terminal_size((100, 24)).columns
        self._secrets: dict[str, _Secret] = {}
        self._skipped: list[Skipped] = []
        self._more = 0

    def begin(self) -> None:
        """Nothing is known yet."""

    def finding(self, finding: Finding) -> None:
        known = self._secrets.get(finding.fingerprint)
        if known is None:
            if len(self._secrets) >= MOST:
                self._more += 1
                return
            known = self._secrets[finding.fingerprint] = _Secret(finding, finding)
        known.count += 1
        if _ORDER.index(finding.verdict.state) < _ORDER.index(known.worst.verdict.state):
            known.worst = finding
        if len(known.places) < PLACES:
            known.places.append(_place(finding))
        if finding.logged_at:
            times = [t for t in (*known.seen, finding.logged_at) if t]
            known.seen = (min(times), max(times))

    def skipped(self, skipped: Skipped) -> None:
        self._skipped.append(skipped)

    def finish(self, summary: Summary) -> None:
        for secret in sorted(self._secrets.values(), key=_urgency):
            self._entry(secret)
        if self._more:
            self._line(f"… and findings of {self._more} more secrets; write a jsonl report to see all")
        for skipped in self._skipped:
            where = "!".join((skipped.stream.path, *skipped.stream.layers))
            at = "" if skipped.at_byte is None else f" from byte {skipped.at_byte:,}"
            self._line(self._painted("NOT SCANNED", "1;33") + f"  {where}{at}: {skipped.reason}")
        for one in summary.suppressed:
            self._line(f"allowed      {one}")
        self._line(_totals(summary, len(self._secrets)))
        self._stream.flush()

    def _entry(self, secret: _Secret) -> None:
        worst = secret.worst
        state = worst.verdict.state
        head = f"{state.value.replace('_', ' ').upper():<13}"
        title = f"{worst.kind.value}  {worst.preview}  {worst.detector}"
        self._line(f"{self._painted(head, _COLOURS.get(state, '2'))} {title}  [{worst.fingerprint[:8]}]")
        self._detail(_until(worst.verdict.expires_at, worst.verdict.as_of) or worst.verdict.reason)
        if identity := _identity(worst):
            self._detail(identity)
        times = f"{secret.count} time{'s' * (secret.count > 1)}"
        first, last = secret.seen
        if first and last:
            times += f", logged {_short(first)}" + (f" to {_short(last)}" if last != first else "")
        self._detail(times)
        for place in secret.places:
            self._detail(f"  {place}")
        if secret.count > len(secret.places):
            self._detail(f"  +{secret.count - len(secret.places)} more")
        if state in _COLOURS:
            self._detail(f"do first: {_ADVICE.get(worst.kind.value, 'revoke it')}")
        self._line("")

    def _detail(self, text: str) -> None:
        room = max(40, self._width - 14)
        self._line(" " * 14 + (text if len(text) <= room else text[: room - 1] + "…"))

    def _line(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace") + b"\n")

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._color else text


def _urgency(secret: _Secret) -> tuple[int, float, str]:
    verdict = secret.worst.verdict
    until = -verdict.expires_at.timestamp() if verdict.expires_at else 0.0
    return _ORDER.index(verdict.state), until, secret.worst.fingerprint


def _place(finding: Finding) -> str:
    path = "!".join((finding.stream.path, *finding.stream.layers))
    return f"{path}:{finding.line}:{finding.column}" if finding.line else f"{path} byte {finding.spans[0].start:,}"


def _identity(finding: Finding) -> str:
    token = finding.token
    named = (("client", token.client_id), ("subject", _other(token.subject, token.client_id)), ("issuer", token.issuer))
    return ", ".join(f"{name} {value}" for name, value in named if value)


def _other(value: str | None, shown: str | None) -> str | None:
    return None if value == shown else value


def _until(expires_at: datetime | None, as_of: datetime) -> str:
    if expires_at is None:
        return ""
    left = expires_at - as_of
    if left > timedelta(0):
        return f"valid until {_short(expires_at)} (for {_words(left)} more)"
    return f"expired {_short(expires_at)} ({_words(-left)} before)"


def _short(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _words(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return f"{seconds} seconds"


def _totals(summary: Summary, secrets: int) -> str:
    states = ", ".join(f"{summary.by_state[s.value]} {s.value}" for s in _ORDER if s.value in summary.by_state)
    found = sum(summary.by_kind.values())
    head = (
        f"{found} finding{'s' * (found != 1)} of {secrets} secret{'s' * (secrets != 1)}" if found else "nothing found"
    )
    tail = f"; {summary.skipped} not scanned" if summary.skipped else ""
    stop = " (interrupted)" if summary.interrupted else ""
    sources = f"{summary.sources} source{'s' * (summary.sources != 1)}"
    size = f"{sources}, {summary.bytes / 1e6:,.1f} MB, {summary.seconds:.1f} s"
    return f"{head}{': ' + states if states else ''}{tail} in {size}{stop}"
