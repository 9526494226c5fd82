"""Runs bearertrap and its peers side by side; prints tables in Markdown, and writes them where they are kept.

    python benchmarks/bench.py                                 all, some twenty minutes and 20 GB of disk
    python benchmarks/bench.py --scale 0.125 --runs 1          a quick look
    python benchmarks/bench.py --part sparse --part dense --only bearertrap --only kingfisher
    python benchmarks/bench.py --write docs/benchmarks.md      the results behind its mark, and the plot beside it

Whole processes, start to end. Each tool warms up once; then they take turns. The median is given, and the spread. Every
report is read: what was planted and not found stands in the table.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import EVERY, notes_of, write_log
from race import race, table
from scenarios import DENSITIES, GI, GROWTH, MI, SCENARIOS, Scenario
from tools import Tool, installed

PARTS = (*(scenario.name for scenario in SCENARIOS), "start", "growth", "density")
MARK = "<!-- all below is written by benchmarks/bench.py -->\n"


def main() -> None:
    options = _options()
    tools = [tool for tool in installed() if not options.only or tool.name.split(",")[0] in options.only]
    parts = options.part or PARTS
    said, told = [f"{_machine()}\n"], []
    if options.dir:
        Path(options.dir).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir) as folder:
        for scenario in SCENARIOS:
            if scenario.name in parts:
                lines, came = _scenario(scenario, tools, Path(folder), options)
                said += lines
                told.append(came)
        for name, part in (("start", _start), ("growth", _growth), ("density", _density)):
            if name in parts:
                said += part(tools, Path(folder), options)
    summary = ["| corpus | target | measured |", "|---|---|---|", *told, ""] if told else []
    text = "\n".join([*summary, *said])
    print(text)
    if options.write:
        kept = options.write.read_text(encoding="utf-8").partition(MARK)[0] if options.write.exists() else ""
        options.write.write_text(f"{kept}{MARK}\n{text}\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="bearertrap and its peers side by side")
    parser.add_argument("--part", action="append", choices=PARTS, help="repeatable; default all")
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes; default 1")
    parser.add_argument("--runs", type=int, default=3, help="after one to warm up; default 3")
    parser.add_argument("--only", action="append", help="a tool's name; repeatable")
    parser.add_argument("--dir", help="where corpora and reports are written for the time of the run")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="a Markdown file whose end, past its mark, is replaced"
    )
    return parser.parse_args()


def _scenario(
    scenario: Scenario, tools: list[Tool], folder: Path, options: argparse.Namespace
) -> tuple[list[str], str]:
    """The table's lines, and the row of the summary."""
    _say(scenario.title)
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path, size = scenario.make(Path(inside), options.scale)
        wanted = [tool for tool in tools if tool.name in scenario.tools]
        runs = race(wanted, path, min(options.runs, scenario.most_runs))
    lines = [f"### {scenario.title} ({size / 1e6:,.0f} MB)\n", *table(size, runs), ""]
    came = scenario.judge({one.tool.name: one for one in runs}, size)
    return lines, f"| {scenario.title} | {scenario.target} | {came} |"


def _start(tools: list[Tool], _folder: Path, options: argparse.Namespace) -> list[str]:
    """What Python itself takes to start, and what we add to that."""
    own = Path(sys.executable).with_name("bearertrap")
    rows = [("python -c pass", [sys.executable, "-c", "pass"]), ("bearertrap --version", [str(own), "--version"])]
    taken: dict[str, list[float]] = {name: [] for name, _ in rows}
    if tools and own.exists():
        for _ in range(5 * options.runs):
            for name, command in rows:
                begin = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                taken[name].append(time.perf_counter() - begin)
    lines = [f"| {name} | {statistics.median(some) * 1000:.0f} |" for name, some in taken.items() if some]
    return ["### Start\n", "| command | median ms |", "|---|---:|", *lines, ""]


def _growth(tools: list[Tool], folder: Path, options: argparse.Namespace) -> list[str]:
    """bearertrap alone on logs of growing size."""
    own = [tool for tool in tools if tool.name == "bearertrap"]
    rows = []
    for size in GROWTH if own else ():
        _say(f"growth: {size} GiB")
        path = folder / "growth.log"
        write_log(path, EVERY["sparse"], int(size * GI * options.scale))
        (runs,) = race(own, path, min(options.runs, 2))
        mega = path.stat().st_size / 1e6
        rows.append(f"| {mega:,.0f} | {runs.median:.2f} | {mega / runs.median:.0f} | {runs.peak / 1e6:.0f} |")
        path.unlink()
    return ["### Cost as size grows\n", "| MB | median s | MB/s | peak MB |", "|---:|---:|---:|---:|", *rows, ""]


def _density(tools: list[Tool], folder: Path, options: argparse.Namespace) -> list[str]:
    """Throughput against tokens for each MB, as a plot where there is a file to put it beside."""
    scanners = [tool for tool in tools if tool.name in ("bearertrap", "kingfisher", "betterleaks")]
    points: dict[str, list[tuple[float, float]]] = {tool.name: [] for tool in scanners}
    rows = []
    for every in DENSITIES:
        _say(f"density: a token in {every} lines")
        path = folder / "density.log"
        planted = write_log(path, every, int(64 * MI * options.scale))
        mega = path.stat().st_size / 1e6
        runs = race(scanners, path, min(options.runs, 2))
        rates = [mega / one.median if one.seconds else 0.0 for one in runs]
        for one, rate in zip(runs, rates, strict=True):
            points[one.tool.name].append((planted / mega, rate))
        rows.append(f"| {planted / mega:,.1f} | {' | '.join(f'{rate:.0f}' for rate in rates)} |")
        path.unlink()
        notes_of(path).unlink()
    names = " | ".join(f"{tool.name} MB/s" for tool in scanners)
    lines = [
        "### Throughput against density\n",
        f"| tokens for each MB | {names} |",
        "|---:" * (1 + len(scanners)) + "|",
    ]
    if options.write:
        from plot import plot

        plot(points, options.write.with_name("density.svg"))
        rows += ["", "![Throughput against tokens for each MB](density.svg)"]
    return [*lines, *rows, ""]


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, Python {platform.python_version()}; load {load:.1f} when it began."


if __name__ == "__main__":
    main()
