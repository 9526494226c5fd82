"""Minidumps made here, addresses checked against the minidump library."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minidump.minidumpfile import MinidumpFile

from scanner.decoders.dumps import minidump
from scanner.decoders.dumps.memory import Memory
from scanner.decoders.dumps.reading import feed
from tests.dumping import found_in, occurrences, places
from tests.scanning import jwt

TOKEN = jwt(1)
WIDE = TOKEN.decode().encode("utf-16-le")
STACK, HEAP = 0x7FFE_0000_1000, 0x1F0_0000_0008


class Writer:
    """Streams one after another behind the directory; `pad` bytes before each, so that nothing is aligned."""

    def __init__(self, count: int, pad: int = 0) -> None:
        self._count = count
        self._pad = pad
        self._body = b""
        self._directory: list[tuple[int, int, int]] = []

    @property
    def at(self) -> int:
        return 32 + 12 * self._count + len(self._body)

    def put(self, data: bytes) -> int:
        """Where the data stands."""
        self._body += bytes(self._pad)
        place = self.at
        self._body += data
        return place

    def stream(self, kind: int, data: bytes) -> None:
        self._directory.append((kind, len(data), self.put(data)))

    def done(self) -> bytes:
        rows = [*self._directory, *[(0, 0, 0)] * (self._count - len(self._directory))]
        head = struct.pack("<4sIIIIIQ", b"MDMP", 0x1234A793, self._count, 32, 0, 0, 2)
        return head + b"".join(struct.pack("<III", *row) for row in rows) + self._body


def string(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data)) + data + b"\0\0"


def module(base: int, size: int, name: int) -> bytes:
    return struct.pack("<QIIII", base, size, 0, 0, name) + bytes(84)


def system(architecture: int = 9, platform: int = 2) -> bytes:
    return struct.pack("<HHHBBIIIIIHH", architecture, 6, 0, 4, 1, 10, 0, 19045, platform, 0, 0, 0) + bytes(24)


def thread(number: int, teb: int, virtual: int, size: int, place: int) -> bytes:
    return struct.pack("<IIIIQQIIII", number, 0, 0, 0, teb, virtual, size, place, 0, 0)


def full(pad: int = 0, unknown: bool = False) -> bytes:
    """Memory in a Memory64List, as ProcDump -ma writes it: a stack, a heap, an image, and the PEB's chain."""
    made = Writer(8, pad)
    name = made.put(string(r"C:\app\service.exe"))
    made.stream(7, system())
    made.stream(15, struct.pack("<IIIIII", 24, 1, 4711, 0, 0, 0))
    made.stream(3, struct.pack("<I", 1) + thread(77, 0x3000, STACK, 0, 0))
    made.stream(4, struct.pack("<I", 1) + module(0x1_4000_0000, 0x1000, name))
    region = struct.pack("<QQIIQIIII", HEAP - 8, HEAP - 8, 4, 0, 0x10000, 0x1000, 4, 0x20000, 0)
    made.stream(16, struct.pack("<IIQ", 16, 48, 1) + region)
    if unknown:
        made.stream(0xFFF0, b"what is this? " + TOKEN)
    line = rf"service.exe --token {TOKEN.decode()}".encode("utf-16-le")
    block = f"A=b\0TOKEN={TOKEN.decode()}\0\0".encode("utf-16-le")
    teb = bytes(0x60) + struct.pack("<Q", 0x5000)
    peb = bytes(0x20) + struct.pack("<Q", 0x7000)
    parameters = bytearray(0x400)
    struct.pack_into("<HHIQ", parameters, 0x70, len(line), len(line) + 2, 0, 0x9000)
    struct.pack_into("<Q", parameters, 0x80, 0xB000)
    struct.pack_into("<Q", parameters, 0x3F0, len(block))
    memory = [
        (0x3000, teb), (0x5000, peb), (0x7000, bytes(parameters)), (0x9000, line), (0xB000, block),
        (0x1_4000_0000, b"image " + TOKEN + b"\0"),
        (HEAP, struct.pack("<I", len(WIDE) // 2) + WIDE + bytes(6) + b"head" + TOKEN + b"\0"),
    ]  # fmt: skip
    rows = b"".join(struct.pack("<QQ", virtual, len(data)) for virtual, data in memory)
    made.stream(9, struct.pack("<QQ", len(memory), made.at + pad + 16 + len(rows)) + rows)
    return made.done() + b"".join(data for _, data in memory)


def crash(pad: int = 0, padding: bytes = b"") -> bytes:
    """What Breakpad writes on Linux: stacks in a MemoryList, and copies of /proc."""
    made = Writer(8, pad)
    held = b"local " + TOKEN + b"\0" + WIDE + b"\0\0"
    place = made.put(held)
    made.stream(5, struct.pack("<I", 1) + padding + struct.pack("<QII", STACK, len(held), place))
    made.stream(3, struct.pack("<I", 1) + padding + thread(77, 0, STACK, len(held), place))
    made.stream(0x47670004, b"Name:\tservice\nPid:\t4711\n")
    made.stream(0x47670006, b"./service\0--token\0" + TOKEN + b"\0")
    made.stream(0x47670007, b"LANG=C\0TOKEN=" + TOKEN + b"\0")
    made.stream(0x47670009, b"00400000-00500000 r-xp 00000000 fe:00 12   /opt/service\n")
    return made.done()


def addresses(path: Path) -> list[tuple[int, int, int]]:
    """(start, end, virtual) of all memory, by the library."""
    parsed = MinidumpFile.parse_bytes(path.read_bytes())
    segments = [*(parsed.memory_segments_64 or parsed.memory_segments).memory_segments]
    return [(s.start_file_address, s.start_file_address + s.size, s.start_virtual_address) for s in segments]


@pytest.mark.parametrize("data", [full(), full(1), full(3), crash(), crash(1)])
def test_every_copy_is_found_at_the_address_the_library_tells(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.dmp"
    path.write_bytes(data)
    found, skipped = found_in(path)
    assert skipped == []
    assert places(found) == occurrences(data, TOKEN)
    memory = addresses(path)
    for finding in found:
        assert (finding.format, finding.line) == ("minidump", None)
        assert finding.address is not None
        at = finding.spans[0].start
        wanted = next((virtual + at - start for start, end, virtual in memory if start <= at < end), None)
        virtual = finding.address.get("virtual")
        assert (int(str(virtual), 16) if virtual else None) == wanted


def _places(path: Path) -> set[tuple[object, object]]:
    found, _ = found_in(path)
    return {(f.address.get("mapping"), f.address.get("part")) for f in found if f.address}


@pytest.mark.parametrize("unknown", [False, True])
def test_places_of_a_windows_dump(unknown: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.dmp"
    path.write_bytes(full(1, unknown))
    known = {
        ("[private]", "arguments"),
        ("[private]", "environment"),
        ("[private]", None),
        (r"C:\app\service.exe", None),
    }
    assert _places(path) == known | ({(None, None)} if unknown else set())
    found, _ = found_in(path)
    for finding in found:
        assert finding.address is not None
        said = {name: finding.address[name] for name in ("process", "pid", "command")}
        assert said == {"process": "service.exe", "pid": 4711, "command": "service.exe --token ***"}


@pytest.mark.parametrize("padding", [b"", bytes(4)])
def test_places_of_a_linux_dump(padding: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.dmp"
    path.write_bytes(crash(0, padding))
    assert _places(path) == {("[stack:77]", None), ("[environment]", None), ("[command line]", None)}
    found, _ = found_in(path)
    assert found[0].address is not None
    assert found[0].address["command"] == "./service --token ***"


# --- bad input ---


def parsed(data: bytes) -> tuple[Memory, int]:
    """The layout, and how many times the file was asked."""
    asked = 0

    def read(start: int, size: int) -> bytes:
        nonlocal asked
        asked += 1
        return data[start : start + size]

    memory = Memory()
    feed(minidump.parse(memory), read)
    return memory, asked


@pytest.mark.parametrize("whole", [full(), crash()], ids=["full", "crash"])
def test_cut_at_every_byte(whole: bytes) -> None:
    assert parsed(whole)[0].troubles(None, len(whole)) == []  # type: ignore[arg-type]
    for size in range(6, len(whole) - 2, 3):
        told = parsed(whole[:size])[0].troubles(None, size)  # type: ignore[arg-type]
        assert told, size


def test_a_list_that_lies_is_said(tmp_path: Path) -> None:
    data = bytearray(crash())
    at = next(at for kind, _, at in struct.iter_unpack("<III", data[32:128]) if kind == 5)
    struct.pack_into("<I", data, at, 0xFFFFFFFF)
    path = tmp_path / "a.dmp"
    path.write_bytes(data)
    found, (skipped,) = found_in(path)
    assert len(found) == 4
    assert skipped.reason == "a list says it has 4,294,967,295 entries, and has room for 1"
    assert skipped.at_byte == at


@given(
    st.sampled_from([full(), crash()]),
    st.lists(st.tuples(st.integers(6, 700), st.binary(min_size=1, max_size=8)), max_size=12),
)
def test_any_bytes_are_survived(base: bytes, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(base)
    for at, new in changes:
        data[at : at + len(new)] = new
    memory, asked = parsed(bytes(data))
    assert asked < 20_000
    for offset in range(0, len(data), 50):
        memory.address(offset)
