"""The examples of docs/liveness.md: each is scanned, and the verdicts are those the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scanner.judge import BASES
from scanner.model import State
from tests.commands import ROOT
from tests.test_verdicts import verdicts

PAGE = (Path(__file__).parent.parent / "docs" / "liveness.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^```log\n(.*?)^```\n\n((?:>[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"> \*\*(\w+)\*\* · `([^`]+)` · (.+)")
EXAMPLES = _EXAMPLE.findall(PAGE)
ELSEWHERE = {"signature", "introspection", "signing_key"}  # need keys or an issuer: test_asking.py, test_signing.py


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


def test_every_basis_is_explained_and_shown() -> None:
    table = PAGE[PAGE.index("| basis |") : PAGE.index("Several that narrow each other")]
    heads = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    explained = {name for head in heads for name in re.findall("`(.+?)`", head)}
    assert explained == BASES
    shown = {basis for _, said in EXAMPLES for _, joined, _ in _SHOWN.findall(said) for basis in joined.split(", ")}
    assert shown == BASES - ELSEWHERE


def test_no_other_basis_is_given() -> None:
    """Of what the code names as one: a new clock is to be explained, too."""
    named: set[str] = set()
    for source in ("scanner/judge.py", "scanner/signing.py"):
        code = (ROOT / source).read_text()
        named |= set(re.findall(r'State\.[A-Z_]+, "([a-z_+]+)"', code))
        named |= set(re.findall(r'(?:Evidence|_until|_at_most)\((?:[^"()]*, )?\s*"([a-z_+]+)"', code))
        named |= set(re.findall(r'basis="([a-z_]+)"', code))
    assert named
    assert named <= BASES
    issued = re.search(r"_ISSUED = \{(.+?)\}", (ROOT / "scanner/judge.py").read_text(), re.DOTALL)
    assert issued is not None
    assert {f"expires_in+{by}" for by in re.findall(r'"([a-z_]+)":', issued[1])} <= BASES
