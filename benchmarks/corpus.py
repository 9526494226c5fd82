"""Logs to measure with: seeded, as large as asked for, each token distinct and noted.

    python benchmarks/corpus.py sparse 512M FILE

Blocks of a thousand lines are made once and repeated with fresh tokens, so that half a gigabyte takes seconds.
The token stands in double quotes, which every scanner takes for its end: this measures speed, not finesse.
FILE.planted says where each token stands: one `start end token` a line, bytes, half-open.
"""

from __future__ import annotations

import base64
import random
import string
import sys
from collections.abc import Iterator
from pathlib import Path

SEED = 20261122
LINES = 1000  # lines of a block
BLOCKS = 16  # different blocks, taken in turn: no scanner profits from one block staying in the cache
EVERY = {"empty": 0, "clean": 0, "sparse": 1000, "dense": 1}  # a token each so many lines; 0: none
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
HEADER = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"  # {"alg":"HS256","typ":"JWT"}

_PATHS = ("orders", "ledger/entries", "customers/4711/addresses", "healthz", "search", "invoices", "metrics")
_CLASSES = ("c.e.billing.Audit", "o.s.web.client.RestTemplate", "c.e.ledger.Store", "c.zaxxer.hikari.pool.HikariPool")


def size_in_bytes(text: str) -> int:
    """Bytes of "512M" and the like. Raises ValueError."""
    unit = UNITS.get(text[-1:].upper(), 0)
    return int(text[:-1]) * unit if unit else int(text)


def write_corpus(path: Path, density: str, size: int) -> int:
    """Writes at least `size` bytes and path.planted; returns how many tokens stand in it. Raises OSError."""
    if density == "empty":
        size = 0
    source = random.Random(f"{SEED} {density}")
    blocks = [_block(source, EVERY[density]) for _ in range(BLOCKS)]
    tokens = _tokens(source)
    written = planted = 0
    with path.open("wb") as out, path.with_name(path.name + ".planted").open("wb") as notes:
        while written < size:
            parts: list[bytes] = []
            for piece in blocks[written % BLOCKS]:
                parts.append(piece)
                written += len(piece)
                if piece.endswith(b"Bearer "):
                    token = next(tokens)
                    parts.append(token)
                    notes.write(b"%d %d %s\n" % (written, written + len(token), token))
                    written += len(token)
                    planted += 1
            out.write(b"".join(parts))
    return planted


def _block(source: random.Random, every: int) -> list[bytes]:
    """Pieces of a thousand lines; after each piece that ends in "Bearer " a token is to be put."""
    pieces: list[bytes] = []
    run: list[str] = []
    for number in range(LINES):
        line = _line(source)
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
    print(write_corpus(Path(sys.argv[3]), sys.argv[1], size_in_bytes(sys.argv[2])), "tokens")
