"""What holds no secret gives no finding: structured logs, noise in every alphabet, minified code; and at what speed."""

from __future__ import annotations

import base64
import random
import sys
import time
from pathlib import Path

import pytest

from tests.clean_logs import log
from tests.scanning import scan, spans

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from hard import kinds

MEGABYTE = 1 << 20


def _seen(data: bytes) -> list[tuple[str, bytes]]:
    """What was found, for the message of a failure: clean bytes hold no secret."""
    return [(f.detector, data[f.spans[0].start : f.spans[0].end][:60]) for f in scan(data)]


def test_clean_logs_are_clean() -> None:
    assert _seen(log(1, MEGABYTE)) == []


def test_a_secret_among_them_is_found() -> None:
    """The generator's lines are no reason to be silent."""
    secret = b"Zk7pQ2vX9mT4bR8sLw1cYd3h"
    head, tail = log(2, 20_000), log(3, 20_000)
    data = head + b'{"grant_type":"client_credentials","client_secret":"' + secret + b'"}\n' + tail
    start = data.index(secret)
    assert spans(scan(data)) == [[(start, start + len(secret))]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 14))
def test_a_hundred_megabytes_of_clean_logs_give_no_finding(seed: int) -> None:
    """With the other seeds 100 MB: the rate promised is less than one finding in as many."""
    assert _seen(log(seed, 25 * MEGABYTE)) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["bytes", "base64", "base64 in lines", "base64url", "hex", "utf-16", "utf-16 ascii"])
def test_noise_gives_no_finding(kind: str, seed: int) -> None:
    draw = random.Random(seed)
    raw = draw.randbytes(MEGABYTE // 2)
    data = {
        "bytes": lambda: raw,
        "base64": lambda: base64.b64encode(raw),
        "base64 in lines": lambda: base64.encodebytes(raw),
        "base64url": lambda: base64.urlsafe_b64encode(raw),
        "hex": lambda: raw.hex().encode(),
        "utf-16": lambda: raw.decode("utf-16-le", "ignore").encode("utf-16-le"),
        "utf-16 ascii": lambda: "".join(chr(0x20 + c % 95) for c in raw[: MEGABYTE // 4]).encode("utf-16-le"),
    }[kind]()
    assert _seen(data) == []


@pytest.mark.slow
def test_a_hundred_megabytes_of_noise_give_no_finding_at_a_log_s_speed() -> None:
    """Best of two rounds of each, taken in turn, in CPU seconds."""
    data = kinds(100 * MEGABYTE, None)
    best: dict[str, float] = {}
    for _ in range(2):
        for kind, content in data.items():
            began = time.process_time()
            found = len(scan(content, chunk=1 << 18))
            best[kind] = min(best.get(kind, 1e9), (time.process_time() - began) / len(content))
            assert found == 0 or "log" in kind, kind
    plain = best.pop("plain log, sparse")
    slow = {kind: seconds / plain for kind, seconds in best.items() if seconds > 2.0 * plain}
    assert slow == {}
