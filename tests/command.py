"""The command itself, in a process of its own: what it wrote, said and exited with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
START = "import sys; from scanner.cli import main; sys.exit(main())"


@dataclass
class Run:
    """`findings`, `skipped` and `summary` are those of jsonl on stdout."""

    code: int
    stdout: bytes
    stderr: bytes
    findings: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> bytes:
        """All it wrote to its two streams."""
        return self.stdout + self.stderr


def bearertrap(*args: str | Path, stdin: bytes | None = None, cwd: Path | None = None) -> Run:
    """Runs the command; stdout is read as jsonl where it is that."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    run = subprocess.run(
        [sys.executable, "-c", START, *map(str, args)],
        input=stdin or b"", cwd=cwd, env=environment,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    result = Run(run.returncode, run.stdout, run.stderr)
    for line in run.stdout.splitlines():
        if not line.startswith(b'{"schema"') or b'"findings":[' in line:
            break
        record = json.loads(line)
        if record["type"] == "summary":
            result.summary = record
        else:
            (result.findings if record["type"] == "finding" else result.skipped).append(record)
    return result
