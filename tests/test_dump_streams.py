"""A dump in a stream is read as it passes: its layout is that of the file, whatever the reads."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.decoders.dumps import elfcore, minidump, physical
from scanner.decoders.dumps.interface import Parsing, Reading
from scanner.decoders.dumps.memory import Memory
from scanner.decoders.dumps.reading import Tap, feed
from scanner.model import StreamId
from tests.dumping import found_in
from tests.scanning import Chunks, jwt, opaque
from tests.test_elfcore import BASE as CORE
from tests.test_elfcore import core
from tests.test_minidump import crash, full
from tests.test_physical import LIME_FILE

PARSERS: list[tuple[bytes, Callable[[Memory], Parsing]]] = [
    (CORE, elfcore.parse), (full(), minidump.parse), (crash(1), minidump.parse), (LIME_FILE, physical.parse_lime),
]  # fmt: skip
STREAM = StreamId("dump")


class Closing(Chunks):
    """Chunks that can be closed."""

    def close(self) -> None:
        """Nothing to let go of."""


def by_file(data: bytes, parse: Callable[[Memory], Parsing]) -> Memory:
    memory = Memory()
    feed(parse(memory), lambda start, size: data[start : start + size])
    return memory


def by_stream(data: bytes, parse: Callable[[Memory], Parsing], chunk: int) -> Memory:
    memory = Memory()
    tap = Tap(Closing(data, chunk), Reading(memory, parse(memory)))
    buffer = memoryview(bytearray(1 << 16))
    while tap.readinto(buffer):
        pass
    list(tap.completed("dump", STREAM, []))
    return memory


@given(
    st.sampled_from(PARSERS),
    st.lists(st.tuples(st.integers(6, 900), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(1, 5000),
    st.integers(0, 400),
)
def test_a_stream_tells_what_the_file_tells(
    which: tuple[bytes, Callable[[Memory], Parsing]], changes: list[tuple[int, bytes]], chunk: int, cut: int
) -> None:
    data = bytearray(which[0])
    for at, new in changes:
        data[at : at + len(new)] = new
    whole = bytes(data[: len(data) - cut])
    file, stream = by_file(whole, which[1]), by_stream(whole, which[1], chunk)
    assert (file.ranges, file.mappings, file.places, file.process) == (
        stream.ranges, stream.mappings, stream.places, stream.process,
    )  # fmt: skip
    assert file.troubles(STREAM, len(whole)) == stream.troubles(STREAM, len(whole))


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_dumps_inside_other_formats(pack: str, tmp_path: Path) -> None:
    """Windows error reporting and crash collectors pack them."""
    plain = tmp_path / "a.dmp"
    plain.write_bytes(full(1))
    packed = tmp_path / f"a.{pack}"
    if pack == "gzip":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(plain, "dumps/a.dmp")
            archive.writestr("notes.txt", b"token " + jwt(8))
    wanted, _ = found_in(plain)
    found, skipped = found_in(packed)
    assert skipped == []
    inside = [f for f in found if f.format == "minidump"]
    assert [(f.spans, f.address) for f in inside] == [(f.spans, f.address) for f in wanted]
    assert len(found) - len(inside) == (pack == "zip")


def test_a_cut_dump_is_said_once(tmp_path: Path) -> None:
    """Also where copies of a value are looked for, for which it is read once more."""
    data = core([(0x1000, b"Authorization: Bearer " + opaque(1) + b"\0\0" + opaque(1) + b"\0"), (0x9000, bytes(5000))])
    packed = tmp_path / "core.gz"
    packed.write_bytes(gzip.compress(data[:-600]))
    found, skipped = found_in(packed)
    assert [(f.address or {}).get("virtual") for f in found] == ["0x1016", "0x1040"]
    assert [one.reason for one in skipped] == ["the dump is cut off: 600 bytes are missing"]


def test_a_cut_stream_is_said_and_keeps_its_addresses(tmp_path: Path) -> None:
    data = core([(0x1000, b"x=" + jwt(1) + b"\0"), (0x9000, bytes(range(256)) * 200)])
    packed = tmp_path / "core.gz"
    packed.write_bytes(gzip.compress(data)[:-60])
    (finding,), skipped = found_in(packed)
    assert finding.address == {"virtual": "0x1002", "mapping": "[anonymous]"}
    assert any("ends too early" in one.reason for one in skipped)
