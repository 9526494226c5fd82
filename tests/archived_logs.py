"""Logs with two secrets, as the members of archives that are redacted."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.scanning import opaque
from tests.streams import read

TOKEN, OTHER = opaque(41), opaque(42)
LOG = b"2026-11-22T10:00:00Z INFO start\nAuthorization: Bearer " + TOKEN + b"\nbare " + OTHER + b" here\n"
QUIET = b"2026-11-22T10:00:00Z INFO nothing\n" * 300
FILES = {
    "app/app.log": LOG * 40,
    "app/empty": b"",
    "app/quiet.log": QUIET,
    "app/" + "long-" * 30 + "name.log": LOG,
    "app/x.log.gz": gzip.compress(LOG * 9, mtime=0),
    "app/\xfc.log": b'{"client_secret":"' + OTHER + b'"}\n',
}
PLAIN = {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in FILES.items()}


def contents(data: bytes, tmp_path: Path) -> dict[str, bytes]:
    """Each stream of a file by the names of its members; all must be whole."""
    path = tmp_path / "to-read"
    path.write_bytes(data)
    result = read(path)
    assert not result.skipped and not any(stream.error for stream in result.streams)
    return {"!".join(layer.partition(":")[2] for layer in stream.layers): stream.data for stream in result.streams}


def is_clean(data: bytes) -> bool:
    return TOKEN not in data and OTHER not in data
