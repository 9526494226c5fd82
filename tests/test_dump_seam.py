"""A dump is scanned in ranges by several processes, and its format still has the last word on each finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.decoders import is_plain_file
from scanner.model import Finding
from scanner.run import Options, run
from tests.scanning import AS_OF, KEY, jwt
from tests.streams import source_of


def test_ranges_of_a_dump_are_completed_as_the_whole_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.run.units.RANGE", 64 * 1024)
    monkeypatch.setattr("scanner.run.units.RANGE_LEAST", 64 * 1024)
    monkeypatch.setattr("scanner.run.sequence.RANGE", 64 * 1024)
    path = tmp_path / "heap"
    head = b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + bytes(8)
    path.write_bytes(head + b"\n".join(bytes(50_000) + jwt(i) for i in range(9)))
    source = source_of(path)
    assert is_plain_file(source)
    options = Options(AS_OF, KEY)
    inline = [event for event in run([source], options) if isinstance(event, Finding)]
    parallel = [event for event in run([source], options, jobs=2) if isinstance(event, Finding)]
    assert len(inline) == 9
    assert parallel == inline
    assert {(finding.format, finding.line) for finding in inline} == {("hprof", None)}
    other = tmp_path / "other"
    other.write_bytes(b"x" + path.read_bytes())
    plain = [event for event in run([source_of(other)], options, jobs=2) if isinstance(event, Finding)]
    assert [finding.line for finding in plain] == list(range(1, 10))
