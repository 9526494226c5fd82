"""The examples of docs/liveness.md: each is scanned, and the verdicts are those the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scanner.model import State
from tests.test_verdicts import verdicts

PAGE = (Path(__file__).parent.parent / "docs" / "liveness.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^```log\n(.*?)^```\n\n((?:>[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"> \*\*(\w+)\*\* · `([^`]+)` · (.+)")
EXAMPLES = _EXAMPLE.findall(PAGE)


@pytest.mark.parametrize(("log", "shown"), EXAMPLES)
def test_an_example_is_judged_as_shown(log: str, shown: str) -> None:
    found = [
        (one.verdict.state.value, one.verdict.basis, one.verdict.reason) for one in verdicts(log.encode()).values()
    ]
    assert found == _SHOWN.findall(shown)


def test_every_state_that_needs_no_issuer_is_shown() -> None:
    assert len(EXAMPLES) >= 20
    shown = {state for _, said in EXAMPLES for state, _, _ in _SHOWN.findall(said)}
    assert shown == {state.value for state in State} - {"revoked"}  # that one is in test_asking.py
    assert all(f"| `{state.value}` |" in PAGE for state in State)
