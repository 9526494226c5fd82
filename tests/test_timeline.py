"""The timeline of exposed credentials: copies are one, ends count, and a peak is never thinned away."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scanner import timeline
from scanner.model import Finding
from scanner.timeline import Timeline
from tests.commands import bearertrap
from tests.scanning import AS_OF, jwt, opaque
from tests.scanning import scan as scanned


def _at(hour: float) -> bytes:
    return (AS_OF.replace(hour=0) + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def _until(hour: float) -> int:
    return int((AS_OF.replace(hour=0) + timedelta(hours=hour)).timestamp())


def _timeline(findings: list[Finding]) -> Timeline:
    line = Timeline()
    for finding in findings:
        line.add(finding)
    return line


def _hours(line: Timeline) -> list[tuple[float, int]]:
    midnight = AS_OF.replace(hour=0)
    return [((step.at - midnight).total_seconds() / 3600, step.count) for step in line.steps()]


def test_tokens_come_and_go() -> None:
    first, second = jwt(1, exp=_until(10)), jwt(2, exp=_until(9))
    text = b"%s %s\n%s %s\n%s %s\n" % (_at(8), first, _at(8.5), second, _at(9.5), first)
    assert _hours(_timeline(scanned(text))) == [(8, 1), (8.5, 2), (9, 1), (10, 0)]


def test_a_copy_seen_earlier_moves_the_beginning() -> None:
    token = jwt(1, exp=_until(10))
    text = b"%s %s\n%s %s\n" % (_at(9), token, _at(8), token)
    assert _hours(_timeline(scanned(text))) == [(8, 1), (10, 0)]


def test_what_has_no_end_and_what_is_not_known() -> None:
    text = b"%s client_secret=%s\n%s access_token=%s\naccess_token=%s\n" % (
        _at(8), opaque(1), _at(8.5), opaque(2), opaque(3),
    )  # fmt: skip
    line = _timeline(scanned(text[: text.rfind(b"access")]) + scanned(text[text.rfind(b"access") :]))
    assert _hours(line) == [(8, 1)]
    assert (line.open, line.untimed) == (1, 1)


def test_a_token_logged_after_its_end_exposed_nothing() -> None:
    assert _hours(_timeline(scanned(_at(11) + b" " + jwt(1, exp=_until(10))))) == []


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 5000)), max_size=60), st.integers(2, 9))
def test_the_peak_survives_thinning(spans: list[tuple[int, int]], most: int) -> None:
    steps: list[timeline.Step] = []
    edges = sorted({t for a, b in spans for t in (a, a + b)})
    for at in edges:
        count = sum(a <= at < a + b for a, b in spans)
        steps.append(timeline.Step(AS_OF + timedelta(seconds=at), count))
    before, timeline.MOST_STEPS = timeline.MOST_STEPS, most
    try:
        thinned = timeline._thinned(steps)
    finally:
        timeline.MOST_STEPS = before
    assert len(thinned) <= max(most, 0) or len(steps) <= most
    assert [one.at for one in thinned] == sorted(one.at for one in thinned)
    if steps:
        assert thinned[-1] == steps[-1]
        assert max(one.count for one in thinned) == max(one.count for one in steps)


def test_the_json_report_has_it(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"%s %s\n" % (_at(8), jwt(1, exp=_until(10))))
    (tmp_path / "b.log").write_bytes(b"%s %s\n" % (_at(7), jwt(1, exp=_until(10))))
    run = bearertrap("scan", tmp_path / "a.log", tmp_path / "b.log", "-o", tmp_path / "r.json", "--exit-zero")
    assert run.code == 0
    report = json.loads((tmp_path / "r.json").read_bytes())
    fingerprint = report["findings"][0]["fingerprint"]
    assert report["timeline"] == {
        "exposures": [
            {"fingerprint": fingerprint, "since": "2026-11-22T07:00:00Z", "until": "2026-11-22T10:00:00Z"},
        ],
        "steps": [
            {"at": "2026-11-22T07:00:00Z", "count": 1},
            {"at": "2026-11-22T10:00:00Z", "count": 0},
        ],
        "open": 0,
        "untimed": 0,
        "left_out": 0,
    }
    assert datetime.fromisoformat(report["timeline"]["steps"][0]["at"])
