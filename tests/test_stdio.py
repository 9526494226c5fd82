"""Standard input, output and error closed, full, non-blocking or without a reader: never a bug, never a loss unsaid."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import pytest

from tests.commands import START, environment
from tests.scanning import jwt, opaque

LINE = b"Authorization: Bearer " + opaque(7) + b"\n"
COMMANDS = ["scan -", "scan -f text -", "redact -", "inspect", "detectors", "--version", "--help", "completion bash"]
CLEAN = {"detectors": 0, "--version": 0, "--help": 0, "completion bash": 0}


def shell(command: str, redirected: str) -> subprocess.CompletedProcess[bytes]:
    """The command through a shell, with its descriptors as `redirected` says."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *START, *command.split()],
        input=LINE, capture_output=True, env=environment(), check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("redirected", "reason"), [(">/dev/full", b"No space left on device"), (">&-", b"Bad file")])
def test_a_stdout_that_takes_nothing_is_said(command: str, redirected: str, reason: bytes) -> None:
    done = shell(command, redirected)
    assert done.returncode == 2
    assert done.stderr.startswith(b"bearertrap: stdout could not be written: " + reason)
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", [*COMMANDS, "scan - /no/such/file"])
@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_changes_nothing(command: str, redirected: str) -> None:
    usual = shell(command, "")
    done = shell(command, redirected)
    assert done.returncode == usual.returncode
    assert len(done.stdout.splitlines()) == len(usual.stdout.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdin_is_said_by_what_reads_it(command: str) -> None:
    done = shell(command, "<&-")
    assert done.returncode == CLEAN.get(command, 2 if command == "inspect" else 12)
    assert b"internal error" not in done.stderr


def _non_blocking(*command: str, into: bytes | None = None, out: bool = False) -> tuple[int, bytes]:
    """Runs with one of its pipes non-blocking: the one it reads, fed in three parts, or the one it writes."""
    read, write = os.pipe()
    os.set_blocking(write if out else read, False)
    data = into or LINE * 3
    with subprocess.Popen(
        [*START, *command],
        stdin=subprocess.PIPE if out else read, stdout=write if out else subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        os.close(write if out else read)
        source, sink = (process.stdin, os.fdopen(read, "rb")) if out else (os.fdopen(write, "wb"), process.stdout)
        assert source
        assert sink

        def feed() -> None:
            with source:
                for part in range(3):
                    time.sleep(0 if out else 0.5)  # so that there is nothing to read for a while
                    source.write(data[part * len(data) // 3 : (part + 1) * len(data) // 3])
                    source.flush()

        feeder = threading.Thread(target=feed)
        feeder.start()
        with sink:
            got = b""
            while block := sink.read(40_000):
                got += block
        feeder.join()
    return process.returncode, got


def test_a_non_blocking_stdin_is_waited_for() -> None:
    code, out = _non_blocking("scan", "-f", "jsonl", "-")
    assert (code, out.count(b'"type":"finding"')) == (11, 3)
    assert _non_blocking("redact", "-")[1].count(b"[REDACTED:") == 3
    assert _non_blocking("inspect", into=jwt(1))[0] in (10, 11)


def test_a_non_blocking_stdout_gets_everything() -> None:
    """More than a pipe holds."""
    plain = b"".join(b"%d nothing to see here\n" % number for number in range(40_000))
    assert _non_blocking("redact", "-", into=plain, out=True) == (0, plain)
    code, out = _non_blocking("scan", "-f", "jsonl", "-", into=LINE * 900, out=True)
    assert (code, out.count(b'"type":"finding"')) == (11, 900)
