"""Secrets seen twice: bare copies are found once each, to the byte, in every form and window."""

from __future__ import annotations

import base64
import json
import pickle
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.detector import Confidence, Flaw, Kind, Match, Rank, Secret
from scanner.copies import MOST_VALUES, Copy, Known, Part, Recount, again, copies, is_worth_it
from scanner.model import Finding, Span, StreamId
from scanner.spans import Spans
from scanner.values import Value
from scanner.windows import Shape
from tests.scanning import Chunks, jwt, opaque, scan

NOISE = st.sampled_from(
    [b"", b"\n", b"2026-11-22 INFO done\n", b"\0" * 33, b"x" * 101, b'{"a": "', bytes(range(256)), b"=", b"\xff" * 7]
)
SPECIAL = b'p@ss/w0rd+"Zx9&Qk4=Lm'


def search(data: bytes, *values: bytes, found: tuple[Span, ...] = (), shape: Shape | None = None) -> list[Copy]:
    return list(copies(Chunks(data), [Secret(value) for value in values], Spans(found), shape))


def wide(value: bytes, order: str) -> bytes:
    return value.decode("latin-1").encode(order)


def in_base64(value: bytes, lead: int, url: bool) -> tuple[bytes, int, int]:
    """The base64 of a record that holds the value after `lead` bytes and some groups of three, and the value's span."""
    before = b"k: " + b"." * lead
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(before + value + b" end")
    return text, len(before) * 4 // 3, -(-(len(before) + len(value)) * 4 // 3)


def form(value: bytes, how: int) -> tuple[bytes, int, int, tuple[str, ...]]:
    """(bytes, start, end of the value in them, encoding)."""
    if how < 6:
        return *in_base64(value, how % 3, how > 2), ("base64",)
    written, names = [
        (value, ()),
        (wide(value, "utf-16-le"), ("utf-16le",)),
        (wide(value, "utf-16-be"), ("utf-16be",)),
        (value.hex().encode(), ("hex",)),
        (value.hex().upper().encode(), ("hex",)),
        (quote(value, safe="").encode(), ("percent",)),
        (re.sub("%..", lambda code: code[0].lower(), quote(value, safe="")).encode(), ("percent",)),
        (json.dumps(value.decode())[1:-1].encode(), ("json",)),
        (json.dumps(value.decode())[1:-1].replace("/", "\\/").replace("&", "\\u0026").encode(), ("json",)),
    ][how - 6]
    return written, 0, len(written), () if written == value else names


VALUES = st.one_of(
    st.integers(0, 50).map(jwt),
    st.integers(0, 50).map(lambda seed: opaque(seed, 12 + seed)),
    st.just(SPECIAL),
    st.integers(0, 50).map(lambda seed: b"aB+/" + opaque(seed, 30) + b"/x=="),
)
PLANTED = st.lists(st.tuples(NOISE, VALUES, st.integers(0, 14), NOISE), min_size=1, max_size=12)


def planted(parts: list[tuple[bytes, bytes, int, bytes]]) -> tuple[bytes, list[tuple[Span, bytes, tuple[str, ...]]]]:
    data, places = b"", []
    for before, value, how, after in parts:
        written, start, end, names = form(value, how)
        data += before + b"  \n"  # two bytes more keep UTF-16 apart from what stands before it
        places.append((Span(len(data) + start, len(data) + end), value, names))
        data += written + b" \n " + after
    return data, places


@settings(max_examples=150)
@given(PLANTED)
def test_each_copy_is_found_once_with_its_exact_span(parts: list[tuple[bytes, bytes, int, bytes]]) -> None:
    data, places = planted(parts)
    found = search(data, *{value for _, value, _, _ in parts})
    assert [(copy.span, copy.value.reveal(), copy.encoding) for copy in found] == places
    for copy in found:
        assert (copy.line, copy.column) == (
            data.count(b"\n", 0, copy.span.start) + 1,
            copy.span.start - data.rfind(b"\n", 0, copy.span.start),
        )


@settings(max_examples=60)
@given(PLANTED, st.integers(1, 2000), st.integers(1, 60_000), st.integers(0, 250_000))
def test_no_window_changes_what_is_found(
    parts: list[tuple[bytes, bytes, int, bytes]], block: int, room: int, gap: int
) -> None:
    first, places = planted(parts)
    data = first + b"." * gap + first
    values = {value for _, value, _, _ in parts}
    whole = search(data, *values)
    assert len(whole) == 2 * len(places)
    assert search(data, *values, shape=Shape(block=max(block, len(data) // 300), room=room)) == whole


@given(PLANTED, st.data())
def test_what_was_found_before_is_not_found_again(
    parts: list[tuple[bytes, bytes, int, bytes]], draw: st.DataObject
) -> None:
    data, places = planted(parts)
    before = draw.draw(st.sets(st.integers(0, len(places) - 1)))
    found = search(data, *{value for _, value, _, _ in parts}, found=tuple(places[i][0] for i in before))
    assert [copy.span for copy in found] == [place[0] for i, place in enumerate(places) if i not in before]


def test_a_value_inside_another_is_not_reported_beside_it() -> None:
    token = jwt(3)
    signature = token.rpartition(b".")[2]
    data = b"a " + token + b" b " + signature + b" c"
    assert [copy.value.reveal() for copy in search(data, token, signature)] == [token, signature]
    whole = Span(2, 2 + len(token))
    assert [copy.span.start for copy in search(data, token, signature, found=(whole,))] == [len(token) + 5]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (b"", b"", True),
        (b" ", b"\0", True),
        (b"x", b" ", False),
        (b" ", b"x", False),
        (b"\\n", b"\\n", True),
        (b"%3D", b"&", True),
    ],
)
def test_a_short_value_is_no_part_of_a_word(before: bytes, after: bytes, found: bool) -> None:
    short, long = opaque(1, 16), opaque(2, 24)
    assert bool(search(b"." + before + short + after, short)) is found
    assert search(b"." + before + long + after, long)


def test_base64_is_compared_to_the_bit() -> None:
    value = opaque(4, 24)
    other = bytes([value[0] ^ 0x10]) + value[1:]  # differs in bits that the first character shares with the lead
    assert search(base64.b64encode(b"." + value), value)
    assert search(base64.b64encode(b"." + other), value) == []
    other = value[:-1] + bytes([value[-1] ^ 1])
    assert search(base64.b64encode(value + b"."), value)
    assert search(base64.b64encode(other + b"."), value) == []


def test_a_hundred_thousand_places_are_compared_in_little_time() -> None:
    value = opaque(5, 40)
    assert len(search((value + b"\n") * 20_000, value)) == 20_000


def match_of(value: bytes, **changes: object) -> Match:
    match = Match(0, len(value), Kind.API_KEY, Secret(value), Rank.SCHEME)
    return replace(match, **changes)  # type: ignore[arg-type]


def test_which_values_are_worth_a_second_look() -> None:
    assert is_worth_it(match_of(opaque(1, 12)))
    assert not is_worth_it(match_of(opaque(1, 11)))
    assert not is_worth_it(match_of(opaque(1, 7001)))
    assert not is_worth_it(match_of(b"01234567-89ab-4cde-8f01-23456789abcd"))
    assert not is_worth_it(match_of(b"ababababababab"))
    assert not is_worth_it(match_of(opaque(1), flaw=Flaw.TRUNCATED))
    assert is_worth_it(match_of(opaque(1), rank=Rank.KEYED))
    assert not is_worth_it(match_of(opaque(1), rank=Rank.KEYED, confidence=Confidence.MEDIUM))
    assert not is_worth_it(match_of(opaque(1), rank=Rank.GUESS))


def value_of(value: bytes, finding: Finding, **changes: object) -> Value:
    return Value(finding, match_of(value, **changes))


def test_what_lasts_and_what_does_not_have_room_of_their_own() -> None:
    (finding,) = scan(b"Bearer " + jwt(1) + b"\n")
    known = Known()
    for seed in range(MOST_VALUES):
        known.add(value_of(opaque(seed), finding))
        known.add(value_of(opaque(seed), finding))
    known.add(value_of(opaque(MOST_VALUES), finding, kind=Kind.BEARER_TOKEN))
    assert not known.refused
    known.add(value_of(opaque(MOST_VALUES + 1), finding))
    assert known.refused and len(known.values) == MOST_VALUES + 1
    assert opaque(1).decode() not in repr(known)


def test_a_copy_is_the_same_secret_with_less_confidence() -> None:
    secret = opaque(9, 40)
    data = b'{"access_token": "' + secret + b'"}\nsomewhere else: ' + secret.hex().encode() + b"\n"
    (first,) = [one for one in scan(data) if one.spans[0].start < 40]
    known = Known()
    known.add(value_of(secret, first))
    stream = StreamId("mem")
    (value,) = again(stream, Chunks(data), known, Spans(first.spans))
    copy = value.finding
    assert copy.fingerprint == first.fingerprint and copy.kind == first.kind and copy.detector == first.detector
    assert copy.id != first.id and copy.confidence == Confidence.MEDIUM and copy.encoding == ("hex",)
    assert copy.copy_of == first.id and value.match.secret.reveal() == secret
    assert data[copy.spans[0].start : copy.spans[0].end] == secret.hex().encode()
    assert copy.logged_at is None and copy.verdict.live_when_logged is None and copy.line == 2


@settings(max_examples=60)
@given(PLANTED, st.lists(st.integers(0, 400_000), max_size=4), st.integers(0, 250_000))
def test_parts_find_what_the_whole_has(parts: list[tuple[bytes, bytes, int, bytes]], cuts: list[int], gap: int) -> None:
    first, _ = planted(parts)
    data = first + b"\n." * (gap // 2) + first
    values = {value for _, value, _, _ in parts}
    whole = search(data, *values)
    edges = sorted({0, *(cut % (len(data) + 1) for cut in cuts)})
    pieced: list[Copy] = []
    lines, newline = 0, -1
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        part = Part(start, end)
        reader = Chunks(data[part.read_from : part.read_to])
        for lazily in (False, True):
            counted = data_lines(data, start) if lazily else None
            found = list(copies(reader, [Secret(value) for value in values], Spans(), part=part, recount=counted))
            moved = [
                replace(copy, line=copy.line + lines, column=copy.column + (start - 1 - newline) * (copy.line == 1))
                for copy in found
            ]
            if lazily:
                assert moved == pieced[len(pieced) - len(moved) :]
            else:
                pieced += moved
            reader = Chunks(data[part.read_from : part.read_to])
        lines, newline = data.count(b"\n", 0, end), data.rfind(b"\n", 0, end)
    assert pieced == whole


def data_lines(data: bytes, start: int) -> Recount:
    def recount(end: int) -> tuple[int, int | None]:
        last = data.rfind(b"\n", start, end)
        return data.count(b"\n", start, end), None if last < 0 else last

    return recount


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60))), st.integers(0, 300), st.integers(1, 60))
def test_spans_overlap_as_intervals_do(pairs: list[tuple[int, int]], start: int, size: int) -> None:
    plain = [Span(low, low + width) for low, width in pairs]
    end = start + size
    hit = any(one.start < end and start < one.end for one in plain)
    assert Spans(plain).overlap(start, end) is hit
    near = Spans(plain).near(start, end)
    assert near.overlap(start, end) is hit and len(near) <= len(plain)
    assert pickle.loads(pickle.dumps(near)).overlap(start, end) is hit  # noqa: S301 - our own
