"""What is installed is the two packages and nothing else, from a lock that names no machine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = [ROOT / "requirements-dev.txt", ROOT / "benchmarks" / "requirements.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def test_lock_pins_and_hashes_and_names_no_host(lock: Path) -> None:
    text = "".join(line for line in lock.read_text().splitlines(keepends=True) if not line.lstrip().startswith("#"))
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|^-[if]\b", text, re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip()):
        assert re.match(r"[A-Za-z0-9._-]+==\S+(?: ;[^#]*?)?\s+--hash=sha256:[0-9a-f]{64}", entry), entry[:60]


def test_lock_covers_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", LOCKS[0].read_text(), re.MULTILINE))
    assert {re.split(r"[<>=\[ ]", name)[0].lower() for name in wanted} <= locked


def test_wheel_holds_the_two_packages_only(tmp_path: Path) -> None:
    code = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    names = zipfile.ZipFile(tmp_path / run.stdout.split()[-1]).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"scanner", "detectors"}
    assert {"scanner/py.typed", "detectors/py.typed", "detectors/registry.py"} <= set(names)
    for name in (n for n in names if n.endswith(".py")):
        assert (ROOT / name).exists(), name
