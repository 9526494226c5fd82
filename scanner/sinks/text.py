"""For a person at a terminal: one entry a secret, what must be acted on first, and the verdicts in a table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from textwrap import wrap
from typing import BinaryIO

from detectors.detector import Kind
from scanner.model import Finding, Identity, Skipped, State, Summary
from scanner.sinks.grouped import (
    ORDER,
    PLACES,
    Bundle,
    Groups,
    Processes,
    Secret,
    advice,
    alike,
    bundled,
    counted,
    identity,
    reach,
    short,
    totals,
    until,
)
from scanner.weaknesses import EXPLAINED

_INDENT = 14
MOST_SPENT = 20  # entries shown of secrets that nobody can use any more: a sweep of old logs has thousands
FEW = 5  # secrets one sees at a glance; of more the last lines say again what is to be done first
MOST_IDENTITIES = 30  # shown one by one; a jsonl report has all
_CELL = 15  # characters: the longest name of a state and two blanks
_NARROWEST = 40  # characters a line of text has at least, however narrow the terminal
_COLOURS = {State.LIVE: "1;31", State.NOT_YET_VALID: "1;33", State.NO_EXPIRY: "1;35", State.UNKNOWN: "33"}


def _at_the_end(text: str, room: int) -> str:
    return text[: room - 1] + "…"


def _in_the_middle(text: str, room: int) -> str:
    """Of a place both its beginning and its end, where the line and the column are."""
    head = (room - 1) // 3
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"


class TextSink:
    """Writes to a binary stream when all is known: the worst comes first."""

    def __init__(self, stream: BinaryIO, *, color: bool = False, width: int | None = None) -> None:
        self._stream = stream
        self._color = color
        self._width = width or shutil.get_terminal_size((100, 24)).columns
        self._groups = Groups()
        self._processes = Processes()

    def begin(self) -> None:
        """Nothing is known yet."""

    def finding(self, finding: Finding) -> None:
        self._groups.add(finding)
        self._processes.add(finding)

    def skipped(self, skipped: Skipped) -> None:
        self._groups.skip(skipped)

    def finish(self, summary: Summary) -> None:
        secrets = list(self._groups.by_urgency())
        usable = [secret for secret in secrets if secret.usable]
        spent = secrets[len(usable) :]
        self._entries(bundled(usable))
        entries = list(bundled(spent))
        self._entries(entries[:MOST_SPENT])
        if left := sum(len(one.secrets) if isinstance(one, Bundle) else 1 for one in entries[MOST_SPENT:]):
            more = counted(left, "more secret")
            self._line(f"… and {more} that can't be used any more; other formats have all\n")
        if self._groups.more:
            self._line(f"… and {counted(self._groups.more, 'finding')} of more secrets; a jsonl report has all")
        self._not_scanned()
        for text in summary.notices:
            self._line(self._painted("NOTICE", "33") + f"       {text}")
        for one in summary.suppressed:
            self._line(f"allowed      {one}")
        for told in self._processes.told:
            self._line(told)
        self._identities(summary)
        if len(secrets) > 1:
            self._table(secrets)
        if len(secrets) > FEW and usable:
            self._first(usable)
        self._line(totals(summary, len(self._groups)))
        self._stream.flush()

    def _entries(self, entries: Iterable[Secret | Bundle]) -> None:
        for one in entries:
            if isinstance(one, Bundle):
                self._bundle(one)
            else:
                self._entry(one)

    def _title(self, state: State, title: str) -> None:
        head = f"{state.value.replace('_', ' ').upper():<13}"
        self._line(f"{self._painted(head, _COLOURS.get(state, '2'))} {title}")

    def _bundle(self, bundle: Bundle) -> None:
        """Many secrets that are alike, after the first of them: how many, where, when, what to do."""
        worst = bundle.first.worst
        more = counted(len(bundle.secrets), "more secret")
        self._title(worst.verdict.state, f"{worst.kind.value}  {more} like the above  {worst.detector}")
        if end := until(worst):
            self._detail(f"the last of them {end}")
        times = counted(sum(one.count for one in bundle.secrets), "time")
        if span := bundle.span():
            times += f", logged {short(span[0])} to {short(span[1])}"
        self._detail(times)
        sources = bundle.sources()
        for path, number in sources[:PLACES]:
            self._detail(f"  {path}: {number}", cut=_in_the_middle)
        if len(sources) > PLACES:
            rest = sources[PLACES:]
            self._detail(f"  +{sum(number for _, number in rest)} in {counted(len(rest), 'more source')}")
        if first := advice(worst):
            self._detail(f"do first: {first}")
        self._detail("each of them is in the other formats")
        self._line("")

    def _entry(self, secret: Secret) -> None:
        worst = secret.worst
        title = f"{worst.kind.value}  {worst.preview}  {worst.detector}  [{worst.fingerprint[:8]}]"
        self._title(worst.verdict.state, title)
        self._detail(until(worst) or worst.verdict.reason)
        for told in filter(None, (identity(worst), reach(worst))):
            self._detail(told)
        times = counted(secret.count, "time")
        if secret.first and secret.last:
            times += f", logged {short(secret.first)}"
            times += f" to {short(secret.last)}" if secret.last != secret.first else ""
        self._detail(times)
        for place in secret.places:
            self._detail(f"  {place}", cut=_in_the_middle)
        if secret.count > len(secret.places):
            self._detail(f"  +{secret.count - len(secret.places)} more")
        if first := advice(worst):
            self._detail(f"do first: {first}")
        self._line("")

    def _not_scanned(self) -> None:
        for skipped in self._groups.skipped:
            at = "" if skipped.at_byte is None else f" from byte {skipped.at_byte:,}"
            self._line(self._painted("NOT SCANNED", "1;33") + f"  {skipped.stream.shown}{at}: {skipped.reason}")
        if self._groups.more_skipped:
            self._line(f"… and {self._groups.more_skipped} more not scanned; a jsonl report has all")

    def _identities(self, summary: Summary) -> None:
        if summary.identities:
            self._line("identities, those with most to be done first")
        for one in summary.identities[:MOST_IDENTITIES]:
            leaked = f"{counted(one.secrets, 'secret')}, {counted(one.tokens, 'token')}, {one.usable} usable"
            self._line(f"  {one.client_id or f'subject {one.subject}'}" + (f" at {one.issuer}" if one.issuer else ""))
            for told in filter(None, (f"{leaked}, in {_spread(one)}{_seen(one)}", _known(one))):
                self._wrapped(told)
            for name in one.weaknesses:
                self._line(f"{'':4}{EXPLAINED[name].says} ({EXPLAINED[name].owasp})")
        more = len(summary.identities) - MOST_IDENTITIES
        if more > 0:
            self._line(f"  … and {more} more")
        if summary.more_identities:
            self._line(f"  … and {counted(summary.more_identities, 'finding')} of identities there was no room for")
        if summary.identities:
            self._line("")

    def _first(self, usable: list[Secret]) -> None:
        """What scrolled away: of the most urgent secrets how many are whose, and until when."""
        groups = alike(usable)
        self._line("to be acted on first")
        for group in groups[:FEW]:
            worst = group[0].worst
            state = worst.verdict.state
            whose = identity(worst)
            end = worst.verdict.expires_at
            lasts = f", until {short(end)}" if end and state in (State.LIVE, State.NOT_YET_VALID) else ""
            head = self._painted(f"{state.value.replace('_', ' ').upper():<13}", _COLOURS.get(state, "2"))
            room = max(_NARROWEST, self._width - 16)  # beside two blanks and the head
            told = f"{len(group)} {worst.kind.value}{lasts}{': ' if whose else ''}{whose}"
            self._line(f"  {head} {told if len(told) <= room else _at_the_end(told, room)}")
        if len(groups) > FEW:
            self._line(f"  … and {counted(sum(map(len, groups[FEW:])), 'more secret')}")
        self._line("")

    def _table(self, secrets: list[Secret]) -> None:
        """Secrets by kind and by the state of their worst finding."""
        count: dict[tuple[Kind, State], int] = {}
        for secret in secrets:
            cell = (secret.worst.kind, secret.worst.verdict.state)
            count[cell] = count.get(cell, 0) + 1
        states = [state for state in ORDER if any(cell[1] is state for cell in count)]
        heads = [self._painted(f"{state.value:>{_CELL}}", _COLOURS.get(state, "2")) for state in states]
        self._line(f"{'secrets':<17}" + "".join(heads))
        for kind in sorted({kind for kind, _ in count}):
            cells = "".join(f"{count.get((kind, state), 0) or '·':>{_CELL}}" for state in states)
            self._line(f"{kind.value:<17}{cells}")
        self._line("")

    def _wrapped(self, text: str) -> None:
        width = max(_NARROWEST, self._width)
        for line in wrap(text, width, initial_indent=" " * 4, subsequent_indent=" " * 6, break_on_hyphens=False):
            self._line(line)

    def _detail(self, text: str, *, cut: Callable[[str, int], str] = _at_the_end) -> None:
        """A line no wider than the terminal; the other formats have all of it."""
        room = max(_NARROWEST, self._width - _INDENT)
        self._line(" " * _INDENT + (text if len(text) <= room else cut(text, room)))

    def _line(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace") + b"\n")

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._color else text


def _spread(one: Identity) -> str:
    files = counted(len(one.files), "file")
    return f"{files} of {counted(len(one.hosts), 'host')}" if one.hosts else files


def _seen(one: Identity) -> str:
    if one.first_seen is None or one.last_seen is None:
        return ""
    seen = f", seen {short(one.first_seen)}"
    seen += f" to {short(one.last_seen)}" if one.last_seen != one.first_seen else ""
    return seen + (f", live until {short(one.live_until)}" if one.live_until else "")


def _known(one: Identity) -> str:
    """What the inventory says."""
    due = f"{one.rotation_due:%Y-%m-%d}" if one.rotation_due else None
    named = (
        ("owner", one.owner), ("team", one.team), ("environment", one.environment), ("rotation due", due),
        ("token endpoint", one.token_endpoint), ("revoke", one.revoke),
    )  # fmt: skip
    return ", ".join(f"{name} {value}" for name, value in named if value)
