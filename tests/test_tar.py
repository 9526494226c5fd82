"""tar: every flavour that GNU tar and Python write, damage anywhere, and bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.decoders import Limits
from scanner.errors import InputError, TruncatedInput
from scanner.model import Source
from tests.archives import CONTENT, FILES, LOG, made_by, tar, tree, zipped
from tests.streams import Result, read

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}

SHORT = {name: data for name, data in FILES.items() if len(name) < 99}  # what ustar and v7 can name
SPARSE = ["map", "size", "major", "minor", "realsize", "offset", "numbytes"]
KEYS = ["path", "size", *(f"GNU.sparse.{key}" for key in SPARSE)]
NUMBERS = ["", "0", "1", "-1", "7", "99999999999999999999", "1,2", "0,5,9", "x", "9" * 5000]


def scanned(tmp_path: Path, data: bytes, limits: Limits | None = None, size: int = 1 << 16) -> Result:
    path = tmp_path / "name-says-nothing"
    path.write_bytes(data)
    return read(path, limits, size)


def members(result: Result, layer: int = 0) -> dict[str, bytes]:
    """Name and content of the streams; all of them must be whole."""
    assert not result.skipped
    assert not any(stream.error for stream in result.streams)
    return {stream.layers[layer].partition(":")[2]: stream.data for stream in result.streams}


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_what_gnu_tar_writes(tmp_path: Path, form: str) -> None:
    files = SHORT if form in ("v7", "ustar") else FILES
    folder = tree(tmp_path / "in", files)
    packed = made_by(["tar", f"--format={form}", "-cf-", *sorted(files)], folder)
    found = members(scanned(tmp_path, packed))
    assert found == {name: CONTENT[name] for name in files}


@pytest.mark.parametrize("form", ["gnu", "ustar", "pax"])
def test_folders_links_and_devices_hold_nothing(tmp_path: Path, form: str) -> None:
    folder = tree(tmp_path / "in", SHORT)
    (folder / "app/soft").symlink_to("/etc/passwd")
    os.link(folder / "app/app.log", folder / "app/zhard")
    os.mkfifo(folder / "app/fifo")
    packed = made_by(["tar", f"--format={form}", "-cf-", "--sort=name", "app"], folder)
    assert members(scanned(tmp_path, packed)) == {name: CONTENT[name] for name in SHORT}


@pytest.mark.parametrize("form", ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax"])
def test_sparse_files(tmp_path: Path, form: str) -> None:
    """Offsets are those of the file, so holes are read as zeros."""
    expected = bytearray(1_200_000)
    with open(tmp_path / "sparse", "wb") as file:
        for at in range(0, 1_000_000, 40_960):  # more parts than a header has room for
            file.seek(at)
            file.write(b"data at %d\n" % at)
            expected[at : at + len(b"data at %d\n" % at)] = b"data at %d\n" % at
        file.truncate(len(expected))
    words = f"--format={form}".split()
    packed = made_by(["tar", *words, "--sparse", "--hole-detection=raw", "-cf-", "sparse"], tmp_path)
    assert len(packed) < len(expected) / 2
    assert members(scanned(tmp_path, packed)) == {"sparse": bytes(expected)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 511, 4096])
def test_by_few_bytes_is_the_same(tmp_path: Path, form: str, size: int) -> None:
    files = {"a.log": LOG[:3000], "b" * 120: b"x", "empty": b"", "c": LOG[:512]}
    if form == "ustar":
        files["dir/" * 20 + "b"] = files.pop("b" * 120)
    assert members(scanned(tmp_path, tar(files, FORMS[form]), size=size)) == files


def test_a_size_past_the_octal_field(tmp_path: Path) -> None:
    """GNU writes sizes of 8 GiB and more in base 256; a truncated archive is enough to see that it is read."""
    info = tarfile.TarInfo("big")
    info.size = 9 << 30
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        stream = scanned(tmp_path, info.tobuf(form) + LOG).only
        assert (stream.data, type(stream.error)) == (LOG, TruncatedInput)


def test_pax_headers_for_all_members(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * 3000}) as archive:
        for name in ("one", "two" * 60):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"12345"))
    assert members(scanned(tmp_path, out.getvalue())) == {"one": b"12345", "two" * 60: b"12345"}


def test_names_are_labels(tmp_path: Path) -> None:
    """Nothing is opened or written by a member's name, and what would disturb a terminal is shown as an escape."""
    names = ["../../etc/passwd", "/etc/shadow", "a\x1b[31m\nb", "C:\\x"]
    found = members(scanned(tmp_path, tar(dict.fromkeys(names, b"harmless"))))
    assert list(found) == ["../../etc/passwd", "/etc/shadow", "a\\x1b[31m\\x0ab", "C:\\\\x"]
    assert [path.name for path in tmp_path.iterdir()] == ["name-says-nothing"]


def test_archives_joined(tmp_path: Path) -> None:
    data = tar({"one": b"1" * 600}) + tar({"two": b"2"})
    assert members(scanned(tmp_path, data)) == {"one": b"1" * 600, "two": b"2"}


def test_padding_of_any_length_ends_it(tmp_path: Path) -> None:
    data = tar({"one": b"1"})[:1024]
    for zeros in (512, 1024, 1000, 10240, 100_000):
        assert members(scanned(tmp_path, data + bytes(zeros))) == {"one": b"1"}


def test_what_follows_is_said(tmp_path: Path) -> None:
    result = scanned(tmp_path, tar({"one": b"1"}) + b"more\n" * 300)
    assert [stream.data for stream in result.streams] == [b"1"]
    assert result.reasons == ["something else follows the tar archive at byte 10240, and no other header follows"]


def test_a_damaged_header_costs_its_member_only(tmp_path: Path) -> None:
    data = bytearray(tar({"one": b"1" * 100, "two": b"2" * 1000, "three": b"3"}))
    data[1024 + 50] ^= 1
    result = scanned(tmp_path, bytes(data))
    assert [stream.layers for stream in result.streams] == [("tar:one",), ("tar:three",)]
    assert result.reasons == ["a tar header is damaged: 1536 bytes were not scanned"]


@pytest.mark.parametrize("cut", [513, 700, 1024, 1300, 1536, 1600, 2047, 2048])
def test_truncated_anywhere(tmp_path: Path, cut: int) -> None:
    data = tar({"one": b"1" * 100, "two": b"2" * 100})[:2048]
    result = scanned(tmp_path, data[:cut])
    broken = [stream for stream in result.streams if stream.error]
    assert len(broken) + len(result.skipped) == 1
    assert not broken or broken[0].data in (b"1" * 100, b"1" * (cut - 512), b"2" * (cut - 1536))


def test_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = tar(FILES)

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:
            for start in range(0, 700, 7):
                file.write(data[start : start + 7])
            file.write(data[700:])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert members(read(Source("pipe", os.fsencode(pipe)))) == CONTENT
    writer.join()


def test_text_that_looks_like_a_name_is_not_waited_on_past_its_line() -> None:
    from scanner.decoders.tar import Tar

    log = b"2026-11-22 INFO started " + b"x" * 90 + b"\n" + b"more\n" * 10
    assert not Tar().undecided(log)
    assert not Tar().undecided(b"short line\n")
    assert not Tar().recognises(log)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(form=st.sampled_from(sorted(FORMS)), data=st.data())
def test_damage_never_raises_anything_else(tmp_path: Path, form: str, data: st.DataObject) -> None:
    """What is delivered, or said to be missing: a member is whole, or its loss is told."""
    whole = tar({"one": LOG[:700], "d/" * 60 + "two": LOG[:20], "three": b""}, FORMS[form])[:6000]
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + 1] = data.draw(st.binary(max_size=3))
    result = scanned(tmp_path, bytes(damaged))
    for stream in result.streams:
        assert stream.error is None or isinstance(stream.error, InputError)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(NUMBERS)), max_size=6))
def test_hostile_pax_records(tmp_path: Path, records: list[tuple[str, str]]) -> None:
    info = tarfile.TarInfo("one")
    info.size = 600
    info.pax_headers = dict(records)
    result = scanned(tmp_path, info.tobuf(tarfile.PAX_FORMAT) + LOG[:1024] + bytes(1024), Limits(member_bytes=1 << 20))
    for stream in result.streams:
        assert stream.error is None or isinstance(stream.error, InputError)


# ---- one in another


def test_a_gz_in_a_tar_in_a_zip(tmp_path: Path) -> None:
    inner = gzip.compress(tar({"logs/app.log.gz": gzip.compress(LOG), "logs/app.log.1": LOG}))
    result = scanned(tmp_path, zipped({"backup/logs.tar.gz": inner, "readme": b"hello"}))
    assert {stream.layers: stream.data for stream in result.streams} == {
        ("zip:backup/logs.tar.gz", "gzip", "tar:logs/app.log.gz", "gzip"): LOG,
        ("zip:backup/logs.tar.gz", "gzip", "tar:logs/app.log.1"): LOG,
        ("zip:readme",): b"hello",
    }


def test_compressed_archives(tmp_path: Path) -> None:
    for pack in (gzip.compress, bz2.compress):
        assert members(scanned(tmp_path, pack(tar(FILES))), layer=1) == CONTENT


def test_a_damaged_compression_ends_the_archive_and_is_said(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(tar({"one": LOG, "two": LOG * 20, "three": LOG})))
    packed[len(packed) // 2] ^= 255
    result = scanned(tmp_path, bytes(packed))
    assert result.streams[0].data == LOG
    assert [stream for stream in result.streams if stream.error] or result.skipped


def test_a_damaged_member_costs_itself_only(tmp_path: Path) -> None:
    broken = bytearray(gzip.compress(LOG))
    broken[100:200] = bytes(100)
    result = scanned(tmp_path, tar({"one.gz": bytes(broken), "two.gz": gzip.compress(LOG)}))
    assert isinstance(result.streams[0].error, InputError)
    assert (result.streams[1].data, result.streams[1].error) == (LOG, None)


# ---- bombs


def test_depth(tmp_path: Path) -> None:
    data = b"deep"
    for _ in range(9):
        data = tar({"x": data})
    result = scanned(tmp_path, data)
    assert (result.streams, result.reasons) == ([], ["nested deeper than 8 layers"])
    assert result.skipped[0].stream.layers == ("tar:x",) * 8
    assert scanned(tmp_path, data, Limits(depth=9)).only.data == b"deep"


def test_members(tmp_path: Path) -> None:
    data = tar({f"{n}": b"x" for n in range(20)})
    result = scanned(tmp_path, data, Limits(members=10))
    assert len(result.streams) == 10
    assert result.reasons == ["the rest was not read: more than 10 members"]


def test_a_sparse_bomb(tmp_path: Path) -> None:
    info = tarfile.TarInfo("hole")
    info.pax_headers = {"GNU.sparse.size": str(1 << 60), "GNU.sparse.map": f"{(1 << 60) - 1},0"}
    bomb = info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)
    result = scanned(tmp_path, bomb, Limits(ratio_from=1 << 22))
    assert "more than 2000 times its size" in str(result.only.error)
