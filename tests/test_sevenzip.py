"""7z: the methods that 7-Zip writes, solid and not, encrypted, damaged anywhere, and within other archives."""

from __future__ import annotations

import contextlib
import random
import shutil
import struct
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.decoders import Limits
from scanner.decoders.sevenzip.header import Cursor, read_listing
from scanner.errors import CorruptInput, InputError
from tests.archives import CONTENT, LOG, made_by, tar, tree
from tests.streams import Result, read

FULL = {name: data for name, data in CONTENT.items() if data}  # an empty file holds nothing to scan


def packed(tmp_path: Path, *options: str, files: dict[str, bytes] | None = None) -> bytes:
    """An archive by 7-Zip."""
    folder = tmp_path / "in"
    shutil.rmtree(folder, ignore_errors=True)
    (tmp_path / "out.7z").unlink(missing_ok=True)
    made_by(["7zz", "a", "-t7z", *options, "../out.7z", "."], tree(folder, files))
    return (tmp_path / "out.7z").read_bytes()


def scanned(tmp_path: Path, data: bytes, limits: Limits | None = None, size: int = 1 << 16) -> Result:
    path = tmp_path / "name-says-nothing"
    path.write_bytes(data)
    return read(path, limits, size)


def members(result: Result, layer: int = 0) -> dict[str, bytes]:
    assert not result.skipped
    assert not any(stream.error for stream in result.streams)
    return {stream.layers[layer].removeprefix("7z:"): stream.data for stream in result.streams}


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-ms=off"],
        ["-m0=LZMA"],
        ["-m0=LZMA2", "-mx=9"],
        ["-m0=Deflate"],
        ["-m0=BZip2"],
        ["-m0=Copy"],
        ["-m0=Delta:4", "-m1=LZMA"],
        ["-m0=BCJ", "-m1=LZMA"],
        ["-m0=BCJ", "-m1=LZMA2"],
        ["-m0=PPC", "-m1=Copy"],
        ["-mhc=off"],
    ],
)
def test_what_7_zip_writes(tmp_path: Path, options: list[str]) -> None:
    assert members(scanned(tmp_path, packed(tmp_path, *options))) == FULL


@pytest.mark.parametrize("coder", ["LZMA", "LZMA2", "Copy"])
def test_programs_through_a_branch_filter_to_the_last_byte(tmp_path: Path, coder: str) -> None:
    program = Path(sys.executable).read_bytes()[:300_000]
    for size in (len(program), 100_003, 65_536, 65_537, 4, 3):
        data = packed(tmp_path, "-m0=BCJ", f"-m1={coder}", files={"program": program[:size]})
        assert members(scanned(tmp_path, data)) == {"program": program[:size]}


@pytest.mark.parametrize("size", [1, 97])
def test_by_few_bytes_is_the_same(tmp_path: Path, size: int) -> None:
    files = {"a.log": LOG[:3000], "c": b"x"}
    assert members(scanned(tmp_path, packed(tmp_path, files=files), size=size)) == files


def test_within_others_it_is_held_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tar({"in.7z": packed(tmp_path), "after": b"after"})
    result = scanned(tmp_path, data)
    assert result.streams.pop().data == b"after"
    assert members(result, layer=1) == FULL
    monkeypatch.setattr("scanner.decoders.sevenzip.HELD_MOST", 1000)
    result = scanned(tmp_path, data)
    assert [stream.data for stream in result.streams] == [b"after"]
    assert "a 7z of more than 1000 bytes is read from disk only" in result.reasons[0]


def test_encrypted_members_are_said_by_name(tmp_path: Path) -> None:
    result = scanned(tmp_path, packed(tmp_path, "-ppassword"))
    assert result.streams == []
    assert {(s.stream.layers[0], s.reason) for s in result.skipped} == {(f"7z:{n}", "is encrypted") for n in FULL}
    result = scanned(tmp_path, packed(tmp_path, "-ppassword", "-mhe=on"))
    assert (result.streams, result.reasons) == ([], ["the list of its members is encrypted"])


@pytest.mark.parametrize(("method", "name"), [("PPMd", "PPMd"), ("Deflate64", "Deflate64")])
def test_methods_that_are_not_supported_are_said_by_name(tmp_path: Path, method: str, name: str) -> None:
    result = scanned(tmp_path, packed(tmp_path, f"-m0={method}", files={"one": LOG, "two": LOG}))
    reason = f"its compression method ({name}) is not supported"
    assert [(s.stream.layers, s.reason) for s in result.skipped] == [(("7z:one",), reason), (("7z:two",), reason)]


def test_bcj2_is_said(tmp_path: Path) -> None:
    data = packed(tmp_path, "-m0=BCJ2", "-m1=LZMA", "-m2=LZMA", "-m3=LZMA", "-mb0:1", "-mb0s1:2", "-mb0s2:3",
                  files={"one": Path(sys.executable).read_bytes()[:100_000]})  # fmt: skip
    assert "BCJ2" in scanned(tmp_path, data).reasons[0]


def test_an_empty_archive() -> None:
    assert read_listing(b"\0").folders == []


def test_damage_costs_what_follows_in_its_block_and_all_of_it_is_named(tmp_path: Path) -> None:
    files = {f"{n}": random.Random(n).randbytes(100_000) for n in range(4)}
    data = bytearray(packed(tmp_path, files=files))
    data[150_000:150_100] = bytes(100)
    result = scanned(tmp_path, bytes(data))
    assert result.streams[0].data == files["0"]
    whole = [stream for stream in result.streams if stream.error is None]
    broken = [stream for stream in result.streams if stream.error]
    assert len(whole) + len(broken) + len(result.skipped) == 4
    assert broken or result.skipped


def test_blocks_are_damaged_apart(tmp_path: Path) -> None:
    files = {f"{n}": random.Random(n).randbytes(100_000) for n in range(4)}
    data = bytearray(packed(tmp_path, "-ms=off", files=files))
    data[150_000:150_100] = bytes(100)
    streams = scanned(tmp_path, bytes(data)).streams
    assert [(stream.layers[0], stream.error is None) for stream in streams] == [
        ("7z:0", True), ("7z:1", False), ("7z:2", True), ("7z:3", True)
    ]  # fmt: skip
    assert isinstance(streams[1].error, CorruptInput)


def test_truncated_anywhere(tmp_path: Path) -> None:
    data = packed(tmp_path)
    for cut in (6, 20, 31, 32, 100, len(data) // 2, len(data) - 1):
        result = scanned(tmp_path, data[:cut])
        assert (result.streams, len(result.skipped)) == ([], 1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return packed(tmp_path_factory.mktemp("7z"), "-mhc=off", files={"one": LOG[:700], "two": LOG[:20], "e": b""})


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damage_never_raises_anything_else(tmp_path: Path, small: bytes, data: st.DataObject) -> None:
    """With the checksums made right again, so that the list's own parser sees the damage."""
    damaged = bytearray(small)
    at, size = struct.unpack_from("<QQ", small, 12)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(32, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    struct.pack_into("<L", damaged, 28, zlib.crc32(damaged[32 + at : 32 + at + size]))
    struct.pack_into("<L", damaged, 8, zlib.crc32(damaged[12:32]))
    for stream in scanned(tmp_path, bytes(damaged), Limits(member_bytes=1 << 20)).streams:
        assert stream.error is None or isinstance(stream.error, InputError)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60), start=st.sampled_from([b"", b"\4\6\0\1\x09\1\0\7\x0b\1\0", b"\5\2\x11"]))
def test_a_list_of_any_bytes(data: bytes, start: bytes) -> None:
    with contextlib.suppress(InputError):
        list(read_listing(start + data).named())


@given(st.integers(0, (1 << 64) - 1))
def test_numbers(number: int) -> None:
    """7zFormat.txt, NUMBER: written here by the letter of it."""
    for more in range(9):
        if more == 8 or number < 1 << 7 * (more + 1):
            mask = 0xFF00 >> more & 0xFF
            high = number >> 8 * more if more < 8 else 0
            low = number & (1 << 8 * more) - 1
            assert Cursor(bytes([mask | high]) + low.to_bytes(more, "little")).number() == number
            return
