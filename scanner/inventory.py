"""The identities an organisation knows: a TOML or CSV file that says whose a client id is and how it is revoked.

TOML, a table for each, or CSV with these names as its header; all but `client_id` may be absent:

    [[identity]]
    client_id = "billing-batch"
    issuer = "https://id.example"             # where the same client id exists at several
    owner = "Dana Reyes"
    team = "billing"
    rotation_days = 90
    last_rotated = 2026-08-01
    token_endpoint = "https://id.example/token"
    environment = "production"
    revoke = "runbook https://wiki.example/rotate#billing"

A name that is not among these is an error, so that a misspelt one is not passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from scanner.errors import UsageError

LARGEST = 16 * 1024 * 1024  # bytes of an inventory: some hundred thousand identities


class Entry(Struct, frozen=True):
    """What is known of one identity. Times are UTC days."""

    client_id: str
    issuer: str | None = None
    owner: str | None = None
    team: str | None = None
    rotation_days: int | None = None
    last_rotated: date | None = None
    token_endpoint: str | None = None
    environment: str | None = None
    revoke: str | None = None

    def due(self) -> date | None:
        """The last day its secret is to be used, where that is known."""
        if self.rotation_days is None or self.last_rotated is None:
            return None
        return self.last_rotated + timedelta(days=self.rotation_days)


class Inventory:
    """The entries of a file, found by client id and, where it tells, by issuer."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.client_id, []).append(entry)

    def entry(self, client_id: str, issuer: str | None) -> Entry | None:
        """The entry of that very issuer, else the one that names none, else, for an unknown issuer, the only one."""
        known = self._entries.get(client_id, [])
        exact = next((entry for entry in known if entry.issuer == issuer), None)
        if exact or (unbound := next((entry for entry in known if entry.issuer is None), None)):
            return exact or unbound
        return known[0] if issuer is None and len(known) == 1 else None


def load_inventory(path: str | Path) -> Inventory:
    """Reads the file, as CSV where its name says so. Raises UsageError, with the entry's number, for what is wrong."""
    try:
        data = Path(path).read_bytes()[: LARGEST + 1]
        if len(data) > LARGEST:
            raise UsageError(f"{path}: larger than {LARGEST // 2**20} MB")
        text = data.decode()
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8") from None
    rows = _csv_rows(path, text) if str(path).lower().endswith(".csv") else _toml_rows(path, text)
    return Inventory(tuple(_entry(f"{path}: identity {number}", row) for number, row in enumerate(rows, 1)))


_NAMES = frozenset(Entry.__struct_fields__)


def _csv_rows(path: str | Path, text: str) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return [{str(name): value for name, value in row.items() if value} for row in rows]
    except csv.Error as error:
        raise UsageError(f"{path}: line {rows.line_num}: {error}") from None


def _toml_rows(path: str | Path, text: str) -> list[dict[str, Any]]:
    import tomllib  # a scan without an inventory starts sooner

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from None
    rows = document.pop("identity", [])
    if document or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: holds [[identity]] tables and nothing else")
    return rows


def _entry(where: str, row: Mapping[str, Any]) -> Entry:
    unknown = sorted(row.keys() - _NAMES)
    if unknown:
        raise UsageError(f"{where}: unknown name {unknown[0]!r}; known are {', '.join(sorted(_NAMES))}")
    if not row.get("client_id"):
        raise UsageError(f"{where}: has no client_id")
    values: dict[str, Any] = {name: value for name, value in row.items() if isinstance(value, str) and value}
    if "rotation_days" in row:
        values["rotation_days"] = _days(where, row["rotation_days"])
    if "last_rotated" in row:
        values["last_rotated"] = _day(where, row["last_rotated"])
    wrong = sorted(row.keys() - values.keys())
    if wrong:
        raise UsageError(f"{where}: {wrong[0]} is not text")
    return Entry(**values)


def _days(where: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 36_500:
        raise UsageError(f"{where}: rotation_days is a number of days from 1 to 36500")
    return value


def _day(where: str, value: object) -> date:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(f"{where}: last_rotated is a date such as 2026-08-01") from None
    if isinstance(value, datetime):
        return value.astimezone(UTC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise UsageError(f"{where}: last_rotated is a date such as 2026-08-01")
