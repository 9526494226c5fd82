"""The state of a sweep in a SQLite file: what was read to its end and has not changed is not read again.

It holds where files lie and what was found in them, as a report does, and so no secret. A source is in it whole or not
at all, whenever the process ends. A source that could not be read whole is not in it: it is tried again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

from msgspec.structs import replace

from scanner.codec import pack, unpack
from scanner.errors import UsageError
from scanner.judge import Policy, rejudged
from scanner.model import Finding, Skipped, Source
from scanner.run.options import Options
from scanner.run.work import PACKED

FORM = 2  # of the file; another one is refused
APPLICATION = 0x42547270  # "BTrp", in the file's header: no other program's database is touched
HEAD = 4096  # bytes whose digest tells a file from one that took its name, inode, size and time
COMMIT_EVERY = 1.0  # seconds of work that a kill may cost
SETTLED = 50_000_000  # nanoseconds: a file changed later than that before it was read may change again unseen
_TABLES = """
CREATE TABLE IF NOT EXISTS source (path BLOB PRIMARY KEY, settings TEXT NOT NULL, identity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (path BLOB, number INTEGER, packed BLOB NOT NULL, PRIMARY KEY (path, number));
"""


class State:
    """An open state file. Use as a context manager; what was read is kept also where the sweep breaks off."""

    def __init__(self, path: str, options: Options) -> None:
        """Raises UsageError where the file is no state file, not ours alone, or in use."""
        from detectors.registry import ruleset_digest

        self._options = options
        bare = replace(
            options,
            as_of=datetime.max.replace(tzinfo=UTC),
            key=b"",
            read=None,
            overlap=False,
            away=False,
            trials=False,
            keep_values=False,
        )
        told = (FORM, version("bearertrap"), ruleset_digest(), repr(bare), hmac.digest(options.key, b"state", "sha256"))
        self._settings = hashlib.sha256(repr(told).encode()).hexdigest()
        self._policy = Policy(options.as_of, options.leeway, options.max_lifetime)
        self._database = _opened(path)
        self._committed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.commit()
        self._database.close()

    def identity(self, source: Source) -> str | None:
        """What tells that a source is what it was: None where it can't be told, or may still be changing."""
        try:
            status = os.stat(source.os_path)
            if source.size is None or not stat.S_ISREG(status.st_mode):
                return None
            if time.time_ns() - status.st_mtime_ns < SETTLED:
                return None
            with open(source.os_path, "rb", buffering=0) as file:
                head = hmac.digest(self._options.key, file.read(HEAD), "sha256").hex()
        except OSError:
            return None
        return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {head}"

    def known(self, source: Source, identity: str | None) -> bool:
        """Whether the source was read to its end, with these settings, as it is now."""
        row = self._database.execute("SELECT settings, identity FROM source WHERE path = ?", (source.os_path,))
        return identity is not None and row.fetchone() == (self._settings, identity)

    def events(self, source: Source) -> Iterator[Finding | Skipped]:
        """What was found in a known source, judged as of now."""
        rows = self._database.execute("SELECT packed FROM events WHERE path = ? ORDER BY number", (source.os_path,))
        for (packed,) in rows:
            for event in unpack(packed):
                if isinstance(event, Finding):
                    yield replace(event, verdict=rejudged(event, self._policy))

    def keeping(
        self, source: Source, identity: str | None, events: Iterable[Finding | Skipped]
    ) -> Iterator[Finding | Skipped]:
        """The events, and once all have come and the source is still what it was, it is known."""
        whole, number = identity is not None, 0
        some: list[Finding | Skipped] = []
        self._forget(source)
        for event in events:
            yield event
            whole = whole and isinstance(event, Finding)
            if whole:
                some.append(event)
            if len(some) == PACKED:
                self._add(source, number, some)
                number, some = number + 1, []
        if whole and self.identity(source) == identity:
            self._add(source, number, some)
            row = (source.os_path, self._settings, identity)
            self._database.execute("INSERT INTO source VALUES (?, ?, ?)", row)
        else:
            self._forget(source)
        if time.monotonic() - self._committed > COMMIT_EVERY:
            self._database.commit()
            self._committed = time.monotonic()

    def _add(self, source: Source, number: int, some: list[Finding | Skipped]) -> None:
        if some:
            self._database.execute("INSERT INTO events VALUES (?, ?, ?)", (source.os_path, number, pack(some)))

    def _forget(self, source: Source) -> None:
        for table in ("source", "events"):
            self._database.execute(f"DELETE FROM {table} WHERE path = ?", (source.os_path,))


def _opened(path: str) -> sqlite3.Connection:
    """Raises UsageError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        status = os.stat(path)
    except OSError as error:
        raise UsageError(f"the state file {path} can't be opened: {error.strerror}") from None
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UsageError(f"the state file {path} is not yours alone to write to: chmod 600 {path}")
    database = sqlite3.connect(path, timeout=0)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # one sweep at a time
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (form,) = database.execute("PRAGMA user_version").fetchone()
        if (application, form) != (APPLICATION, FORM):
            if application or status.st_size:
                raise UsageError(f"{path} is no state file of this version")
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {FORM}")
        database.executescript(_TABLES)
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        raise UsageError(f"the state file {path} is in use by another sweep, or can't be written") from None
    except sqlite3.DatabaseError:
        raise UsageError(f"{path} is no state file") from None
    return database
