"""Logs to measure with: seeded, as large as asked for, each token distinct and noted.

    python benchmarks/corpus.py sparse 512M FILE

Blocks of a thousand lines are made once and repeated with fresh tokens, so that half a gigabyte takes seconds.
The token stands in double quotes, which every scanner takes for its end: this measures speed, not finesse.
Notes say where each token stands: one `name start end token` a line, bytes, half-open, `name` being the file's.
"""

from __future__ import annotations

import base64
import random
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SEED = 20261122
LINES = 1000  # lines of a block
BLOCKS = 16  # different blocks, taken in turn: no scanner profits from one block staying in the cache
EVERY = {"clean": 0, "sparse": 1000, "dense": 1}  # a token each so many lines; 0: none
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
HEADER = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"  # {"alg":"HS256","typ":"JWT"}

_PATHS = ("orders", "ledger/entries", "customers/4711/addresses", "healthz", "search", "invoices", "metrics")
_CLASSES = ("c.e.billing.Audit", "o.s.web.client.RestTemplate", "c.e.ledger.Store", "c.zaxxer.hikari.pool.HikariPool")


def size_in_bytes(text: str) -> int:
    """Bytes of "512M" and the like. Raises ValueError."""
    unit = UNITS.get(text[-1:].upper(), 0)
    return int(text[:-1]) * unit if unit else int(text)


def write_log(path: Path, every: int, size: int) -> int:
    """Writes at least `size` bytes with a token in each `every` lines (0: none), and path.planted.

    Returns how many tokens stand in it. Raises OSError.
    """
    with path.open("wb") as out, notes_of(path).open("wb") as notes:
        return _write(_lines(f"{every}"), every, size, path.name, out, notes)


def write_small(folder: Path, count: int, size: int) -> int:
    """Writes `count` files of about `size` bytes, a token in each tenth, and folder.planted. Returns the tokens."""
    folder.mkdir()
    source = random.Random(f"{SEED} small")
    tokens = _tokens(source)
    texts = ["".join(_line(source) + "\n" for _ in range(size // 150 + 1)).encode() for _ in range(97)]
    texts = [text[: size // 2].rpartition(b"\n")[0] + b"\n" + text[size // 2 : size] for text in texts]
    planted = 0
    with notes_of(folder).open("wb") as notes:
        for number in range(count):
            text = texts[number % len(texts)]
            name = f"{number:06}.log"
            if number % 10 == 0:
                token = next(tokens)
                start = len(HEAD)
                notes.write(b"%s %d %d %s\n" % (name.encode(), start, start + len(token), token))
                text = HEAD + token + b'","host":"ledger"}\n' + text[len(token) + len(HEAD) :]
                planted += 1
            inside = folder / f"{number // 1000:03}"
            if number % 1000 == 0:
                inside.mkdir()
            (inside / name).write_bytes(text)
    return planted


HEAD = b'2026-11-22T10:00:00.000Z DEBUG 7 --- [exec-1] o.s.web.client.RestTemplate : {"authorization":"Bearer '


def notes_of(path: Path) -> Path:
    """Where it is noted what was planted in a file or a folder."""
    return path.with_name(path.name + ".planted")


def _lines(seed: str) -> tuple[random.Random, list[list[str]]]:
    source = random.Random(f"{SEED} {seed}")
    return source, [[_line(source) for _ in range(LINES)] for _ in range(BLOCKS)]


def _write(
    made: tuple[random.Random, list[list[str]]], every: int, size: int, name: str, out: BinaryIO, notes: BinaryIO
) -> int:
    source, texts = made
    tokens = _tokens(source)
    blocks = [_block(lines, every, turn) for turn, lines in enumerate(texts)]
    written = planted = turn = 0
    while written < size:
        parts: list[bytes] = []
        for piece in blocks[turn % BLOCKS]:
            parts.append(piece)
            written += len(piece)
            if piece.endswith(b"Bearer "):
                token = next(tokens)
                parts.append(token)
                notes.write(b"%s %d %d %s\n" % (name.encode(), written, written + len(token), token))
                written += len(token)
                planted += 1
        out.write(b"".join(parts))
        turn += 1
    return planted


def _block(lines: list[str], every: int, turn: int) -> list[bytes]:
    """Pieces of a thousand lines; after each piece that ends in "Bearer " a token is to be put."""
    pieces: list[bytes] = []
    run: list[str] = []
    for number, line in enumerate(lines, turn * LINES):
        if every and number % every == every // 2:
            run.append(f'{line[:60]} headers: {{"accept":"*/*","authorization":"Bearer ')
            pieces.append("".join(run).encode())
            run = ['","host":"ledger"}\n']
        else:
            run.append(line + "\n")
    return [*pieces, "".join(run).encode()]


def _line(source: random.Random) -> str:
    clock = f"{source.randrange(24):02}:{source.randrange(60):02}:{source.randrange(60):02}.{source.randrange(1000):03}"
    front = f"2026-11-22T{clock}Z {source.choice(('INFO', 'DEBUG', 'WARN'))} 7 --- [exec-{source.randrange(64)}] "
    request = f"{source.getrandbits(128):032x}"
    return (
        f"{front}{source.choice(_CLASSES)} : GET /api/v2/{source.choice(_PATHS)}"
        f" status={source.choice((200, 204, 404))} took={source.randrange(4000)}ms request={request}"
    )


def _tokens(source: random.Random) -> Iterator[bytes]:
    """Distinct JWTs of HS256's shape: real claims, and a signature that is random."""
    alphabet = (string.ascii_letters + string.digits + "-_").encode()
    number = 0
    while True:
        number += 1
        issued = 1795340000 + number % 8000
        claims = b'{"iss":"https://id.example.com","sub":"svc-%07d","aud":"ledger","jti":"%016x","iat":%d,"exp":%d}' % (
            number, source.getrandbits(64), issued, issued + 299,
        )  # fmt: skip
        signature = bytes(source.choices(alphabet, k=43))
        yield b"%s.%s.%s" % (HEADER, base64.urlsafe_b64encode(claims).rstrip(b"="), signature)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in EVERY:
        sys.exit(f"usage: corpus.py {'|'.join(EVERY)} SIZE FILE")
    print(write_log(Path(sys.argv[3]), EVERY[sys.argv[1]], size_in_bytes(sys.argv[2])), "tokens")
