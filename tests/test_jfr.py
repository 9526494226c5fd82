"""Recordings of a real flight recorder: each copy is found, in the event and the field that hold it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import Finding, Skipped
from tests.jvm import Jvm, needs_jdk
from tests.scanning import jwt
from tests.test_hprof import events_of, findings_of

PROPERTY, VARIABLE = jwt(22, exp=1_800_000_000), jwt(20, exp=1_800_000_000)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jfr")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_TOKEN", VARIABLE.decode())
        options = [f"-Dapi.token={PROPERTY.decode()}", "-XX:StartFlightRecording"]
        with Jvm(folder, [jwt(i) for i in range(16)], *options) as jvm:
            jvm.jcmd("JFR.dump", f"filename={folder}/recording.jfr")
    return folder / "recording.jfr"


@needs_jdk
def test_every_copy_is_found_in_its_event(recording: Path) -> None:
    data = recording.read_bytes()
    found = findings_of(recording)
    expected = set()
    for token in (PROPERTY, VARIABLE):
        at = data.find(token)
        while at >= 0:
            expected.add((at, at + len(token)))
            at = data.find(token, at + 1)
    assert {(f.spans[0].start, f.spans[0].end) for f in found} == expected
    assert all(f.format == "jfr" and f.line is None for f in found)
    told: dict[str | None, set[object]] = {}
    for finding in found:
        assert finding.address
        told.setdefault(finding.token.subject, set()).add(finding.address["owner"])
    # not all: the recorder lists the command lines of all programs that run on the machine
    assert told["job-20"] >= {"environment variable API_TOKEN"}
    assert told["job-22"] >= {"system property api.token", "jdk.JVMInformation.jvmArguments"}


@needs_jdk
def test_the_sections_are_those_the_jdk_prints(recording: Path) -> None:
    """`jfr print` as the oracle: as many copies in each event as it shows."""
    for name in ("jdk.InitialEnvironmentVariable", "jdk.InitialSystemProperty", "jdk.JVMInformation"):
        command = ["jfr", "print", "--events", name, str(recording)]
        printed = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
        expected = printed.count(PROPERTY) + printed.count(VARIABLE)
        found = [f for f in findings_of(recording) if f.address and f.address["section"] == name]
        assert len(found) == expected > 0


@needs_jdk
def test_a_recording_cut_short_gives_its_findings_and_says_so(recording: Path, tmp_path: Path) -> None:
    data = recording.read_bytes()
    path = tmp_path / "cut.jfr"
    for size in (40, 68, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        events = events_of(path)
        (skipped,) = [event for event in events if isinstance(event, Skipped)]
        assert skipped.at_byte == 0
        found = [event for event in events if isinstance(event, Finding)]
        assert len(found) == sum(f.spans[0].end <= size for f in findings_of(recording))


@needs_jdk
def test_two_recordings_in_one_file_are_two_chunks(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "joined.jfr"
    path.write_bytes(recording.read_bytes() * 2)
    once, twice = findings_of(recording), findings_of(path)
    assert [f.address for f in twice] == [f.address for f in once] * 2


@needs_jdk
def test_no_damage_stops_the_reader(recording: Path, tmp_path: Path) -> None:
    sound = recording.read_bytes()
    kept = [(f.spans[0].start, f.spans[0].end) for f in findings_of(recording)]
    metadata = int.from_bytes(sound[24:32])
    places = st.one_of(st.integers(6, 67), st.integers(68, len(sound) - 9), st.integers(metadata, metadata + 200))
    damage = st.sampled_from([b"\0", b"\xff" * 9, b"\x80" * 9, b"\x01", b"\x7f\xff\xff\xff"])
    path = tmp_path / "a.jfr"

    @settings(max_examples=25)
    @given(st.lists(st.tuples(places, damage), min_size=1, max_size=6))
    def damaged(changes: list[tuple[int, bytes]]) -> None:
        data = bytearray(sound)
        for at, fresh in changes:
            if all(at + len(fresh) < low - 2 or at > high + 2 for low, high in kept):
                data[at : at + len(fresh)] = fresh
        path.write_bytes(data)
        starts = {event.spans[0].start for event in events_of(path) if isinstance(event, Finding)}
        assert {low for low, _ in kept} <= starts

    damaged()
