"""Random strings without a name: found on demand only, and not everywhere."""

from __future__ import annotations

import base64
import random
import string

import pytest
from click.testing import CliRunner

from detectors.detector import Confidence
from detectors.registry import all_detectors, on_demand
from scanner.cli.scan import command
from scanner.context import FileHints
from scanner.judge import Policy
from scanner.matcher import Matcher
from scanner.model import Finding, StreamId
from scanner.pipeline import Scanner
from tests.scanning import AS_OF, KEY, Chunks, scan

MATCHER = Matcher((*all_detectors(), *on_demand()))


def found(data: bytes) -> list[Finding]:
    events = Scanner(MATCHER, Policy(as_of=AS_OF), KEY).scan(StreamId("m"), Chunks(data), FileHints(mtime=None))
    return [event for event in events if isinstance(event, Finding)]


def _value(seed: int, size: int) -> bytes:
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=size)).encode()


@pytest.mark.parametrize("size", [24, 32, 43, 64, 120])
@pytest.mark.parametrize("around", [(b"\0\x08", b"\0\0"), (b"seen ", b" here\n"), (b'["', b'"]')])
def test_a_random_string_is_found_with_low_confidence(size: int, around: tuple[bytes, bytes]) -> None:
    hit = 0
    for seed in range(20):
        value = _value(seed, size)
        data = around[0] + value + around[1]
        assert scan(data) == []
        findings = found(data)
        hit += [(s.start, s.end) for f in findings for s in f.spans] == [(len(around[0]), len(around[0]) + size)]
        assert all(f.confidence is Confidence.LOW and f.detector == "random-string" for f in findings)
    assert hit >= 18


def test_one_in_a_field_stays_what_the_field_says() -> None:
    (finding,) = found(b'{"client_secret":"' + _value(1, 40) + b'"}')
    assert finding.detector == "client-secret"


def test_in_utf_16_too() -> None:
    (finding,) = found(("\x07 " + _value(3, 40).decode() + " \x08").encode("utf-16-le"))
    assert finding.encoding == ("utf-16le",)


@pytest.mark.parametrize(
    "text",
    [
        base64.encodebytes(random.Random(1).randbytes(3000)),
        random.Random(2).randbytes(3000).hex().encode(),
        b"at org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1067)\n",
        b"GET /assets/js/vendor/jquery-validation-unobtrusive/additional-methods.min.js HTTP/1.1\n",
        b'trace_id=3f9c04e7b1d852a6c7e0194f8b6d235e etag=W/"5f-3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f4"\n',
        b"a5d3c2f0-0b1d-4b9e-9c3e-7f1d2a3b4c5d 2026-11-22T12:00:00.000000+00:00\n",
    ],
)
def test_what_is_no_secret_is_not(text: bytes) -> None:
    assert found(text) == []


def test_the_option(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "dump.bin"
    path.write_bytes(b"\0\x08" + _value(5, 40) + b"\0")
    arguments = ["-f", "jsonl", "-q", "--jobs", "1", str(path)]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    result = CliRunner().invoke(command, ["--entropy", *arguments])
    assert result.exit_code == 11 and '"random-string"' in result.stdout
