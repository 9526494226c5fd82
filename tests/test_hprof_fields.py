"""Values of a heap that only the name of their field gives away."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.decoders.dumps import hprof_fields
from scanner.model import Finding
from scanner.run import Options, run
from tests.hprof_make import Heap, cache
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of
from tests.test_hprof import findings_of

SECRET, REFRESH, WIDE, STATIC = opaque(1, 40), opaque(2, 48), opaque(3, 32), opaque(4, 36)


def client(wide: int = 8, instances: int = 1, runtime: str = "com/example/") -> Heap:
    """A client: a secret in a field it inherits, tokens in an array of bytes and one of characters, a static key."""
    heap = Heap(wide)
    root = heap.cls("java/lang/Object")
    string = heap.cls("java/lang/String", root, "value: coder=")
    filling = heap.cls("com/example/Filling", root)

    def text(data: bytes, coder: int = 0) -> int:
        return heap.instance(string, heap.bytes_(data), bytes([coder]))

    base = heap.cls(f"{runtime}Base", root, "name: clientSecret:")
    cls = heap.cls(f"{runtime}Client", base, "refreshToken: tokenName: password:", {"API_KEY": text(STATIC)})
    heap.filler(filling, 30_000, 2)
    password = heap.bytes_(WIDE.decode().encode("utf-16-be"), 5)
    for _ in range(instances):
        name = text(b"bearer_access_token_of_the_primary")
        secret = text(SECRET.decode().encode("utf-16-le"), 1)
        heap.instance(cls, heap.bytes_(REFRESH), name, password, text(b"orders"), secret)  # own fields, then inherited
        heap.filler(filling, 3_000, 3)
    heap.records.sort(key=lambda record: record[0] != 0x20)
    return heap


@pytest.mark.parametrize("wide", [4, 8])
@pytest.mark.parametrize("segment", [None, 4_000])
def test_fields_give_their_values_away(tmp_path: Path, wide: int, segment: int | None) -> None:
    path = tmp_path / "a.hprof"
    data = client(wide).data(segment)
    path.write_bytes(data)
    found = {finding.key: finding for finding in findings_of(path)}
    assert set(found) == {"client_secret", "refresh_token", "password", "api_key"}
    for key, value, order in (
        ("client_secret", SECRET, "utf-16-le"), ("refresh_token", REFRESH, "latin-1"),
        ("password", WIDE, "utf-16-be"), ("api_key", STATIC, "latin-1"),
    ):  # fmt: skip
        (span,) = found[key].spans
        assert data[span.start : span.end] == value.decode().encode(order)
        assert (found[key].format, found[key].line) == ("hprof", None)
    owners = {key: (finding.address or {}).get("owner") for key, finding in found.items()}
    assert owners["client_secret"] == "com.example.Client.clientSecret"
    assert owners["api_key"] == "com.example.Client.API_KEY"


def test_what_was_found_already_is_not_told_again(tmp_path: Path) -> None:
    path = tmp_path / "a.hprof"
    tokens = [jwt(i) for i in range(3)]
    path.write_bytes(cache(tokens).data())  # one is in the field `accessToken`
    assert sorted(str(finding.token.subject) for finding in findings_of(path)) == ["job-0", "job-1", "job-2"]


def test_a_runtime_s_own_fields_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.hprof"
    path.write_bytes(client(runtime="sun/security/").data())
    assert findings_of(path) == []


def test_more_objects_than_are_looked_at_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hprof_fields, "INSTANCES_MOST", 3)
    path = tmp_path / "a.hprof"
    path.write_bytes(client(instances=9).data())
    notices: list[str] = []
    events = list(run([source_of(path)], Options(AS_OF, KEY), notice=notices.append))
    found = [event for event in events if isinstance(event, Finding)]
    told = next(finding for finding in found if finding.key == "client_secret")
    assert sum(finding.fingerprint == told.fingerprint for finding in found) == 9  # the others are copies
    assert "objects of each class only" in "".join(notices)
