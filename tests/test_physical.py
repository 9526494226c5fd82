"""Memory of whole machines: LiME ranges, Windows kernel dumps, and formats that are only known by name."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.decoders.dumps.interface import Parsing
from scanner.decoders.dumps.memory import Memory
from scanner.decoders.dumps.physical import LIME_HEAD, parse_lime, parse_windows
from scanner.decoders.dumps.reading import feed
from tests.dumping import found_in
from tests.scanning import jwt

TOKEN = jwt(1)
PAGE = 4096


def lime(*ranges: tuple[int, bytes]) -> bytes:
    return b"".join(LIME_HEAD.pack(b"EMiL", 1, at, at + len(data) - 1, 0) + data for at, data in ranges)


def windows(*runs: tuple[int, bytes], kind: int = 1, wide: bool = True) -> bytes:
    form, block, kind_at, size = ("Q", 0x88, 0xF98, 2 * PAGE) if wide else ("I", 0x64, 0xF88, PAGE)
    head = bytearray((b"PAGEDU64" if wide else b"PAGEDUMP").ljust(size, b"\0"))
    struct.pack_into("<I", head, block, len(runs))
    for number, (page, data) in enumerate(runs, 1):
        struct.pack_into(f"<2{form}", head, block + 2 * struct.calcsize(form) * number, page, len(data) // PAGE)
    struct.pack_into("<I", head, kind_at, kind)
    return bytes(head) + b"".join(data for _, data in runs)


def held(before: int, size: int) -> bytes:
    return (bytes(before) + TOKEN).ljust(size, b"\0")


def test_lime_ranges(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    path.write_bytes(lime((0x1000, held(10, 5000)), (0x10_0000, held(600, 9000)), (0x80_0000, bytes(100))))
    found, skipped = found_in(path)
    assert skipped == []
    assert [(f.format, f.line, f.address) for f in found] == [
        ("lime", None, {"physical": "0x100a"}),
        ("lime", None, {"physical": "0x100258"}),
    ]


@pytest.mark.parametrize("wide", [True, False])
def test_runs_of_a_full_kernel_dump(wide: bool, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY.DMP"
    path.write_bytes(windows((1, held(10, PAGE)), (0x100, held(600, 2 * PAGE)), wide=wide))
    found, skipped = found_in(path)
    assert skipped == []
    assert [(f.format, f.address) for f in found] == [
        ("windows-kernel", {"physical": "0x100a"}),
        ("windows-kernel", {"physical": "0x100258"}),
    ]


def test_a_kernel_dump_with_a_bitmap_is_scanned_without_addresses(tmp_path: Path) -> None:
    path = tmp_path / "MEMORY.DMP"
    path.write_bytes(windows((1, held(10, PAGE)), kind=5))
    (finding,), skipped = found_in(path)
    assert skipped == []
    assert (finding.format, finding.address) == ("windows-kernel", None)


PACKED = "its pages may be compressed: only what stands plain in it was seen"


@pytest.mark.parametrize(
    ("head", "name", "reasons"),
    [
        (b"AVML\2\0\0\0" + bytes(24), "avml", [PACKED]),
        (b"KDUMP   ".ljust(424, b"\0") + b"\1\0\0\0", "kdump", [PACKED]),
        (b"KDUMP   ".ljust(424, b"\0") + b"\0\0\0\0", "kdump", []),
        (b"makedumpfile\0\0\0\0" + bytes(16), "makedumpfile", [PACKED]),
        (b"HIBR" + bytes(20) + b"\0\x10\0\0", "hiberfil", [PACKED]),
        (b"\xd2\xbe\xd2\xbe" + bytes(16), "vmware-snapshot", []),
        (bytes(PAGE - 10) + b"SWAPSPACE2", "swap", []),
    ],
)
def test_known_formats_are_scanned_as_they_lie(head: bytes, name: str, reasons: list[str], tmp_path: Path) -> None:
    path = tmp_path / "memory"
    path.write_bytes(head + bytes(5000) + TOKEN + bytes(5000))
    (finding,), skipped = found_in(path)
    assert [s.reason for s in skipped] == reasons
    assert (finding.format, finding.spans[0].start) == (name, len(head) + 5000)


def test_text_that_begins_with_a_magic_word_is_text(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"wake up\ntoken=" + TOKEN + b"\n")
    (finding,), skipped = found_in(path)
    assert (skipped, finding.format, finding.line) == ([], "text", 2)


LIME_FILE = lime((0x1000, bytes(40)), (0x9000, bytes(40)))
WINDOWS_FILE = windows((1, bytes(PAGE)), (9, bytes(PAGE)))


def _parsed(parsing: Parsing, data: bytes) -> int:
    asked = 0

    def read(start: int, size: int) -> bytes:
        nonlocal asked
        asked += 1
        return data[start : start + size]

    feed(parsing, read)
    return asked


@pytest.mark.parametrize("size", range(9, len(LIME_FILE)))
def test_a_cut_lime_file_is_said(size: int) -> None:
    memory = Memory()
    _parsed(parse_lime(memory), LIME_FILE[:size])
    told = memory.troubles(None, size)  # type: ignore[arg-type]
    assert (told == []) == (size == 72)  # between two ranges nothing is missing


@given(st.lists(st.tuples(st.integers(8, 160), st.binary(min_size=1, max_size=8)), max_size=8))
def test_any_lime_bytes_are_survived(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(LIME_FILE)
    for at, new in changes:
        data[at : at + len(new)] = new
    memory = Memory()
    assert _parsed(parse_lime(memory), bytes(data)) < 500
    for offset in range(0, 200, 7):
        memory.address(offset)


@given(st.lists(st.tuples(st.integers(0x80, 0x100), st.binary(min_size=1, max_size=8)), max_size=8))
def test_any_kernel_dump_bytes_are_survived(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(WINDOWS_FILE)
    for at, new in changes:
        data[at : at + len(new)] = new
    memory = Memory()
    assert _parsed(parse_windows(memory), bytes(data)) < 10
    for offset in range(0, len(data), 999):
        memory.address(offset)
