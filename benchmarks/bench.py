"""Runs bearertrap and its peers side by side and prints a table in Markdown.

    python benchmarks/bench.py                                 512 MB sparse, three runs each
    python benchmarks/bench.py --density sparse --density dense --size 64M --runs 5
    python benchmarks/bench.py --only bearertrap --only kingfisher

Whole processes, start to end. Each tool warms up once; then they take turns (A B C A B C), so that a machine that
gets slower or hotter does so for all. The median is given, and the spread. Every report is read: what was
planted and not found stands in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from corpus import EVERY, size_in_bytes, write_corpus
from tools import Planted, Tool, installed

MEASURE = Path(__file__).with_name("measure.py")


@dataclass(slots=True)
class Runs:
    tool: Tool
    seconds: list[float] = field(default_factory=list)
    peak: int = 0  # bytes, of all its processes together, in the worst run
    found: str = "-"
    exit: int = 0
    failed: bool = False  # it left no report that could be read: no time of it is given

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def main() -> None:
    options = _options()
    tools = [tool for tool in installed() if not options.only or tool.name.split(",")[0] in options.only]
    print(_machine())
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir) as folder:
        for density in options.density or ["sparse"]:
            path = Path(folder) / f"{density}.log"
            planted = write_corpus(path, density, size_in_bytes(options.size))
            runs = _race(tools, path, options.runs)
            print(_table(f"{density}, {path.stat().st_size / 1e6:.0f} MB, {planted} tokens", path, runs), flush=True)
            path.unlink()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="bearertrap and its peers side by side")
    parser.add_argument("--density", action="append", choices=EVERY, help="repeatable; default sparse")
    parser.add_argument("--size", default="512M", help="of each corpus; default 512M")
    parser.add_argument("--runs", type=int, default=3, help="after one to warm up; default 3")
    parser.add_argument("--only", action="append", help="a tool's name; repeatable")
    parser.add_argument("--dir", help="where corpora and reports are written for the time of the run")
    return parser.parse_args()


def _race(tools: list[Tool], path: Path, count: int) -> list[Runs]:
    all_runs = [Runs(tool) for tool in tools]
    for turn in range(count + 1):
        for runs in all_runs:
            _run(runs, path, warm_up=turn == 0)
    return all_runs


def _run(runs: Runs, path: Path, *, warm_up: bool) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        out, result = Path(folder) / "report", Path(folder) / "measured"
        command = [sys.executable, "-S", str(MEASURE), str(result), *runs.tool.command(path, out)]
        subprocess.run(command, check=True)
        row = json.loads(result.read_bytes())
        runs.exit = row["exit"]
        if warm_up:
            runs.found, runs.failed = _found(runs.tool, out, path)
            return
        runs.seconds.append(row["seconds"])
        runs.peak = max(runs.peak, row["peak_bytes"])


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
    with path.with_name(path.name + ".planted").open(encoding="ascii") as lines:
        for line in lines:
            start, end, token = line.split()
            planted.add((int(start), int(end), token))
    return planted


def _machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}\n"


def _table(title: str, path: Path, all_runs: list[Runs]) -> str:
    own = next((runs.median for runs in all_runs if runs.tool.name == "bearertrap" and not runs.failed), None)
    rows = [
        f"### {title}\n",
        "| tool | version | median s | spread s | MB/s | time / bearertrap's | peak MB | found | exit |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for runs in all_runs:
        if runs.failed:
            rows.append(f"| {runs.tool.name} | {runs.tool.version} | - | - | - | - | - | {runs.found} | {runs.exit} |")
            continue
        rate = path.stat().st_size / 1e6 / runs.median
        ratio = f"{runs.median / own:.2f}" if own else "-"
        spread = f"{min(runs.seconds):.2f} to {max(runs.seconds):.2f}"
        rows.append(
            f"| {runs.tool.name} | {runs.tool.version} | {runs.median:.2f} | {spread} | {rate:.0f} | {ratio}"
            f" | {runs.peak / 1e6:.0f} | {runs.found} | {runs.exit} |"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
