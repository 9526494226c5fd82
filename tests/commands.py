"""Runs the real command as a process of its own, as a user or a scheduler would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
START = (sys.executable, "-c", "from scanner.cli import program; program()")
AT = "2026-11-22T12:00:00Z"


@dataclass(frozen=True)
class Ran:
    """How a run ended and what it said."""

    code: int
    out: bytes
    err: bytes

    @property
    def said(self) -> bytes:
        """All it wrote to its two streams."""
        return self.out + self.err

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """The objects of a jsonl report."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == kind]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return self.of_type("finding")

    @property
    def skipped(self) -> list[dict[str, Any]]:
        return self.of_type("skipped")

    @property
    def summary(self) -> dict[str, Any]:
        (summary,) = self.of_type("summary")
        assert summary == self.lines[-1]
        return summary


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100", **more}


def bearertrap(
    *arguments: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    before: Sequence[str] = (),
) -> Ran:
    """Runs to the end. `before`: a command in front, such as `prlimit`. No traceback is ever shown."""
    done = subprocess.run(
        [*before, *START, *map(str, arguments)],
        input=stdin, env=environment(**(env or {})), cwd=cwd, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def scan(*arguments: str | Path, stdin: bytes = b"", **settings: Any) -> Ran:
    """`bearertrap scan` as of a fixed time, its report on stdout as jsonl."""
    return bearertrap("scan", "--at", AT, "-f", "jsonl", *arguments, stdin=stdin, **settings)


def started(
    *arguments: str | Path, env: Mapping[str, str] | None = None, pipe_bytes: int = -1
) -> subprocess.Popen[bytes]:
    """A run that goes on, with pipes on all three sides, which hold `pipe_bytes` each (-1: what the system gives)."""
    return subprocess.Popen(
        [*START, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**(env or {})),
        pipesize=pipe_bytes,
    )  # fmt: skip
