"""A small file is left alone only where a scan would find nothing in it and have nothing to say."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from detectors.registry import all_detectors
from scanner.matcher import Matcher
from scanner.model import Source
from scanner.run.glance import SMALL, holds_nothing

MATCHER = Matcher(all_detectors())
LINE = b"2026-11-22T12:00:00Z INFO request served in 12 ms\n"


def _tar(member: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("app.log")
        entry.size = len(member)
        archive.addfile(entry, io.BytesIO(member))
    return packed.getvalue()


def _source(path: Path, size: int | None = None) -> Source:
    return Source(str(path), os.fsencode(path), path.stat().st_size if size is None else size, 0.0)


@pytest.mark.parametrize("data", [b"", b"x", LINE * 80, LINE * (SMALL // len(LINE)), bytes(4096)])
def test_plain_files_without_an_anchor(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(data)
    assert holds_nothing(_source(path), MATCHER)


@pytest.mark.parametrize(
    "data",
    [
        LINE * 20 + b"Authorization: Bearer x\n",
        LINE * 20 + "access_token=x".encode("utf-16le"),
        LINE * (SMALL // len(LINE) + 1),  # too large to be looked at here
        gzip.compress(LINE),
        _tar(LINE),
        b"\x1f\x9d\x90 compressed by a program that is not supported",
        b"\x7fELF\2\1\1" + bytes(9) + b"\4\0" + bytes(100),
        b'{"snapshot":{"meta":{"node_fields":["type"',
    ],
)
def test_all_others_are_scanned(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(data)
    assert not holds_nothing(_source(path), MATCHER)


def test_what_is_no_regular_file_or_cannot_be_read_is_left_to_the_scan(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder", "gone"):
        path = tmp_path / name
        assert not holds_nothing(Source(name, os.fsencode(path), 10, 0.0), MATCHER)
    assert not holds_nothing(Source("-", b"-", None), MATCHER)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_files_whose_size_says_nothing_are_left_to_the_scan() -> None:
    assert not holds_nothing(Source("/proc/self/status", b"/proc/self/status", 0, 0.0), MATCHER)
