"""The registry finds every detector once, in one order, and its digest moves with the rules."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace

from detectors import registry
from detectors.detector import Anchor, Detector, Kind
from detectors.registry import DuplicateDetector, all_detectors, collect, ruleset_digest


def make(name: str) -> Detector:
    return Detector(name, Kind.API_KEY, "t", (Anchor(b"abcd"),), lambda text: (), "none", (), ())


def test_ids_are_unique_and_order_is_stable() -> None:
    ids = [d.id for d in all_detectors()]
    assert len(ids) == len(set(ids))
    code = "from detectors.registry import *; print([d.id for d in all_detectors()], ruleset_digest())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.strip() == f"{ids} {ruleset_digest()}"


def test_duplicate_names_both_modules() -> None:
    with pytest.raises(DuplicateDetector, match=r"'one' stands in a\.b and in c\.d"):
        collect([("a.b", (make("one"),)), ("c.d", (make("two"), make("one")))])


def test_collect_keeps_order() -> None:
    assert [d.id for d in collect([("m", (make("z"), make("a"))), ("n", (make("k"),))])] == ["z", "a", "k"]


def test_digest_moves_with_anchor_and_source(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ruleset_digest()
    assert len(bytes.fromhex(before)) == 32
    changed = [*all_detectors(), make("new-one")]
    with monkeypatch.context() as patch:
        patch.setattr(registry, "all_detectors", lambda: tuple(changed))
        with_new = ruleset_digest()
        changed[-1] = replace(changed[-1], anchors=(Anchor(b"abce"),))
        assert len({before, with_new, ruleset_digest()}) == 3
    sources = [(n, s + b"#" if n == "detectors.detector" else s) for n, s in registry._sources()]
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_sources", lambda: iter(sources))
        assert ruleset_digest() != before
    assert ruleset_digest() == before
