"""Snapshots that V8 itself writes: every copy is found, and what holds it is named."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decoders.dumps import heapsnapshot_graph, heapsnapshot_texts, held
from scanner.model import Finding, Skipped, State
from scanner.run import Options, run
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of
from tests.test_hprof import events_of, findings_of

PROGRAM = Path(__file__).parent / "programs" / "token_cache.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node: install nodejs")
TOKENS = [jwt(i, exp=1_800_000_000) for i in range(8)]
TOKENS[6] = jwt(6, exp=1_800_000_000, note="x" * 1200)
WHOLE = TOKENS[:7]  # in one string each
PIECES = TOKENS[7]
SECRET = opaque(8, 40)
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
    subprocess.run(command, input=b"\n".join([*TOKENS, SECRET]), check=True, capture_output=True, timeout=120)
    return path


@needs_node
def test_every_copy_is_found_in_its_string(snapshot: Path) -> None:
    data = snapshot.read_bytes()
    strings = json.loads(data)["strings"]
    found = findings_of(snapshot)
    expected = {data.find(token[:900]) for token in (*WHOLE, PIECES[60:], SECRET)}
    assert -1 not in expected
    assert {finding.spans[-1].start for finding in found} == expected
    for finding in found:
        assert finding.address
        assert (finding.format, finding.line) == ("heapsnapshot", None)
        number, offset = finding.address["string"], finding.address["offset"]
        assert isinstance(number, int)
        assert isinstance(offset, int)
        value = data[finding.spans[0].start : finding.spans[0].end].decode()
        assert strings[number][offset : offset + len(value)] == value


@needs_node
def test_a_token_that_was_put_together_is_found_in_its_pieces(snapshot: Path) -> None:
    data = snapshot.read_bytes()
    assert PIECES not in data
    (found,) = [one for one in findings_of(snapshot) if len(one.spans) > 1]
    assert [data[span.start : span.end] for span in found.spans] == [PIECES[:60], PIECES[60:]]
    assert (found.verdict.state, found.token.subject) == (State.LIVE, "job-7")
    assert (found.address or {})["owner"] == "TokenCache.header"


@needs_node
def test_the_name_of_a_property_gives_its_value_away(snapshot: Path) -> None:
    (found,) = [one for one in findings_of(snapshot) if one.kind == "client_secret"]
    assert snapshot.read_bytes()[found.spans[0].start : found.spans[0].end] == SECRET
    assert (found.key, (found.address or {})["owner"]) == ("client_secret", "TokenCache.clientSecret")


@needs_node
def test_ranges_and_workers_make_no_difference(snapshot: Path) -> None:
    whole = findings_of(snapshot)
    source = source_of(snapshot)
    cut = list(run([source], Options(AS_OF, KEY), jobs=2))
    large = snapshot.with_name("large.heapsnapshot")
    padded = b'"padding":[],' + b" " * (48 << 20) + b'"strings":['
    large.write_bytes(snapshot.read_bytes().replace(b'"strings":[', padded))
    ranged = list(run([source_of(large)], Options(AS_OF, KEY), jobs=2))
    assert [one.fingerprint for one in cut if isinstance(one, Finding)] == [one.fingerprint for one in whole]
    assert [one.fingerprint for one in ranged if isinstance(one, Finding)] == [one.fingerprint for one in whole]
    assert len(ranged) == len(whole)


@needs_node
def test_the_owner_of_each_token_is_named(snapshot: Path) -> None:
    told = {f.token.subject: f.address and f.address["owner"] for f in findings_of(snapshot)}
    assert {number: told[f"job-{number}"] for number in OWNERS} == OWNERS


@needs_node
def test_a_string_that_v8_cut_is_not_usable(snapshot: Path) -> None:
    data = snapshot.read_bytes()
    states = {f.spans[-1].start: f.verdict for f in findings_of(snapshot)}
    cut = states.pop(data.index(TOKENS[6][:900]))
    assert (cut.state, cut.basis) == (State.UNUSABLE, "truncated")
    assert {verdict.state for verdict in states.values()} == {State.LIVE, State.NO_EXPIRY}


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


def in_pieces(halves: list[tuple[int, int]], leaves: list[bytes]) -> bytes:
    """A snapshot of concatenations, each of two nodes: 0 … are the concatenations, then come the leaves. `Store.header`
    is the first of them.
    """
    meta = {
        "node_fields": ["type", "name", "id", "self_size", "edge_count"],
        "node_types": [["object", "string", "concatenated string"], "string", "number", "number", "number"],
        "edge_fields": ["type", "name_or_index", "to_node"],
        "edge_types": [["property", "internal"], "string_or_number", "node"],
    }
    strings = ["Store", "header", "(concatenated string)", "map", "first", "second", *map(bytes.decode, leaves)]
    nodes, edges = [0, 0, 1, 8, 1], [0, 1, 5]
    for first, second in halves:
        nodes += [2, 2, 3, 8, 3]
        edges += [1, 3, 0, 1, 4, 5 * (1 + first), 1, 5, 5 * (1 + second)]
    for i in range(len(leaves)):
        nodes += [1, 6 + i, 5, 8, 0]
    body = {"snapshot": {"meta": meta}, "nodes": nodes, "edges": edges, "strings": strings}
    return json.dumps(body, separators=(",", ":")).encode()


def test_pieces_of_pieces_are_put_together(tmp_path: Path) -> None:
    token = jwt(3)
    leaves = [b"Bearer ", token[:50], token[50:90], token[90:]]
    data = in_pieces([(3, 1), (2, 6), (4, 5)], leaves)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(data)
    (found,) = findings_of(path)
    assert b"".join(data[span.start : span.end] for span in found.spans) == token
    assert (found.address or {})["owner"] == "Store.header"


@pytest.mark.parametrize("halves", [[(0, 0)], [(1, 1), (0, 2)], [(1, 0), (9, 2)], [(2, 2)] * 2])
def test_pieces_that_go_in_circles_come_to_an_end(tmp_path: Path, halves: list[tuple[int, int]]) -> None:
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(in_pieces(halves, [jwt(1)]))
    assert len(findings_of(path)) == 1


def test_a_last_row_that_is_not_whole_is_no_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(in_pieces([(0, 0)], []).replace(b",3,8,3]", b",3,8]"))
    assert findings_of(path) == []


def test_a_text_with_a_piece_that_v8_cut_is_not_put_together(tmp_path: Path) -> None:
    token = jwt(4, note="x" * 1200)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(in_pieces([(1, 2)], [token[:1024], token[1400:]]))
    assert {found.verdict.state for found in findings_of(path)} == {State.UNUSABLE}


def test_texts_beyond_the_bound_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heapsnapshot_texts, "NODES_MOST", 1)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(in_pieces([(1, 2), (3, 4)], [b"a", b"b", b"c"]))
    notices: list[str] = []
    assert list(run([source_of(path)], Options(AS_OF, KEY), notice=notices.append)) == []
    assert "not put together" in "".join(notices)


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
    monkeypatch.setattr(held, "FINDINGS_MOST", 1)
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(made([jwt(1), jwt(2)]))
    first, second = findings_of(path)
    assert first.address
    assert first.address["owner"] == "Store.token"
    assert second.address
    assert "only those of the first 1 findings" in str(second.address["note"])


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
    pieces = in_pieces([(1, 2), (2, 3)], [token, b"Bearer ", token[:40]])
    good = bytearray(data.draw(st.sampled_from([made([token]), made([token], compact=True), pieces])))
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
