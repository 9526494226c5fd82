"""What can go wrong with input, output and the machine: said, counted, and never a traceback or a false clean bill."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from scanner.run.units import RANGE
from tests.commands import AT, START, bearertrap, scan, started
from tests.scanning import jwt, opaque

TOKEN = b"Authorization: Bearer " + opaque(7) + b"\n"
ROOT_USER = os.geteuid() == 0


def reasons(folder: Path, *arguments: str) -> dict[str, str]:
    """What was skipped in a folder and why, by the path inside it."""
    ran = scan(folder, *arguments)
    assert ran.code == 12
    return {os.path.relpath(line["source"]["path"], folder): line["reason"] for line in ran.of_type("skipped")}


def test_a_clean_scan_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    ran = scan(tmp_path)
    assert (ran.code, ran.summary["sources"], ran.summary["skipped"]) == (0, 1, 0)


def test_what_is_not_there_is_said() -> None:
    ran = scan("/no/such/place.log")
    assert ran.code == 12
    assert ran.of_type("skipped")[0]["reason"] == "no such file"


@pytest.mark.skipif(ROOT_USER and not shutil.which("setpriv"), reason="root can read everything without setpriv")
def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed.log").write_bytes(TOKEN)
    (tmp_path / "closed.log").chmod(0)
    before = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if ROOT_USER else ()
    ran = scan(tmp_path / "closed.log", before=before)
    assert ran.code == 12
    assert ran.of_type("skipped")[0]["reason"] == "cannot be read: Permission denied"


def test_links_loops_and_special_files_are_left_alone_and_said(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(TOKEN)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "up").symlink_to("..")
    (tmp_path / "outside").symlink_to("/usr/share")
    (tmp_path / "nowhere").symlink_to("gone")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path)  # a socket's path is short
        listener.bind("sock")
        os.chdir(here)
    assert reasons(tmp_path) == {
        "outside": "is a link to a folder, and links are not followed",
        "nowhere": "is a link to nothing",
        "pipe": "is a FIFO, left alone",
        "device": "is a link to a character device, left alone",
        "sock": "is a socket, left alone",
    }
    assert scan(tmp_path).summary["findings"] == 1


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\n\x1b[31m.log"
    with open(name, "wb") as file:
        file.write(TOKEN)
    ran = scan(tmp_path)
    (finding,) = ran.of_type("finding")
    assert finding["source"]["path"].endswith(r"caf\xe9\x0a\x1b[31m.log")
    text = bearertrap("scan", "-f", "text", tmp_path)
    assert b"\x1b" not in text.out


def test_invalid_utf8_around_a_token(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\xff\xfe\xc3\x28 \x80" + TOKEN + b"\xf0\x28\x8c\x28")
    assert scan(tmp_path).summary["findings"] == 1


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_gzip_reports_what_came_before(tmp_path: Path, keep: float) -> None:
    noise = os.urandom(300_000).hex().encode()
    packed = gzip.compress(TOKEN + noise)
    (tmp_path / "a.gz").write_bytes(packed[: int(len(packed) * keep)])
    ran = scan(tmp_path)
    assert ran.code == 12
    assert ran.summary["findings"] == 1
    (skipped,) = ran.of_type("skipped")
    assert skipped["reason"] == "the gzip data ends too early"
    assert len(TOKEN) < skipped["at_byte"] < len(TOKEN + noise)


def test_corrupt_gzip_reports_what_came_before(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TOKEN + os.urandom(300_000).hex().encode()))
    middle = len(packed) // 2
    packed[middle : middle + 64] = os.urandom(64)
    (tmp_path / "a.gz").write_bytes(packed)
    ran = scan(tmp_path)
    assert ran.code == 12
    assert ran.summary["findings"] == 1
    assert "gzip" in ran.of_type("skipped")[0]["reason"]


def test_a_flood_of_nul(tmp_path: Path) -> None:
    with open(tmp_path / "holes.log", "wb") as file:
        file.write(TOKEN)
        file.seek(200_000_000)
        file.write(TOKEN)
    ran = scan(tmp_path)
    assert [f["spans"][0]["start"] for f in ran.of_type("finding")] == [22, 200_000_022]
    assert ran.summary["bytes"] == 200_000_000 + len(TOKEN)


def test_a_file_that_vanishes_between_walk_and_reading(tmp_path: Path) -> None:
    """The first source is a FIFO that keeps the scan busy until the second is gone."""
    fifo, log = tmp_path / "first", tmp_path / "second.log"
    os.mkfifo(fifo)
    log.write_bytes(TOKEN)
    process = started("scan", "-f", "jsonl", "--jobs", "1", fifo, log)
    with open(fifo, "wb") as writer:
        writer.write(TOKEN)
        writer.flush()
        log.unlink()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 12
    assert b'"reason":"no such file"' in out
    assert b'"findings":1' in out


@pytest.mark.parametrize("format_", ["text", "jsonl", "json", "csv"])
def test_a_closed_stdout_is_neither_clean_nor_a_bug(format_: str) -> None:
    process = started("scan", "--at", AT, "-f", format_, "samples/files", pipe_bytes=4096)  # less than any report
    assert process.stdout
    assert process.stderr
    assert os.read(process.stdout.fileno(), 1)
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.stdin
    process.stdin.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("format_", ["text", "jsonl", "json", "csv"])
def test_a_full_disk_is_said(format_: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*START, "scan", "-f", format_, "samples/files"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr == b"bearertrap: stdout could not be written: No space left on device\n"


def test_a_report_is_whole_or_not_there(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk; the report's own name never appears."""
    report = tmp_path / "out" / "found.jsonl"
    report.parent.mkdir()
    ran = bearertrap("scan", "samples/files", "-o", report, before=("prlimit", "--fsize=8192"))
    assert ran.code == 2
    assert b"could not be written" in ran.err
    assert list(report.parent.iterdir()) == []


def test_an_interrupt_gives_a_clean_partial_summary() -> None:
    process = started("scan", "-f", "jsonl", "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(TOKEN)
    process.stdin.flush()
    assert b'"type":"finding"' in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b""
    assert b'"interrupted":true' in out.splitlines()[-1]
    assert b'"findings":1' in out.splitlines()[-1]


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()  # proc(5): state, ppid …
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def test_an_interrupted_sweep_does_not_wait_for_its_workers(tmp_path: Path) -> None:
    """They are stopped: whoever waits for them waits for ever."""
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(TOKEN * (RANGE // 3 // len(TOKEN)))
    report = tmp_path / "found.jsonl"
    process = started("scan", "--jobs", "2", "-o", report, tmp_path)
    while len(workers := _children(process.pid)) < 2:
        assert process.poll() is None
    time.sleep(0.5)  # until the pool knows both; what they are at takes seconds
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted: not all was read" in err
    assert b'"interrupted":true' in report.read_bytes().splitlines()[-1]


def test_findings_of_a_pipe_come_before_its_end() -> None:
    """Within a second of the line that holds them (and, so that a busy machine does not fail it, five times that)."""
    process = started("scan", "--at", AT, "-f", "jsonl", "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"2026-11-22T11:59:00Z started\n")
    process.stdin.flush()
    time.sleep(0.5)  # the command is up
    for seed in range(3):
        said = time.monotonic()
        process.stdin.write(b"2026-11-22T12:00:00Z token=" + jwt(seed) + b"\n")
        process.stdin.flush()
        assert b'"kind":"jwt"' in process.stdout.readline()
        assert time.monotonic() - said < 5
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 11
    assert b'"findings":3' in out


@pytest.mark.slow
def test_one_line_of_a_gigabyte_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "line.log"
    with open(path, "wb") as file:
        for i in range(1000):
            file.write(b"x" * 1_000_000 + b" Authorization: Bearer " + opaque(i) + b" ")
    peak, ran = _peak(path)
    assert ran == 1000
    assert peak < 100_000_000


def _peak(path: Path) -> tuple[int, int]:
    """Peak resident bytes of a scan in one process, and how many findings it had."""
    done = subprocess.run(
        ["/usr/bin/env", "time", "-f", "%M", *START, "scan", "-f", "jsonl", "--jobs", "1", str(path)],
        capture_output=True, check=False,
    )  # fmt: skip
    return int(done.stderr.split()[-1]) * 1024, done.stdout.count(b'"type":"finding"')
