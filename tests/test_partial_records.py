"""Records a container runtime cut in parts: one finding, a span a part, wherever the cut is and whatever is between."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.scanning import jwt, opaque, scan

CARRIERS: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "jwt": lambda seed: (b"GET /cb session=" + (t := jwt(seed)) + b" done", t),
    "bearer": lambda seed: (b"Authorization: Bearer " + (t := opaque(seed)) + b" x", t),
    "secret": lambda seed: (b'{"client_id":"a","client_secret":"' + (t := opaque(seed, 32)) + b'","n":1}', t),
    "refresh": lambda seed: (b"grant_type=refresh_token&refresh_token=" + (t := opaque(seed, 48)) + b"&client_id=a", t),
}
TIME = b"2026-11-22T10:00:00.123456789Z"


def docker(text: bytes, stream: bytes = b"stdout", *, part: bool = False) -> bytes:
    log = json.dumps(text.decode() + ("" if part else "\n")).encode()
    return b'{"log":' + log + b',"stream":"' + stream + b'","time":"' + TIME + b'"}\n'


def cri(text: bytes, stream: bytes = b"stdout", *, part: bool = False) -> bytes:
    return TIME + b" " + stream + (b" P " if part else b" F ") + text + b"\n"


FORMATS = {"docker": docker, "cri": cri}
BETWEEN: dict[str, Callable[[Callable[..., bytes]], bytes]] = {
    "nothing": lambda record: b"",
    "another stream": lambda record: record(b"warning: queue is long", b"stderr"),
    "another stream's parts": lambda record: record(b"a" * 40, b"stderr", part=True) + record(b"b", b"stderr"),
}


@pytest.mark.parametrize("filler", [0, 16000])
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_secret_cut_between_two_parts(carrier: str, format_: str, between: str, filler: int) -> None:
    record = FORMATS[format_]
    text, secret = CARRIERS[carrier](filler + 1)
    whole = scan(text)[0].fingerprint
    start = text.index(secret)
    for cut in range(start + 1, start + len(secret), 3 if not filler else 29):
        lead = (b"INFO " * (filler // 5 + 1))[:filler]
        data = record(b"first") + record(lead + text[:cut], part=True) + BETWEEN[between](record) + record(text[cut:])
        found = scan(data)
        assert [f.fingerprint for f in found] == [whole], cut
        assert [data[s.start : s.end] for s in found[0].spans] == [text[start:cut], text[cut : start + len(secret)]]


@pytest.mark.parametrize("format_", FORMATS)
def test_what_stands_between_the_parts_is_not_lost(format_: str) -> None:
    record = FORMATS[format_]
    (text, secret), (other, second) = CARRIERS["bearer"](1), CARRIERS["secret"](2)
    cut = text.index(secret) + 9
    data = record(text[:cut], part=True) + record(other, b"stderr") + record(text[cut:])
    found = scan(data)
    assert sorted(b"".join(data[s.start : s.end] for s in f.spans) for f in found) == sorted([secret, second])


def test_parts_that_never_end() -> None:
    text, secret = CARRIERS["refresh"](3)
    for cut in range(text.index(secret) + 1, text.index(secret) + len(secret), 5):
        (finding,) = scan(cri(text[:cut], part=True) + cri(text[cut:], part=True))
        assert len(finding.spans) == 2
