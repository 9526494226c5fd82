"""Compressed files whose frames can be decoded apart: many workers find what one does, whole or damaged."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.decoders import Limits
from scanner.decoders.frames import Content, framed
from scanner.model import Finding, Skipped
from scanner.run import Options, Progress, run
from scanner.run.units import all_units
from tests.archives import made_by, tar
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of

OPTIONS = Options(AS_OF, KEY)
FILLER = b"2026-11-22T10:00:00Z INFO nothing of interest here, request 4711 took 12 ms\n"


def line(seed: int) -> bytes:
    return b"2026-11-22T10:00:%02dZ DEBUG authorization: Bearer %s\n" % (seed % 60, jwt(seed))


TEXT = b"".join(
    FILLER * 60 + line(n) + b'{"client_secret": "%s"}\n' % opaque(n % 9) + b"cached " + opaque(n % 9) + b"\n"
    for n in range(300)
)


def bgzf(data: bytes, size: int = 20_000) -> bytes:
    """Blocks as bgzip writes them, an empty one at the end."""
    out = []
    for at in range(0, len(data) + size, size):
        part = data[at : at + size]
        engine = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = engine.compress(part) + engine.flush()
        total = 18 + len(packed) + 8
        head = b"\x1f\x8b\x08\4\0\0\0\0\0\xff\6\0BC\2\0" + struct.pack("<H", total - 1)
        out.append(head + packed + struct.pack("<II", zlib.crc32(part), len(part)))
    return b"".join(out)


def zstd_frames(data: bytes, size: int = 20_000, sized: bool = True) -> bytes:
    """Frames one after another, a skippable one between each two."""
    frames = []
    for at in range(0, len(data), size):
        compressor = zstandard.ZstdCompressor(level=3, write_checksum=at % (2 * size) == 0, write_content_size=sized)
        frames.append(compressor.compress(data[at : at + size]))
    return (b"\x50\x2a\x4d\x18" + struct.pack("<I", 5) + b"index").join(frames)


PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": bgzf, "zstd": zstd_frames}
each_format = pytest.mark.parametrize("layer", PACK)


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units so small that a test's files make many of them."""
    monkeypatch.setattr("scanner.run.units.RANGE", 200_000)
    monkeypatch.setattr("scanner.run.units.RANGE_LEAST", 200_000)
    monkeypatch.setattr("scanner.decoders.frames.APART", 30_000)
    monkeypatch.setattr("scanner.run.sequence.RANGE", 2)


def put(path: Path, data: bytes) -> Path:
    """The file, padded by what counts for nothing, so that it is large enough to be cut."""
    path.write_bytes(data)
    return path


def both(path: Path) -> tuple[list[Finding | Skipped], list[Finding | Skipped]]:
    """What one finds, and what many do, who must have had something to share."""
    source = source_of(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.run.units.RANGE_LEAST", 1000)
        patch.setattr("scanner.run.units.RANGE", 150_000)
        assert len([unit for unit in all_units([source], 2) if unit.inside]) > 3
        with ThreadPoolExecutor(1) as executor:
            many = list(run([source], OPTIONS, executor=executor))
        processes = list(run([source], OPTIONS, jobs=2))
    one = list(run([source], OPTIONS))
    # an executor of the caller's keeps no values, and so finds no bare copies
    assert many == [event for event in one if isinstance(event, Skipped) or event.copy_of is None]
    return one, processes


@each_format
def test_many_find_what_one_does(layer: str, tmp_path: Path) -> None:
    one, many = both(put(tmp_path / "x", PACK[layer](TEXT)))
    assert many == one and len(one) > 600
    assert any(isinstance(event, Finding) and event.copy_of for event in one)
    assert {event.stream.layers for event in one} == {(layer,)}


@each_format
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_damage_anywhere_is_told_once_and_ends_it(layer: str, tmp_path: Path, data: st.DataObject) -> None:
    packed = bytearray(PACK[layer](TEXT))
    at = data.draw(st.integers(30, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    source = source_of(put(tmp_path / "x", bytes(packed)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.run.units.RANGE_LEAST", 1000)
        patch.setattr("scanner.run.units.RANGE", 150_000)
        many = list(run([source, source], OPTIONS, jobs=2))
    one = list(run([source], OPTIONS))
    assert many == one * 2, "and the next file is counted from its own first line"
    assert sum(isinstance(event, Skipped) for event in one) <= 1


PIECES = st.lists(
    st.sampled_from([FILLER * 99, line(1), line(2), b"cached " + opaque(3) + b" ", b"x" * 9999]), max_size=40
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pieces=PIECES, layer=st.sampled_from(sorted(PACK)), repeat=st.integers(1, 9))
def test_however_it_is_cut(tmp_path: Path, pieces: list[bytes], layer: str, repeat: int) -> None:
    text = b"".join(pieces) * repeat + b'{"client_secret": "%s"}\n' % opaque(3)
    source = source_of(put(tmp_path / "x", PACK[layer](text)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.run.units.RANGE_LEAST", 1000)
        patch.setattr("scanner.run.units.RANGE", 60_000)
        many = list(run([source], OPTIONS, jobs=2))
    assert many == list(run([source], OPTIONS))


@each_format
def test_content_from_any_offset(layer: str, tmp_path: Path) -> None:
    path = put(tmp_path / "x", PACK[layer](TEXT))
    found = framed(source_of(path), Limits())
    assert found and (found.layer, found.size) == (layer, len(TEXT)) and len(found.marks) > 10
    for offset in (0, 1, 29_999, 30_000, 777_777, len(TEXT) - 1, len(TEXT)):
        content = Content(bytes(path), layer, found.before(offset), offset)
        buffer = bytearray(1000)
        count = content.readinto(memoryview(buffer))
        content.close()
        assert buffer[:count] == TEXT[offset : offset + count] and (count or offset == len(TEXT))


def test_bgzip_itself(tmp_path: Path) -> None:
    path = put(tmp_path / "x", made_by(["bgzip", "-c"], tmp_path, TEXT * 3))
    found = framed(source_of(path), Limits())
    assert found and found.size == 3 * len(TEXT)
    one, many = both(path)
    assert one == many


def test_what_does_not_tell_is_decoded_from_front_to_back(tmp_path: Path) -> None:
    dump = b"JAVA PROFILE 1.0.2\0" + bytes(60_000)
    for data in (
        gzip.compress(TEXT),
        gzip.compress(TEXT[:90_000]) + gzip.compress(TEXT[90_000:]),
        zstd_frames(TEXT, sized=False),
        zstandard.ZstdCompressor().compress(TEXT),
        bgzf(tar({"a.log": TEXT})),
        bgzf(gzip.compress(TEXT) * 9),
        bgzf(dump),
        bgzf(TEXT)[:-1],
        zstd_frames(TEXT)[:-1],
        bgzf(TEXT) + gzip.compress(b"more"),
        b"plain",
    ):
        assert framed(source_of(put(tmp_path / "x", data)), Limits()) is None


def test_limits_hold(tmp_path: Path) -> None:
    source = source_of(put(tmp_path / "x", bgzf(bytes(3_000_000))))
    assert framed(source, Limits())
    assert framed(source, Limits(ratio=100, ratio_from=1000)) is None
    assert framed(source, Limits(member_bytes=2_999_999)) is None
    assert framed(source, Limits(total_bytes=2_999_999)) is None


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    source = source_of(put(tmp_path / "x", bgzf(TEXT)))
    told: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.run.units.RANGE_LEAST", 1000)
        patch.setattr("scanner.run.units.RANGE", 150_000)
        list(run([source], OPTIONS, jobs=2, progress=told.append))
    assert told[-1].bytes_done == source.size
