"""Anchors that are expressions are seen in UTF-16 too: each detector with one finds its example there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.registry import all_detectors
from scanner.model import Span
from scanner.rules.wide import widened
from tests.scanning import scan

PATTERNS = sorted({anchor.pattern for d in all_detectors() for anchor in d.anchors if anchor.pattern})
ONLY_PATTERNS = [d for d in all_detectors() if d.anchors and all(anchor.pattern for anchor in d.anchors)]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("detector", ONLY_PATTERNS, ids=lambda d: d.id)
def test_examples_are_found_in_utf16(detector: object, order: str) -> None:
    data, secret = detector.examples[0]  # type: ignore[attr-defined]
    if scan(b"\n" + data)[0].detector != detector.id:  # type: ignore[attr-defined]
        pytest.skip("another detector says more of this example")
    if not data.isascii():
        pytest.skip("a message of a protocol's bytes: it is no text, so nobody writes it in UTF-16")
    wide = b"\n\0".decode("utf-16-le").encode(order) + data.decode("latin-1").encode(order)
    start = 2 + 2 * data.index(secret)
    found = scan(wide)
    assert [finding.spans for finding in found] == [(Span(start, start + 2 * len(secret)),)]
    assert found[0].encoding[0] == order.replace("-16-", "-16")
    assert found[0].fingerprint == scan(b"\n" + data)[0].fingerprint


@given(st.sampled_from(PATTERNS), st.data())
def test_the_wide_form_matches_where_the_narrow_one_does(pattern: bytes, draw: st.DataObject) -> None:
    text = draw.draw(st.from_regex(re.compile(pattern), fullmatch=True))[:400]
    for big in (False, True):
        order = "utf-16-be" if big else "utf-16-le"
        wide = text.decode("latin-1").encode(order)
        match = re.match(widened(pattern, big=big), wide, re.DOTALL)
        narrow = re.match(pattern, text)
        assert match
        assert narrow
        assert match.end() == 2 * narrow.end()
