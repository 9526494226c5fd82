"""Laws of encodings and framings: a secret of any kind, in any of them, is one finding with exact spans.

And with the fingerprint that it has in plain text; also with encodings inside each other, and cut in two at any offset.
What the laws leave out is what docs/detection.md says under "What is not found".
"""

from __future__ import annotations

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import Finding
from tests.carriers import CARRIERS
from tests.encoders import DUMPS, ESCAPES, LISTS, MARKED, OTHER, RUNS, WIDE, Encoded, Encoder, merged, nested, pieces
from tests.scanning import Part, scan

KINDS = sorted(CARRIERS)
SINGLE = {**ESCAPES, **RUNS, **WIDE, **OTHER, **DUMPS, **LISTS, **MARKED}
INNER = {**ESCAPES, **RUNS, **WIDE, **OTHER}
OUTER = {**INNER, **DUMPS, **LISTS}
LEAD, TAIL = b"-- start!\n", b"\n-- end\n"


def check(kind: str, seed: int, encode: Encoder, *, alone: bool = False) -> None:
    """`alone`: nothing stands around, as in a file that is all of one encoding."""
    text, secret = CARRIERS[kind](seed)
    (plain,) = scan(text)
    start = text.index(secret)
    assert (plain.kind, places(plain)) == (kind, [(start, start + len(secret))])
    lead, tail = (b"", b"") if alone else (LEAD, TAIL)
    encoded = encode(text)
    wanted = [(low + len(lead), high + len(lead)) for low, high in encoded.places(start, start + len(secret))]
    found = scan(lead + encoded.data + tail)
    assert [places(finding) for finding in found] == [merged(wanted)]
    assert [finding.fingerprint for finding in found] == [plain.fingerprint]


def places(finding: Finding) -> list[tuple[int, int]]:
    return merged((span.start, span.end) for span in finding.spans)


@pytest.mark.parametrize("encoding", SINGLE)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, derandomize=True)
@given(seed=st.integers(0, 9999))
def test_one_encoding(kind: str, encoding: str, seed: int) -> None:
    check(kind, seed, SINGLE[encoding], alone=encoding in WIDE or encoding in MARKED)


def possible(names: tuple[str, ...]) -> bool:
    """Whether encodings, the outermost first, are read inside each other: what software does, in the bounds we name."""
    runs = [name for name in names if name in RUNS or name in WIDE]
    if len(runs) > 2 or names.count("quoted-printable") > 1:
        return False
    if "quoted-printable" in names[1:2] and names[0] in ESCAPES and names[2:] and names[2] in ESCAPES:
        return False  # the text's own escapes go with the outer ones, and may then look like those of the mail
    return all(_holds(outer, inner) for outer, inner in itertools.combinations(names, 2))


def _holds(outer: str, inner: str) -> bool:
    """Whether the first may stand anywhere around the second."""
    if inner in WIDE and (outer not in RUNS and outer not in DUMPS):
        return False  # NULs in the midst of text
    if inner == "utf-16be" and outer in ("gdb", "tombstone", "base64 in lines"):
        return False  # memory is not big-endian; and mail is no file of Windows
    if outer == "utf-16be" and inner == "nul":
        return False  # only Windows has such environments
    if outer in WIDE and inner in ("quoted-printable", "base64 in lines"):
        return False  # a mail in UTF-16 is in another encoding
    if outer in LISTS and (inner in RUNS or inner in WIDE):
        return False  # a list of bytes is known by the words in it
    if outer == "colours":
        return inner not in RUNS  # broken where they are known by
    return True


def chains(length: int) -> list[tuple[str, ...]]:
    """All that are possible, of as many encodings."""
    inner = [tuple(names) for names in itertools.product(INNER, repeat=length - 1)]
    return [(outer, *rest) for outer in OUTER for rest in inner if possible((outer, *rest))]


@settings(max_examples=600, derandomize=True)
@given(chain=st.sampled_from(chains(2)), kind=st.sampled_from(KINDS), seed=st.integers(0, 9999))
def test_two_inside_each_other(chain: tuple[str, ...], kind: str, seed: int) -> None:
    check(kind, seed, nested(*(OUTER[name] for name in chain)), alone=chain[0] in WIDE)


@settings(max_examples=900, derandomize=True)
@given(chain=st.sampled_from(chains(3)), kind=st.sampled_from(KINDS), seed=st.integers(0, 9999))
def test_three_inside_each_other(chain: tuple[str, ...], kind: str, seed: int) -> None:
    check(kind, seed, nested(*(OUTER[name] for name in chain)), alone=chain[0] in WIDE)


@pytest.mark.parametrize("before", [20_000, 140_000])
@pytest.mark.parametrize("dump", ["od -t x1", "hexdump", "xxd"])
def test_deep_in_a_dump(dump: str, before: int) -> None:
    """Far behind its first rows, whatever ranges it is scanned in."""
    memory = random.Random(before).randbytes(before)
    text, secret = CARRIERS["bearer_token"](before)
    encoded = DUMPS[dump](memory + b"\0" + text + bytes(300))
    start = before + 1 + text.index(secret)
    wanted = merged(encoded.places(start, start + len(secret)))
    assert [places(finding) for finding in scan(encoded.data)] == [wanted]
    for cut in (wanted[0][0] - 30_000, wanted[0][0], wanted[0][0] + 9):
        parts = (Part(0, cut), Part(cut, None))
        assert [places(finding) for part in parts for finding in scan(encoded.data, part=part)] == [wanted], cut


@pytest.mark.parametrize("dump", ["od -t x1", "hexdump"])
def test_behind_rows_that_are_left_out(dump: str) -> None:
    """Rows that are all alike are one with an asterisk."""
    text, secret = CARRIERS["bearer_token"](1)
    encoded = DUMPS[dump](bytes(200_000) + text)
    head, row = encoded.data.index(b"\n") + 1, encoded.data.rindex(b"\n", 0, encoded.places(200_000, 200_001)[0][0]) + 1
    gap = row - head - 2
    start = 200_000 + text.index(secret)
    wanted = [(low - gap, high - gap) for low, high in merged(encoded.places(start, start + len(secret)))]
    assert [places(finding) for finding in scan(encoded.data[:head] + b"*\n" + encoded.data[row:])] == [wanted]


TIME = b"2026-11-22T10:00:00.123456789Z"


def docker(*cuts: int) -> Encoder:
    """Records of Docker's json-file; a part whose text goes on has no newline at its end."""

    def encode(text: bytes) -> Encoded:
        written: list[tuple[bytes, int]] = []
        for low, high in itertools.pairwise((0, *cuts, len(text))):
            written.append((b'{"log":"', 0))
            written += ((json.dumps(chr(c))[1:-1].encode(), 1) for c in text[low:high])
            end = b"\\n" if high == len(text) else b""
            written.append((end + b'","stream":"stdout","time":"' + TIME + b'"}\n', 0))
        return pieces(written)

    return encode


def cri(*cuts: int) -> Encoder:
    """Lines of a container runtime: P and F."""

    def encode(text: bytes) -> Encoded:
        written: list[tuple[bytes, int]] = []
        for low, high in itertools.pairwise((0, *cuts, len(text))):
            written.append((TIME + (b" stdout F " if high == len(text) else b" stdout P "), 0))
            written += ((bytes([c]), 1) for c in text[low:high])
            written.append((b"\n", 0))
        return pieces(written)

    return encode


FRAMINGS = {"docker": docker, "cri": cri}
ON_A_LINE = ("json", "json of .NET", "c", "x22", "percent", "syslog", "hex", "base64", "base64url")


def split_everywhere(kind: str, seed: int, framing: str, inside: tuple[str, ...], step: int) -> None:
    """The encoded text cut at each `step`th offset from before the secret's key to behind it."""
    text, secret = CARRIERS[kind](seed)
    encode = nested(*(OUTER[name] for name in inside))
    encoded, start = encode(text), text.index(secret)
    shown = encoded.places(start, start + len(secret))
    for cut in range(max(1, shown[0][0] - 24), min(shown[-1][1] + 3, len(encoded.data)), step):
        check(kind, seed, nested(FRAMINGS[framing](cut), encode))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_any_offset(kind: str, framing: str) -> None:
    split_everywhere(kind, 7, framing, ("json",), 1 if kind != "private_key" else 7)


@pytest.mark.parametrize("encoding", ON_A_LINE)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_encoding_cut_anywhere(framing: str, encoding: str) -> None:
    for kind in KINDS:
        split_everywhere(kind, 3, framing, (encoding,), 17)


@pytest.mark.slow
@pytest.mark.parametrize("outer", OUTER)
def test_all_of_three(outer: str) -> None:
    draw = random.Random(outer)
    for chain in chains(3):
        if chain[0] == outer:
            for kind in draw.sample(KINDS, 3):
                check(kind, draw.randrange(9999), nested(*(OUTER[name] for name in chain)), alone=outer in WIDE)


@pytest.mark.slow
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_two_encodings_cut_at_any_offset(kind: str, framing: str) -> None:
    draw = random.Random(kind)
    for chain in itertools.product(ON_A_LINE, repeat=2):
        if possible(chain):
            split_everywhere(kind, draw.randrange(9999), framing, chain, draw.randrange(5, 12))
