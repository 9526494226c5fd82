"""A sweep with a state file: nothing is read twice, lost or doubled, wherever the process is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scanner.errors import UsageError
from scanner.model import Finding, Skipped, Source
from scanner.run import Options, run
from scanner.run.state import State
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of

OPTIONS = Options(AS_OF, KEY)
BEFORE = time.time() - 3600


def line(seed: int) -> bytes:
    return b"2026-11-22T10:00:%02dZ DEBUG authorization: Bearer %s\n" % (seed % 60, jwt(seed))


def put(folder: Path, files: dict[str, bytes]) -> list[Source]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
        os.utime(folder / name, (BEFORE, BEFORE))
    return [source_of(folder / name) for name in files]


def sweep(sources: list[Source], state: Path, options: Options = OPTIONS, jobs: int = 1) -> list[Finding | Skipped]:
    with State(str(state), options) as opened:
        return list(run(sources, options, jobs=jobs, state=opened))


def swap(path: Path, data: bytes) -> None:
    """Other bytes in a file past those whose digest is kept, with nothing else changed: not seen unless it is read."""
    old = path.read_bytes()
    assert len(data) == len(old)
    times = path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.write(old[:4096] + data[4096:])
    os.utime(path, ns=(times, times))


PADDING = b"2026-11-22T10:00:00Z INFO nothing here\n" * 120  # more than the head that is looked at


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    sources = put(tmp_path, {name: PADDING + line(n) for n, name in enumerate("abc")})
    first = sweep(sources, tmp_path / "state")
    assert len(first) == 3
    for name in "abc":
        swap(tmp_path / name, PADDING + line(7))
    assert sweep(sources, tmp_path / "state") == first
    assert list(run(sources, OPTIONS)) != first  # it would have seen


@pytest.mark.parametrize("change", ["content", "time", "size", "name", "inode"])
def test_what_has_changed_is_read_again(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a"
    sources = put(tmp_path, {"a": PADDING + line(1)})
    sweep(sources, tmp_path / "state")
    if change == "content":
        path.write_bytes(line(2) + PADDING)
        os.utime(path, (BEFORE, BEFORE))
    elif change == "time":
        swap(path, PADDING + line(2))
        os.utime(path, (BEFORE + 1, BEFORE + 1))
    elif change == "size":
        path.write_bytes(PADDING + line(2) + b"\n")
        os.utime(path, (BEFORE, BEFORE))
    elif change == "name":
        path = path.rename(tmp_path / "b")
        swap(path, PADDING + line(2))
    else:
        put(tmp_path, {"new": PADDING + line(2)})
        (tmp_path / "new").rename(path)
    sources = [source_of(path)]
    assert sweep(sources, tmp_path / "state") == list(run(sources, OPTIONS))


@pytest.mark.parametrize(
    "options",
    [replace(OPTIONS, key=b"o" * 32), replace(OPTIONS, leeway=5.0), replace(OPTIONS, max_lifetime=1.0)],
)
def test_other_settings_read_again(tmp_path: Path, options: Options) -> None:
    sources = put(tmp_path, {"a": PADDING + line(1)})
    sweep(sources, tmp_path / "state")
    swap(tmp_path / "a", PADDING + line(2))
    assert sweep(sources, tmp_path / "state", options) == list(run(sources, options))


@pytest.mark.parametrize("later", [timedelta(days=-400), timedelta(minutes=-4), timedelta(days=1), timedelta(days=900)])
def test_verdicts_are_as_of_now(tmp_path: Path, later: timedelta) -> None:
    """As if it had been read again: of tokens that end, begin, never end, are damaged, or whose record has a time."""
    day = int(AS_OF.timestamp())
    lines = [
        *(line(n) for n in range(5)),
        b'{"access_token": "%s", "expires_in": 299, "time": "2026-11-22T11:58:00Z"}\n' % opaque(1),
        b'2026-11-22 11:58:00 {"access_token": "%s", "expires_in": 299}\n' % opaque(2),
        b"client_secret=%s\n" % opaque(3),
        b"Authorization: Bearer %s\n" % opaque(4),
        b"token %s\n" % jwt(5, nbf=day + 3600, exp=day + 7200),
        b"token %s\n" % jwt(6, nbf=day + 3600, exp=None),
        b"token %s\n" % jwt(7, exp="soon"),
        b"token %s\n" % jwt(8)[:-9],
    ]
    sources = put(tmp_path, {"a": PADDING.join(lines)})
    sweep(sources, tmp_path / "state")
    options = replace(OPTIONS, as_of=AS_OF + later)
    known = sweep(sources, tmp_path / "state", options)
    assert len(known) == len(lines)
    assert known == list(run(sources, options))


def test_what_could_not_be_read_whole_is_tried_again(tmp_path: Path) -> None:
    sources = put(tmp_path, {"a.gz": b"\x1f\x8b\x08\0broken", "b": PADDING + line(1)})
    first = sweep(sources, tmp_path / "state")
    assert [type(event) for event in first] == [Skipped, Finding]
    assert sweep(sources, tmp_path / "state") == first
    with sqlite3.connect(tmp_path / "state") as database:
        assert database.execute("SELECT path FROM source").fetchall() == [(os.fsencode(tmp_path / "b"),)]


def test_a_file_that_was_just_written_is_not_kept(tmp_path: Path) -> None:
    """It may be written to again in the same instant of its clock."""
    path = tmp_path / "a"
    path.write_bytes(line(1))
    os.utime(path, ns=(time.time_ns() + 10**9, time.time_ns() + 10**9))
    sweep([source_of(path)], tmp_path / "state")
    path.write_bytes(line(2))
    assert sweep([source_of(path)], tmp_path / "state") == list(run([source_of(path)], OPTIONS))


def test_no_secret_is_in_it_and_it_is_ours_alone(tmp_path: Path) -> None:
    secrets = [jwt(n) for n in range(20)] + [opaque(n) for n in range(20)]
    text = b"".join(b'2026-11-22T10:00:00Z {"access_token": "%s"}\n' % secret for secret in secrets)
    assert len(sweep(put(tmp_path, {"a": text}), tmp_path / "state")) == 40
    held = b"".join(path.read_bytes() for path in tmp_path.glob("state*"))
    assert len(held) > 10_000
    for secret in secrets:
        for part in (secret, secret[:20], secret[-20:]):
            assert part not in held
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_what_is_no_state_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other"
    text.write_bytes(b"no database at all, but somebody's file" * 40)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    shared = tmp_path / "shared"
    shared.touch()
    shared.chmod(0o666)
    link = tmp_path / "link"
    link.symlink_to(text)
    for path in (text, other, shared, link, tmp_path / "missing" / "state"):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(UsageError):
            State(str(path), OPTIONS)
        assert (path.read_bytes() if path.exists() else None) == before


def test_one_sweep_at_a_time(tmp_path: Path) -> None:
    sources = put(tmp_path, {"a": line(1)})
    with State(str(tmp_path / "state"), OPTIONS), pytest.raises(UsageError, match="in use"):
        sweep(sources, tmp_path / "state")
    assert len(sweep(sources, tmp_path / "state")) == 1


# ---- killed


def command(folder: Path, out: Path, *more: str) -> list[str]:
    program = Path(sys.executable).with_name("bearertrap")
    options = ["--at", "2026-11-22T12:00:00Z", "--jobs", "2", "-q", "--exit-zero", "-o", str(out)]
    return [str(program), "scan", *options, *more, str(folder)]


def found(out: Path) -> list[object]:
    return [row for row in map(json.loads, out.read_text().splitlines()) if row["type"] != "summary"]


def killed_until_done(tmp_path: Path, files: int, size: int, seed: int, step: float) -> int:
    """Kills the command at random moments until it ends by itself; returns how often it was killed."""
    chance = random.Random(seed)
    folder = tmp_path / "in"
    folder.mkdir()
    dense = b"".join(line(n) for n in range(20))
    put(folder, {f"{n:04}.log": (dense + PADDING * 4) * (size // 40_000) + line(n) for n in range(files)})
    subprocess.run(command(folder, tmp_path / "whole.jsonl"), check=True)
    expected = found(tmp_path / "whole.jsonl")
    assert len(expected) > files
    for attempt in range(200):
        out = tmp_path / f"{attempt}.jsonl"
        with subprocess.Popen(command(folder, out, "--state", str(tmp_path / "state"))) as process:
            try:
                process.wait(chance.uniform(0, step * (attempt + 2)))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                assert found(out) == expected
                return attempt
            assert process.returncode == -signal.SIGKILL
    raise AssertionError("it never came to its end")


def test_killed_at_random_moments(tmp_path: Path) -> None:
    killed_until_done(tmp_path, files=40, size=100_000, seed=1, step=0.7)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    assert killed_until_done(tmp_path, files=150, size=1_000_000, seed=seed, step=0.3) > 2
