"""What is kept of the anchors between runs is what would be derived anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import scanner
from detectors.registry import all_detectors
from scanner import matcher
from scanner.forms import all_rows
from scanner.matcher import Matcher

LOADED = """
import sys, scanner.forms
print(*sorted(name for name in sys.modules if name.startswith("scanner.")))
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "bearertrap"


def test_rows_come_back_as_they_were_derived(cache: Path) -> None:
    detectors = all_detectors()
    first, second = (Matcher(detectors, cached=True) for _ in range(2))
    assert tuple(first.rows) == tuple(second.rows) == all_rows(detectors)
    assert len(list(cache.iterdir())) == 2  # the rows and the database
    data = b"x Authorization: Bearer abc client_secret=def eyJhbGciOi ghp_"
    assert first.scan(data, 0, 0) == second.scan(data, 0, 0)
    hits = second.scan(data, 0, 0)
    assert {one.id for hit in hits for one in second.users(hit)} >= {"bearer", "client-secret", "jwt"}


def test_other_anchors_are_other_rows() -> None:
    detectors = all_detectors()
    Matcher(detectors, cached=True)
    fewer = Matcher(detectors[:5], cached=True)
    assert tuple(fewer.rows) == all_rows(detectors[:5])


def test_damaged_files_are_made_anew(cache: Path) -> None:
    detectors = all_detectors()[:5]
    Matcher(detectors, cached=True)
    for file in cache.iterdir():
        file.write_bytes(file.read_bytes()[:-7] + b"damaged")
    assert tuple(Matcher(detectors, cached=True).rows) == all_rows(detectors)


def test_rows_no_longer_count_when_what_derives_them_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    detectors = all_detectors()[:5]
    before = matcher._name_of(detectors)
    monkeypatch.setattr(matcher, "_derived_by", lambda: iter([b"changed"]))
    assert matcher._name_of(detectors) != before


def test_all_that_derives_rows_counts() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    folder = Path(scanner.__file__).parent
    loaded = {Path(*name.split(".")[1:]) for name in ran.stdout.split()}
    files = {path.with_suffix(".py") for path in loaded if not (folder / path).is_dir()}
    counted = set(matcher._derived_by())
    left = {str(file) for file in files if (folder / file).read_bytes() not in counted}
    assert left <= {"model.py", "errors.py", "rules/interface.py", "hygiene.py"}
