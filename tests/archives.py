"""Archives for tests: by the programs that people use, where they are here, and by the standard library."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

LOG = b"".join(b"2026-11-22T10:%02d:%02dZ INFO id=%d\n" % (n // 60 % 60, n % 60, n) for n in range(2000))
FILES = {
    "app/app.log": LOG,
    "app/empty": b"",
    "app/b/x.log.gz": gzip.compress(LOG, mtime=0),
    "app/random.bin": random.Random(7).randbytes(70_000),
    "app/" + "long-" * 30 + "name.log": b"long name\n",
    "app/üñï.log": b"not ASCII\n",
}
CONTENT = {name: (LOG if name.endswith(".gz") else data) for name, data in FILES.items()}  # as it is read


def tree(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """The files in a folder."""
    for name, data in (files or FILES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def program(name: str) -> str:
    """A program's path; skips the test where it is missing."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def made_by(command: list[str], folder: Path, stdin: bytes | None = None) -> bytes:
    """What a program writes to stdout, run in a folder."""
    program(command[0])
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=True, env=environment).stdout


def tar(files: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive in memory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False) -> bytes:
    """A zip archive in memory; `streamed`: with the sizes behind the data, as a pipe makes it write them."""
    out = io.BytesIO()
    target = _Pipe(out) if streamed else out
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


class _Pipe(io.RawIOBase):
    """A file that can't be positioned."""

    def __init__(self, inner: io.BytesIO) -> None:
        self._inner = inner

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        return self._inner.write(data)  # type: ignore[arg-type]
