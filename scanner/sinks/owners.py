"""Findings grouped by what holds them: which class, field, mapping or file keeps how many credentials.

The inventory of caches: what a dump shows is what the library behind it keeps in memory all the time.
"""

from __future__ import annotations

from typing import BinaryIO

import orjson
from msgspec import Struct, field

from detectors.patterns import pattern
from scanner.model import Finding, Skipped, State, Summary
from scanner.sinks import records
from scanner.sinks.grouped import ACT, MOST_SKIPPED, ORDER, counted

OWNERS_MOST = 10_000  # rows; those of a report for people, and a dump with more holders has no cache but a leak
SECRETS_MOST = 200_000  # told apart over all rows: 20 MB of fingerprints
KEYS_SHOWN = 3  # of a map, as examples
# A key of a map, as dumps write it: quoted, a number, or what was hidden. The key of a thread local is a field's name.
_KEY = pattern(r'\[("[^"]*"|-?\d+|\(\d+ characters\)|\[REDACTED:[^\]]*\]|…)\]')
_NAMED = ("owner", "mapping", "section")  # in an address, the first that is there says who holds it
GARBAGE = "garbage: nothing refers to it any more"
UNTOLD = "not told"


def holder(finding: Finding) -> tuple[str, str]:
    """(kind, name) of what holds the finding: owner, mapping, section, garbage, untold or file."""
    address = finding.address
    if address is None:
        return "file", finding.stream.shown
    for kind in _NAMED:
        name = address.get(kind)
        if isinstance(name, str):
            part = address.get("part")
            whole = f"{name} ({part})" if kind == "mapping" and isinstance(part, str) else name
            return kind, _KEY.sub("[…]", whole)
    return ("garbage", GARBAGE) if address.get("reachable") is False else ("untold", UNTOLD)


class Row(Struct):
    """What one holder keeps. `states`: each secret's fingerprint and the worst of its verdicts here."""

    kind: str
    name: str
    states: dict[str, State] = field(default_factory=dict)
    copies: int = 0
    keys: dict[str, None] = field(default_factory=dict)
    formats: dict[str, None] = field(default_factory=dict)

    def add(self, finding: Finding, room: bool) -> None:
        self.copies += 1
        self.formats[finding.format] = None
        known = self.states.get(finding.fingerprint)
        state = finding.verdict.state
        if known is None and not room:
            return
        if known is None or ORDER.index(state) < ORDER.index(known):
            self.states[finding.fingerprint] = state
        owner = finding.address.get("owner") if finding.address else None
        if isinstance(owner, str) and len(self.keys) < KEYS_SHOWN:
            self.keys |= dict.fromkeys(_KEY.findall(owner)[:1])

    def counts(self) -> dict[State, int]:
        """Secrets by state, what asks most for action first."""
        found = list(self.states.values())
        return {state: found.count(state) for state in ORDER if state in found}

    @property
    def usable(self) -> int:
        return sum(state in ACT for state in self.states.values())

    def order(self) -> tuple[int, int, int, str]:
        return -self.usable, -len(self.states), -self.copies, self.name


class _Inventory:
    """What both reports are told, and keep."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rows: dict[tuple[str, str], Row] = {}
        self._secrets = 0
        self._more = 0  # findings there was no room for
        self._skipped: list[Skipped] = []
        self._more_skipped = 0

    def begin(self) -> None:
        """Nothing is known yet."""

    def finding(self, finding: Finding) -> None:
        """Takes one."""
        key = holder(finding)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= OWNERS_MOST:
                self._more += 1
                return
            row = self._rows[key] = Row(*key)
        before = len(row.states)
        row.add(finding, self._secrets < SECRETS_MOST)
        self._secrets += len(row.states) - before

    def skipped(self, skipped: Skipped) -> None:
        """Takes what was not scanned."""
        if len(self._skipped) < MOST_SKIPPED:
            self._skipped.append(skipped)
        else:
            self._more_skipped += 1

    def rows(self) -> list[Row]:
        """Those with the most usable credentials first."""
        return sorted(self._rows.values(), key=Row.order)


class OwnersText(_Inventory):
    """A table for a person."""

    def finish(self, summary: Summary) -> None:
        rows = self.rows()
        if rows:
            self._line(f"{'USABLE':>6} {'SECRETS':>8} {'COPIES':>7}  OWNER")
        for row in rows:
            self._line(f"{row.usable:>6} {len(row.states):>8} {row.copies:>7}  {row.name}")
            said = ", ".join(f"{count} {state.value}" for state, count in row.counts().items())
            keys = f"; keys {', '.join(row.keys)}" + ", …" * (len(row.keys) >= KEYS_SHOWN) if row.keys else ""
            self._line(f"{'':>23}  {said}{keys}")
        if self._more:
            self._line(f"… and {counted(self._more, 'finding')} of more owners; a jsonl report has all")
        for skipped in self._skipped:
            at = "" if skipped.at_byte is None else f" from byte {skipped.at_byte:,}"
            self._line(f"NOT SCANNED  {skipped.stream.shown}{at}: {skipped.reason}")
        if self._more_skipped:
            self._line(f"… and {self._more_skipped} more not scanned; a jsonl report has all")
        total = counted(sum(summary.by_kind.values()), "finding")
        stop = " (interrupted)" if summary.interrupted else ""
        self._line(f"{total} in {counted(len(rows), 'owner')}, {counted(summary.sources, 'source')}{stop}")
        self._stream.flush()

    def _line(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace") + b"\n")


class OwnersJson(_Inventory):
    """One document: the rows, what was not scanned, the summary."""

    def finish(self, summary: Summary) -> None:
        document = {
            "schema": records.SCHEMA,
            "by": "owner",
            "owners": [_record(row) for row in self.rows()],
            "more_findings": self._more,
            "skipped": [records.of_skipped(one) for one in self._skipped],
            "summary": records.of_summary(summary),
        }
        self._stream.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()


def _record(row: Row) -> records.Record:
    return {
        "owner": row.name,
        "kind": row.kind,
        "usable": row.usable,
        "secrets": len(row.states),
        "copies": row.copies,
        "by_state": {state.value: count for state, count in row.counts().items()},
        "keys": list(row.keys),
        "formats": list(row.formats),
    }
