"""Dumps masked at equal length: no copy is left in any encoding, and what reads the format still reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.commands import AT, bearertrap
from tests.hprof_walk import walk
from tests.jvm import Jvm, needs_jdk
from tests.scanning import jwt
from tests.test_heapsnapshot import PROGRAM, needs_node
from tests.test_hprof import findings_of

TOKENS = [jwt(i, exp=1_800_000_000) for i in range(16)]


def masked(path: Path) -> bytes:
    """The file's bytes after `bearertrap redact`."""
    before = path.read_bytes()
    ran = bearertrap("redact", "--at", AT, "-o", path.parent / "masked", path)
    assert ran.code == 11, ran.err
    after = (path.parent / "masked" / path.name).read_bytes()
    assert len(after) == len(before)
    assert after.count(0) == before.count(0), "a NUL is written"
    return after


def left_in(data: bytes) -> int:
    """Copies of payloads and signatures; a header is the same for all tokens and gives nothing away."""
    parts = [part.decode() for token in TOKENS for part in token.split(b".")[1:]]
    return sum(data.count(part.encode(order)) for part in parts for order in ("latin-1", "utf-16le", "utf-16be"))


@needs_jdk
@pytest.mark.parametrize("option", ["-XX:+CompactStrings", "-XX:-CompactStrings"])
def test_a_masked_heap_dump_has_the_same_objects(tmp_path: Path, option: str) -> None:
    with Jvm(tmp_path, TOKENS, option) as jvm:
        path = jvm.dump("all.hprof", "-all")
    before = path.read_bytes()
    after = masked(path)
    assert left_in(before) >= 2 * 3 * len(TOKENS)
    assert left_in(after) == 0
    assert walk(after) == walk(before)
    path.write_bytes(after)
    assert findings_of(path) == []


@needs_jdk
def test_a_masked_recording_is_printed_as_before(tmp_path: Path) -> None:
    with Jvm(tmp_path, TOKENS, f"-Dapi.token={TOKENS[3].decode()}", "-XX:StartFlightRecording") as jvm:
        jvm.jcmd("JFR.dump", f"filename={tmp_path}/recording.jfr")
    path = tmp_path / "recording.jfr"

    def summary() -> bytes:
        return subprocess.run(["jfr", "summary", path], check=True, capture_output=True, timeout=120).stdout

    before, events = path.read_bytes(), summary()
    after = masked(path)
    assert left_in(before) > 0
    assert left_in(after) == 0
    path.write_bytes(after)
    assert summary() == events
    command = ["jfr", "print", "--events", "jdk.InitialSystemProperty", path]
    printed = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    assert b"api.token" in printed
    assert b"****" in printed


@needs_node
def test_a_masked_snapshot_is_the_same_document(tmp_path: Path) -> None:
    path = tmp_path / "cache.heapsnapshot"
    subprocess.run(["node", PROGRAM, path], input=b"\n".join(TOKENS), check=True, capture_output=True, timeout=120)
    before = path.read_bytes()
    after = masked(path)
    assert left_in(before) > 0
    assert left_in(after) == 0
    was, now = json.loads(before), json.loads(after)
    assert [len(text) for text in now.pop("strings")] == [len(text) for text in was.pop("strings")]
    assert now == was
