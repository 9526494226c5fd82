"""Compressed streams: whole, in pieces, nested, damaged at every place, and from pipes."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import subprocess
import threading
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.decoders import Ahead, Limits, open_source
from scanner.decoders.formats import DECODERS
from scanner.errors import CorruptInput, InputError, LimitExceeded, TruncatedInput
from scanner.model import Skipped
from tests.packed import MULTI, PACK, TEXT, Put, log
from tests.streams import read, source_of

every_format = pytest.mark.parametrize("name", PACK)


def test_a_plain_file_is_read_straight(put: Put) -> None:
    path = put(TEXT)
    stream = read(path).only
    assert (stream.data, stream.layers, stream.plain, stream.consumed) == (TEXT, (), True, len(TEXT))
    (opened,) = open_source(source_of(path))
    assert not isinstance(opened, Skipped)
    assert "readinto" not in vars(type(opened.reader))  # FileIO's own, nothing between


def test_an_empty_file_is_an_empty_stream(put: Put) -> None:
    assert read(put(b"")).only.data == b""


@every_format
def test_whole(put: Put, name: str) -> None:
    packed = PACK[name](TEXT)
    stream = read(put(packed)).only
    assert stream.error is None
    assert stream.data == TEXT
    assert stream.layers == (name,)
    assert (stream.plain, stream.consumed) == (False, len(packed))


@every_format
def test_nothing_packed_is_an_empty_stream(put: Put, name: str) -> None:
    stream = read(put(PACK[name](b""))).only
    assert (stream.data, stream.error, stream.layers) == (b"", None, (name,))


@pytest.mark.parametrize("name", MULTI)
def test_members_one_after_another(put: Put, name: str) -> None:
    pack = PACK[name]
    stream = read(put(pack(TEXT) + pack(b"") + pack(b"middle\n") + pack(TEXT))).only
    assert stream.error is None
    assert stream.data == TEXT + b"middle\n" + TEXT


@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2"])
@pytest.mark.parametrize("zeros", [4, 512, 100_000])
def test_zeros_after_the_last_member_are_padding(put: Put, name: str, zeros: int) -> None:
    stream = read(put(PACK[name](TEXT) + bytes(zeros))).only
    assert (stream.data == TEXT, stream.error) == (True, None)


@every_format
@pytest.mark.parametrize("garbage", [b"x", b"plain text follows\n", bytes(range(255, 0, -1))])
def test_what_follows_is_said_and_the_members_are_delivered(put: Put, name: str, garbage: bytes) -> None:
    stream = read(put(PACK[name](TEXT) + garbage)).only
    assert stream.data == TEXT
    assert isinstance(stream.error, CorruptInput)
    assert "follows" in str(stream.error)


@every_format
def test_truncated_anywhere(put: Put, name: str) -> None:
    """What is delivered is a beginning of the text, it grows with the input, and the end is said."""
    packed = PACK[name](TEXT)
    sizes = []
    for cut in sorted({20, 21, 30, 50, *range(100, len(packed), len(packed) // 40), len(packed) - 5, len(packed) - 1}):
        stream = read(put(packed[:cut])).only
        assert isinstance(stream.error, TruncatedInput), cut
        assert TEXT.startswith(stream.data)
        sizes.append(len(stream.data))
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(TEXT) if name != "lzma" else sizes[-1] > len(TEXT) * 0.99


def test_truncated_gzip_gives_what_zlib_gives_but_for_the_last_symbol(put: Put) -> None:
    """igzip decodes a symbol only when the longest code fits in what is left; one stands for up to 258 bytes."""
    packed = gzip.compress(TEXT)
    for cut in range(100, len(packed), len(packed) // 30):
        all_there_is = zlib.decompressobj(31).decompress(packed[:cut])
        delivered = read(put(packed[:cut])).only.data
        assert all_there_is.startswith(delivered)
        assert len(all_there_is) - len(delivered) <= 258  # RFC 1951 section 3.2.5


@pytest.mark.parametrize("cut", range(1, 10))
def test_truncated_in_the_header(put: Put, cut: int) -> None:
    result = read(put(PACK["gzip"](b"x")[:cut]))
    stream = result.only
    if stream.layers:
        assert isinstance(stream.error, TruncatedInput)
        assert stream.data == b""
    else:
        assert cut < 3  # too little to be told from text: read as it is
        assert len(stream.data) == cut


@every_format
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(where=st.floats(0.001, 0.999), flip=st.integers(1, 255))
def test_damage_never_raises_anything_else(put: Put, name: str, where: float, flip: int) -> None:
    packed = bytearray(PACK[name](TEXT[:200_000]))
    packed[int(where * len(packed))] ^= flip
    result = read(put(bytes(packed)))
    for stream in result.streams:
        assert stream.error is None or isinstance(stream.error, (CorruptInput, TruncatedInput, LimitExceeded))
        if name != "lzma" and stream.layers:  # .lzma has no checksum
            assert stream.error is not None or stream.data == TEXT[:200_000]


def test_bytes_before_damage_are_delivered_to_the_last(put: Put) -> None:
    """Nothing that an engine made before it failed is lost: the standard library, fed byte by byte, makes no more."""
    import zlib

    packed = bytearray(gzip.compress(TEXT))
    place = len(packed) * 2 // 3
    packed[place : place + 64] = bytes(64)
    oracle, expected = zlib.decompressobj(31), bytearray()
    with contextlib.suppress(zlib.error):
        for byte in packed:
            expected += oracle.decompress(bytes([byte]))
    assert not oracle.eof
    stream = read(put(bytes(packed))).only
    assert isinstance(stream.error, CorruptInput)
    assert abs(len(stream.data) - len(expected)) < 300  # inflaters differ in when they look at a code
    common = min(len(stream.data), len(expected))
    assert stream.data[:common] == expected[:common]


@pytest.mark.parametrize("at", [-8, -1])
def test_a_wrong_checksum_costs_no_bytes(put: Put, at: int) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[at] ^= 1
    stream = read(put(bytes(packed) + gzip.compress(b"next"))).only
    assert stream.data == TEXT
    assert isinstance(stream.error, CorruptInput)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(sorted(MULTI)),
    parts=st.lists(st.binary(max_size=600), min_size=1, max_size=4),
    size=st.integers(1, 40),
)
def test_by_few_bytes_is_the_same(put: Put, name: str, parts: list[bytes], size: int) -> None:
    whole = b"".join(parts)
    if is_packed(whole):
        return
    stream = read(put(b"".join(map(PACK[name], parts))), size=size).only
    assert (stream.data, stream.error) == (whole, None)


def is_packed(data: bytes) -> bool:
    return any(decoder.recognises(data) for decoder in DECODERS)


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
def test_byte_by_byte(put: Put, size: int) -> None:
    for name, pack in PACK.items():
        assert read(put(pack(TEXT[:5000])), size=size).only.data == TEXT[:5000], name


@pytest.mark.parametrize("outer", MULTI)
@pytest.mark.parametrize("inner", MULTI)
def test_one_in_another(put: Put, outer: str, inner: str) -> None:
    stream = read(put(PACK[outer](PACK[inner](TEXT)))).only
    assert (stream.layers, stream.data == TEXT) == ((outer, inner), True)


def test_depth_is_bounded_and_said(put: Put) -> None:
    data = b"deep"
    for _ in range(5):
        data = gzip.compress(data)
    assert read(put(data)).only.data == b"deep"
    result = read(put(data), Limits(depth=4))
    assert result.streams == []
    assert result.skipped[0].reason == "nested deeper than 4 layers"
    assert result.skipped[0].stream.layers == ("gzip",) * 4


def test_gzip_header_fields_are_passed_over(put: Put) -> None:
    body = gzip.compress(b"content", mtime=0)[10:]
    fields = ((4, b"\3\0abc"), (8, b"a name\0"), (16, b"comment\0"), (2, b"\0\0"), (31, b"\1\0xname\0c\0hc"))
    for flags, extra in fields:
        assert read(put(b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + extra + body)).only.data == b"content"


def test_zstd_skippable_frames_and_unknown_sizes(put: Put) -> None:
    skippable = b"\x53\x2a\x4d\x18" + (70_000).to_bytes(4, "little") + bytes(70_000)
    streaming = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    frame = streaming.compress(TEXT) + streaming.flush()
    stream = read(put(skippable + frame + skippable + frame + skippable)).only
    assert (stream.data == TEXT * 2, stream.error) == (True, None)
    assert isinstance(read(put(skippable + frame + skippable[:-1])).only.error, TruncatedInput)


def test_zstd_windows_are_bounded(put: Put) -> None:
    def long(log: int) -> bytes:
        packer = zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(window_log=log, compression_level=1)
        ).compressobj()
        return packer.compress(TEXT) + packer.flush()

    assert read(put(long(27))).only.data == TEXT
    stream = read(put(long(28))).only
    assert isinstance(stream.error, LimitExceeded)
    assert "window" in str(stream.error)


@pytest.mark.parametrize("data", [b"Rar!\x1a\x07\x01\0", b"\x1f\x9d\x90abc"])
def test_what_is_known_and_not_decoded_is_said(put: Put, data: bytes) -> None:
    result = read(put(data))
    assert result.streams == []
    assert "not supported" in result.reasons[0]


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b", b"BZh9", b"BZh9 was here", b"\x28\xb5", b"]\0\0 no lzma at all", b"\xfd7z"]
)
def test_what_only_begins_like_a_format_is_text(put: Put, data: bytes) -> None:
    assert read(put(data)).only.data == data


@pytest.mark.parametrize(
    "command",
    [
        "gzip -1",
        "gzip -9",
        "zstd -1 -q",
        "zstd -19 --long=20 -q",
        "xz -0",
        "xz -T2 --block-size=100000",
        "bzip2 -1",
        "lz4 -q -1",
        "lz4 -q -9 -BD",
        "xz --format=lzma",
    ],
)
def test_what_the_tools_write(put: Put, command: str, tmp_path: Path) -> None:
    program, *options = command.split()
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    packed = subprocess.run([program, *options, "-c"], input=TEXT, capture_output=True, check=True).stdout
    stream = read(put(packed)).only
    assert (stream.data == TEXT, stream.error) == (True, None)


# ---- pipes


# ---- files


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(member_bytes=100_000), "unfolds to more than 100000 bytes"),
        (Limits(total_bytes=200_000), "the file unfolds to more than 200000 bytes"),
        (Limits(ratio=50, ratio_from=1000), "more than 50 times"),
    ],
)
def test_limits(put: Put, limits: Limits, words: str) -> None:
    stream = read(put(gzip.compress(bytes(3_000_000))), limits).only
    assert isinstance(stream.error, LimitExceeded)
    assert words in str(stream.error)


# ---- decompression in a thread


@every_format
@pytest.mark.parametrize("damaged", [False, True])
def test_ahead_gives_the_same_bytes_and_then_the_same_error(put: Put, name: str, damaged: bool) -> None:
    """Past the first megabyte, where the thread begins."""
    packed = bytearray(PACK[name](log(60_000)))
    if damaged:
        packed[len(packed) * 9 // 10] ^= 255
    path = put(bytes(packed))
    straight = read(path).only
    opened = open_source(source_of(path))  # to be kept: the file is closed when it ends
    stream = next(opened)
    assert not isinstance(stream, Skipped)
    data, error, buffer = bytearray(), None, memoryview(bytearray(100_000))
    with contextlib.closing(Ahead(stream.reader)) as reader:
        try:
            while count := reader.readinto(buffer):
                data += buffer[:count]
        except InputError as failure:
            error = failure
    assert len(data) > 1_500_000
    assert (bytes(data), repr(error)) == (straight.data, repr(straight.error))


def test_ahead_can_be_left_at_any_time(put: Put) -> None:
    before = threading.active_count()
    path = put(gzip.compress(bytes(20_000_000)))
    opened = open_source(source_of(path))  # to be kept: the file is closed when it ends
    stream = next(opened)
    assert not isinstance(stream, Skipped)
    with contextlib.closing(Ahead(stream.reader)) as reader:
        buffer = memoryview(bytearray(1 << 20))
        assert [reader.readinto(buffer) > 0 for _ in range(4)] == [True] * 4
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
