"""What spares a view must never cost a finding: glances, the look at raw bytes, and the tails of UTF-16 keys."""

from __future__ import annotations

import re

import pytest

from detectors.detector import GLANCE, Detector, Text
from detectors.registry import all_detectors
from scanner.nearby import NEAR
from tests.scanning import scan

EXAMPLES = [(detector, text, secret) for detector in all_detectors() for text, secret in detector.examples]
IDS = [f"{detector.id}-{index}" for index, (detector, _, _) in enumerate(EXAMPLES)]


def _hits(detector: Detector, data: bytes) -> list[int]:
    found = set()
    for anchor in detector.anchors:
        flags = re.DOTALL | (re.IGNORECASE if anchor.caseless else 0)
        shape = re.compile(anchor.pattern or re.escape(anchor.literal), flags)
        found.update(match.end() for match in shape.finditer(data))
    return sorted(found)


@pytest.mark.parametrize(("detector", "text", "secret"), EXAMPLES, ids=IDS)
def test_a_glance_passes_what_confirm_finds(detector: Detector, text: bytes, secret: bytes) -> None:
    for lead in (b"", b"x=", rb"a\n", rb"\x3d", rb"\u003d", rb"\012", b"%3D", b"\x1b[31m", b"=3D", b"#012"):
        data = lead + text
        for hit in _hits(detector, data):
            if detector.glance and any(True for _ in detector.confirm(Text(data, hit))):
                assert detector.glance(data[max(0, hit - GLANCE) : hit], data[hit : hit + GLANCE])


@pytest.mark.parametrize(("detector", "text", "secret"), EXAMPLES, ids=IDS)
def test_before_bounds_how_far_back_a_detector_looks(detector: Detector, text: bytes, secret: bytes) -> None:
    """The raw bytes a detector is shown first begin that far before a hit: what it finds may not depend on more."""
    data = b"INFO lorem ipsum dolor sit amet\n" * 300 + text
    for hit in _hits(detector, data):
        low = hit - detector.before
        whole = {(m.start, m.end) for m in detector.confirm(Text(data, hit))}
        part = {(m.start + low, m.end + low) for m in detector.confirm(Text(data[low:], detector.before))}
        assert whole == part


@pytest.mark.parametrize("distance", [0, 200, NEAR - 60, NEAR + 60, 2000])
def test_an_insert_far_before_its_column_is_seen(distance: int) -> None:
    secret = b"Rk7nV2pQ9xTm4bL8sWc1Yd3h"
    columns = b"".join(b"c%d, " % i for i in range(distance // 6))
    values = b"0, " * columns.count(b",")
    text = b"INSERT INTO t (" + columns + b"client_secret) VALUES (" + values + b"'" + secret + b"');"
    (finding,) = scan(text + b"\n")
    assert [(s.start, s.end) for s in finding.spans] == [(text.index(secret), text.index(secret) + len(secret))]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("key", ["client_secret", "clientSecretValueOfTheProductionTenant", "db.password", "pwd"])
def test_a_key_in_utf_16_is_seen_whatever_follows_its_word(codec: str, key: str) -> None:
    secret = "Zk7pQ2vX9mT4bR8sLw1cYd3h"
    text = f'level=info {{"{key}" : "{secret}"}} done'
    (finding,) = scan(text.encode(codec))
    start = 2 * text.index(secret)
    assert [(s.start, s.end) for s in finding.spans] == [(start, start + 2 * len(secret))]
