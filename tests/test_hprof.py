"""Heap dumps of real JVMs: every copy is found where it stands, and its owner is named."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decoders.dumps import access, hprof, packed
from scanner.model import Finding, Skipped, State
from scanner.run import Options, run
from tests.hprof_walk import Walk, walk
from tests.jvm import Jvm, needs_jdk
from tests.scanning import AS_OF, KEY, jwt
from tests.streams import source_of

TOKENS = [jwt(i, exp=1_800_000_000 + i) for i in range(16)]
# In the order in which the program reads them.
OWNERS = [
    "com.example.TokenCache.current",
    'thread "main".threadLocals[com.example.TokenCache.CONTEXT]',
    'com.example.TokenCache.BY_TENANT["contoso"]',
    "com.example.TokenCache.accessToken",
    "com.example.TokenCache.header",
    "com.example.TokenCache.password",
    "com.example.TokenCache.body",
    "com.example.TokenCache.recent",
    "com.example.TokenCache$Session.refreshToken",
    'com.example.TokenCache.byUser["token"]',
    "com.example.TokenCache$Session.refreshToken",
    'com.example.TokenCache.settings["api.token"]',
    "com.example.TokenCache$$Lambda",
    'com.example.TokenCache.constant["primary"]',
    'com.example.TokenCache.WEAK["weak"]',
    'com.example.TokenCache.SORTED["second"]',
]


def events_of(path: Path) -> list[Finding | Skipped]:
    return list(run([source_of(path)], Options(AS_OF, KEY)))


def findings_of(path: Path) -> list[Finding]:
    found = events_of(path)
    assert [event for event in found if isinstance(event, Skipped)] == []
    return [event for event in found if isinstance(event, Finding)]


def copies_in(data: bytes, whole: Walk) -> set[tuple[int, int, str]]:
    """Where each token stands in the dump's arrays, by byte search in each encoding; UTF-16 as the array has it."""
    places = set()
    for token in TOKENS:
        for encoding, order in (("latin-1", ""), ("utf-16le", "utf-16le"), ("utf-16be", "utf-16be")):
            form = token.decode().encode(encoding)
            at = data.find(form)
            while at >= 0:
                start, end, kind, _ = next(array for array in whole.arrays if array[0] <= at < array[1])
                assert at + len(form) <= end
                natural = {"utf-16le": 8, "utf-16be": 5}.get(order)
                if natural in (None, kind) and (natural is None or (at - start) % 2 == 0):
                    places.add((at, at + len(form), order))
                at = data.find(form, at + 1)
    return places


@pytest.fixture(scope="module", params=["", "-XX:-CompactStrings"], ids=["compact", "wide"])
def dumps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of all objects, and then, since a live dump collects garbage first, of the reachable ones."""
    with Jvm(tmp_path_factory.mktemp("jvm"), TOKENS, *filter(None, [request.param])) as jvm:
        return jvm.dump("all.hprof", "-all"), jvm.dump("live.hprof")


@needs_jdk
@pytest.mark.parametrize("which", [0, 1], ids=["all", "live"])
def test_every_copy_is_found_in_its_array(dumps: tuple[Path, Path], which: int) -> None:
    data = dumps[which].read_bytes()
    whole = walk(data)
    expected = copies_in(data, whole)
    found = findings_of(dumps[which])
    places = {(f.spans[0].start, f.spans[0].end, "".join(f.encoding)) for f in found}
    extra = [(f.detector, f.spans, f.encoding, f.address) for f in found if f.detector != "jwt"]
    assert (expected - places, places - expected, extra) == (set(), set(), [])
    assert len(found) == len(expected) >= 3 * len(TOKENS)
    for finding in found:
        assert finding.format == "hprof"
        assert finding.line is None
        assert finding.address
        start, _, kind, identity = next(a for a in whole.arrays if a[0] <= finding.spans[0].start < a[1])
        assert finding.address["object"] == f"0x{identity:x}"
        assert finding.address["offset"] == finding.spans[0].start - start
        assert finding.address["array"] == {8: "byte[]", 5: "char[]"}[kind]
        assert finding.verdict.state is State.LIVE


@needs_jdk
def test_the_owner_of_each_token_is_named(dumps: tuple[Path, Path]) -> None:
    for path, live in zip(dumps, (False, True), strict=True):
        owners: dict[str | None, list[str]] = {}
        for finding in findings_of(path):
            assert finding.address
            owner = finding.address["owner"]
            if finding.address["reachable"] is False:
                assert owner is None
                assert not live, "a live dump holds no garbage"
                continue
            assert isinstance(owner, str)
            owners.setdefault(finding.token.subject, []).append(owner)
        for i, expected in enumerate(OWNERS):
            assert any(owner.startswith(expected) for owner in owners[f"job-{i}"]), (i, owners[f"job-{i}"])
            buffered = [owner for owner in owners[f"job-{i}"] if not owner.startswith("com.example")]
            assert set(buffered) <= {"stack of com.example.TokenCache.main", OWNERS[1]}
        assert sum(map(len, owners.values())) == 3 * len(TOKENS)  # the two read buffers, and the owner's


@needs_jdk
def test_the_path_to_the_owner_is_told(dumps: tuple[Path, Path]) -> None:
    found = next(f for f in findings_of(dumps[1]) if f.address and f.address["owner"] == OWNERS[9])
    assert found.address
    assert found.address["path"] == [
        "byte[]",
        "java.lang.String.value",
        'java.util.HashMap$Node.value["token"]',
        "java.util.HashMap$Node[]",
        "java.util.HashMap.table",
        "com.example.TokenCache.byUser",
    ]


@needs_jdk
def test_owners_are_told_in_what_the_jvm_compressed(tmp_path: Path) -> None:
    with Jvm(tmp_path, TOKENS) as jvm:
        plain = jvm.dump("live.hprof")
        packed = jvm.dump("live.hprof.gz", "-gz=1")
    inflated = gzip.decompress(packed.read_bytes())
    found = findings_of(packed)
    assert {(f.stream.layers, f.format) for f in found} == {(("gzip",), "hprof")}
    for finding in found:
        value = inflated[finding.spans[0].start : finding.spans[0].end].replace(b"\0", b"")
        assert value in TOKENS
    owners = {str(f.address and f.address["owner"]) for f in found}
    assert owners == {str(f.address and f.address["owner"]) for f in findings_of(plain)}


@needs_jdk
def test_owners_are_told_in_what_gzip_compressed_as_one_piece(dumps: tuple[Path, Path], tmp_path: Path) -> None:
    """Of more than is inflated for one place, so that there are points on the way."""
    data = dumps[1].read_bytes()
    path = tmp_path / "heap.hprof.gz"
    path.write_bytes(gzip.compress(data + b"\x2c" + bytes(4) + (24 << 20).to_bytes(4) + bytes(24 << 20)))
    told = [(f.spans, f.encoding, f.address) for f in findings_of(path)]
    assert told == [(f.spans, f.encoding, f.address) for f in findings_of(dumps[1])]
    assert all(address for _, _, address in told)


@needs_jdk
def test_what_can_t_be_read_at_any_place_is_said(dumps: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "heap.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(dumps[1], "heap.hprof")
    found = findings_of(path)
    assert len(found) == len(findings_of(dumps[1]))
    assert {str(f.address and f.address["note"]) for f in found} == {hprof.UNREAD}


@settings(max_examples=15)
@given(st.data())
def test_a_packed_file_is_read_at_any_place(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    draw = Random(data.draw(st.integers(0, 1 << 32)))
    members = [draw.randbytes(draw.choice([0, 10, 60_000])) * draw.randint(1, 8) for _ in range(draw.randint(1, 6))]
    path = tmp_path_factory.mktemp("packed") / "a.gz"
    path.write_bytes(b"".join(gzip.compress(member, draw.choice([0, 1, 9])) for member in members))
    whole = b"".join(members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MEMBER_MOST", draw.choice([5_000, 50_000, 1 << 20]))
        patch.setattr(packed, "POINTS_MOST", draw.choice([2, 600]))
        with packed.PackedFile(os.fsencode(path)) as file:
            assert file.size == len(whole)
            for _ in range(20):
                low, high = sorted((draw.randint(0, len(whole)), draw.randint(0, len(whole))))
                assert file.read(low, high - low) == whole[low:high]
                overlap = draw.choice([0, 7])
                passed = low
                for at, block in file.blocks(low, high, overlap):
                    assert bytes(block) == whole[at : at + len(block)]
                    assert max(low, passed - overlap) == at or at == low
                    passed = at + len(block)
                assert passed == max(low, high) if high > low else passed == low


@pytest.mark.parametrize("size", [20, 5_000, -30, -4])
def test_a_packed_file_that_is_cut_or_damaged_is_not_read_at_any_place(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.gz"
    whole = gzip.compress(Random(1).randbytes(6 << 20), 1)
    path.write_bytes(whole[:size] if size != 5_000 else whole[:size] + bytes(64) + whole[size + 64 :])
    with pytest.raises(access.Unindexed):
        packed.PackedFile(os.fsencode(path))
