"""The same bytes give the same findings, to the byte: for every window, every chunking, every split."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.folding import CALLS, FIELDS, FOLDS, LITERALS, terminal, written
from tests.scanning import Finding, Part, Shape, jwt, opaque, scan

FILLER = st.sampled_from(
    [
        b"2026-11-22T10:00:00Z INFO request done in 12 ms\n",
        b"x" * 997,
        b"\n" * 50,
        b"token bearer secret = eyJ password: client_secret\n",
        b'{"a": "\\"b\\" %20 &amp;"}\n',
        bytes(range(256)),
        b"\0" * 3000,
        b"eyJhbGciOiJIUzI1NiJ9.eyJ",
    ]
)


def _form(secret: bytes, how: int) -> bytes:
    header = b"Authorization: Bearer " + secret
    body = json.dumps({"access_token": secret.decode(), "expires_in": 299})
    return (
        header + b"\n",
        body.encode() + b"\n",
        json.dumps({"log": body + "\n", "stream": "stdout", "time": "2026-11-22T10:00:00Z"}).encode() + b"\n",
        b"GET /cb?access_token=" + quote(secret).encode() + b"&x=1\n",
        header.decode().encode("utf-16-le"),
        header.hex().encode() + b"\n",
        base64.b64encode(body.encode()) + b"\n",
        header[:40] + b"\n  " + header[40:] + b"\n",
    )[how]


SECRETS = st.builds(
    lambda seed, how, long: _form(jwt(seed, "RS256") if long else opaque(seed), how),
    st.integers(0, 999), st.integers(0, 7), st.booleans(),
)  # fmt: skip
LAYOUTS = [*LITERALS.values(), *FOLDS.values(), *CALLS.values(), *(terminal(width) for width in (60, 80, 131))]
CUT = st.builds(
    lambda seed, kind, layout, cut: written(layout(FIELDS[kind](seed), (cut,)))[0],
    st.integers(0, 999), st.sampled_from(sorted(FIELDS)), st.sampled_from(LAYOUTS), st.integers(1, 31),
)  # fmt: skip
STREAMS = st.lists(st.one_of(FILLER, SECRETS, CUT), max_size=24).map(b"".join)


def _said(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [
        (
            f.id,
            f.kind,
            f.detector,
            f.fingerprint,
            f.spans,
            f.encoding,
            f.line,
            f.column,
            f.verdict,
            f.token,
            f.logged_at,
        )
        for f in findings
    ]


@settings(max_examples=60, deadline=None)
@given(STREAMS, st.integers(1, 3000), st.integers(1, 5000), st.integers(1, 50000))
def test_window_and_chunk_sizes_change_nothing(data: bytes, chunk: int, block: int, room: int) -> None:
    whole = _said(scan(data))
    assert (
        _said(
            scan(data, chunk=max(chunk, len(data) // 500), shape=Shape(block=max(block, len(data) // 500), room=room))
        )
        == whole
    )


@settings(max_examples=8, deadline=None)
@given(st.lists(SECRETS, min_size=1, max_size=2).map(b"".join))
def test_a_window_of_one_byte_finds_the_same(data: bytes) -> None:
    assert _said(scan(data, chunk=1, shape=Shape(block=1, room=1))) == _said(scan(data))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(FILLER, SECRETS, CUT), min_size=4, max_size=40), st.integers(1, 60), st.data())
def test_ranges_together_find_what_the_whole_finds(parts: list[bytes], repeat: int, draw: st.DataObject) -> None:
    data = b"".join(parts) * repeat
    data = data[: 3 << 20]
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=3)))
    bounds = list(zip([0, *cuts], [*cuts, None], strict=True))
    found = [f for low, high in bounds for f in scan(data, part=Part(low, high))]
    whole = scan(data)
    assert [(f.id, f.spans, f.fingerprint, f.verdict) for f in found] == [
        (f.id, f.spans, f.fingerprint, f.verdict) for f in whole
    ]


def test_lines_and_columns_are_those_of_the_stream() -> None:
    """Tokens at distances that bring some far from the end of the block they are settled in."""
    line = b"2026-11-22T10:00:00Z INFO nothing to see here, move along\n"
    data = b"".join(line * 500 + b"Authorization: Bearer " + jwt(seed) + b"\n" for seed in range(100))
    found = scan(data)
    assert len(found) == 100
    for finding in found:
        start = finding.spans[0].start
        assert (finding.line, finding.column) == (data.count(b"\n", 0, start) + 1, start - data.rfind(b"\n", 0, start))
