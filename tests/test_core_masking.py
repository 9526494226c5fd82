"""A masked dump holds no token any more, and debuggers open it as before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from minidump.minidumpfile import MinidumpFile

from tests.dumping import compiled, found_in, gcore, needs, occurrences, running
from tests.scanning import jwt
from tests.test_elfcore import sparse_core
from tests.test_minidump import crash, full

ROOT = Path(__file__).parent.parent
CURRENT, OLD = jwt(1), jwt(2, "ES256")


def masked(path: Path, folder: Path) -> Path:
    """The masked copy below a folder, as the command writes it."""
    command = [sys.executable, "-c", "from scanner.cli import main; main()", "redact", "-o", folder, path]
    run = subprocess.run(command, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert run.returncode in (0, 10, 11), run.stderr.decode()
    (written,) = [one for one in folder.rglob("*") if one.is_file()]
    return written


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """(the program, its core, the core masked)."""
    folder = tmp_path_factory.mktemp("masking")
    program = compiled(folder)
    (folder / "old").write_bytes(OLD)
    with running(program, folder / "old", "--token=" + CURRENT.decode(), TOKEN=CURRENT.decode()) as process:
        core = gcore(process, folder)
    return program, core, masked(core, folder / "safe")


def test_no_copy_is_left_and_no_other_byte_changed(cores: tuple[Path, Path, Path]) -> None:
    _, core, after = cores
    before, data = core.read_bytes(), after.read_bytes()
    assert len(data) == len(before)
    assert len(occurrences(before, CURRENT)) >= 6
    for token in (CURRENT, OLD[16:]):
        assert occurrences(data, token) == {}
    changed = {at for at in range(len(before)) if before[at] != data[at]}
    found, _ = found_in(core)
    inside = {at for f in found for s in f.spans for at in range(s.start, s.end)}
    fragments = [at for at in changed if at not in inside]
    assert all(data[at] == ord("*") for at in changed)
    # what strcpy left of a token in vector registers, and those on the stack
    first = [at for at in fragments if at - 1 not in changed]
    assert all(before[at : at + 8] in CURRENT + b" " + OLD for at in first)


def test_a_jwt_keeps_its_header(cores: tuple[Path, Path, Path]) -> None:
    """It tells at a glance what stood there."""
    _, core, after = cores
    header = CURRENT.split(b".")[0] + b"."
    before, data = core.read_bytes(), after.read_bytes()
    for at, encoding in occurrences(before, CURRENT).items():
        form = data[at[0] : at[1]]
        text = form.decode("utf-16-le") if encoding else form.decode()
        assert text == header.decode() + "*" * (len(CURRENT) - len(header))


def test_zeros_stay_and_none_is_made(cores: tuple[Path, Path, Path]) -> None:
    """Strings end where they ended, and two-byte characters stay two-byte characters."""
    _, core, after = cores
    form = bytes([0]) + b"\1" * 255
    assert after.read_bytes().translate(form) == core.read_bytes().translate(form)


def test_gdb_shows_the_same_frames_and_variables(cores: tuple[Path, Path, Path]) -> None:
    needs("gdb")
    program, core, after = cores

    def shown(path: Path) -> list[str]:
        commands = ["backtrace", "frame function main", "info locals", "print (int)sizeof(local)"]
        arguments = [part for command in commands for part in ("-ex", command)]
        run = subprocess.run(
            ["gdb", "-batch", "-nx", *arguments, program, path], capture_output=True, text=True, timeout=120
        )
        return run.stdout.splitlines()

    before, now = shown(core), shown(after)
    assert any("main (" in line for line in before)
    assert len(before) == len(now)
    changed = [(old, new) for old, new in zip(before, now, strict=True) if old != new]
    assert changed  # the locals and arguments that hold the token
    for old, new in changed:
        assert "eyJ" in old
        assert CURRENT.decode()[-20:] not in new


def test_an_independent_reader_sees_the_same_core(cores: tuple[Path, Path, Path]) -> None:
    def segments(path: Path) -> list[tuple[object, ...]]:
        with path.open("rb") as file:
            elf = ELFFile(file)
            rows = [tuple(segment.header.values()) for segment in elf.iter_segments()]
            notes = [note["n_type"] for segment in elf.iter_segments("PT_NOTE") for note in segment.iter_notes()]
            return [*rows, tuple(notes)]

    _, core, after = cores
    assert segments(core) == segments(after)


@pytest.mark.parametrize("data", [full(), full(1), crash()])
def test_the_minidump_library_reads_the_same(data: bytes, tmp_path: Path) -> None:
    def seen(data: bytes) -> list[object]:
        parsed = MinidumpFile.parse_bytes(data)
        memory = (parsed.memory_segments_64 or parsed.memory_segments).memory_segments
        modules = [(m.name, m.baseaddress) for m in parsed.modules.modules] if parsed.modules else []
        return [(s.start_virtual_address, s.size, s.start_file_address) for s in memory] + modules

    path = tmp_path / "a.dmp"
    path.write_bytes(data)
    after = masked(path, tmp_path / "safe").read_bytes()
    assert seen(after) == seen(data)
    assert occurrences(data, CURRENT)
    assert occurrences(after, CURRENT) == {}


def test_holes_stay_holes(tmp_path: Path) -> None:
    path = tmp_path / "core"
    sparse_core(path, 64 << 20, {1_000_000: CURRENT, 50_000_000: jwt(3)})
    if path.stat().st_blocks * 512 > 32 << 20:
        pytest.skip("this file system makes no holes")
    after = masked(path, tmp_path / "safe")
    assert after.stat().st_size == path.stat().st_size
    assert after.stat().st_blocks * 512 < 4 << 20
    assert found_in(after) == ([], [])
