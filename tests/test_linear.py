"""No input makes a detector slow: long runs of everything that shapes like, in views as large as they get."""

from __future__ import annotations

import contextlib
import re
import time

import pytest

from detectors.detector import Detector, NeedMore, Text
from detectors.registry import all_detectors, on_demand, public
from tests.scanning import scan

DETECTORS = (*all_detectors(), *on_demand(), *public())
FILLERS = (
    b"A", b"0", b"a1Z", b"a-", b"f0.", b"_a", b"=", b"%3D&", b'"a":', b"a=b;", b"k, ", b"(a,", b"\n", b" \t", b"::",
    b"a.b/", b"<a>", b"[{", b"\\\\", b"'\"", b"eyJ.", b"xn--", b"\x00\x01", b"\xff\xfe",
)  # fmt: skip
VIEW = 64 * 1024
A_MEGABYTE = 8.0  # CPU seconds that a confirm may take for a megabyte of view, on a loaded machine


def _beginnings(detector: Detector) -> list[bytes]:
    """Texts that end with an anchor's match: the start of each example up to there, and the literals."""
    found = [anchor.literal for anchor in detector.anchors if anchor.literal]
    for text, _ in detector.examples:
        for anchor in detector.anchors:
            flags = re.DOTALL | (re.IGNORECASE if anchor.caseless else 0)
            match = re.search(anchor.pattern or re.escape(anchor.literal), text, flags)
            found += [text[: match.end()]] if match else []
    return list(dict.fromkeys(found))[:4]


def _spent(detector: Detector, data: bytes, hit: int, cut: bool) -> float:
    began = time.process_time()
    with contextlib.suppress(NeedMore):
        for _ in detector.confirm(Text(data, hit, cut=cut)):
            pass
    return time.process_time() - began


def _check(detector: Detector, fillers: tuple[bytes, ...], size: int) -> None:
    for beginning in _beginnings(detector):
        for filler in fillers:
            run = filler * (size // len(filler))
            data = run[: size // 8] + beginning + run
            hit = size // 8 + len(beginning)
            for cut in (False, True):
                spent = min(_spent(detector, data, hit, cut) for _ in range(2))
                assert spent < max(0.05, A_MEGABYTE * len(data) / 1e6), (detector.id, filler, len(data), spent)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.id)
def test_a_confirm_is_linear(detector: Detector) -> None:
    _check(detector, FILLERS[::4], VIEW // 8)


@pytest.mark.slow
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.id)
def test_a_confirm_is_linear_in_the_largest_views(detector: Detector) -> None:
    _check(detector, FILLERS, VIEW)


# Layouts that go on and on, with something to be looked at in each line.
LAYOUTS = (
    b" token: a\n a\n", b" a b\n a\n", b"Host: a\nToken: aaa\n bbb\n", b'token = "a"\n "a"\n',
    b'write(5, "token=a", 7) = 7\n', b'iov_base="token=a", iov_len=7}, {', b"token: |\n  a\n  a\n", b"token=a\\\n  ",
    b"bearer" * 13 + b"xx\n", b"bearer" * 166 + b"xx\n", b"bearer " * 11 + b"xxx\n" + b"aB3dE6gH" * 10 + b"\n",
)  # fmt: skip


@pytest.mark.parametrize("unit", LAYOUTS)
def test_a_layout_is_linear(unit: bytes) -> None:
    data = b"Host: a\ntoken: x\n" + unit * (VIEW // len(unit))
    scan(b"token")  # builds the database
    began = time.process_time()
    scan(data)
    assert time.process_time() - began < 4 * A_MEGABYTE * len(data) / 1e6 + 1
