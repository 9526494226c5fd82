"""What is no text, at what speed: random bytes, base64, hex, minified JavaScript, UTF-16, beside plain text.

    python benchmarks/hard.py                        32 MB of each, three rounds
    python benchmarks/hard.py --size 100M --js FILE  with minified JavaScript of your own

One process, CPU seconds; the kinds take turns, and the best round of each counts. No kind but the log holds a secret.
"""

from __future__ import annotations

import argparse
import base64
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from corpus import EVERY, size_in_bytes, write_log

from detectors.registry import all_detectors
from scanner.context import FileHints
from scanner.judge import Policy
from scanner.matcher import Matcher
from scanner.model import Finding, StreamId
from scanner.pipeline import Scanner

WORDS = ("this", "return", "function", "value", "state", "props", "length", "prototype", "push", "key", "type")
TOKENS = 0.006  # share of statements with a word that keys have: 70 a MB, as in bundles of real applications
CHUNK = 1 << 16


def minified(seed: int) -> Iterator[bytes]:
    """What a bundler leaves of JavaScript: short names, property chains, strings, regular expressions; no line ends."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    while True:
        a, b, c = (draw.choice(letters) for _ in range(3))
        word, other = draw.choice(WORDS), "token" if draw.random() < TOKENS else draw.choice(WORDS)
        yield draw.choices(
            (
                f"function {a}({b},{c}){{return {b}.{word}({c},{draw.randrange(99)})}}",
                f"{a}.{word}={b}.{other}&&!{c}.{word}?{b}:null,",
                f'"{word}"===typeof {a}&&({b}.{other}={c}["{word}"]||{{}});',
                f"var {a}=/^[\\w.-]+@{word}\\\\.{other}$/i,{b}=[{draw.randrange(9999)},0x{draw.getrandbits(24):x}];",
                f'case"{word}":{a}=new {b}.{other.capitalize()}("{word} {other}\\n");break;',
                f"for(let {a}=0;{a}<{b}.length;++{a}){c}.push({b}[{a}].{word}??void 0);",
            ),
            (6, 6, 6, 1, 1, 6),
        )[0].encode()


def kinds(size: int, js: Path | None) -> dict[str, bytes]:
    """The bytes to scan, by the name of their kind."""
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.log"
        write_log(path, EVERY["sparse"], size)
        plain = path.read_bytes()
    code = bytearray(js.read_bytes() if js else b"")
    pieces = minified(7)
    while len(code) < size:
        code += b"".join(next(pieces) for _ in range(1000))
    text = "".join(map(chr, draw.choices(range(0x20, 0x7F), k=1 << 20))).encode("utf-16-le")
    return {
        "plain log, sparse": plain,
        "random bytes": draw.randbytes(size),
        "base64": base64.b64encode(draw.randbytes(size * 3 // 4)),
        "base64url": base64.urlsafe_b64encode(draw.randbytes(size * 3 // 4)),
        "hex": draw.randbytes(size // 2).hex().encode(),
        "minified JavaScript": bytes(code[:size]),
        "random UTF-16 units": bytes(draw.getrandbits(8) for _ in range(1 << 16)) * (size >> 16),
        "UTF-16 of random ASCII": text * max(1, size // len(text)),
    }


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def readinto(self, buffer: memoryview, /) -> int:
        part = self._data[self._at : self._at + min(len(buffer), CHUNK)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def scan(scanner: Scanner, data: bytes) -> tuple[float, int]:
    """(CPU seconds, findings)"""
    began = time.process_time()
    events = scanner.scan(StreamId("bench"), _Reader(data), FileHints(mtime=None))
    found = sum(isinstance(event, Finding) for event in events)
    return time.process_time() - began, found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="32M")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--js", type=Path, help="minified JavaScript to scan instead of what is made up")
    options = parser.parse_args()
    scanner = Scanner(Matcher(all_detectors(), cached=True), Policy(as_of=datetime.now(UTC)), b"k" * 32)
    data = kinds(size_in_bytes(options.size), options.js)
    best: dict[str, tuple[float, int]] = {}
    for _ in range(options.rounds):
        for name, content in data.items():
            best[name] = min(best.get(name, (1e9, 0)), scan(scanner, content))
    print("| kind | MB/s of one core | of plain | findings |\n|---|---:|---:|---:|")
    plain = len(data["plain log, sparse"]) / best["plain log, sparse"][0]
    for name, (seconds, found) in best.items():
        rate = len(data[name]) / seconds
        print(f"| {name} | {rate / 1e6:.0f} | {rate / plain:.0%} | {found} |")


if __name__ == "__main__":
    main()
