"""Laws of layouts that cut a secret: of any kind, cut anywhere, it is one finding with a span a part.

And with the fingerprint it has in plain text. What stands below it and is none of it stays out; two secrets stay two.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.encoders import base64_in_lines
from tests.folding import (
    CALLS,
    FIELDS,
    FOLDS,
    LITERALS,
    MAPS,
    SCALARS,
    TERMINALS,
    Field,
    Layout,
    fits,
    rows,
    terminal,
    written,
)
from tests.scanning import opaque, scan

MARKED = {**LITERALS, **FOLDS, **CALLS}
LEAD, TAIL = b"-- start!\n", b"-- end\n"
KINDS = sorted(FIELDS)


def check(field: Field, layout: Layout, *cuts: int) -> None:
    plain = f"{field.key}: {field.before}".encode()
    (whole,) = scan(plain + field.secret + b"\n")
    assert [(span.start, span.end) for span in whole.spans] == [(len(plain), len(plain) + len(field.secret))]
    data, places = written(layout(field, cuts))
    found = scan(LEAD + data + TAIL)
    moved = [(start + len(LEAD), end + len(LEAD)) for start, end in places]
    assert [[(span.start, span.end) for span in finding.spans] for finding in found] == [moved], cuts
    assert (found[0].fingerprint, found[0].kind) == (whole.fingerprint, whole.kind)


@settings(max_examples=800, derandomize=True)
@given(st.sampled_from(sorted(MARKED)), st.sampled_from(KINDS), st.integers(0, 9999), st.data())
def test_cut_anywhere(layout: str, kind: str, seed: int, draw: st.DataObject) -> None:
    field = FIELDS[kind](seed)
    offsets = st.integers(1, len(field.secret) - 1)
    check(field, MARKED[layout], *sorted(draw.draw(st.sets(offsets, min_size=1, max_size=4))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", MARKED)
def test_cut_at_each_offset(layout: str, kind: str) -> None:
    field = FIELDS[kind](7)
    for cut in range(1, len(field.secret)):
        check(field, MARKED[layout], cut)


@settings(max_examples=300, derandomize=True)
@given(st.sampled_from(sorted(TERMINALS)), st.sampled_from(KINDS), st.integers(0, 9999), st.data())
def test_cut_at_a_usual_width(name: str, kind: str, seed: int, draw: st.DataObject) -> None:
    field = FIELDS[kind](seed)
    width, how = TERMINALS[name]
    check(field, terminal(width, *how), draw.draw(st.sampled_from(fits(field, width, *how))))


@settings(max_examples=300, derandomize=True)
@given(st.integers(56, 250), st.sampled_from(KINDS), st.integers(0, 9999), st.sampled_from(["", "  ", "> "]), st.data())
def test_cut_at_any_width(width: int, kind: str, seed: int, lead: str, draw: st.DataObject) -> None:
    field = FIELDS[kind](seed)
    check(field, terminal(width, lead), draw.draw(st.sampled_from(fits(field, width, lead))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TERMINALS)
def test_cut_at_each_offset_by_a_width(name: str, kind: str) -> None:
    field = FIELDS[kind](7)
    width, how = TERMINALS[name]
    for cut in fits(field, width, *how):
        check(field, terminal(width, *how), cut)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scalar", SCALARS)
def test_rows_of_a_literal_scalar(scalar: str, kind: str) -> None:
    """Of any width, the last row shorter: rows that are all of one width are a list."""
    field = FIELDS[kind](3)
    for width in range(8, len(field.secret), 1 if len(field.secret) < 200 else 23):
        cuts = rows(field, width)
        if cuts:
            check(field, SCALARS[scalar], *cuts)


@settings(max_examples=120, derandomize=True)
@given(st.integers(40, 120), st.sampled_from(KINDS), st.integers(0, 9999), st.integers(0, 80))
def test_base64_in_rows(width: int, kind: str, seed: int, before: int) -> None:
    """A text in base64 that is folded at any width, the secret anywhere in it."""
    field = FIELDS[kind](seed)
    text = b"n" * before + f"\n{field.key}: {field.before}".encode()
    (whole,) = scan(text + field.secret + b"\n")
    encoded = base64_in_lines(width)(text + field.secret + b"\n")
    (finding,) = scan(encoded.data)
    places = encoded.places(len(text), len(text) + len(field.secret))
    assert ([(s.start, s.end) for s in finding.spans], finding.fingerprint) == (places, whole.fingerprint)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("printed", MAPS)
def test_a_value_on_the_line_below_its_key(printed: str, kind: str) -> None:
    for seed in range(5):
        check(FIELDS[kind](seed), MAPS[printed])


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tracer_did_not_print_is_not_made_up(kind: str) -> None:
    """strace ends a string that is longer than it prints with three dots: what the next call begins with is no part."""
    field = FIELDS[kind](5)
    before = f"{field.key}: {field.before}".encode()
    size = len(before) + len(field.secret)
    for cut in range(1, len(field.secret)):
        first = b'write(5, "' + before + field.secret[:cut] + b'"..., %d) = %d\n' % (size, size)
        data = first + b'write(5, "' + field.secret[cut:] + b'"..., 300) = 300\n'
        spans = [span for finding in scan(data) for span in finding.spans]
        assert len(spans) <= 1
        assert all(span.end <= len(first) or span.start >= len(first) for span in spans)
        if kind not in ("jwt", "basic_credentials") and cut >= 16:
            assert [(span.start, span.end) for span in spans] == [(10 + len(before), 10 + len(before) + cut)]


A, B, C = (opaque(seed, 32) for seed in (1, 2, 3))
LONG, LONGER = opaque(4, 64), opaque(5, 64)
# Text, and the secrets in it, each in one piece: what stands below them is another's.
APART: dict[str, tuple[bytes, list[bytes]]] = {
    "a list in a literal scalar": (b"a: 1\napi_key: |\n  %b\n  %b\nb: 2\n" % (A, B), [A]),
    "an environment in a literal scalar": (
        b"env: |\n  CLIENT_SECRET=%b\n  API_KEY=%b\n  MODE=x\n" % (LONG, A),
        [LONG, A],
    ),
    "options in a literal scalar": (b"args: |\n  --client-secret=%b\n  --verbose\n" % LONG, [LONG]),
    "options in a folded scalar": (b"args: >-\n  --client-secret=%b\n  --verbose\n" % LONG, [LONG]),
    "a list without commas": (b'client_secret = [ "%b"\n  "%b"\n ];\n' % (LONG, LONGER), [LONG]),
    "an argument below another": (b'login --client-secret="%b" \\\n   "registry.example.com"\n' % LONG, [LONG]),
    "an option below another": (b"app --client-secret %b\\\n   --user x\n" % A, [A]),
    "settings with a backslash": (b"ENV CLIENT_SECRET=%b\\\n    API_KEY=%b\n" % (A, B), [A, B]),
    "a map without commas": (b'  "client_secret" = "%b"\n  "api_key" = "%b"\n' % (A, B), [A, B]),
    "quoted cells": (b'id,"client_secret"\n1,"%b"\n2,"%b"\n' % (A, B), [A, B]),
    "elements of a list": (b'client_secret=["%b",\n  "x"]\n' % A, [A]),
    "lines of a diff": (b'-  client_secret = "%b"\n+  client_secret = "%b"\n' % (A, B), [A, B]),
    "lines as wide as each other": (
        b"".join(b"%b\n" % line.rjust(80, b".") for line in (b"", b"x", b" client_secret: " + A, b" api_key: " + B)),
        [A, B],
    ),
    "a word below": (b"done\nPassword: %b\n ok\n\n" % A, [A]),
    "ids below": (b"apikey: %b\n" % A + b"".join(opaque(i, 40) + b"\n" for i in range(20, 26)), [A]),
    "ids below, aligned": (b"apikey: %b\n        %b\n        %b\n" % (A, B, C), [A]),
    "wide ids below": (b"apikey: %b\n" % LONG + b"".join(opaque(i, 72) + b"\n" for i in range(20, 26)), [LONG]),
    "a name below": (b"x" * 31 + b" apikey: %b\nsettlement\n" % A, [A]),
    "a time below": (b"x" * 39 + b" apikey: %b\n2026-11-22\n" % A, [A]),
    "attributes of a record": (b"dn: cn=a\nclientSecret: %b\nrefreshToken: %b\ncn: a\n" % (A, B), [A, B]),
    "a header folded behind the scheme": (b"Host: a\r\nAuthorization: Bearer\r\n %b\r\nAccept: */*\r\n" % A, [A]),
    "a scalar among headers": (b"Host: a\noauth:\n  client_secret: >-\n    %b\n  scope: read\n" % A, [A]),
    "a nested key among headers": (b"Host: a\noauth:\n  client_secret: %b\n  scope: read\n" % A, [A]),
    "a mail's text": (b"From: a@b\nSubject: keys\n\nclient_secret: %b\n regards\n" % A, [A]),
    "messages to one socket": (
        b'write(5, "token=%b", 38) = 38\nwrite(5, "client_secret=%b", 46) = 46\n' % (A, B),
        [A, B],
    ),
    "a message in part, then the rest": (
        b'write(5, "client_secret=%b", 46) = 10\nwrite(5, "et=%b", 35) = 35\n' % (A, A),
        [A],
    ),
    "another descriptor": (b'write(5, "client_secret=%b", 46) = 46\nwrite(6, "%b", 32) = 32\n' % (A, B), [A]),
    "another process": (
        b'[pid 1] write(5, "client_secret=%b", 46) = 46\n[pid 2] write(5, "%b", 32) = 32\n' % (A, B),
        [A],
    ),
}


@pytest.mark.parametrize("name", APART)
def test_what_stands_below_is_no_part_of_it(name: str) -> None:
    data, secrets = APART[name]
    found = scan(LEAD + data + TAIL)
    assert [[(LEAD + data)[s.start : s.end] for s in finding.spans] for finding in found] == [[one] for one in secrets]
