"""One secret in every encoding: one finding, the exact spans, the same fingerprint."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scanning import jwt, opaque, scan

Row = Callable[[int, bytes], tuple[bytes, int, int]]
PAIR = b"billing-batch:" + b"Q7rT2xW9mK4p"


def _at(text: bytes, secret: bytes) -> list[tuple[int, int]]:
    start = text.index(secret)
    return [(start, start + len(secret))]


def _plain(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    return text, _at(text, secret)


def _json(depth: int) -> Callable[[bytes, bytes], tuple[bytes, list[tuple[int, int]]]]:
    def wrap(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
        for _ in range(depth):
            text = json.dumps({"m": text.decode()}).encode()
        return text, _at(text, secret)

    return wrap


def _u0022(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    text = text.replace(b'"', b"\\u0022")
    return text, _at(text, secret)


def _x22(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    text = text.replace(b'"', b"\\x22")
    return text, _at(text, secret)


def _html(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    text = html.escape(text.decode()).encode()
    return text, _at(text, secret)


def _percent(times: int) -> Callable[[bytes, bytes], tuple[bytes, list[tuple[int, int]]]]:
    def wrap(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
        for _ in range(times):
            text, secret = quote(text, safe="").encode(), quote(secret, safe="").encode()
        return text, _at(text, secret)

    return wrap


def _utf16(codec: str) -> Callable[[bytes, bytes], tuple[bytes, list[tuple[int, int]]]]:
    def wrap(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
        start = text.index(secret)
        return text.decode().encode(codec), [(2 * start, 2 * (start + len(secret)))]

    return wrap


def _hex(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    start = text.index(secret)
    return text.hex().encode(), [(2 * start, 2 * (start + len(secret)))]


def _base64(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    start = text.index(secret)
    end = start + len(secret)
    return base64.b64encode(text), [(start * 4 // 3, -(-end * 4 // 3))]


def _nul(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    text = b"LANG=C\0" + text + b"\0HOME=/\0"
    return text, _at(text, secret)


def _rows(
    text: bytes, secret: bytes, line: Callable[[int, bytes], tuple[bytes, int, int]]
) -> tuple[bytes, list[tuple[int, int]]]:
    """A hex dump: `line` gives a row, where its hex begins and where its text begins."""
    first, last = text.index(secret), text.index(secret) + len(secret)
    out, spans = b"", []
    for offset in range(0, len(text), 16):
        part = text[offset : offset + 16]
        row, at, shown = line(offset, part)
        low, high = max(first - offset, 0), min(last - offset, len(part))
        if low < high:
            gap = [3 * i + (i >= 8 and b"  " in row[at : at + 30]) for i in range(17)]
            spans.append((len(out) + at + gap[low], len(out) + at + gap[high - 1] + 2))
            spans.append((len(out) + shown + low, len(out) + shown + high))
        out += row
    return out, spans


def _shown(part: bytes) -> bytes:
    return bytes(c if 32 <= c < 127 else 46 for c in part)


def _hexdump_c(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    def line(offset: int, part: bytes) -> tuple[bytes, int, int]:
        left, right = part[:8].hex(" ").ljust(23).encode(), part[8:].hex(" ").ljust(23).encode()
        head = b"%08x  " % offset
        row = head + left + b"  " + right + b"  |"
        return row + _shown(part) + b"|\n", len(head), len(row)

    return _rows(text, secret, line)


def _curl_trace(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    def line(offset: int, part: bytes) -> tuple[bytes, int, int]:
        head = b"%04x: " % offset
        row = head + part.hex(" ").encode().ljust(48)
        return row + _shown(part) + b"\n", len(head), len(row)

    return _rows(text, secret, line)


def _docker(text: bytes, secret: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    line = json.dumps({"log": text.decode() + "\n", "stream": "stdout", "time": "2026-11-22T10:00:00Z"}).encode()
    return line + b"\n", _at(line, secret)


ENCODINGS: dict[str, Callable[[bytes, bytes], tuple[bytes, list[tuple[int, int]]]]] = {
    "plain": _plain, "json": _json(1), "json2": _json(2), "json3": _json(3), "u0022": _u0022, "x22": _x22,
    "html": _html,
    "percent": _percent(1), "percent2": _percent(2), "utf-16le": _utf16("utf-16-le"), "utf-16be": _utf16("utf-16-be"),
    "hex": _hex, "base64": _base64, "nul": _nul, "hexdump -C": _hexdump_c, "curl --trace": _curl_trace,
    "docker": _docker,
}  # fmt: skip

CARRIERS: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "jwt": lambda seed: (b"got token=" + (t := jwt(seed)) + b" now", t),
    "bearer": lambda seed: (b"Authorization: Bearer " + (t := opaque(seed)) + b" x", t),
    "access_token": lambda seed: (b'{"access_token":"' + (t := opaque(seed)) + b'","expires_in":299}', t),
    "client_secret": lambda seed: (b'{"client_secret":"' + (t := opaque(seed, 32)) + b'","scope":"a"}', t),
    "refresh_token": lambda seed: (b"grant_type=x&refresh_token=" + (t := opaque(seed, 48)) + b"&client_id=a", t),
    "basic": lambda seed: (b"Authorization: Basic " + (t := base64.b64encode(PAIR + b"%04d" % seed)) + b"\r\n", t),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=8)
@given(seed=st.integers(0, 9999), before=st.integers(0, 5))
def test_one_finding_with_exact_spans_and_one_fingerprint(carrier: str, encoding: str, seed: int, before: int) -> None:
    text, secret = CARRIERS[carrier](seed)
    plain = scan(text)
    assert len(plain) == 1
    data, expected = ENCODINGS[encoding](text, secret)
    lead = b"-- \n" * before
    found = scan(lead + data + b"\n")
    assert [[(s.start - len(lead), s.end - len(lead)) for s in f.spans] for f in found] == [expected]
    assert found[0].fingerprint == plain[0].fingerprint


@pytest.mark.parametrize("partial", ["docker", "cri"])
@pytest.mark.parametrize("carrier", ["jwt", "access_token", "client_secret", "refresh_token"])
def test_a_record_cut_at_any_offset_of_the_secret_is_one_finding(carrier: str, partial: str) -> None:
    text, secret = CARRIERS[carrier](1)
    start = text.index(secret)
    whole = scan(text)[0].fingerprint
    for cut in range(start + 1, start + len(secret), 7):
        parts = text[:cut], text[cut:]
        if partial == "docker":
            lines = [
                json.dumps({"log": parts[0].decode(), "stream": "stdout", "time": "2026-11-22T10:00:00.1Z"}).replace(
                    '": "', '":"'
                ),
                json.dumps({"log": parts[1].decode() + "\n", "stream": "stdout", "time": "2026-11-22T10:00:00.2Z"}),
            ]
            data = "\n".join(line.replace('", "', '","').replace('": "', '":"') for line in lines).encode() + b"\n"
        else:
            time = b"2026-11-22T10:00:00.123456789Z stdout "
            data = time + b"P " + parts[0] + b"\n" + time + b"F " + parts[1] + b"\n"
        found = scan(data)
        assert [b"".join(data[s.start : s.end] for s in f.spans) for f in found] == [secret], cut
        assert found[0].fingerprint == whole


@pytest.mark.parametrize("width", [60, 76, 80, 120])
@pytest.mark.parametrize("lead", [b"", b"    ", b"> ", b"11-22 10:42:36.276  2150  2154 D Http: "])
def test_a_wrapped_jwt_is_one_finding_with_a_span_a_line(width: int, lead: bytes) -> None:
    token = jwt(7, "RS256")
    first = lead + b"Authorization: Bearer "
    pieces = [token[: max(10, width - len(first))]]
    rest = token[len(pieces[0]) :]
    room = max(20, width - len(lead))
    pieces += [rest[i : i + room] for i in range(0, len(rest), room)]
    data = first + (b"\n" + lead).join(pieces) + b"\nnext line\n"
    found = scan(data)
    assert [[data[s.start : s.end] for s in f.spans] for f in found] == [pieces]


@pytest.mark.parametrize("indent", range(8))
def test_padding_at_a_line_s_end_is_no_soft_break(indent: int) -> None:
    """Two lines that end in `=` look like quoted-printable, but for the whole groups of base64 before it."""
    values = [base64.b64encode(opaque(seed, 32)) for seed in (1, 2)]
    lines = [b" " * indent + b"orders-client-secret: " + value + b"\n" for value in values]
    data = b"".join(lines) + b" " * indent + b"region: eu-west-1\n"
    assert [data[s.start : s.end] for f in scan(data) for s in f.spans] == values
