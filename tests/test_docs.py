"""What the documents show is run: the README's commands, the options they name, the detector of CONTRIBUTING."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from detectors.detector import Detector, Match, NeedMore, Text
from scanner import cli

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "samples" / "README.md", *ROOT.glob("docs/*.md")])
MARK = "=== end of command ==="
WITH_CLI = pytest.mark.skipif(not hasattr(cli, "main"), reason="the command line is not there yet")
NEVER = (1, 2, 126, 127)  # a bug, a wrong option, a command that is not there
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"\bbearertrap ([a-z]+)\b([^|]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def blocks(path: Path, language: str) -> list[str]:
    return [body for name, body in _BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


def environment() -> dict[str, str]:
    """This environment's commands first, and a terminal of 100 columns without colour."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


def dialogues() -> list[tuple[str, str]]:
    return [(p.relative_to(ROOT).as_posix(), body) for p in DOCUMENTS for body in blocks(p, "console")]


@WITH_CLI
@pytest.mark.parametrize(("name", "dialogue"), dialogues())
def test_commands_answer_as_shown(name: str, dialogue: str, tmp_path: Path) -> None:
    """`$ ` starts a command, what follows is its output; `...` stands for anything."""
    steps = [(step.partition("\n")[0], step.partition("\n")[2]) for step in dialogue.removeprefix("$ ").split("\n$ ")]
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    script = "".join(f"{command}\ncode=$?; echo '{MARK}' $code; (exit $code)\n" for command, _ in steps)
    run = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    said = re.findall(rf"(.*?)^{MARK} (\d+)\n", run.stdout, re.MULTILINE | re.DOTALL)
    assert len(said) == len(steps), run.stderr
    for (command, shown), (output, code) in zip(steps, said, strict=True):
        assert int(code) not in NEVER, f"{name}: {command}\n{run.stderr}"
        same = doctest.OutputChecker().check_output(plain(shown), plain(output), doctest.ELLIPSIS)
        assert same, f"{name}: {command}\nshown:\n{shown}\nsaid:\n{output}"


def plain(text: str) -> str:
    """Without blanks at the ends of lines and without empty lines at either end."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"


def test_the_architecture_tells_of_each_module() -> None:
    """The rows of its table name what is there, and all of it: a row's further names are in the folder of its first."""
    told = set()
    for row in re.findall(
        r"^\| (`.*?) \|", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        folder = ""
        for name in re.findall(r"`([^`]+)`", row):
            folder = folder if name.count("/") - name.endswith("/") <= 0 else name.rstrip("/").rpartition("/")[0]
            told.add(name if name.startswith(folder + "/") else f"{folder}/{name}")
    packages = ("detectors", "scanner")
    modules = {
        f"{package}/{one.name}{'/' * one.is_dir()}"
        for package in packages
        for one in (ROOT / package).iterdir()
        if not one.name.startswith("__") and one.suffix in ("", ".py")
    }
    assert modules - told == set()
    assert {name for name in told if not (ROOT / name).exists()} == set()


def test_contributing_detector_holds() -> None:
    """The detector shown finds its examples, and neither its counterexamples nor an answer where bytes are missing."""
    (source,) = blocks(ROOT / "CONTRIBUTING.md", "python")
    names: dict[str, object] = {}
    exec(compile(source, "CONTRIBUTING.md", "exec"), names)  # noqa: S102 - our own document is the code under test
    detector = names["DETECTOR"]
    assert isinstance(detector, Detector)
    for text, secret in detector.examples:
        found = [match.secret.reveal() for match in confirmed(detector, text)]
        assert found == [secret]
        with pytest.raises(NeedMore):
            confirmed(detector, text[:-2], cut=True)
    for text in detector.counterexamples:
        assert confirmed(detector, text) == []


def confirmed(detector: Detector, text: bytes, *, cut: bool = False) -> list[Match]:
    literal = detector.anchors[0].literal
    return list(detector.confirm(Text(text, text.index(literal) + len(literal), cut=cut)))


@WITH_CLI
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_options_shown_exist(path: Path) -> None:
    """Each option on a line that calls bearertrap is one its command knows."""
    for line in path.read_text(encoding="utf-8").splitlines():
        for command, rest in _CALL.findall(line):
            named = set(_OPTION.findall(rest))
            unknown = named - set(_OPTION.findall(help_of(command))) if named else None
            assert not unknown, f"bearertrap {command} has no {sorted(unknown)}: {line.strip()}"


@WITH_CLI
def test_readme_names_every_option_of_scan() -> None:
    assert set(_OPTION.findall(help_of("scan"))) <= set(_OPTION.findall((ROOT / "README.md").read_text())) | {"--help"}


def help_of(command: str) -> str:
    start = "import sys; from scanner.cli import main; sys.exit(main())"
    run = subprocess.run(
        [sys.executable, "-c", start, command, "--help"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return run.stdout
