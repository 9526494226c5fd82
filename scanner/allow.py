"""Findings that were looked at and accepted: a file of entries, each with an end if it is to have one.

An entry suppresses what meets all of its conditions. What it suppressed is counted, and an entry that
has expired is said, so that nothing disappears in silence.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec import Struct

from detectors.detector import Kind
from detectors.patterns import pattern
from scanner.errors import UsageError
from scanner.model import Finding, StreamId, Suppressed

SHORTEST_PREFIX = 8  # hex digits of a fingerprint: what `[REDACTED:…]` shows; 32 bits tell the secrets of a scan apart
MOST_BYTES = 8 << 20  # of an allow file: some 50,000 entries
LONGEST_GLOB = 1000  # characters
_KEYS = {"fingerprint", "path", "rule", "kind", "expires", "reason"}
_FINGERPRINT = pattern(rf"[0-9a-f]{{{SHORTEST_PREFIX},64}}")


class Entry(Struct, frozen=True):
    """One `[[allow]]`. None: any. `number` is its place in the file, from 1."""

    number: int
    fingerprint: str | None = None  # the first 8 to 64 hex digits, lower case
    path: Glob | None = None
    rule: str | None = None  # a detector's id; `*` stands for any characters
    kind: Kind | None = None
    expires: datetime | None = None  # aware, UTC: from this instant on it suppresses nothing
    reason: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether all of its conditions are met; its expiry aside."""
        return (
            (self.fingerprint is None or finding.fingerprint.startswith(self.fingerprint))
            and (self.kind is None or finding.kind == self.kind)
            and (self.rule is None or fnmatchcase(finding.detector, self.rule))
            and (self.path is None or self.path.matches(finding.stream))
        )

    def __str__(self) -> str:
        return f"entry {self.number}" + (f" ({self.reason})" if self.reason else "")


class AllowList(Struct, frozen=True):
    """The entries of a file, in order."""

    name: str
    entries: tuple[Entry, ...] = ()

    def suppresses(self, finding: Finding, as_of: datetime) -> Entry | None:
        """The first entry that covers the finding and has not expired at `as_of`."""
        for entry in self.entries:
            if (entry.expires is None or as_of < entry.expires) and entry.covers(finding):
                return entry
        return None

    def expired(self, as_of: datetime) -> list[str]:
        """A line for each entry that no longer suppresses anything, to be said once."""
        return [
            f"{self.name}: {entry} expired at {entry.expires:%Y-%m-%d %H:%M} UTC and suppresses nothing"
            for entry in self.entries
            if entry.expires is not None and as_of >= entry.expires
        ]


class Tally:
    """Applies an allow list to a run's findings and counts what it took."""

    def __init__(self, allow: AllowList, as_of: datetime) -> None:
        self._allow = allow
        self._as_of = as_of
        self._taken: Counter[int] = Counter()

    def expired(self) -> list[str]:
        """A line for each entry that has expired, to be said once."""
        return self._allow.expired(self._as_of)

    def takes(self, finding: Finding) -> bool:
        """Whether the finding is suppressed; it is then counted."""
        entry = self._allow.suppresses(finding, self._as_of)
        if entry is not None:
            self._taken[entry.number] += 1
        return entry is not None

    def counted(self) -> tuple[Suppressed, ...]:
        """Each entry that suppressed something, and how many findings; in the file's order."""
        entries = (entry for entry in self._allow.entries if self._taken[entry.number])
        return tuple(Suppressed(entry.number, entry.reason, self._taken[entry.number]) for entry in entries)


class Glob:
    """A pattern of paths: `*` and `?` stay within a folder, `**` does not, `[a-z]` is one character.

    It fits a path's end from any folder on (`logs/*.log` fits /var/logs/a.log), with a leading `/`
    only the whole path; with a `/` at its end all that is below. Members of archives follow a `!`.
    """

    __slots__ = ("_pattern", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError with the reason where the glob is none."""
        if not text.strip("/ ") or len(text) > LONGEST_GLOB:
            raise ValueError(f"a path glob has 1 to {LONGEST_GLOB} characters and names something")
        self.text = text
        body = text.removeprefix("./")
        body += "**" if body.endswith("/") else ""
        lead = "" if body.startswith("/") else r"(?:.*[/!])?"
        self._pattern = re.compile(lead + _translated(body), re.DOTALL)

    def matches(self, stream: StreamId) -> bool:
        """Whether it fits the file's path, or that of the member inside it."""
        path = stream.path.removeprefix("./")
        return bool(self._pattern.fullmatch(path) or self._pattern.fullmatch(stream.members.removeprefix("./")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Glob) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"


_TOKEN = pattern(
    r"(?P<folders>(?<![^/])\*\*/)|(?P<any>\*{2,})|(?P<some>\*)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>[^\]]+)\]"
)


def _translated(glob: str) -> str:
    """The expression for a glob's body. Raises ValueError."""
    parts: list[str] = []
    at = 0
    for match in _TOKEN.finditer(glob):
        parts += (_plain(glob[at : match.start()]), _wild(match))
        at = match.end()
    parts.append(_plain(glob[at:]))
    try:
        re.compile(expression := "".join(parts))
    except re.error:
        raise ValueError("a range in [ ] of the path glob runs backwards") from None
    return expression


def _wild(match: re.Match[str]) -> str:
    if match["folders"]:
        return r"(?:.*/)?"
    if match["any"]:
        return r".*"
    if match["some"]:
        return r"[^/]*"
    if match["one"]:
        return r"[^/]"
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", match["set"])
    return f"[{'^/' if match['not'] else ''}{members}]"


def _plain(text: str) -> str:
    if "[" in text:
        raise ValueError("a ] is missing in the path glob")
    return re.escape(text)


def load_allow(path: str | os.PathLike[str], detectors: Collection[str] | None = None) -> AllowList:
    """The entries of a TOML file. With `detectors`, the ids there are, a rule that is none of them is an error.

    Raises UsageError: where the file can't be read, is no TOML, or holds an entry that could never
    suppress anything or would suppress all.
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {os.strerror(error.errno or 0)}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{name}: larger than {MOST_BYTES >> 20} MiB")
    import tomllib  # a scan without a list starts sooner

    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: not TOML: {error}") from None
    entries = table.get("allow", [])
    if set(table) - {"allow"} or not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise UsageError(f"{name}: holds something else than [[allow]] entries")
    try:
        return AllowList(name, tuple(_entry(number, one, detectors) for number, one in enumerate(entries, 1)))
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _entry(number: int, table: dict[str, Any], detectors: Collection[str] | None) -> Entry:
    where = f"entry {number}"
    if unknown := sorted(set(table) - _KEYS):
        raise UsageError(f"{where}: {', '.join(unknown)} is not known")
    for key in table:
        if key != "expires" and not isinstance(table[key], str):
            raise UsageError(f"{where}: {key} must be text")
    if not set(table) & {"fingerprint", "path", "rule", "kind"}:
        raise UsageError(f"{where}: has no condition and would suppress everything")
    return Entry(
        number,
        fingerprint=_fingerprint(where, table.get("fingerprint")),
        path=_glob(where, table.get("path")),
        rule=_rule(where, table.get("rule"), detectors),
        kind=_kind(where, table.get("kind")),
        expires=_expires(where, table.get("expires")),
        reason=" ".join(table.get("reason", "").split()),
    )


def _fingerprint(where: str, value: str | None) -> str | None:
    if value is not None and not _FINGERPRINT.fullmatch(value.lower()):
        raise UsageError(f"{where}: fingerprint must be {SHORTEST_PREFIX} to 64 hex digits; it can never match")
    return value.lower() if value is not None else None


def _glob(where: str, value: str | None) -> Glob | None:
    try:
        return Glob(value) if value is not None else None
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def _rule(where: str, value: str | None, detectors: Collection[str] | None) -> str | None:
    if value is None:
        return None
    if not value or (detectors is not None and not any(fnmatchcase(one, value) for one in detectors)):
        raise UsageError(f"{where}: rule {value!r} is no detector's id; it can never match")
    return value


def _kind(where: str, value: str | None) -> Kind | None:
    if value is not None and value not in set(Kind):
        raise UsageError(f"{where}: kind {value!r} is none of {', '.join(Kind)}; it can never match")
    return Kind(value) if value is not None else None


def _expires(where: str, value: object) -> datetime | None:
    """A date holds to its end in UTC; a time must name its zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            raise UsageError(f"{where}: expires must be a date such as 2027-01-31") from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UsageError(f"{where}: expires needs a time zone, such as 2027-01-31T12:00:00Z")
        return value.astimezone(UTC)
    if isinstance(value, date):
        if value == date.max:
            return None
        return datetime.combine(value + timedelta(days=1), time(), UTC)
    if value is not None:
        raise UsageError(f"{where}: expires must be a date such as 2027-01-31")
    return None
