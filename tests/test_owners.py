"""`--by owner`: the inventory of what holds how many credentials."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from scanner.model import Address, Finding, Summary
from scanner.sinks.text import TextSink
from tests.commands import AT, ROOT, bearertrap, scan
from tests.hprof_make import cache
from tests.scanning import jwt
from tests.scanning import scan as scan_bytes

TOKENS = [jwt(i, exp=1_800_000_000) for i in range(3)]


@pytest.fixture
def heap(tmp_path: Path) -> Path:
    """Two tokens in the map's field, one a copy of the field's, which has a field of its own."""
    path = tmp_path / "heap.hprof"
    path.write_bytes(cache([TOKENS[0], TOKENS[1], TOKENS[1]]).data())
    return path


def test_owners_are_counted_with_their_usable_secrets(heap: Path) -> None:
    ran = bearertrap("scan", "--at", AT, "--by", "owner", "-f", "json", heap, "samples/files/app.log", cwd=ROOT)
    report = json.loads(ran.out)
    assert (ran.code, report["schema"], report["by"]) == (11, "bearertrap/1", "owner")
    rows = {row["owner"]: row for row in report["owners"]}
    assert set(rows) == {
        "com.example.Cache.current", "com.example.Cache.BY_USER[…]", "com.example.Cache.accessToken",
        "samples/files/app.log",
    }  # fmt: skip
    in_map = rows["com.example.Cache.BY_USER[…]"]
    assert in_map == {
        "owner": "com.example.Cache.BY_USER[…]", "kind": "owner", "usable": 1, "secrets": 1, "copies": 1,
        "by_state": {"live": 1}, "keys": ['"alice"'], "formats": ["hprof"],
    }  # fmt: skip
    assert report["owners"][0]["owner"] == "samples/files/app.log"  # the most usable first
    assert rows["samples/files/app.log"]["kind"] == "file"
    findings = scan(heap, "samples/files/app.log", cwd=ROOT).of_type("finding")
    assert sum(row["copies"] for row in report["owners"]) == len(findings) == report["summary"]["findings"]
    usable = ("live", "not_yet_valid", "no_expiry", "unknown")
    for row in report["owners"]:
        assert row["usable"] == sum(count for state, count in row["by_state"].items() if state in usable)
        assert row["secrets"] == sum(row["by_state"].values()) <= row["copies"]


def test_the_table_for_a_person_shows_the_same(heap: Path) -> None:
    ran = bearertrap("scan", "--at", AT, "--by", "owner", heap)
    lines = ran.out.decode().splitlines()
    assert lines[0].split() == ["USABLE", "SECRETS", "COPIES", "OWNER"]
    at = next(i for i, line in enumerate(lines) if line.endswith("BY_USER[…]"))
    assert lines[at].split() == ["1", "1", "1", "com.example.Cache.BY_USER[…]"]
    assert lines[at + 1].strip() == '1 live; keys "alice"'
    assert lines[-1] == "3 findings in 3 owners, 1 source"
    assert not any(token in ran.out for token in TOKENS)


def test_other_reports_of_the_same_run_list_the_findings(heap: Path, tmp_path: Path) -> None:
    ran = bearertrap("scan", "--by", "owner", "-o", "-", "-o", tmp_path / "all.jsonl", heap)
    assert b"OWNER" in ran.out
    told = [json.loads(line)["type"] for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert told.count("finding") == 3 and told[-1] == "summary"
    ran = bearertrap("scan", "--by", "owner", "-o", tmp_path / "only.jsonl", heap)
    assert ran.code == 2
    assert b"--by owner is for reports as text or json" in ran.err


def test_what_was_not_scanned_is_said(tmp_path: Path, heap: Path) -> None:
    heap.write_bytes(heap.read_bytes()[:-20])
    ran = bearertrap("scan", "--by", "owner", heap)
    assert ran.code == 12
    assert b"NOT SCANNED" in ran.out
    assert b"cut short" in ran.out


def _text(findings: list[Finding]) -> str:
    out = io.BytesIO()
    sink = TextSink(out, width=200)
    sink.begin()
    for finding in findings:
        sink.finding(finding)
    sink.finish(Summary(sources=1))
    return out.getvalue().decode()


def test_a_text_report_names_the_most_telling_places_of_a_dump() -> None:
    """Ten copies in garbage and on a stack must not hide the cache that keeps the token."""
    (one,) = scan_bytes(TOKENS[0])
    told: list[Address] = [{"owner": None, "reachable": False}] * 10
    told += [{"owner": "stack of A.run"}, {"owner": "A.token"}, {"owner": "A.token"}, {"owner": 'B.byUser["x"]'}]
    shown = _text([replace(one, line=None, address=address) for address in told])
    order = [shown.index(name) for name in ("in A.token", 'in B.byUser["x"]', "in stack of A.run", "in garbage")]
    assert order == sorted(order)
    assert "+9 more" in shown


def test_a_text_report_says_whose_memory_a_core_is() -> None:
    (one,) = scan_bytes(TOKENS[0])
    address: Address = {"mapping": "[heap]", "process": "service", "pid": 47, "command": "/opt/service --token=***"}
    shown = _text([replace(one, line=None, address=address)] * 3)
    assert shown.count("mem is the memory of service (pid 47): /opt/service --token=***\n") == 1
