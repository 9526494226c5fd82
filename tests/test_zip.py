"""zip: by its directory and read once, every method, descriptors, encryption, damage anywhere, and bombs."""

from __future__ import annotations

import io
import os
import struct
import threading
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.decoders import Limits
from scanner.errors import CorruptInput, InputError, LimitExceeded
from scanner.model import Source
from tests.archives import CONTENT, FILES, LOG, made_by, tar, tree, zipped
from tests.commands import bearertrap
from tests.streams import Result, read

METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
every_method = pytest.mark.parametrize("method", METHODS)


def scanned(
    tmp_path: Path, data: bytes, *, way: str = "file", limits: Limits | None = None, size: int = 1 << 16
) -> Result:
    """Read as a file, where the directory is used, or through a pipe, where it is not."""
    path = tmp_path / "name-says-nothing"
    path.unlink(missing_ok=True)
    if way == "file":
        path.write_bytes(data)
        return read(path, limits, size)
    os.mkfifo(path)

    def write() -> None:
        try:
            with open(path, "wb", buffering=0) as file:
                file.write(data[:9])
                file.write(data[9:])
        except BrokenPipeError:
            pass  # not read to its end

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    result = read(Source("pipe", os.fsencode(path)), limits, size)
    writer.join()
    return result


both_ways = pytest.mark.parametrize("way", ["file", "pipe"])


def members(result: Result) -> dict[str, bytes]:
    assert not result.skipped
    assert not any(stream.error for stream in result.streams)
    return {stream.layers[0].removeprefix("zip:"): stream.data for stream in result.streams}


@both_ways
@every_method
def test_what_python_writes(tmp_path: Path, method: str, way: str) -> None:
    assert members(scanned(tmp_path, zipped(FILES, METHODS[method]), way=way)) == CONTENT


@both_ways
@pytest.mark.parametrize("method", ["stored", "deflate", "bzip2"])
def test_sizes_behind_the_data(tmp_path: Path, method: str, way: str) -> None:
    data = zipped(FILES, METHODS[method], streamed=True)
    assert data[6] & 8
    assert members(scanned(tmp_path, data, way=way)) == CONTENT


def test_a_stored_member_of_unknown_size_may_hold_a_zip(tmp_path: Path) -> None:
    """Signatures within the data are not its end."""
    inner = zipped({"a": LOG, "b": b"PK\7\x08" * 4000}, zipfile.ZIP_STORED, streamed=True)
    result = scanned(tmp_path, zipped({"in.zip": inner, "z": b"end"}, zipfile.ZIP_STORED, streamed=True), way="pipe")
    assert not result.skipped
    assert [(s.layers, s.data) for s in result.streams] == [
        (("zip:in.zip", "zip:a"), LOG),
        (("zip:in.zip", "zip:b"), b"PK\7\x08" * 4000),
        (("zip:z",), b"end"),
    ]


def test_a_method_that_does_not_tell_its_end_is_skipped_in_a_pipe(tmp_path: Path) -> None:
    data = zipped({"one": LOG, "two": LOG}, zipfile.ZIP_LZMA, streamed=True)
    assert members(scanned(tmp_path, data)) == {"one": LOG, "two": LOG}
    result = scanned(tmp_path, data, way="pipe")
    assert [skipped.stream.layers for skipped in result.skipped] == [("zip:one",), ("zip:two",)]
    assert "its size is not known" in result.reasons[0]


@both_ways
@pytest.mark.parametrize("options", [["-9"], ["-0"], ["-Z", "bzip2"], ["-fz-"], ["-fz"], ["-fd"]])
def test_what_info_zip_writes(tmp_path: Path, options: list[str], way: str) -> None:
    folder = tree(tmp_path / "in")
    made_by(["zip", "-q", "-r", *options, "../out.zip", "app"], folder)
    assert members(scanned(tmp_path, (tmp_path / "out.zip").read_bytes(), way=way)) == CONTENT


@both_ways
def test_what_info_zip_writes_to_a_pipe(tmp_path: Path, way: str) -> None:
    packed = made_by(["zip", "-q", "-r", "-", "app"], tree(tmp_path / "in"))
    assert members(scanned(tmp_path, packed, way=way)) == CONTENT
    packed = made_by(["zip", "-q", "-", "-"], tmp_path, stdin=LOG)
    assert members(scanned(tmp_path, packed, way=way)) == {"-": LOG}


@both_ways
@pytest.mark.parametrize("method", ["Deflate", "LZMA", "BZip2", "Copy"])
def test_what_7_zip_writes(tmp_path: Path, method: str, way: str) -> None:
    made_by(["7zz", "a", "-tzip", f"-mm={method}", "../out.zip", "app"], tree(tmp_path / "in"))
    assert members(scanned(tmp_path, (tmp_path / "out.zip").read_bytes(), way=way)) == CONTENT


@both_ways
@pytest.mark.parametrize("number", [93, 20])
def test_zstd(tmp_path: Path, number: int, way: str) -> None:
    """APPNOTE 4.4.5: 93, and 20 before it. No writer of it is at hand, so the fields are set in a stored zip."""
    packed = zstandard.compress(LOG)
    data = bytearray(zipped({"a": packed}, zipfile.ZIP_STORED))
    for method, crc, size in ((8, 14, 22), (data.index(b"PK\1\2") + 10,) * 3):
        moved = 0 if method == 8 else 1  # the directory has the same fields, six bytes further from its method
        struct.pack_into("<H", data, method, number)
        struct.pack_into("<L", data, crc + 6 * moved, zlib.crc32(LOG))
        struct.pack_into("<L", data, size + 14 * moved, len(LOG))
    assert members(scanned(tmp_path, bytes(data), way=way)) == {"a": LOG}


@both_ways
@pytest.mark.parametrize("options", [["-tzip"], ["-tzip", "-mem=AES256"]])
def test_encrypted_members_are_said_by_name(tmp_path: Path, options: list[str], way: str) -> None:
    folder = tree(tmp_path / "in", {"one.log": LOG, "two.log": b"2"})
    made_by(["7zz", "a", *options, "-ppassword", "../out.zip", "one.log"], folder)
    made_by(["7zz", "a", "-tzip", "../out.zip", "two.log"], folder)
    result = scanned(tmp_path, (tmp_path / "out.zip").read_bytes(), way=way)
    assert [(s.stream.layers, s.reason) for s in result.skipped] == [(("zip:one.log",), "is encrypted")]
    assert [(s.layers, s.data) for s in result.streams] == [(("zip:two.log",), b"2")]


@both_ways
def test_info_zips_encryption(tmp_path: Path, way: str) -> None:
    folder = tree(tmp_path / "in", {"one.log": LOG, "two.log": b"2"})
    made_by(["zip", "-q", "-P", "password", "../out.zip", "one.log"], folder)
    made_by(["zip", "-q", "../out.zip", "two.log"], folder)
    result = scanned(tmp_path, (tmp_path / "out.zip").read_bytes(), way=way)
    assert [(s.stream.layers, s.reason) for s in result.skipped] == [(("zip:one.log",), "is encrypted")]
    assert [(s.layers, s.data) for s in result.streams] == [(("zip:two.log",), b"2")]


@both_ways
def test_methods_that_are_not_supported_are_said_by_name(tmp_path: Path, way: str) -> None:
    made_by(["7zz", "a", "-tzip", "-mm=Deflate64", "../out.zip", "app/app.log"], tree(tmp_path / "in"))
    result = scanned(tmp_path, (tmp_path / "out.zip").read_bytes(), way=way)
    assert result.reasons == ["its compression method (Deflate64) is not supported"]
    assert result.skipped[0].stream.layers == ("zip:app/app.log",)


@both_ways
def test_zip64(tmp_path: Path, way: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as file:
        file.write(LOG)
    assert members(scanned(tmp_path, out.getvalue(), way=way)) == {"big": LOG}


def test_more_members_than_16_bits_count(tmp_path: Path) -> None:
    result = scanned(tmp_path, zipped({str(n): b"" for n in range(66_000)}, zipfile.ZIP_STORED))
    assert (len(result.streams), result.skipped) == (66_000, [])


@both_ways
def test_an_empty_zip(tmp_path: Path, way: str) -> None:
    result = scanned(tmp_path, zipped({}), way=way)
    assert (result.streams, result.skipped) == ([], [])


@both_ways
def test_comments_and_what_stands_before_or_behind(tmp_path: Path, way: str) -> None:
    out = io.BytesIO(zipped({"one": b"1", "two": b"2"}))
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"a comment " * 100
    assert members(scanned(tmp_path, out.getvalue(), way=way)) == {"one": b"1", "two": b"2"}
    assert members(scanned(tmp_path, zipped({"zero": b"0"}) + out.getvalue(), way=way)) == {
        "zero": b"0", "one": b"1", "two": b"2"
    }  # fmt: skip
    result = scanned(tmp_path, out.getvalue() + b"tail" * 40_000, way=way)
    assert len(result.streams) == 2
    assert "something else follows the zip archive" in result.reasons[0]


def test_names_are_labels(tmp_path: Path) -> None:
    names = ["../../etc/passwd", "/etc/shadow", "a\x1b[31m\nb"]
    assert list(members(scanned(tmp_path, zipped(dict.fromkeys(names, b"x"))))) == [*names[:2], "a\\x1b[31m\\x0ab"]
    assert [path.name for path in tmp_path.iterdir()] == ["name-says-nothing"]


@both_ways
@every_method
@pytest.mark.parametrize("size", [1, 97])
def test_by_few_bytes_is_the_same(tmp_path: Path, method: str, way: str, size: int) -> None:
    files = {"a.log": LOG[:3000], "empty": b"", "c": b"x"}
    assert members(scanned(tmp_path, zipped(files, METHODS[method]), way=way, size=size)) == files


@both_ways
def test_a_damaged_member_costs_itself_only(tmp_path: Path, way: str) -> None:
    data = bytearray(zipped({"one": LOG, "two": LOG}))
    data[200:210] = bytes(10)
    result = scanned(tmp_path, bytes(data), way=way)
    assert isinstance(result.streams[0].error, CorruptInput)
    assert (result.streams[1].data, result.streams[1].error) == (LOG, None)


def test_a_file_without_its_directory_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    data = zipped({"one": LOG, "two": LOG})
    result = scanned(tmp_path, data[: data.index(b"PK\1\2")])
    assert [stream.data for stream in result.streams] == [LOG, LOG]
    assert result.reasons == ["the zip archive ends too early"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(method=st.sampled_from(sorted(METHODS)), streamed=st.booleans(), outer=st.booleans(), data=st.data())
def test_damage_never_raises_anything_else(
    tmp_path: Path, method: str, streamed: bool, outer: bool, data: st.DataObject
) -> None:
    """In a file, and inside a tar, where the zip is read once."""
    damaged = bytearray(zipped({"one": LOG[:700], "two": LOG[:20], "three": b""}, METHODS[method], streamed=streamed))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(damaged) - 1))
        damaged[at : at + 1] = data.draw(st.binary(max_size=3))
    packed = tar({"in.zip": bytes(damaged)}) if outer else bytes(damaged)
    result = scanned(tmp_path, packed, limits=Limits(member_bytes=1 << 20))
    for stream in result.streams:
        assert stream.error is None or isinstance(stream.error, InputError)


def test_a_bomb_of_overlapping_members(tmp_path: Path) -> None:
    """Many directory entries of one member: what counts is what they unfold to, together."""
    data = zipped({"one": bytes(1_000_000)})
    directory, end = data.index(b"PK\1\2"), data.rindex(b"PK\5\6")
    entry = data[directory:end]
    record = bytearray(data[end:])
    struct.pack_into("<HHL", record, 8, 500, 500, 500 * len(entry))
    result = scanned(tmp_path, data[:directory] + entry * 500 + bytes(record), limits=Limits(ratio_from=1 << 22))
    assert any(isinstance(stream.error, LimitExceeded) for stream in result.streams)
    assert sum(len(stream.data) for stream in result.streams) < 500_000_000
    assert "the rest was not read" in result.reasons[-1]


def test_quines_and_nests_end(tmp_path: Path) -> None:
    data = b"deep"
    for _ in range(12):
        data = zipped({"x": data})
    result = scanned(tmp_path, data)
    assert (result.streams, result.reasons) == ([], ["nested deeper than 8 layers"])


def test_limits_are_options(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"one": LOG, "two": LOG, "in.zip": zipped({"three": LOG})}))
    for option, words in (
        ("--max-depth=1", "nested deeper than 1 layers"),
        ("--max-members=1", "more than 1 members"),
        ("--max-member-size=1000", "unfolds to more than 1000 bytes"),
        ("--max-unpacked=80000", "the file unfolds to more than 80000 bytes"),
    ):
        run = bearertrap("scan", option, path)
        assert run.code == 12
        assert any(words in row["reason"] for row in run.skipped), option
    assert bearertrap("scan", path).code == 0


@pytest.mark.slow
def test_a_bomb_of_8_gib(tmp_path: Path) -> None:
    """Zeros, deflated twice: 8 MB on disk hold 8 GiB, and the file itself is 30 KB."""
    inner = tmp_path / "inner.zip"
    with (
        zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as out,
    ):
        for _ in range(8 << 10):
            out.write(bytes(1 << 20))
    (tmp_path / "bomb.zip").write_bytes(zipped({"inner.zip": inner.read_bytes()}))
    run = bearertrap("scan", tmp_path / "bomb.zip")
    assert run.code == 12
    reason = "the file unfolds to more than 2000 times its size"
    assert [row["reason"] for row in run.skipped] == [reason, f"the rest was not read: {reason}"]
    assert run.skipped[0]["at_byte"] < 1200 << 20
