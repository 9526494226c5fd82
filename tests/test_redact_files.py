"""Files in the making: holes, packers, what must not be replaced, and edits that move nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detectors.detector import Kind, Secret
from scanner.errors import InputError, OutputError
from scanner.redaction import batch
from scanner.redaction.batch import Task, redact_all
from scanner.redaction.drafts import Draft, Original
from scanner.redaction.files import Settings
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Edit
from scanner.redaction.overlay import apply
from scanner.redaction.packing import PACKERS
from scanner.run import Options
from tests.archives import program
from tests.scanning import AS_OF, KEY, opaque
from tests.streams import source_of

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(),
    "xz": lzma.decompress,
    "bzip2": bz2.decompress,
    "lz4": lz4.frame.decompress,
    "lzma": lzma.decompress,
}


@given(st.sampled_from(sorted(PACKERS)), st.lists(st.binary(max_size=300), max_size=8), st.binary(max_size=40))
def test_what_is_packed_can_be_unpacked_whatever_head_it_is_like(layer: str, parts: list[bytes], head: bytes) -> None:
    made: list[bytes] = []
    packed = PACKERS[layer](head, made.append)
    for part in parts:
        packed.write(part)
    packed.close()
    assert UNPACK[layer](b"".join(made)) == b"".join(parts)


@pytest.mark.parametrize("preset", [0, 1, 2, 6, 7, 9])
def test_xz_keeps_its_dictionary_and_check(preset: int) -> None:
    original = lzma.compress(b"x" * 100, check=lzma.CHECK_CRC32, preset=preset)
    made: list[bytes] = []
    packed = PACKERS["xz"](original, made.append)
    packed.write(b"x" * 100)
    packed.close()
    assert b"".join(made)[:18] == original[:18]  # stream header, and of the block's header all but its checksum


@pytest.mark.parametrize("level", [1, 6, 9])
def test_gzip_and_bzip2_keep_their_level_as_far_as_it_is_told(level: int) -> None:
    text = b"".join(b"line %d of the log\n" % (i * 7919 % 1000) for i in range(20000))
    for layer, pack in (
        ("gzip", lambda: gzip.compress(text, level, mtime=1)),
        ("bzip2", lambda: bz2.compress(text, level)),
    ):
        made: list[bytes] = []
        packed = PACKERS[layer](pack(), made.append)
        packed.write(text)
        packed.close()
        assert abs(len(b"".join(made)) - len(pack())) < len(pack()) // 50


def holes(path: Path) -> int:
    return path.stat().st_size - path.stat().st_blocks * 512


def sparse(path: Path) -> bytes:
    with open(path, "wb") as file:
        file.write(b"head" * 100)
        file.seek(4 << 20)
        file.write(b"middle" * 1000)
        file.truncate(9 << 20)
    return path.read_bytes()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_edits_move_nothing_and_holes_stay(elsewhere: bool, tmp_path: Path) -> None:
    path = tmp_path / "core"
    data = bytearray(sparse(path))
    assert holes(path) > 8 << 20
    place = tmp_path / "masked" if elsewhere else None
    middle = 4 << 20
    assert (
        apply([Edit(2, 5, b"***"), Edit(middle, middle + 4, b"****")], os.fsencode(path), place and os.fsencode(place))
        == 7
    )
    data[2:5], data[middle : middle + 4] = b"***", b"****"
    made = place or path
    assert made.read_bytes() == data and holes(made) > 8 << 20
    assert sorted(os.listdir(tmp_path)) == (["core", "masked"] if elsewhere else ["core"])


@pytest.mark.parametrize("edit", [Edit(0, 3, b"**"), Edit(-1, 1, b"**"), Edit(8, 12, b"****")])
def test_an_edit_that_does_not_fit_is_refused(edit: Edit, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with pytest.raises(ValueError):
        apply([edit], os.fsencode(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"0123456789" and os.listdir(tmp_path) == ["file"]


def test_a_draft_that_is_not_placed_leaves_nothing(tmp_path: Path) -> None:
    with Draft(os.fsencode(tmp_path / "new")) as draft:
        draft.write(b"x" * (3 << 20))
        draft.flush()
        assert Path(os.fsdecode(draft.os_path)).read_bytes() == b"x" * (3 << 20)
    assert os.listdir(tmp_path) == []
    with pytest.raises(OutputError):
        Draft(os.fsencode(tmp_path / "missing" / "new"))


def test_without_nameless_files_a_named_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def no_nameless(path: bytes, flags: int, *rest: int, **more: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "not supported")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", no_nameless)
    with Draft(os.fsencode(tmp_path / "new")) as draft:
        draft.write(b"one")
        (name,) = os.listdir(tmp_path)
        assert name.endswith(".partial") and (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == []
    with Draft(os.fsencode(tmp_path / "new")) as draft:
        draft.write(b"two")
        draft.flush()
        draft.place()
    assert os.listdir(tmp_path) == ["new"] and (tmp_path / "new").read_bytes() == b"two"


@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "remove"])
def test_a_file_that_changed_meanwhile_is_not_replaced(change: str, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"old")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with Original(os.fsencode(path)) as original:
        original.check()
        original.check_unwritten()
        if change == "append":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "rewrite":
            path.write_bytes(b"new")
        elif change == "replace":
            path.rename(tmp_path / "app.log.1")
            path.write_bytes(b"old")
        else:
            path.unlink()
        with pytest.raises(InputError):
            original.check()


def test_a_file_open_for_writing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"old")
    with Original(os.fsencode(path)) as original:
        with path.open("ab"), pytest.raises(InputError, match="open for writing"):
            original.check_unwritten()
        original.check_unwritten()


def test_processes_redact_what_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "WORTH", 0)
    settings = Settings(Options(AS_OF, KEY))
    known = Known()
    known.take(Secret(opaque(1)), Kind.BEARER_TOKEN, "f" * 64)
    paths = [tmp_path / f"{number}.log" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(b"Authorization: Bearer " + opaque(number + 5) + b"\nseen " + opaque(1) + b"\n")
    made = []
    for jobs in (1, 3):
        places = [os.fsencode(tmp_path / f"{jobs}-{path.name}") for path in paths]
        tasks = [Task(source_of(path), place, found=True) for path, place in zip(paths, places, strict=True)]
        done = list(redact_all(tasks, known, settings, jobs))
        assert [(one.placed, one.copies, one.trouble) for one in done] == [(True, 1, None)] * 4
        made.append([Path(os.fsdecode(place)).read_bytes() for place in places])
    assert made[0] == made[1] and not any(opaque(1) in data for data in made[0])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_what_another_may_not_keep_or_read_is_said_and_left() -> None:
    """As a user who may write the folder and does not own the files."""
    with tempfile.TemporaryDirectory() as name:  # not below pytest's own, which is root's alone
        folder = Path(name)
        os.chmod(folder, 0o777)
        redacted_by_nobody(folder)


def redacted_by_nobody(folder: Path) -> None:
    line = b"Authorization: Bearer " + opaque(31) + b"\n"
    for name, mode in (("roots.log", 0o644), ("secret.log", 0o600), ("own.log", 0o600)):
        (folder / name).write_bytes(line)
        os.chmod(folder / name, mode)
    os.chown(folder / "own.log", 65534, 65534)
    script = "import sys; from scanner.cli import main; sys.exit(main())"
    nobody = [program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [*nobody, sys.executable, "-c", script, "redact", "--in-place", *sorted(map(str, folder.glob("*.log")))]
    environment = {**os.environ, "BEARERTRAP_KEY": "an-example-key-of-no-worth"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=100)
    if b"failed to execute" in done.stderr:
        pytest.skip("nobody may not run this Python")
    assert done.returncode == 12 and b"1 of 3 files written" in done.stderr
    assert b"roots.log: not redacted: its owner can't be kept" in done.stderr
    assert b"secret.log: not redacted: Permission denied" in done.stderr
    assert [(folder / name).read_bytes() == line for name in ("roots.log", "secret.log", "own.log")] == [1, 1, 0]
    assert len(os.listdir(folder)) == 3


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_user_without_a_home_redacts_too() -> None:
    """As in a container whose user has a number and no more: nothing is kept between runs, and nothing fails for it."""
    script = "import sys; from scanner.cli import main; sys.exit(main())"
    homeless = [program("setpriv"), "--reuid=54321", "--regid=65534", "--clear-groups", sys.executable, "-c", script]
    line = b"Authorization: Bearer " + opaque(31) + b"\n"
    for environment, code in (({"BEARERTRAP_KEY": "an-example-key-of-no-worth"}, 11), ({}, 2)):
        done = subprocess.run(
            [*homeless, "redact", "-"], input=line, capture_output=True, check=False, env=environment, timeout=100
        )
        if b"failed to execute" in done.stderr:
            pytest.skip("nobody may not run this Python")
        assert done.returncode == code and opaque(31) not in done.stdout and b"internal error" not in done.stderr
