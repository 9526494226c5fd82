"""Compressed files of several members (a log appended to, bgzip's blocks, frames of pzstd) come back as such."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decoders import Limits
from scanner.decoders.frames import framed
from scanner.model import Skipped
from scanner.redaction.mask import Style
from scanner.redaction.remaking import Outputs, remade
from scanner.redaction.rewriting import rewrite
from tests.archived_logs import LOG, QUIET, is_clean
from tests.archives import program, tar
from tests.streams import source_of
from tests.test_redact_archives import made_of, redacted

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=7),
    "bzip2": lambda data: bz2.compress(data, 3),
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
    "zstd": zstandard.ZstdCompressor(level=5, write_checksum=True).compress,
    "lz4": lz4.frame.compress,
}
ENGINE: dict[str, Callable[[], object]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
}


def members(layer: str, data: bytes) -> list[bytes]:
    """What each member holds, by the library that is not ours."""
    found = []
    while data:
        engine = ENGINE[layer]()
        found.append(engine.decompress(data))  # type: ignore[attr-defined]
        assert engine.eof, "a member breaks off"  # type: ignore[attr-defined]
        data = engine.unused_data or b""  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("layer", PACK)
@pytest.mark.parametrize("style", [Style.LABEL, Style.EQUAL_LENGTH])
def test_each_member_becomes_what_it_would_become_alone(layer: str, style: Style, tmp_path: Path) -> None:
    contents = [LOG, QUIET, b"", LOG * 30, b"a last one without an end"]
    made = members(layer, made_of(b"".join(map(PACK[layer], contents)), tmp_path, style))
    assert made == [made_of(content, tmp_path, style) if content else b"" for content in contents]
    assert is_clean(b"".join(made)) and made[1] == QUIET


@pytest.mark.parametrize("layer", PACK)
def test_a_secret_over_two_members_goes_to_the_first(layer: str, tmp_path: Path) -> None:
    at = LOG.find(b"Bearer ") + 20
    packed = PACK[layer](LOG[:at]) + PACK[layer](LOG[at:])
    alone = made_of(LOG, tmp_path)
    end = alone.find(b"]") + 1
    assert members(layer, made_of(packed, tmp_path)) == [alone[:end], alone[end:]]
    stars = made_of(LOG, tmp_path, Style.EQUAL_LENGTH)
    assert members(layer, made_of(packed, tmp_path, Style.EQUAL_LENGTH)) == [stars[:at], stars[at:]]


class Fill:
    """Written to, member by member, with what `rewrite` makes of a stream without targets."""

    def __init__(self, path: Path, layer: str) -> None:
        self.out: list[bytes] = []
        outputs = Outputs(self.out.append, os.fsencode(path.parent), lambda text: None)
        for stream in remade(source_of(path), Limits(), outputs):
            assert not isinstance(stream, Skipped)
            rewrite(stream.reader, outputs.write, (), Style.LABEL, cuts=outputs.cuts)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(PACK)), st.lists(st.binary(max_size=400) | st.just(QUIET * 10), min_size=1, max_size=9))
def test_members_end_where_they_ended(
    tmp_path_factory: pytest.TempPathFactory, layer: str, contents: list[bytes]
) -> None:
    if contents[0][:4] in (b"", b"PK\3\4"):
        contents[0] = b"text\n"
    path = tmp_path_factory.mktemp("members") / "file"
    path.write_bytes(b"".join(map(PACK[layer], contents)))
    assert members(layer, b"".join(Fill(path, layer).out)) == contents


def test_members_keep_their_own_headers(tmp_path: Path) -> None:
    """Name, time and level in gzip; level, check and size in the others."""
    parts = []
    for name, level, time in (("first.log", 1, 11), ("second.log", 9, 22)):
        out = io.BytesIO()
        with gzip.GzipFile(name, "wb", level, out, mtime=time) as file:
            file.write(LOG * 20)
        parts.append(out.getvalue())
    made = made_of(b"".join(parts), tmp_path)
    second = made.rfind(b"\x1f\x8b\x08\x08")
    for part, again in zip(parts, (made[:second], made[second:]), strict=True):
        assert again[: part.find(b"\0", 10) + 1] == part[: part.find(b"\0", 10) + 1]
    checks = (lzma.CHECK_CRC32, lzma.CHECK_SHA256)
    made = made_of(b"".join(lzma.compress(LOG, check=check) for check in checks), tmp_path)
    second = made.rfind(b"\xfd7zXZ\0")
    assert (made[7], made[second + 7]) == checks
    sized, unsized = (zstandard.ZstdCompressor(write_content_size=size) for size in (True, False))
    made = made_of(sized.compress(LOG) + unsized.compress(LOG), tmp_path)
    assert zstandard.frame_content_size(made) == len(made_of(LOG, tmp_path))
    assert zstandard.frame_content_size(made[made.rfind(b"\x28\xb5\x2f\xfd") :]) == -1


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Size and content's size of each of bgzip's blocks (SAM specification, 4.1)."""
    at = 0
    while at < len(data):
        assert data[at : at + 4] == b"\x1f\x8b\x08\x04" and data[at + 10 : at + 16] == b"\6\0BC\2\0"
        size = struct.unpack_from("<H", data, at + 16)[0] + 1
        yield size, int.from_bytes(data[at + size - 4 : at + size], "little")
        at += size
    assert at == len(data)


@pytest.mark.parametrize("inside", ["log", "tar"])
@pytest.mark.parametrize("style", [Style.LABEL, Style.PSEUDONYM, Style.EQUAL_LENGTH])
def test_what_bgzip_packed_can_be_indexed_again(inside: str, style: Style, tmp_path: Path) -> None:
    """`bgzip --reindex` and `bgzip -b OFFSET` work on what comes back, also on what is in it."""
    lines = b"".join(LOG.replace(b"start", b"start %d" % i) + QUIET[:1500] for i in range(900))
    content = lines if inside == "log" else tar({"a.log": lines, "b.log": QUIET})
    (tmp_path / "plain").write_bytes(content)
    packed = subprocess.run([program("bgzip"), "-c", str(tmp_path / "plain")], capture_output=True, check=True).stdout
    made = made_of(packed, tmp_path, style)
    before, after = list(blocks(packed)), list(blocks(made))
    assert len(before) > 5 and after[-1] == (28, 0) == before[-1], "with the mark of the end"
    assert len(after) == len(before) or inside == "tar"
    path = tmp_path / "made.gz"
    path.write_bytes(made)
    subprocess.run([program("bgzip"), "--reindex", str(path)], check=True)
    plain = gzip.decompress(made)
    assert is_clean(plain) and plain.count(b"Authorization") == 900
    some = subprocess.run(
        [program("bgzip"), "-b", "400000", "-s", "5000", str(path)], capture_output=True, check=True
    ).stdout
    assert some == plain[400_000:405_000]
    assert framed(source_of(path), Limits()) is not None or inside == "tar", "it can be scanned in ranges again"


def test_a_block_that_becomes_too_long_becomes_two(tmp_path: Path) -> None:
    """A label longer than its secret, in each line of blocks that were full."""
    line = b"client_secret=uX7vQ2mZ9t\n"
    (tmp_path / "plain").write_bytes(line * 6_000)
    packed = subprocess.run([program("bgzip"), "-c", str(tmp_path / "plain")], capture_output=True, check=True).stdout
    made = made_of(packed, tmp_path)
    assert gzip.decompress(made).count(b"client_secret=[REDACTED:") == 6_000
    assert all(content <= 1 << 16 for _, content in blocks(made)) and len(list(blocks(made))) > len(
        list(blocks(packed))
    )


def test_blocks_of_what_can_not_be_packed_stay_short_enough(tmp_path: Path) -> None:
    """Full of what takes more room packed than plain; and the labels make it more."""
    lines = (random.Random(seed).randbytes(300).replace(b"\n", b"") for seed in range(900))
    noise = b"".join(line + b"\nclient_secret=uX7vQ2mZ9t\n" for line in lines)
    (tmp_path / "plain").write_bytes(noise)
    packed = subprocess.run([program("bgzip"), "-c", str(tmp_path / "plain")], capture_output=True, check=True).stdout
    made = made_of(packed, tmp_path)
    assert gzip.decompress(made) == made_of(noise, tmp_path) != noise
    assert all(size <= 1 << 16 for size, _ in blocks(made))


def test_frames_of_pzstd_come_back_without_what_it_says_of_them(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes((LOG + QUIET * 9) * 900)
    packed = subprocess.run(
        [program("pzstd"), "-q", "-1", "-p", "2", "-c", str(tmp_path / "plain")], capture_output=True, check=True
    ).stdout
    frames = packed.count(b"\x28\xb5\x2f\xfd")
    assert frames > 1 and packed.startswith(b"\x50\x2a\x4d\x18")
    made = made_of(packed, tmp_path)
    assert made.startswith(b"\x28\xb5\x2f\xfd") and len(members("zstd", made)) == frames
    plain = subprocess.run([program("zstd"), "-dqc"], input=made, capture_output=True, check=True).stdout
    assert is_clean(plain) and plain.count(b"\n") == (LOG + QUIET * 9).count(b"\n") * 900


def test_a_name_in_a_gzip_header_that_holds_a_secret_refuses_the_file(tmp_path: Path) -> None:
    from tests.archived_logs import TOKEN

    out = io.BytesIO()
    with gzip.GzipFile(f"access_token={TOKEN.decode()}", "wb", fileobj=out) as file:
        file.write(LOG)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(QUIET) + out.getvalue())
    done, made = redacted(path)
    assert made == b"" and done.trouble and "a name or a comment" in done.trouble.reason
    assert is_clean(done.trouble.reason.encode())


def test_many_empty_members_take_little_memory(tmp_path: Path) -> None:
    """More than are kept in mind at once: the content is whole whatever becomes of them."""
    empty = gzip.compress(b"", mtime=0)
    made = made_of(gzip.compress(LOG, mtime=0) + empty * 40_000 + gzip.compress(LOG, mtime=0), tmp_path)
    assert gzip.decompress(made) == made_of(LOG * 2, tmp_path)
