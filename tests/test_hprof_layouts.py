"""Layouts of heap dumps that the JVM at hand does not write, dumps that are cut short, and dumps that lie."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decoders.dumps import hprof, hprof_owners
from scanner.model import Finding, Skipped
from tests.commands import environment
from tests.hprof_make import Heap, cache
from tests.hprof_walk import walk
from tests.scanning import jwt, opaque
from tests.test_hprof import events_of, findings_of

TOKENS = [jwt(i) for i in range(3)]
OWNERS = ["com.example.Cache.current", 'com.example.Cache.BY_USER["alice"]', "com.example.Cache.accessToken"]


def owners(found: list[Finding]) -> list[object]:
    return [finding.address and finding.address.get("owner") for finding in found]


def written(folder: Path, data: bytes) -> Path:
    path = folder / "made.hprof"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("wide", [4, 8])
@pytest.mark.parametrize("android", [False, True], ids=["jvm", "android"])
@pytest.mark.parametrize("segment", [None, 5_000], ids=["one record", "segments"])
def test_owners_in_every_layout(tmp_path: Path, wide: int, android: bool, segment: int | None) -> None:
    data = cache(TOKENS, wide=wide, android=android).data(segment)
    if not android:
        assert walk(data).inner[0x23] > 3  # what is made is sound
    assert owners(findings_of(written(tmp_path, data))) == OWNERS


def test_a_heap_whose_length_was_too_much_for_its_field(tmp_path: Path) -> None:
    data = cache(TOKENS).data()
    start, _ = walk(data).segments[0]
    assert owners(findings_of(written(tmp_path, data[: start - 4] + bytes(4) + data[start:]))) == OWNERS


@pytest.mark.slow
def test_a_record_is_told_from_within_a_heap_of_one_record(tmp_path: Path) -> None:
    """JDK 8 writes up to 2 GB in one record, too much for a walk: here more than what is ever walked."""
    data = cache(TOKENS, filler=3_000_000).data()
    whole = walk(data)
    assert whole.segments[0][1] - whole.segments[0][0] > 8 << 20
    assert owners(findings_of(written(tmp_path, data))) == OWNERS


@pytest.mark.slow
def test_memory_stays_bounded(tmp_path: Path) -> None:
    """300 MB of heap with its owners: what is held depends on the classes and the findings alone."""
    heap = cache(TOKENS)
    heap.filler(heap.classes["com/example/Filling"], 3_000_000, 9)
    heap.records += heap.records[-20_000:] * 150
    path = tmp_path / "large.hprof"
    path.write_bytes(heap.data())
    assert path.stat().st_size > 300e6
    code = (
        "import sys; from scanner.cli import main\ntry: main()\n"
        "finally: print(*[line for line in open('/proc/self/status') if line[:5] == 'VmHWM'], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "scan", "-q", "--jobs", "1", "-f", "jsonl", str(path)]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False, env=environment())
    assert sum(owner.encode() in done.stdout.replace(b"\\", b"") for owner in OWNERS) == 3
    assert int(done.stderr.split()[-2]) < 150 * 1024  # KiB


def test_a_token_deep_inside_a_large_array_is_placed(tmp_path: Path) -> None:
    heap = cache(TOKENS)
    large = heap.bytes_(random.Random(5).randbytes(700_000) + b" " + jwt(7) + b" " + bytes(900_000))
    heap.cls("com/example/Buffers", heap.classes["java/lang/Object"], "", {"LARGE": large})
    heap.records.sort(key=lambda record: record[0] != 0x20)
    found = findings_of(written(tmp_path, heap.data()))
    assert found[-1].address
    assert found[-1].address["owner"] == "com.example.Buffers.LARGE"
    assert found[-1].address["offset"] == 700_001


def test_an_odd_offset_does_not_hide_utf16(tmp_path: Path) -> None:
    """Arrays begin at any offset: both orders, each at an even and an odd one, followed by any record."""
    for pad in range(4):
        heap = cache(TOKENS)
        heap.bytes_(b"-" * pad)
        values = [jwt(9), jwt(10)]
        heap.bytes_(values[0].decode().encode("utf-16le"))
        heap.bytes_(values[1].decode().encode("utf-16be"), 5)
        data = heap.data()
        found = {f.token.subject: f for f in findings_of(written(tmp_path, data))}
        for subject, value, order in (("job-9", values[0], "utf-16le"), ("job-10", values[1], "utf-16be")):
            at = data.index(value.decode().encode(order))
            assert found[subject].encoding == (order,)
            assert (found[subject].spans[0].start, found[subject].spans[0].end) == (at, at + 2 * len(value))


def test_a_key_that_may_be_a_secret_is_not_shown(tmp_path: Path) -> None:
    secret = opaque(3, 32)
    found = findings_of(written(tmp_path, cache(TOKENS, key=secret).data()))
    assert owners(found)[1] == "com.example.Cache.BY_USER[(32 characters)]"
    token = jwt(4)
    found = findings_of(written(tmp_path, cache(TOKENS, key=token).data()))
    by_key = next(f for f in found if f.token.subject == "job-1")
    replacement = next(f.replacement for f in found if f.token.subject == "job-4")
    assert by_key.address
    assert by_key.address["owner"] == f"com.example.Cache.BY_USER[{replacement}]"
    for finding in found:
        assert secret.decode() not in repr(finding)
        assert token.decode() not in repr(finding)


def test_the_address_of_a_symbol_is_no_length_of_ruby_s(tmp_path: Path) -> None:
    """A symbol's id follows the name of the one before; 0x27 is Ruby's 34, but no mark of a string precedes it."""
    heap = cache(TOKENS)
    heap.name("hasMoreTokens")
    heap.last = 0x7F27_4B4D_3938
    heap.name("LOG2_ARRAY_BOOLEAN_INDEX_SCALE")
    assert len(findings_of(written(tmp_path, heap.data()))) == len(TOKENS)


def test_garbage_is_told(tmp_path: Path) -> None:
    heap = cache(TOKENS)
    heap.instance(heap.classes["java/lang/String"], heap.bytes_(jwt(5)), b"\0")
    found = next(f for f in findings_of(written(tmp_path, heap.data())) if f.token.subject == "job-5")
    assert found.address
    assert (found.address["owner"], found.address["reachable"]) == (None, False)


def test_circles_of_references_end(tmp_path: Path) -> None:
    heap = Heap()
    root = heap.cls("java/lang/Object")
    link = heap.cls("java/util/LinkedList$Node", root, "item: next: prev:")
    array = heap.bytes_(jwt(1))
    first, second = heap.last + 8, heap.last + 16
    assert heap.instance(link, array, second, 0) == first
    assert heap.instance(link, 0, first, first) == second
    found = findings_of(written(tmp_path, heap.data()))
    assert found[0].address
    assert (found[0].address["owner"], found[0].address["reachable"]) == (None, False)


def test_what_has_more_holders_than_are_looked_at_is_said(tmp_path: Path) -> None:
    heap = Heap()
    root = heap.cls("java/lang/Object")
    box = heap.cls("java/util/Optional", root, "value:")
    array = heap.bytes_(jwt(1))
    for _ in range(hprof_owners.HOLDERS_MOST + 5):
        heap.instance(box, array)
    found = findings_of(written(tmp_path, heap.data()))
    assert found[0].address
    assert found[0].address["owner"] == "java.util.Optional.value"
    assert "more objects hold it than were looked at" in str(found[0].address["note"])
    assert found[0].address["reachable"] is None


def test_findings_beyond_the_bound_are_placed_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hprof, "BATCH", 1)
    monkeypatch.setattr(hprof, "BATCHES", 2)
    found = findings_of(written(tmp_path, cache(TOKENS).data()))
    assert owners(found) == [*OWNERS[:2], None]
    assert found[2].address
    assert found[2].address["note"] == hprof.CAPPED
    assert found[2].address["array"] == "byte[]"


def test_a_dump_cut_short_gives_its_findings_and_says_where(tmp_path: Path) -> None:
    data = cache(TOKENS).data(5_000)
    ends = [data.index(token) + len(token) for token in TOKENS]
    for size in (*range(60), *ends, ends[0] + 1, ends[2] + 4_000, len(data) - 1, len(data) - 9, len(data) - 10):
        events = events_of(written(tmp_path, data[:size]))
        found = [event for event in events if isinstance(event, Finding)]
        skipped = [event for event in events if isinstance(event, Skipped)]
        assert len(found) == sum(end <= size for end in ends)
        assert all("cut short" in one.reason or "ends inside" in one.reason for one in skipped)
        if size == ends[2]:
            assert len(skipped) == 1
            assert owners(found)[0] == OWNERS[0] or owners(found)[0] is None
    assert owners(findings_of(written(tmp_path, data))) == OWNERS


def test_a_packed_dump_cut_short_gives_its_findings(tmp_path: Path) -> None:
    """Members of 8 KB, as the JVM makes them of a megabyte; the last one damaged or cut."""
    data = cache(TOKENS).data(5_000)
    members = [gzip.compress(data[i : i + 8_192], mtime=0) for i in range(0, len(data), 8_192)]
    whole = b"".join(members)
    path = tmp_path / "heap.hprof.gz"
    path.write_bytes(whole)
    assert owners(findings_of(path)) == OWNERS
    for broken in (whole[:-4], whole[:-300], whole[:-4] + bytes(4), whole[: len(members[0]) + 9], whole[:30]):
        path.write_bytes(broken)
        events = events_of(path)
        assert any(isinstance(event, Skipped) for event in events)
        assert all(owner is None for owner in owners([event for event in events if isinstance(event, Finding)]))


def test_lengths_that_lie_end_the_walk_and_are_said(tmp_path: Path) -> None:
    data = cache(TOKENS).data(5_000)
    start, _ = walk(data).segments[3]
    broken = data[: start - 4] + (3).to_bytes(4) + data[start:]
    events = events_of(written(tmp_path, broken))
    (skipped,) = [event for event in events if isinstance(event, Skipped)]
    assert skipped.at_byte is not None
    found = [event for event in events if isinstance(event, Finding)]
    assert len(found) == 3
    assert all(told in (None, right) for told, right in zip(owners(found), OWNERS, strict=True))


@settings(max_examples=60)
@given(st.data())
def test_no_damage_stops_the_reader(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes changed anywhere but in a token: the tokens are found, whatever is said of their owners."""
    made = bytearray(
        cache(TOKENS, filler=3_000, wide=data.draw(st.sampled_from([4, 8]))).data(
            data.draw(st.sampled_from([None, 2_000]))
        )
    )
    kept = [(at, at + len(token)) for token in TOKENS for at in [made.index(token)]]
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(18, len(made) - 1))
        fresh = data.draw(st.sampled_from([b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x23\x21", b"\x20" * 9]))
        if all(at + len(fresh) < low or at > high for low, high in kept):
            made[at : at + len(fresh)] = fresh
    events = events_of(written(tmp_path_factory.mktemp("fuzz"), bytes(made)))
    starts = {event.spans[0].start for event in events if isinstance(event, Finding)}
    assert {low for low, _ in kept} <= starts


@settings(max_examples=30)
@given(st.binary(max_size=2_000))
def test_any_bytes_behind_the_header_are_read(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    data = b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + bytes(8) + tail + b"\n" + TOKENS[0] + b"\n"
    events = events_of(written(tmp_path_factory.mktemp("fuzz"), data))
    assert any(isinstance(event, Finding) for event in events)
