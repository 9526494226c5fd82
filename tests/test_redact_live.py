"""`bearertrap redact` while it runs: how soon lines come out, and what signals, closed and full outputs do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.scanning import jwt, opaque
from tests.test_redact_command import LINES, MAIN, TOKEN, is_clean, log, run

__all__ = ["log"]  # a fixture


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "redact", *map(str, arguments)], stdin=pipe, stdout=pipe, stderr=pipe
    )


def test_a_slow_writer_is_not_kept_waiting(tmp_path: Path) -> None:
    """Lines come out without a next one; half of the waits are under 50 ms even where the machine is busy."""
    waits = []
    with start("-") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        for number in range(20):
            line = b"%d Authorization: Bearer %s\n" % (number, opaque(number))
            began = time.monotonic()
            process.stdin.write(line)
            process.stdin.flush()
            got = process.stdout.readline()
            waits.append(time.monotonic() - began)
            assert got.startswith(b"%d Authorization: Bearer [REDACTED:" % number)
        process.stdin.close()
        assert process.wait(30) == 11
    assert sorted(waits)[0] < 0.05 and sorted(waits)[10] < 0.5


def test_a_steady_writer_is_not_kept_waiting_either() -> None:
    """Input that never pauses for as long as a line may wait: each line comes out soon all the same."""
    with start("-") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        written: list[float] = []

        def write() -> None:
            for number in range(100):
                written.append(time.monotonic())
                process.stdin.write(b"%d Authorization: Bearer %s\n" % (number, opaque(number)))
                process.stdin.flush()
                time.sleep(0.01)
            process.stdin.close()

        writer = threading.Thread(target=write)
        writer.start()
        waits = []
        for number in range(100):
            assert process.stdout.readline().startswith(b"%d Authorization: Bearer [REDACTED:" % number)
            waits.append(time.monotonic() - written[number])
        writer.join()
    assert sorted(waits)[50] < 0.5, "half of the lines, also where the machine is busy"


def test_a_half_line_is_held_and_comes_out_masked(tmp_path: Path) -> None:
    with start("-") as process:
        assert process.stdin and process.stdout
        for part in (b"Authorization: Bearer " + TOKEN[:20], TOKEN[20:], b"\n"):
            process.stdin.write(part)
            process.stdin.flush()
            time.sleep(0.2)
        assert process.stdout.readline().startswith(b"Authorization: Bearer [REDACTED:")
        process.stdin.close()


def test_the_first_secret_is_not_kept_waiting_for_what_could_be_done_before() -> None:
    """What is compiled or imported at first use was so while nothing had come yet."""
    waits = []
    for number in range(3):
        with start("-") as process:
            assert process.stdin and process.stdout
            time.sleep(2)
            began = time.monotonic()
            process.stdin.write(b'{"access_token":"' + jwt(number) + b'"}\n')
            process.stdin.flush()
            assert b"[REDACTED:jwt:" in process.stdout.readline()
            waits.append(time.monotonic() - began)
            process.stdin.close()
    assert min(waits) < 0.06, "where the machine has something else to do, one of three"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_stream_writes_what_it_held(number: int) -> None:
    with start("-") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        process.stdin.write(b"half a line, Authorization: Bearer " + TOKEN)
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(30) == 128 + number
    assert rest.startswith(b"half a line, Authorization: Bearer [REDACTED:") and TOKEN not in rest


def test_what_is_ignored_does_not_stop_a_stream() -> None:
    """As under nohup, or in the background of a shell without job control."""
    script = f"trap '' HUP INT; exec {sys.executable} -c \"$0\" redact -"
    pipe = subprocess.PIPE
    with subprocess.Popen(["bash", "-c", script, MAIN], stdin=pipe, stdout=pipe) as process:
        assert process.stdin and process.stdout
        for number, line in enumerate((b"first\n", b"second\n", b"third\n")):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
            process.send_signal((signal.SIGHUP, signal.SIGINT, signal.SIGHUP)[number])
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopped_at_work_on_many_files_each_is_the_old_or_the_new(number: int, tmp_path: Path) -> None:
    """Also by several processes, none of which goes on; nothing is left of what was in the making."""
    old = LINES * 3 + b"a quiet line\n" * 300_000
    for name in "abcdef":
        (tmp_path / name).write_bytes(old)
    with start("--in-place", "--jobs", "2", "--findings", tmp_path.with_suffix(".jsonl"), tmp_path) as process:
        until = time.monotonic() + 60
        while (tmp_path / "a").stat().st_size == len(old) and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(number)
        process.communicate()
        assert process.returncode == 128 + number
    time.sleep(0.5)
    sizes = [(tmp_path / name).stat().st_size for name in "abcdef"]
    assert sorted(os.listdir(tmp_path)) == list("abcdef") and len(set(sizes)) == 2 and sizes.count(len(old)) >= 2
    time.sleep(1)
    assert [(tmp_path / name).stat().st_size for name in "abcdef"] == sizes, "no process goes on"
    for name in "abcdef":
        data = (tmp_path / name).read_bytes()
        assert data == old or (is_clean(data) and data.endswith(old[-3_900_000:]))
    last = json.loads(tmp_path.with_suffix(".jsonl").read_bytes().splitlines()[-1])
    assert last["type"] == "summary" and last["interrupted"]


def test_pipes_and_devices_are_not_read_to_be_refused(log: Path) -> None:
    """A pipe among the files would be waited for, and what it holds be lost."""
    os.mkfifo(log.parent / "pipe")
    done = run("--in-place", log.parent, "/dev/null", log.parent / "pipe", code=12)
    assert done.stderr.count(b"is no regular file; pipe it in") >= 2 and is_clean(log.read_bytes())


def test_where_nothing_can_be_written_is_no_bug(log: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    done = run(log, "-o", tmp_path / "file" / "below", code=2)
    assert b"can't be made: Not a directory" in done.stderr
    done = run("-", "--findings", "/dev/full", data=LINES, code=2)
    assert b"could not be written" in done.stderr and is_clean(done.stdout)
    run("-", "--findings", "-", data=LINES, code=2)


def test_a_closed_output_ends_it_quietly() -> None:
    script = 'yes line | "$@" | head -n 1; echo ${PIPESTATUS[1]}'
    command = ["bash", "-c", script, "bash", sys.executable, "-c", MAIN, "redact", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert done.stdout == b"line\n141\n" and done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_output_is_an_error() -> None:
    command = [sys.executable, "-c", MAIN, "redact", "-"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, input=LINES * 5000, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode not in (0, 10, 11, 12) and b"Traceback" not in done.stderr and is_clean(done.stderr)


@pytest.mark.slow
def test_killed_at_any_moment_a_file_is_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    old = LINES * 3000
    path.write_bytes(old)
    run("--in-place", path)
    new = path.read_bytes()
    for step in range(25):
        path.write_bytes(old)
        with start("--in-place", path) as process:
            time.sleep(0.02 + step * 0.05)
            process.kill()
            process.wait()
        assert path.read_bytes() in (old, new), "a whole file, one or the other"
        for left in tmp_path.glob(".*.partial"):
            assert left.read_bytes() == new  # between its first name and its last: whole, and without secrets
            left.unlink()
