"""ELF cores: real ones of a C program, their addresses checked against pyelftools and the kernel's own map."""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from scanner.decoders import data_of
from scanner.decoders.dumps import elfcore
from scanner.decoders.dumps.command import masked
from scanner.decoders.dumps.memory import Memory
from scanner.decoders.dumps.reading import feed
from tests.dumping import compiled, found_in, gcore, kernel_core, mappings, needs, occurrences, places, running
from tests.scanning import jwt
from tests.streams import source_of

CURRENT, OLD = jwt(1), jwt(2, "ES256")


@dataclass
class Dumped:
    path: Path
    data: bytes
    pid: int
    maps: list[tuple[int, int, str]]
    threads: list[int]

    def virtual(self, offset: int) -> int | None:
        """The address of a byte of the file, by pyelftools."""
        with self.path.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                if segment["p_offset"] <= offset < segment["p_offset"] + segment["p_filesz"]:
                    return int(segment["p_vaddr"] + offset - segment["p_offset"])
        return None


@pytest.fixture(scope="module")
def dumped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumped]:
    folder = tmp_path_factory.mktemp("core")
    program = compiled(folder)
    (folder / "old").write_bytes(OLD)
    with running(program, folder / "old", "--token=" + CURRENT.decode(), TOKEN=CURRENT.decode()) as process:
        maps = mappings(process.pid)
        threads = [int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()]
        path = gcore(process, folder)
        yield Dumped(path, path.read_bytes(), process.pid, maps, threads)


def test_a_core_the_kernel_wrote(tmp_path: Path) -> None:
    """Its notes come first, and hold the beginning of the command line."""
    program = compiled(tmp_path)
    (tmp_path / "old").write_bytes(OLD)
    folder = tmp_path / "here"
    folder.mkdir()
    with running(program, "../old", CURRENT.decode(), folder=folder, TOKEN=CURRENT.decode()) as process:
        maps = mappings(process.pid)
        path = kernel_core(process, folder)
    data = path.read_bytes()
    dumped = Dumped(path, data, process.pid, maps, [])
    found, skipped = found_in(path)
    assert skipped == []
    wanted = occurrences(data, CURRENT)
    assert len(wanted) >= 6
    assert wanted.items() <= places(found).items()
    for finding in found:
        assert finding.address is not None
        virtual = finding.address.get("virtual")
        assert (int(str(virtual), 16) if virtual else None) == dumped.virtual(finding.spans[0].start)
        assert finding.address["process"] == "caching"
        command = str(finding.address["command"])
        assert "caching" in command
        assert "eyJ" not in command
    parts = {(f.address or {}).get("part") for f in found}
    assert {"environment", "arguments", None} <= parts


def test_every_complete_copy_is_found_at_its_place(dumped: Dumped) -> None:
    found, skipped = found_in(dumped.path)
    assert skipped == []
    known = places(found)
    wanted = occurrences(dumped.data, CURRENT)
    assert len(wanted) >= 6  # .bss, local, heap, UTF-16 in the heap, argument, environment
    assert ("utf-16le",) in wanted.values()
    assert wanted.items() <= known.items()
    assert {(f.format, f.line, f.column) for f in found} == {("elf-core", None, None)}


def test_addresses_are_those_of_an_independent_reader(dumped: Dumped) -> None:
    found, _ = found_in(dumped.path)
    assert found
    for finding in found:
        assert finding.address is not None
        virtual = finding.address.get("virtual")
        assert (int(str(virtual), 16) if virtual else None) == dumped.virtual(finding.spans[0].start)


def test_mappings_are_those_of_the_kernel(dumped: Dumped) -> None:
    found, _ = found_in(dumped.path)
    names = set()
    for finding in found:
        assert finding.address is not None
        virtual = int(str(finding.address["virtual"]), 16)
        name = next(name for start, end, name in dumped.maps if start <= virtual < end)
        if name == "" and str(finding.address["mapping"]).startswith("[stack:"):
            name = "[stack:TID]"  # the kernel names no stacks of threads
            assert int(str(finding.address["mapping"])[7:-1]) in dumped.threads
            names.add((name, None))
            continue
        assert finding.address["mapping"] == (name or "[anonymous]")
        names.add((finding.address["mapping"], finding.address.get("part")))
        assert finding.address["pid"] == dumped.pid
        assert finding.address["process"] == "caching"
    wanted = {("[stack:TID]", None), ("[heap]", None), ("[stack]", None)}
    wanted |= {("[stack]", "environment"), ("[stack]", "arguments")}
    assert wanted <= names


def test_a_freed_token_without_its_head_keeps_its_claims(dumped: Dumped) -> None:
    """glibc writes its list into the first 16 bytes of a freed block."""
    rest = OLD[16:]
    assert OLD not in dumped.data
    assert rest in dumped.data
    found, _ = found_in(dumped.path)
    damaged = [f for f in found if f.verdict.basis == "damaged"]
    assert [f.token.subject for f in damaged] == ["job-2"]
    assert damaged[0].verdict.state == "unusable"
    assert damaged[0].spans[0].end == dumped.data.find(rest) + len(rest)


@pytest.mark.parametrize("tool", ["zstd", "lz4"])
def test_a_compressed_core_has_the_same_addresses(dumped: Dumped, tool: str, tmp_path: Path) -> None:
    needs(tool)
    packed = tmp_path / f"core.{tool}"
    packed.write_bytes(subprocess.run([tool, "-q", "-c", dumped.path], capture_output=True, timeout=60).stdout)
    plain, _ = found_in(dumped.path)
    found, skipped = found_in(packed)
    assert skipped == []
    assert [(f.spans, f.address) for f in found] == [(f.spans, f.address) for f in plain]
    assert {f.stream.layers for f in found} == {(tool,)}


def test_ranges_have_the_same_addresses(dumped: Dumped, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("units.RANGE", "units.RANGE_LEAST", "sequence.RANGE"):
        monkeypatch.setattr(f"scanner.run.{name}", 100_000)
    plain, _ = found_in(dumped.path)
    found, skipped = found_in(dumped.path, jobs=2)
    assert skipped == []
    assert [(f.spans, f.address) for f in found] == [(f.spans, f.address) for f in plain]


# --- bad input: a small core made here ---


def core(
    loads: list[tuple[int, bytes]], notes: list[tuple[int, bytes]] = (), order: str = "<", wide: bool = True
) -> bytes:
    """A core with the given memory; notes last, as gcore has them."""
    entry = 56 if wide else 32
    head = 64 if wide else 52
    at = head + entry * (len(loads) + 1)
    table, body = [], b""
    for virtual, data in loads:
        table.append((1, at + len(body), virtual, len(data)))
        body += data
    text = b"".join(
        struct.pack(f"{order}III", 5, len(data), kind) + b"CORE\0\0\0\0" + data + bytes(-len(data) % 4)
        for kind, data in notes
    )
    table.append((4, at + len(body), 0, len(text)))
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    if wide:
        start = struct.pack(f"{order}HHIQQQIHHHHHH", 4, 62, 1, 0, head, 0, 0, head, entry, len(table), 64, 0, 0)
        rows = [struct.pack(f"{order}IIQQQQQQ", k, 6, o, v, 0, n, n, 1) for k, o, v, n in table]
    else:
        start = struct.pack(f"{order}HHIIIIIHHHHHH", 4, 3, 1, 0, head, 0, 0, head, entry, len(table), 40, 0, 0)
        rows = [struct.pack(f"{order}IIIIIIII", k, o, v, 0, n, n, 6, 1) for k, o, v, n in table]
    return ident + start + b"".join(rows) + body + text


def sparse_core(path: Path, size: int, tokens: dict[int, bytes]) -> None:
    """A core of one mapping of `size` bytes, most of them holes, with tokens at offsets into it; notes last."""
    head = core([(0x10000, b"")], [(1, bytes(336))])
    at = 64 + 56 * 2
    table = struct.pack("<IIQQQQQQ", 1, 6, at, 0x10000, 0, size, size, 1)
    table += struct.pack("<IIQQQQQQ", 4, 6, at + size, 0, 0, len(head) - at, 0, 1)
    with path.open("wb") as file:
        file.write(head[:64] + table)
        for offset, token in tokens.items():
            file.seek(at + offset)
            file.write(token)
        file.seek(at + size)
        file.write(head[at:])


def parsed(data: bytes) -> Memory:
    memory = Memory()
    feed(elfcore.parse(memory), lambda start, size: data[start : start + size])
    return memory


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_both_widths_and_byte_orders(order: str, wide: bool, tmp_path: Path) -> None:
    prpsinfo = bytes(24 if wide else 12) + struct.pack(f"{order}i", 4711)
    prpsinfo = (
        prpsinfo.ljust(40 if wide else 28, b"\0") + b"service".ljust(16, b"\0") + b"/opt/service -v".ljust(80, b"\0")
    )
    path = tmp_path / "core"
    path.write_bytes(core([(0x1000, bytes(100)), (0x40_0000, b"x=" + CURRENT + b"\0")], [(3, prpsinfo)], order, wide))
    (finding,), skipped = found_in(path)
    assert skipped == []
    assert finding.address == {
        "virtual": "0x400002",
        "mapping": "[anonymous]",
        "process": "service",
        "pid": 4711,
        "command": "/opt/service -v",
    }


def test_more_than_65534_segments(tmp_path: Path) -> None:
    """The number stands in section 0 then (PN_XNUM)."""
    count = 70_000
    at = 64 + 56 * count
    rows = [struct.pack("<IIQQQQQQ", 1, 6, at, 0x1000 * i, 0, 16, 16, 1) for i in range(1, count)]
    rows.append(struct.pack("<IIQQQQQQ", 1, 6, at, 0x7777_0000_0000, 0, len(CURRENT), len(CURRENT), 1))
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, at + len(CURRENT), 0, 64, 56, 0xFFFF, 64, 1, 0)
    path = tmp_path / "core"
    path.write_bytes(head + b"".join(rows) + CURRENT + bytes(44) + struct.pack("<I", count) + bytes(16))
    (finding,), skipped = found_in(path)
    assert skipped == []
    assert finding.address == {"virtual": "0x777700000000", "mapping": "[anonymous]"}


def test_cut_at_every_byte_of_its_structure() -> None:
    """Never an error; what is missing is said, with the place."""
    whole = core([(0x1000, b"a" * 40), (0x5000, b"b" * 40)], [(1, bytes(336)), (3, bytes(136)), (6, bytes(64))])
    assert parsed(whole).troubles(None, len(whole)) == []  # type: ignore[arg-type]
    for size in range(20, len(whole)):
        told = parsed(whole[:size]).troubles(None, size)  # type: ignore[arg-type]
        assert told
        assert all(one.at_byte is not None and one.at_byte <= size for one in told)


def test_a_cut_core_is_said_and_what_it_holds_is_found(tmp_path: Path) -> None:
    path = tmp_path / "core"
    whole = core([(0x1000, b"x=" + CURRENT + b"\0"), (0x9000, bytes(5000))])
    path.write_bytes(whole[:-1000])
    (finding,), (skipped,) = found_in(path)
    assert finding.address == {"virtual": "0x1002", "mapping": "[anonymous]"}
    assert skipped.reason == "the dump is cut off: 1,000 bytes are missing"
    assert skipped.at_byte == len(whole) - 1000


@pytest.mark.parametrize("number", [0xFFFF, 0xFFFFFFFF])
def test_a_number_of_segments_that_lies_costs_little(number: int, tmp_path: Path) -> None:
    """The table is one hole of two terabytes."""
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 1 << 20, 0, 64, 56, 0xFFFF, 64, 1, 0)
    path = tmp_path / "core"
    with path.open("wb") as file:
        file.write(head + TOKEN_LINE)
        file.seek((1 << 20) + 44)
        file.write(struct.pack("<I", number))
        file.truncate(1 << 41)
    if data_of(source_of(path)) is None:
        pytest.skip("this file system makes no holes")
    began = time.process_time()
    (finding,), skipped = found_in(path)
    assert finding.format == "elf-core"
    assert [one.reason for one in skipped] == (
        [] if number == 0xFFFF else ["more than 262,144 segments: addresses are told of these only"]
    )
    assert time.process_time() - began < 15


def test_many_threads_and_segments_cost_little() -> None:
    threads, segments = 20_000, 20_000
    entry = 56
    at = 64 + entry * (segments + 1)
    note = bytearray(336)
    notes = bytearray()
    for thread in range(threads):
        struct.pack_into("<i", note, 32, thread)
        struct.pack_into("<Q", note, 112 + 19 * 8, 0x1000 * thread + 16)
        notes += struct.pack("<III", 5, len(note), 1) + b"CORE\0\0\0\0" + note
    rows = [struct.pack("<IIQQQQQQ", 1, 6, at, 0x1000 * i, 0, 4096, 4096, 1) for i in range(segments)]
    rows.append(struct.pack("<IIQQQQQQ", 4, 6, at, 0, 0, len(notes), 0, 1))
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, entry, len(rows), 64, 0, 0)
    data = head + b"".join(rows) + notes
    began = time.process_time()
    memory = parsed(data)
    assert len([one for one in memory.mappings if one.name.startswith("[stack:")]) == threads
    assert time.process_time() - began < 10


TOKEN_LINE = b"\0token=" + CURRENT + b"\0"
BASE = core([(0x1000, b"a" * 400), (0x5000, b"b" * 400)], [(1, bytes(336)), (3, bytes(136)), (0x46494C45, bytes(100))])


@given(
    st.lists(st.tuples(st.integers(18, len(BASE) - 1), st.binary(min_size=1, max_size=8)), max_size=12), st.booleans()
)
def test_any_bytes_are_survived(changes: list[tuple[int, bytes]], cut: bool) -> None:
    data = bytearray(BASE)
    for at, new in changes:
        data[at : at + len(new)] = new
    asked = 0

    def read(start: int, size: int) -> bytes:
        nonlocal asked
        asked += 1
        return bytes(data[start : start + size])

    memory = Memory()
    feed(elfcore.parse(memory), read)
    assert asked < 5000
    for offset in range(0, len(data), 50):
        memory.address(offset)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"/usr/bin/python3 -m app.server --port 8080", "/usr/bin/python3 -m app.server --port 8080"),
        (b"python3 /opt/job/run.py --once conf/app.yaml", "python3 /opt/job/run.py --once conf/app.yaml"),
        (b"java -Xmx512m -Dapi.token=abc -jar app.jar", "java -Xmx512m -Dapi.token=*** -jar app.jar"),
        (b"./job --token=" + CURRENT, "./job --token=***"),
        (b"./job --password hunter2 run", "./job --password *** ***"),
        (b"mysql -phunter2 hunter2 -u root", "mysql -p*** *** -u ***"),
        (b"curl -H Authorization: Bearer abcDEF123456ghi", "curl -H *** *** ***"),
        (b"curl -u alice:secret https://id.example/token", "curl -u *** ***"),
        (b"svc\0k3yQmZ81pQw\0-v", "svc *** -v"),
        (b"svc /run/k3yQmZ81pQw/x", "svc ***"),
        (b"", ""),
    ],
)
def test_a_command_line_shows_no_secret(line: bytes, shown: str) -> None:
    assert masked(line) == shown


def test_a_word_that_was_cut_is_not_shown() -> None:
    assert masked(b"/opt/service --port 80 /hunt", cut=True) == "/opt/service --port 80 ***"
