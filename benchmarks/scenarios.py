"""What is measured: a corpus, the tools that are run on it, and the row of the targets it answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus import EVERY, notes_of, write_log, write_small
from race import Runs

Make = Callable[[Path, float], tuple[Path, int]]  # (folder, scale) -> (what to scan, its bytes unpacked)
SCANNERS = ("bearertrap", "kingfisher", "betterleaks", "gitleaks")
MI, GI = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    title: str
    make: Make
    tools: tuple[str, ...]
    target: str  # in words
    judge: Callable[[dict[str, Runs], int], str]  # what came of it, in words
    most_runs: int = 9


def _log(name: str, size: int) -> Make:
    def make(folder: Path, scale: float) -> tuple[Path, int]:
        path = folder / f"{name}.log"
        write_log(path, EVERY[name], int(size * scale))
        return path, path.stat().st_size

    return make


def _gz(count: int) -> Make:
    """The sparse log as `count` files by gzip -6, as `pigz -6` writes them too."""

    def make(folder: Path, scale: float) -> tuple[Path, int]:
        inside = folder / "gz"
        inside.mkdir()
        program = shutil.which("pigz") or "gzip"
        total = 0
        with notes_of(inside).open("wb") as notes:
            for number in range(count):
                path = inside / f"{number:02}.log"
                write_log(path, EVERY["sparse"], int(512 * MI * scale) // count)
                total += path.stat().st_size
                notes.write(notes_of(path).read_bytes())
                notes_of(path).unlink()
                subprocess.run([program, "-6", str(path)], check=True)
        if count > 1:
            return inside, total
        path = inside / "00.log.gz"
        notes_of(inside).rename(notes_of(path))
        return path, total

    return make


def _small(folder: Path, scale: float) -> tuple[Path, int]:
    inside = folder / "small"
    write_small(inside, int(100_000 * scale), 4096)
    return inside, sum(path.stat().st_size for path in inside.rglob("*.log"))


def _empty(folder: Path, _scale: float) -> tuple[Path, int]:
    path = folder / "empty.log"
    path.touch()
    notes_of(path).touch()
    return path, 0


def _times(*others: str) -> Callable[[dict[str, Runs], int], str]:
    """How many times as long as ours each of the others takes."""

    def judge(runs: dict[str, Runs], _size: int) -> str:
        own = runs.get("bearertrap")
        told = [
            f"{runs[name].median / own.median:.1f} x {name.split(',')[0]}"
            for name in others
            if own and own.seconds and name in runs and runs[name].seconds
        ]
        return ", ".join(told) or "not measured"

    return judge


def _rate(runs: dict[str, Runs], size: int) -> str:
    own = runs.get("bearertrap")
    return f"{size / 1e6 / own.median:.0f} MB/s, {own.peak / 1e6:.0f} MB" if own and own.seconds else "not measured"


def _seconds(runs: dict[str, Runs], _size: int) -> str:
    own = runs.get("bearertrap")
    return f"{own.median:.2f} s" if own and own.seconds else "not measured"


RG, IGZIP = "ripgrep, 2 words", "igzip, alone"
SCENARIOS = (
    Scenario(
        "sparse", "512 MB of sparse log", _log("sparse", 512 * MI), (*SCANNERS, RG),
        ">= 8 x kingfisher, >= 15 x betterleaks, >= 0.5 x ripgrep", _times("kingfisher", "betterleaks", RG),
    ),
    Scenario(
        "large", "5 GB of sparse log", _log("sparse", 5 * GI), ("bearertrap", RG),
        "the same rate, all processes < 300 MB", _rate, most_runs=2,
    ),
    Scenario(
        "dense", "38 MB, a JWT in every line", _log("dense", 36 * MI), SCANNERS,
        ">= 2 x kingfisher, all exact", _times("kingfisher"),
    ),
    Scenario("clean", "512 MB without a token", _log("clean", 512 * MI), ("bearertrap", RG), "", _rate),
    Scenario(
        "gz", "512 MB as one gzip -6", _gz(1), ("bearertrap", "kingfisher", IGZIP),
        ">= 0.85 x igzip alone", _times(IGZIP),
    ),
    Scenario(
        "gz64", "the same in 64 files", _gz(64), ("bearertrap", "kingfisher"),
        ">= 1.7 x the rate of one file", _rate,
    ),
    Scenario("small", "100,000 files of 4 KB", _small, (*SCANNERS, RG), ">= 3 x kingfisher", _times("kingfisher")),
    Scenario("empty", "an empty file", _empty, SCANNERS, "< 0.3 s", _seconds),
)  # fmt: skip
GROWTH = (1, 2, 4, 8)  # GiB of sparse log: cost linear within 5 %, memory flat
DENSITIES = (10_000, 1_000, 100, 10, 1)  # lines for each token, 64 MiB each
