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


def export(text: bytes, *, part: bool, above: bool) -> bytes:
    """An entry of `journalctl -o export`."""
    mark = b"_LINE_BREAK=line-max\n" if part else b""
    first, last = (mark, b"") if above else (b"", mark)
    return (
        b"__CURSOR=s=5f3a;i=1b\n__REALTIME_TIMESTAMP=1795344156276543\n_BOOT_ID=9f1c2a3b\nPRIORITY=6\n_TRANSPORT=stdout\n"
        b"%bMESSAGE=%b\n%b_PID=17\n_CMDLINE=/opt/app --port 80\n\n" % (first, text, last)
    )


def journal_json(text: bytes, *, part: bool, above: bool) -> bytes:
    """An entry of `journalctl -o json --all`."""
    fields = {"__CURSOR": "s=5f3a;i=1b", "_BOOT_ID": "9f1c2a3b", "PRIORITY": "6", "_TRANSPORT": "stdout"}
    mark = {"_LINE_BREAK": "line-max"} if part else {}
    first, last = (mark, {}) if above else ({}, mark)
    entry = fields | first | {"MESSAGE": text.decode()} | last | {"_PID": "17", "_CMDLINE": "/opt/app --port 80"}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(("filler", "above"), [(0, False), (49000, False), (49000, True)])
@pytest.mark.parametrize("entry", [export, journal_json])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_secret_cut_between_two_entries_of_the_journal(
    carrier: str, entry: Callable[..., bytes], filler: int, above: bool
) -> None:
    text, secret = CARRIERS[carrier](filler + 2)
    whole = scan(text)[0].fingerprint
    start = text.index(secret)
    for cut in range(start + 1, start + len(secret), 13 if not filler else 307):
        lead = (b"INFO " * (filler // 5 + 1))[:filler]
        parts = (b"first", False), (lead + text[:cut], True), (text[cut:], False), (b"last", False)
        data = b"".join(entry(said, part=goes_on, above=above) for said, goes_on in parts)
        found = scan(data)
        assert [f.fingerprint for f in found] == [whole], cut
        assert len(found[0].spans) == 2
        assert b"".join(data[s.start : s.end] for s in found[0].spans) == secret


@pytest.mark.parametrize("entry", [export, journal_json])
def test_whole_messages_of_the_journal_stay_apart(entry: Callable[..., bytes]) -> None:
    text, secret = CARRIERS["bearer"](5)
    data = entry(text[: -len(b" x")], part=False, above=True) + entry(b"next", part=False, above=True)
    (finding,) = scan(data)
    assert [data[s.start : s.end] for s in finding.spans] == [secret]


def test_what_stands_between_the_parts_of_a_message_is_not_lost() -> None:
    text, secret = CARRIERS["bearer"](6)
    other = b"--client-secret " + opaque(7, 32)
    cut = text.index(secret) + 9
    data = export(text[:cut], part=True, above=False).replace(b"--port 80", other) + export(
        text[cut:], part=False, above=False
    )
    found = sorted(b"".join(data[s.start : s.end] for s in f.spans) for f in scan(data))
    assert found == sorted([secret, other.split()[1]])


_EXECVE = b"type=EXECVE msg=audit(1795344156.276:17): "


@pytest.mark.parametrize("between", [b" ", b"\n" + _EXECVE])
@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("carrier", ["bearer", "refresh"])
def test_a_secret_cut_between_two_parts_of_an_argument(carrier: str, quoted: bool, between: bytes) -> None:
    text, secret = CARRIERS[carrier](8)
    text = text.replace(b'"', b"'")
    start = text.index(secret)
    for cut in range(start + 1, start + len(secret), 5):
        written = [b'"%b"' % half if quoted else half.hex().upper().encode() for half in (text[:cut], text[cut:])]
        head = _EXECVE + b'argc=4 a0="curl" a1="-s" a2="-d" a3_len=9000 a3[0]=' + written[0]
        data = head + between + b"a3[1]=" + written[1] + b"\n"
        (finding,) = scan(data)
        places = [(s.start, s.end) for s in finding.spans]
        assert len(places) == 2, cut
        raw = b"".join(data[low:high] for low, high in places)
        assert (raw if quoted else bytes.fromhex(raw.decode())) == secret
