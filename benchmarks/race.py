"""Tools on one corpus, in turns: whole processes, start to end, with what each found."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from corpus import notes_of
from tools import Planted, Tool

MEASURE = Path(__file__).with_name("measure.py")


@dataclass(slots=True)
class Runs:
    tool: Tool
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # seconds of all cores
    peak: int = 0  # bytes, of all its processes together, in the worst run
    found: str = "-"
    exit: int = 0
    failed: bool = False  # it left no report that could be read: no time of it is given

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def race(tools: list[Tool], path: Path, count: int) -> list[Runs]:
    """Each tool warms up once; then they take turns (A B C A B C), so that a slower machine is slower for all."""
    all_runs = [Runs(tool) for tool in tools]
    for turn in range(count + 1):
        for runs in all_runs:
            if not runs.failed:
                _run(runs, path, warm_up=turn == 0)
    return all_runs


def _run(runs: Runs, path: Path, *, warm_up: bool) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        out, result = Path(folder) / "report", Path(folder) / "measured"
        command = [sys.executable, "-S", str(MEASURE), str(result), *runs.tool.command(path, out)]
        subprocess.run(command, check=True)
        row = json.loads(result.read_bytes())
        runs.exit = row["exit"]
        runs.peak = max(runs.peak, row["peak_bytes"])
        if warm_up:
            runs.found, runs.failed = _found(runs.tool, out, path)
            return
        runs.seconds.append(row["seconds"])
        runs.cpu.append(row["cpu_seconds"])


def _found(tool: Tool, out: Path, path: Path) -> tuple[str, bool]:
    """What to put into the table, and whether there was no report to read."""
    if tool.found is None:
        return "-", False
    planted = _planted(path)
    try:
        return f"{tool.found(out, planted)} of {len(planted)}", False
    except (OSError, ValueError, KeyError) as error:
        return f"no report: {type(error).__name__}", True


def _planted(path: Path) -> Planted:
    planted: Planted = set()
    with notes_of(path).open(encoding="ascii") as lines:
        for line in lines:
            name, start, end, token = line.split()
            planted.add((name, int(start), int(end), token))
    return planted


def table(size: int, all_runs: list[Runs]) -> list[str]:
    """Rows of Markdown; `size` in bytes, of what was to be scanned (unpacked)."""
    own = next((runs.median for runs in all_runs if runs.tool.name == "bearertrap" and runs.seconds), None)
    rows = [
        "| tool | version | median s | spread s | CPU s | MB/s | time / bearertrap's | peak MB | found | exit |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for runs in all_runs:
        if runs.failed or not runs.seconds:
            rows.append(
                f"| {runs.tool.name} | {runs.tool.version} | - | - | - | - | - | - | {runs.found} | {runs.exit} |"
            )
            continue
        rate = size / 1e6 / runs.median
        ratio = f"{runs.median / own:.2f}" if own else "-"
        spread = f"{min(runs.seconds):.2f} to {max(runs.seconds):.2f} | {statistics.median(runs.cpu):.2f}"
        rows.append(
            f"| {runs.tool.name} | {runs.tool.version} | {runs.median:.2f} | {spread} | {rate:.0f} | {ratio}"
            f" | {runs.peak / 1e6:.0f} | {runs.found} | {runs.exit} |"
        )
    return rows
