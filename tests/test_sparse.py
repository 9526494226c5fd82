"""Holes and zeros cost next to nothing, and change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.decoders import data_of
from scanner.run import Options, run
from tests.scanning import AS_OF, KEY, Shape, jwt, opaque, scan, spans
from tests.streams import source_of
from tests.test_elfcore import sparse_core

PAGE = 4096


def holey(path: Path, pieces: dict[int, bytes], size: int) -> None:
    """A file with data at the given offsets and holes between; skips where the file system has none."""
    with path.open("wb") as file:
        for offset, data in pieces.items():
            os.pwrite(file.fileno(), data, offset)
        file.truncate(size)
    if path.stat().st_blocks * 512 > size // 2:
        pytest.skip("this file system makes no holes")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges and holes that count from 64 KiB on, so that small files have many."""
    monkeypatch.setattr("scanner.run.units.RANGE", 64 * 1024)
    monkeypatch.setattr("scanner.run.units.RANGE_LEAST", 64 * 1024)
    monkeypatch.setattr("scanner.run.sequence.RANGE", 64 * 1024)
    monkeypatch.setattr("scanner.decoders.extents.HOLE", 64 * 1024)


PIECES = {
    0: b"first line\nAuthorization: Bearer " + opaque(1) + b"\n",
    40 * PAGE - 70: b"x=" + jwt(2) + b"\n",  # ends in the page behind
    90 * PAGE: jwt(3, "RS256").decode().encode("utf-16-be"),  # its first zero stands at a page's beginning
    200 * PAGE: b"\nlast line " + jwt(4).decode().encode("utf-16-le"),
    300 * PAGE: (b"x" * 100 + b"\n") * 3000 + jwt(5),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("tail", [0, 100 * PAGE])
def test_holes_change_nothing(tail: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse, dense = tmp_path / "sparse" / "file", tmp_path / "dense" / "file"
    size = max(at + len(data) for at, data in PIECES.items()) + tail
    for path in (sparse, dense):
        path.parent.mkdir()
    holey(sparse, PIECES, size)
    dense.write_bytes(sparse.read_bytes())
    assert len(data_of(source_of(sparse)) or []) == 5
    assert data_of(source_of(dense)) is None
    told = []
    for folder in (sparse.parent, dense.parent):
        for jobs in (1, 2):
            monkeypatch.chdir(folder)
            done: list[int] = []
            events = run(
                [source_of("file")], Options(AS_OF, KEY), jobs=jobs, progress=lambda p, d=done: d.append(p.bytes_done)
            )
            told.append([*events, done[-1]])
    assert len(told[0]) == 6
    assert told[0] == told[1] == told[2] == told[3]


@pytest.mark.usefixtures("small")
def test_a_file_that_is_one_hole(tmp_path: Path) -> None:
    path = tmp_path / "hole"
    holey(path, {}, 1 << 20)
    assert data_of(source_of(path)) == []
    assert list(run([source_of(path)], Options(AS_OF, KEY))) == []


@pytest.mark.parametrize("before", [0, 1, 191, 192, 193, 255, 256, 1000])
def test_zeros_behind_a_secret_change_nothing(before: int) -> None:
    """The last anchor byte of UTF-16LE is a zero: it may be the first of a block of zeros."""
    data = b"-" * before + jwt(1).decode().encode("utf-16-le") + bytes(3000) + jwt(2) + bytes(700)
    wanted = [[(before, before + 2 * len(jwt(1)))], [(len(data) - 700 - len(jwt(2)), len(data) - 700)]]
    for block in (193, 194, 256, 257, 1024):
        assert spans(scan(data, shape=Shape(block=block, room=block))) == wanted


MEASURED = """
import re, sys, time
from datetime import UTC, datetime
from pathlib import Path
from scanner.run import Options, run
from tests.streams import source_of
began = time.monotonic()
events = list(run([source_of(sys.argv[1])], Options(datetime(2026, 11, 22, tzinfo=UTC), b"k" * 32)))
took = time.monotonic() - began
# Not ru_maxrss, which begins with what the process that started this one had.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(len(events), took, peak[1])
"""


def measured(path: Path) -> tuple[int, float, int]:
    """(events, seconds, KiB of memory at the most) of a scan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, path], capture_output=True, check=True, timeout=300, text=True
    ).stdout.split()
    return int(done[0]), float(done[1]), int(done[2])


@pytest.mark.slow
def test_eleven_gigabytes_of_mostly_nothing_take_seconds(tmp_path: Path) -> None:
    path = tmp_path / "core"
    tokens = {2_000_000_000: jwt(1), 9_999_999_999: jwt(2, "RS256")}
    sparse_core(path, 11 << 30, tokens)
    found, seconds, memory = measured(path)
    assert found == 2
    assert seconds < 10
    assert memory < 150 * 1024
