"""Snapshots that V8 itself writes: every copy is found, and what holds it is named."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decoders.dumps import heapsnapshot, heapsnapshot_graph
from scanner.model import Finding, Skipped, State
from tests.scanning import jwt
from tests.test_hprof import events_of, findings_of

PROGRAM = Path(__file__).parent / "programs" / "token_cache.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node: install nodejs")
TOKENS = [jwt(i, exp=1_800_000_000) for i in range(8)]
TOKENS[6] = jwt(6, exp=1_800_000_000, note="x" * 1200)
OWNERS = {
    0: "TokenCache.accessToken",
    1: 'TokenCache.byUser["alice"]',
    2: "TokenCache.session.credentials.refreshToken",
    3: "TokenCache.recent[1]",
    4: "closure variable token",
    5: "global.leaked",
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("node") / "cache.heapsnapshot"
    command = ["node", str(PROGRAM), str(path)]
    subprocess.run(command, input=b"\n".join(TOKENS), check=True, capture_output=True, timeout=120)
    return path


@needs_node
def test_every_copy_is_found_in_its_string(snapshot: Path) -> None:
    data = snapshot.read_bytes()
    strings = json.loads(data)["strings"]
    found = findings_of(snapshot)
    expected = {data.find(token[:900]) for token in TOKENS}
    assert -1 not in expected
    assert {finding.spans[0].start for finding in found} == expected
    for finding in found:
        assert finding.address
        assert (finding.format, finding.line) == ("heapsnapshot", None)
        number, offset = finding.address["string"], finding.address["offset"]
        assert isinstance(number, int)
        assert isinstance(offset, int)
        value = data[finding.spans[0].start : finding.spans[0].end].decode()
        assert strings[number][offset : offset + len(value)] == value


@needs_node
def test_the_owner_of_each_token_is_named(snapshot: Path) -> None:
    told = {f.token.subject: f.address and f.address["owner"] for f in findings_of(snapshot)}
    assert {number: told[f"job-{number}"] for number in OWNERS} == OWNERS


@needs_node
def test_a_string_that_v8_cut_is_not_usable(snapshot: Path) -> None:
    data = snapshot.read_bytes()
    states = {f.spans[0].start: f.verdict for f in findings_of(snapshot)}
    cut = states.pop(data.index(TOKENS[6][:900]))
    assert (cut.state, cut.basis) == (State.UNUSABLE, "truncated")
    assert {verdict.state for verdict in states.values()} == {State.LIVE}


def made(tokens: list[bytes], compact: bool = False) -> bytes:
    """A snapshot as V8 lays it out: one row a line, one string a line; or as another program writes JSON."""
    meta = {
        "node_fields": ["type", "name", "id", "self_size", "edge_count"],
        "node_types": [["synthetic", "object", "string"], "string", "number", "number", "number"],
        "edge_fields": ["type", "name_or_index", "to_node"],
        "edge_types": [["property", "internal", "context", "weak"], "string_or_number", "node"],
    }
    strings = ["<dummy>", "(root)", "Store", "token", *(f"filler {i}" for i in range(600)), *map(bytes.decode, tokens)]
    nodes, edges = [0, 1, 1, 0, len(tokens)], []
    for i in range(len(tokens)):
        edges += [1, 1, 5 * (1 + 2 * i)]
    for i in range(len(tokens)):
        nodes += [1, 2, 3 + 4 * i, 8, 1, 2, len(strings) - len(tokens) + i, 5 + 4 * i, 8, 0]
        edges += [0, 3, 5 * (2 + 2 * i)]
    body = {"snapshot": {"meta": meta, "node_count": len(nodes) // 5, "edge_count": len(edges) // 3}}
    if compact:
        return json.dumps({**body, "nodes": nodes, "edges": edges, "strings": strings}, separators=(",", ":")).encode()
    rows = [",".join(map(str, nodes[i : i + 5])) for i in range(0, len(nodes), 5)]
    lines = [",".join(map(str, edges[i : i + 3])) for i in range(0, len(edges), 3)]
    head = json.dumps(body, separators=(",", ":"))[:-1]
    text = ',\n"nodes":[' + "\n,".join(rows) + '\n],\n"edges":[' + "\n,".join(lines) + '\n],\n"locations":[],\n'
    return (head + text + '"strings":[' + ",\n".join(map(json.dumps, strings)) + "]}").encode()


@pytest.mark.parametrize("compact", [False, True])
def test_owners_in_each_layout_of_the_document(tmp_path: Path, compact: bool) -> None:
    path = tmp_path / "a.heapsnapshot"
    tokens = [jwt(i) for i in range(40)]
    path.write_bytes(made(tokens, compact))
    found = findings_of(path)
    assert len(found) == len(tokens)
    assert {str(f.address and f.address["owner"]) for f in found} == {"Store.token"}


def test_a_snapshot_cut_short_gives_its_findings_and_says_so(tmp_path: Path) -> None:
    data = made([jwt(1), jwt(2)])
    path = tmp_path / "a.heapsnapshot"
    cuts = [data.index(b'"%s"' % name) for name in (b"nodes", b"edges", b"strings")]
    for size in (*cuts, len(data) - 3, len(data) - 1):
        path.write_bytes(data[:size])
        events = events_of(path)
        assert [event.reason for event in events if isinstance(event, Skipped)] == ["the snapshot is cut short"]
        assert sum(isinstance(event, Finding) for event in events) == (2 if size > data.index(b'"strings"') else 0)


def test_findings_beyond_the_bound_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heapsnapshot, "FINDINGS_MOST", 1)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(made([jwt(1), jwt(2)]))
    first, second = findings_of(path)
    assert first.address
    assert first.address["owner"] == "Store.token"
    assert second.address
    assert second.address["note"] == heapsnapshot.CAPPED


def test_what_has_more_holders_than_are_looked_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heapsnapshot_graph, "STEPS_MOST", 1)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(made([jwt(1), jwt(2)]))
    told = [finding.address or {} for finding in findings_of(path)]
    assert sorted(str(address.get("owner")) for address in told) == ["None", "Store.token"]
    assert sum("looked at" in str(address.get("note")) for address in told) == 1


@settings(max_examples=60)
@given(st.data())
def test_no_damage_stops_the_reader(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    token = jwt(1)
    good = bytearray(made([token], data.draw(st.booleans())))
    low = good.index(token)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(20, len(good) - 1))
        fresh = data.draw(
            st.sampled_from([b"]", b"[", b",,", b"99999999999999999999", b'"', b"\\", b"-1", b"\0", b"null"])
        )
        if at + len(fresh) < low - 8 or at > low + len(token) + 8:
            good[at : at + len(fresh)] = fresh
    path = tmp_path_factory.mktemp("fuzz") / "a.heapsnapshot"
    path.write_bytes(good)
    assert low in {event.spans[0].start for event in events_of(path) if isinstance(event, Finding)}
