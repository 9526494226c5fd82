"""The committed samples are what the generator writes, and the scanner finds in them what was planted."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from samples.make_samples import DEMO_TIME, FILES, write_samples
from scanner import cli

SAMPLES = Path(__file__).parent.parent / "samples"


class Seen(NamedTuple):
    file: str
    spans: tuple[tuple[int, int], ...]
    kind: str
    state: str


def plain(path: Path) -> bytes:
    """The bytes of a sample; of a .gz those inside, since two zlibs may pack them differently."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def expected() -> list[dict[str, object]]:
    return [json.loads(line) for line in (SAMPLES / "expected.jsonl").read_text().splitlines()]


def test_generator_writes_the_committed_files(tmp_path: Path) -> None:
    write_samples(tmp_path)
    assert sorted(p.name for p in (SAMPLES / "files").iterdir()) == sorted(FILES)
    for name in FILES:
        assert plain(tmp_path / "files" / name) == plain(SAMPLES / "files" / name), name
    assert (tmp_path / "expected.jsonl").read_text() == (SAMPLES / "expected.jsonl").read_text()


def test_samples_are_small_and_cover_the_states() -> None:
    assert all((SAMPLES / "files" / name).stat().st_size < 20_000 for name in FILES)
    states = {row["state"] for row in expected() if row["kind"] == "jwt"}
    assert states == {"live", "expired", "not_yet_valid", "no_expiry", "unusable"}
    assert "unknown" in {row["state"] for row in expected()}


def scan() -> tuple[int, list[dict[str, object]]]:
    start = "import sys; from scanner.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "scan", "--at", DEMO_TIME.isoformat(), "-f", "jsonl", "files"]
    done = subprocess.run(command, cwd=SAMPLES, capture_output=True, timeout=60, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(cli, "main"), reason="the command line is not there yet")
def test_scan_finds_what_was_planted() -> None:
    code, rows = scan()
    assert code == 11
    found = sorted(seen(row) for row in rows if row["type"] == "finding")
    assert found == sorted(planted(row) for row in expected())
    assert [row for row in rows if row["type"] == "skipped"] == []


def seen(row: dict[str, object]) -> Seen:
    """What a line of the report says, by the contract's names."""
    match row:
        case {"source": {"path": str(path)}, "spans": list(spans), "kind": str(kind), "verdict": {"state": str(state)}}:
            return Seen(Path(path).name, tuple((span["start"], span["end"]) for span in spans), kind, state)
    raise AssertionError(f"not a finding by the contract: {sorted(row)}")


def planted(row: dict[str, object]) -> Seen:
    match row:
        case {"file": str(file), "start": int(start), "end": int(end), "kind": str(kind), "state": str(state)}:
            pieces = row.get("spans", [[start, end]])
            assert isinstance(pieces, list)
            return Seen(file, tuple((first, last) for first, last in pieces), kind, state)
    raise AssertionError(f"not a planted secret: {row}")
