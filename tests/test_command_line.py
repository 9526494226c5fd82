"""The command's surface: exit codes, help, lists, completion, stdin, progress."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from detectors.registry import all_detectors
from scanner.cli.progress import Meter
from scanner.model import State, Summary
from scanner.run import Progress
from tests.commands import AT, START, bearertrap, environment, scan
from tests.scanning import jwt, opaque

SECRET = b"client_secret=" + opaque(1) + b"\n"


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"nothing here\n", (), 0),
        (b"t=" + jwt(1, exp=1_000_000_000), (), 10),
        (b"t=" + jwt(1), (), 11),
        (SECRET, (), 11),
        (SECRET, ("--exit-zero",), 0),
        (b"t=" + jwt(1)[:90] + b"\n", (), 10),
        (b"t=" + jwt(1, nbf=1_795_000_000_0), (), 11),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b", (), 12),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b", ("--exit-zero",), 12),
    ],
)
def test_exit_codes(data: bytes, options: tuple[str, ...], code: int) -> None:
    assert scan(*options, "-", stdin=data).code == code


def test_stdin_is_read_where_no_path_is_given() -> None:
    assert scan(stdin=SECRET).summary["findings"] == 1


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("scan", "--at", "noon", "."), ("scan", "-o", "report.pdf", "."), ("scan", "-f", "xml", "."),
     ("scan", "--jobs", "0", "."), ("scan", "ftp://host/x"), ("scan", "s3://bucket/x"), ("nothing",)],
)  # fmt: skip
def test_wrong_use_is_2_and_says_what(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = bearertrap(*arguments, cwd=tmp_path)
    assert ran.code == 2
    assert ran.out == b""
    assert ran.err.startswith(b"Usage: bearertrap")
    assert b"Error: " in ran.err


def test_every_command_explains_itself() -> None:
    overview = bearertrap("--help").out.decode()
    commands = [line.split()[0] for line in overview.partition("Commands:")[2].splitlines() if line.strip()]
    assert {"scan", "detectors", "completion"} <= set(commands)
    for command in commands:
        ran = bearertrap(command, "--help")
        assert ran.code == 0
        assert ran.out.startswith(f"Usage: bearertrap {command}".encode())


def test_detectors_are_listed_for_people_and_programs() -> None:
    listed = [json.loads(line) for line in bearertrap("detectors", "--json").out.splitlines()]
    assert [one["id"] for one in listed] == [detector.id for detector in all_detectors()]
    assert all(one["reference"].startswith("https://") for one in listed)
    people = bearertrap("detectors", "--kind", "jwt").out.decode().splitlines()
    assert people[0].split()[:2] == ["jwt", "jwt"]
    assert "rule set" in people[-1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    assert b"_BEARERTRAP_COMPLETE" in bearertrap("completion", shell).out


def test_completion_knows_commands_and_options() -> None:
    asked = {"_BEARERTRAP_COMPLETE": "bash_complete", "COMP_WORDS": "bearertrap scan --exclu", "COMP_CWORD": "2"}
    ran = bearertrap(env=asked)
    assert (ran.code, ran.out) == (0, b"plain,--exclude\n")


def test_help_into_a_closed_pipe_is_no_bug() -> None:
    pipe = 'set -o pipefail; "$@" scan --help | head -c 1; echo; echo ${PIPESTATUS[0]}'
    done = subprocess.run(["bash", "-c", pipe, "-", *START], env=environment(), capture_output=True, check=False)
    assert done.stdout.splitlines()[-1] in (b"0", b"141")  # the pipe may have taken it all before it was closed
    assert done.stderr == b""


def test_messages_stay_off_stdout(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(SECRET)
    ran = scan("--progress", tmp_path / "a.log", tmp_path / "none.log")
    assert ran.summary["skipped"] == 1
    assert b"none.log" in ran.err
    assert scan("-q", "--progress", tmp_path / "none.log").err == b""


def test_a_line_every_30_seconds_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("scanner.cli.progress.time.monotonic", lambda: now)
    summary = Summary(by_state={State.LIVE: 2, State.EXPIRED: 7})
    meters = [Meter(True, False, summary), Meter(None, False, summary), Meter(True, True, summary)]
    for second in range(0, 100, 2):
        now = 1000.0 + second
        for meter in meters:
            meter.progress(Progress(second * 10_000_000, 2_000_000_000, 3, "old/app.log"))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "bearertrap: 300 of 2,000 MB, 10 MB/s, 2 min 50 s left, 2 live, 7 expired, old/app.log",
        "bearertrap: 600 of 2,000 MB, 10 MB/s, 2 min 20 s left, 2 live, 7 expired, old/app.log",
        "bearertrap: 900 of 2,000 MB, 10 MB/s, 1 min 50 s left, 2 live, 7 expired, old/app.log",
    ]


def test_judged_as_of_any_time() -> None:
    token = b"t=" + jwt(0, nbf=1_795_262_400)  # valid on 22 November 2026 only, until noon
    states = {"2026-11-20": "not_yet_valid", "2026-11-22T11:59:59Z": "live", AT: "expired", "2030-01-01": "expired"}
    for at, state in states.items():
        (finding,) = bearertrap("scan", "-f", "jsonl", "--at", at, "-", stdin=token).of_type("finding")
        assert finding["verdict"]["state"] == state


def test_a_report_named_twice_is_a_usage_error(tmp_path: Path) -> None:
    for target in ("-", str(tmp_path / "x.jsonl")):
        ran = bearertrap("scan", "-o", target, "-o", target, "-", stdin=b"t=" + jwt(0))
        assert (ran.code, ran.out) == (2, b"")
        assert b"given twice" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_format_is_that_of_the_one_report_on_stdout(tmp_path: Path) -> None:
    ran = bearertrap("scan", "-o", "-", "-f", "json", "-o", tmp_path / "x.csv", "-", stdin=b"t=" + jwt(0))
    assert len(json.loads(ran.out)["findings"]) == 1
    assert (tmp_path / "x.csv").exists()
