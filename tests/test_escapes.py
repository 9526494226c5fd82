"""One layer of escapes and the map back."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.escapes import decode, unescape
from scanner.view import Linear, Pieces, View

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x1b#"), max_size=60)


def plain(data: bytes) -> bytes:
    layer = unescape(data, None)
    return layer.data if layer else data


@given(TEXT)
def test_json_strings_are_read_as_json_reads_them(text: str) -> None:
    escaped = json.dumps(text.replace("%", "").replace("&", ""))[1:-1].encode()
    expected = json.loads(b'"' + escaped + b'"').encode("utf-8", "surrogatepass")
    if all(ord(c) < 0x10000 for c in text):
        assert plain(escaped) == expected


@given(st.binary(max_size=60))
def test_percent_is_read_as_urllib_reads_it(data: bytes) -> None:
    escaped = quote(data, safe="").encode()
    assert plain(escaped) == data == unquote_to_bytes(escaped)


@given(st.text("abc<>&\"' ", max_size=30))
def test_html_entities_are_read_as_html_reads_them(text: str) -> None:
    escaped = html.escape(text, quote=True)
    assert plain(escaped.encode()) == text.encode()


@pytest.mark.parametrize(
    ("escape", "byte"),
    [
        (b"\\x22", b'"'), (b"\\u0026", b"&"), (b"\\042", b'"'), (b"#012", b"\n"), (b"#011", b"\t"), (b"&#34;", b'"'),
        (b"&#x22;", b'"'), (b"\\/", b"/"), (b"\x1b[31m", b""), (b"\\\n", b""),
    ],
)  # fmt: skip
def test_single_escapes(escape: bytes, byte: bytes) -> None:
    assert decode(escape) == byte
    assert plain(b"a" + escape + b"b") == b"a" + byte + b"b"


ESCAPED = st.lists(
    st.sampled_from([b"a", b"-", b"\\\\", b'\\"', b"%22", b"\x1b[0m", b"\\u0041", b"&quot;", b"\n"]), max_size=40
)


@given(ESCAPED, st.integers(0, 40), st.integers(0, 40))
def test_spans_cover_exactly_what_was_written_for_the_bytes(parts: list[bytes], first: int, last: int) -> None:
    data = b"".join(parts)
    layer = unescape(data, None)
    if layer is None:
        return
    view = View(layer.data, (Linear(1000), Pieces(layer)), (), layer.depth, False)
    made = [(part, plain(part)) for part in parts]
    first, last = min(first, last, len(parts)), min(max(first, last), len(parts))
    low = sum(len(text) for _, text in made[:first])
    high = low + sum(len(text) for _, text in made[first:last])
    wanted: set[int] = set()
    at = 1000
    for i, (part, text) in enumerate(made):
        if first <= i < last and text:
            wanted |= set(range(at, at + len(part)))
        at += len(part)
    covered = {i for span in view.spans(low, high) for i in range(span.start, span.end)}
    assert covered == wanted


@given(ESCAPED)
def test_an_offset_just_past_an_escape_maps_to_just_past_its_byte(parts: list[bytes]) -> None:
    data = b"".join(parts)
    layer = unescape(data, None)
    if layer is None:
        return
    view = View(layer.data, (Linear(0), Pieces(layer)), (), layer.depth, False)
    outer = inner = 0
    for part in parts:
        outer += len(part)
        inner += len(plain(part))
        assert view.index(outer) == inner
