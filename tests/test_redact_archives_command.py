"""The command on archives: copies, in place, by a report; nothing left behind, and bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.archived_logs import FILES, LOG, OTHER, QUIET, TOKEN, contents, is_clean
from tests.archives import tar, zipped
from tests.commands import Ran, bearertrap


def command(*arguments: str | Path, code: int) -> Ran:
    ran = bearertrap(*map(str, arguments))
    assert ran.code == code, ran.err
    assert is_clean(ran.said)
    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "logs.tgz").write_bytes(gzip.compress(tar(FILES)))
    (folder / "logs.zip").write_bytes(zipped(FILES))
    (folder / "both.tar").write_bytes(tar({"in.zip": zipped(FILES), "q": QUIET}))
    return folder


def test_the_command_on_archives(folder: Path, tmp_path: Path) -> None:
    """Copies, in place and by a report give the same; a scan of them finds nothing."""
    ran = command("redact", folder, "-o", tmp_path / "out", code=11)
    assert b"3 of 3 files written" in ran.err
    command("scan", "-q", "-o", tmp_path / "found.jsonl", folder, code=11)
    command("redact", "--from", tmp_path / "found.jsonl", folder, "-o", tmp_path / "by-report", code=11)
    command("redact", "--in-place", folder, code=11)
    for path in sorted(folder.iterdir()):
        assert all(map(is_clean, contents(path.read_bytes(), tmp_path).values()))
        for copy in ("out", "by-report"):
            assert (tmp_path / copy / "old" / path.name).read_bytes() == path.read_bytes()
    again = command("scan", "-f", "jsonl", folder, code=0)
    assert again.findings == [] and again.skipped == []
    command("redact", "--in-place", folder, code=0)
    assert not [name for name in os.listdir(folder) if name.endswith(".partial")]


def test_a_report_tells_members_of_one_name_apart(tmp_path: Path) -> None:
    """As `tar -r` makes them. Each has its own findings, ids and copies, also at the same offsets."""
    out = io.BytesIO()
    bare = b"-" * LOG.index(TOKEN) + OTHER + b" and \n"  # where the first has a finding, the third has a copy
    with tarfile.open(fileobj=out, mode="w") as archive:
        for data in (LOG, LOG, bare + b"client_secret=" + OTHER + b"\n"):
            info = tarfile.TarInfo("app.log")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    path = tmp_path / "twice.tar"
    path.write_bytes(out.getvalue())
    ran = command("scan", "-f", "jsonl", "-o", tmp_path / "found.jsonl", path, code=11)
    assert sorted({finding["source"].get("occurrence", 1) for finding in ran.findings}) == [1, 2, 3]
    assert len({finding["id"] for finding in ran.findings}) == len(ran.findings)
    place = {"start": LOG.index(TOKEN), "end": LOG.index(TOKEN) + len(OTHER)}
    assert [f["source"]["occurrence"] for f in ran.findings if f["copy_of"] and place in f["spans"]] == [3]
    command("redact", path, "-o", tmp_path / "out", code=11)
    command("redact", "--from", tmp_path / "found.jsonl", "--in-place", path, code=11)
    assert path.read_bytes() == (tmp_path / "out/twice.tar").read_bytes()
    assert is_clean(path.read_bytes())


def test_nothing_is_left_in_temporary_folders(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    big = tmp_path / "old" / "big.tar.gz"
    big.write_bytes(gzip.compress(tar({"big.log": (LOG + QUIET) * 400}), 1))  # larger than what is held in memory
    ran = bearertrap("redact", "--in-place", str(folder), env={"TMPDIR": str(tmp_path / "tmp")})
    assert ran.code == 11
    assert os.listdir(tmp_path / "tmp") == [] and sorted(os.listdir(folder)) == [
        "big.tar.gz", "both.tar", "logs.tgz", "logs.zip",
    ]  # fmt: skip


@pytest.mark.slow
def test_memory_does_not_grow_with_a_member(tmp_path: Path) -> None:
    peaks = []
    for megabytes in (4, 120):
        path = tmp_path / "big.tar.gz"
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            info = tarfile.TarInfo("big.log")
            lines = (LOG + QUIET * 20) * (megabytes * 1_000_000 // len(LOG + QUIET * 20))
            info.size = len(lines)
            archive.addfile(info, io.BytesIO(lines))
        script = (
            "import contextlib; from scanner.cli import main\n"
            "with contextlib.suppress(SystemExit): main()\n"
            "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"  # not its parent's, as rusage
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "redact", "-q", "--jobs", "1", "-o", str(tmp_path / "out"), str(path)],
            capture_output=True, check=False, env={**os.environ, "PYTHONPATH": os.getcwd()}, timeout=300,
        )  # fmt: skip
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < peaks[0] + 30_000, f"{peaks} KiB"
