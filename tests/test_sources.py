"""What a walk yields, in what order, and what it says of the rest."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UsageError
from scanner.model import Skipped, Source
from scanner.names import as_bytes, printable
from scanner.sources import WalkRules, walk


def paths(*named: str | Path, rules: WalkRules | None = None, under: Path | None = None) -> list[str]:
    """Paths of the sources, relative to `under`."""
    found = [item.path for item in walk([str(path) for path in named], rules) if isinstance(item, Source)]
    return [os.path.relpath(path, under) for path in found] if under else found


def reasons(*named: str | Path, rules: WalkRules | None = None) -> dict[str, str]:
    return {
        os.path.basename(item.stream.path): item.reason
        for item in walk([str(path) for path in named], rules)
        if isinstance(item, Skipped)
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.log", "a/2.log", "a/10.log", "a/.hidden/x", ".env", "c.bin"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_a_folder_is_walked_whole_in_the_order_of_names(tree: Path) -> None:
    expected = [".env", "a/.hidden/x", "a/10.log", "a/2.log", "b.log", "c.bin"]
    assert paths(tree, under=tree) == expected
    assert paths(tree, under=tree) == expected


def test_a_source_tells_size_time_and_how_to_open_it(tree: Path) -> None:
    (source,) = walk([str(tree / "b.log")])
    assert isinstance(source, Source)
    assert source.size == 5
    assert source.mtime == os.stat(source.os_path).st_mtime
    assert source.os_path == os.fsencode(tree / "b.log")


def test_named_paths_keep_their_order_and_stdin_is_a_source(tree: Path) -> None:
    assert paths(tree / "c.bin", "-", tree / "b.log") == [f"{tree}/c.bin", "-", f"{tree}/b.log"]


def test_what_is_missing_is_said_and_the_rest_is_read(tree: Path) -> None:
    items = list(walk([str(tree / "nope"), str(tree / "b.log")]))
    assert [type(item) for item in items] == [Skipped, Source]
    assert reasons(tree / "nope") == {"nope": "no such file"}
    assert list(reasons("a\0b").values()) == ["no such file"]


def test_urls(tree: Path) -> None:
    with pytest.raises(UsageError, match="s3:// is not supported"):
        walk(["s3://bucket/key"])  # at once, not when first asked
    with pytest.raises(UsageError, match="no other host"):
        walk(["file://elsewhere/etc/x"])
    (tree / "with blank").write_bytes(b"")
    assert paths(f"file://{tree}/with%20blank") == [f"{tree}/with blank"]


def test_links_to_folders_make_no_loop_and_are_said_where_they_lead_out(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (tree / "a" / "up").symlink_to(tree)
    (tree / "out").symlink_to(elsewhere)
    (tree / "self").symlink_to("self")
    said = reasons(tree)
    assert set(said) == {"out", "self"}
    assert "not followed" in said["out"]
    assert "symbolic links" in said["self"]
    assert len(paths(tree)) == 6


def test_a_file_behind_links_is_read_once(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("pods") / "0.log"
    elsewhere.write_bytes(b"x")
    (tree / "inside").symlink_to(tree / "b.log")
    (tree / "l1").symlink_to(elsewhere)
    (tree / "l2").symlink_to(elsewhere)
    found = paths(tree, under=tree)
    assert "l1" in found
    assert "l2" not in found
    assert "inside" not in found
    assert paths(tree, elsewhere.parent).count(str(elsewhere)) == 1
    assert "l1" not in paths(tree, elsewhere.parent, under=tree)


def test_a_link_is_read_where_the_rules_leave_its_target_out(tree: Path) -> None:
    (tree / "current.txt").symlink_to(tree / "b.log")
    assert paths(tree, rules=WalkRules(include=("*.txt",)), under=tree) == ["current.txt"]
    (tree / "d.txt").symlink_to(tree / "a" / "2.log")
    assert "d.txt" in paths(tree, rules=WalkRules(exclude=("a",)), under=tree)


def test_a_link_to_nothing_is_said(tree: Path) -> None:
    (tree / "gone").symlink_to(tree / "was-here")
    assert reasons(tree) == {"gone": "is a link to nothing"}


def test_hard_links_are_files_of_their_own(tree: Path) -> None:
    os.link(tree / "b.log", tree / "b2.log")
    assert {"b.log", "b2.log"} <= set(paths(tree, under=tree))


def test_pipes_sockets_and_devices_are_left_alone_in_a_walk(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "zero").symlink_to("/dev/zero")
    monkeypatch.chdir(tree)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        said = reasons(tree)
        assert reasons(tree / "sock") == {"sock": "is a socket"}
    assert said == {
        "pipe": "is a FIFO, left alone",
        "zero": "is a link to a character device, left alone",
        "sock": "is a socket, left alone",
    }


def test_a_pipe_or_device_that_is_named_is_read(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    sources = list(walk([str(tree / "pipe"), "/dev/null"]))
    assert [(item.size, type(item)) for item in sources] == [(None, Source), (None, Source)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (WalkRules(include=("*.log",)), ["a/10.log", "a/2.log", "b.log"]),
        (WalkRules(include=("*.log", "*.bin"), exclude=("1*",)), ["a/2.log", "b.log", "c.bin"]),
        (WalkRules(include=("*/a/*",)), ["a/.hidden/x", "a/10.log", "a/2.log"]),
        (WalkRules(exclude=(".*",)), ["a/10.log", "a/2.log", "b.log", "c.bin"]),
        (WalkRules(exclude=("a",)), [".env", "b.log", "c.bin"]),
        (WalkRules(max_size=5), [".env", "b.log", "c.bin"]),
        (WalkRules(newer=2_000_000_000.0), ["b.log"]),
    ],
)
def test_rules(tree: Path, rules: WalkRules, expected: list[str]) -> None:
    os.utime(tree / "b.log", (2_000_000_000, 2_000_000_000))
    assert paths(tree, rules=rules, under=tree) == expected


def test_rules_do_not_bind_what_is_named(tree: Path) -> None:
    assert paths(tree / "c.bin", rules=WalkRules(include=("*.log",), max_size=0), under=tree) == ["c.bin"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = b"caf\xe9\n\x1b[31m\\.log"
    full = os.path.join(os.fsencode(tmp_path), name)
    with open(full, "wb") as file:
        file.write(b"x")
    (source,) = walk([str(tmp_path)])
    assert isinstance(source, Source)
    assert source.os_path == full
    assert source.path == f"{tmp_path}/caf\\xe9\\x0a\\x1b[31m\\\\.log"


@given(st.binary())
def test_a_printable_name_is_one_line_and_leads_back(name: bytes) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert as_bytes(shown) == name


def test_kernel_file_systems_are_not_entered_unless_named() -> None:
    assert any("kernel" in reason for reason in _first("/", "proc"))
    assert any(isinstance(item, Source) for item in walk(["/proc/self/fdinfo"]))


def _first(top: str, *only: str) -> list[str]:
    """Reasons for the folders `only` of `top`, all else left out."""
    others = tuple(f"{top}{name}" for name in os.listdir(top) if name not in only)
    return [item.reason for item in walk([top], WalkRules(exclude=others)) if isinstance(item, Skipped)]


def test_a_folder_that_cannot_be_read_is_said(tree: Path) -> None:
    """In a process without root's rights, which modes do not bind."""
    (tree / "a").chmod(0)
    for folder in (tree, tree.parent, tree.parent.parent):  # pytest makes them for their owner only
        folder.chmod(0o755)
    code = (
        "import os, sys; os.getuid() or (os.setgid(65534), os.setuid(65534))\n"
        "for item in walk([sys.argv[1]]): print(type(item).__name__, getattr(item, 'reason', ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"from scanner.sources import walk; {code}", str(tree)],
        capture_output=True,
        text=True,
        check=True,
    )
    (tree / "a").chmod(0o755)
    assert done.stdout.splitlines() == ["Source ", "Skipped cannot be read: Permission denied", "Source ", "Source "]
