"""Sources as they are opened: pipes, files that are gone or of the kernel, and all closed again."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import pytest
import zstandard

from scanner.decoders import is_plain_file, open_source
from scanner.model import Skipped, Source
from tests.packed import PACK, TEXT, Put
from tests.streams import read, source_of


@pytest.mark.parametrize("name", ["", *PACK])
def test_a_pipe(tmp_path: Path, name: str) -> None:
    packed = PACK[name](TEXT) if name else TEXT
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:
            for start in range(40):
                file.write(packed[start : start + 1])
            for start in range(40, len(packed), 5000):
                file.write(packed[start : start + 5000])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    stream = read(Source("pipe", os.fsencode(pipe))).only
    writer.join()
    assert (stream.layers, stream.data == TEXT, stream.consumed) == ((name,) if name else (), True, len(packed))


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_not_waited_on(tmp_path: Path, packed: bool) -> None:
    """What a slow writer has written is delivered before it writes more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = b"token=1\n"
    packer = zstandard.ZstdCompressor().compressobj()

    def encoded(data: bytes) -> bytes:
        return packer.compress(data) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) if packed else data

    may_end = threading.Event()

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:
            file.write(encoded(line))
            may_end.wait(20)
            file.write(encoded(line))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    started = time.monotonic()
    opened = open_source(Source("pipe", os.fsencode(pipe)))
    stream = next(opened)
    assert not isinstance(stream, Skipped)
    buffer = memoryview(bytearray(4096))
    assert bytes(buffer[: stream.reader.readinto(buffer)]) == line
    assert time.monotonic() - started < 10
    may_end.set()
    assert bytes(buffer[: stream.reader.readinto(buffer)]) == line
    opened.close()  # type: ignore[attr-defined]
    writer.join()


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    assert read(Source("x", os.fsencode(tmp_path / "x"), 1)).reasons == ["no such file"]
    assert read(Source("d", os.fsencode(tmp_path))).reasons == ["cannot be read: Is a directory"]


def test_a_pipe_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "was-a-file")
    assert read(Source("f", os.fsencode(tmp_path / "was-a-file"), 10)).reasons == ["is no regular file any more"]


def test_files_of_the_kernel_have_no_size_and_are_read() -> None:
    assert b"Name:" in read(Source("status", b"/proc/self/status", 0)).only.data


def test_files_are_closed(put: Put) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    packed = gzip.compress(TEXT)
    for data in (TEXT, packed, packed[:500], gzip.compress(packed), b"Rar!\x1a\x07"):
        path = put(data)
        read(path)
        assert open_files() == before
        abandoned = open_source(source_of(path))
        next(abandoned)
        abandoned.close()  # type: ignore[attr-defined]
        assert open_files() == before


def test_a_file_that_only_is_plain_may_be_split(put: Put) -> None:
    assert is_plain_file(source_of(put(TEXT)))
    assert not is_plain_file(source_of(put(gzip.compress(TEXT))))
    assert not is_plain_file(Source("-", b"-"))
    assert not is_plain_file(Source("x", b"/nonexistent", 5))
