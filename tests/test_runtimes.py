"""Cores of running programs that cache tokens: every complete copy is found at its place, whoever put it there."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from scanner.model import Finding
from tests.dumping import found_in, gcore, mappings, needs, occurrences, places, running
from tests.scanning import jwt, opaque, scan

CURRENT, OLD = jwt(1, "ES256"), jwt(2, "ES256")
OPAQUE = opaque(3, 48)

PYTHON = """
import http.client, io, json, os, sys
class Session:
    def __init__(self, token):
        self.headers = {"Authorization": "Bearer " + token}
        self.cache = {"access_token": token}
def refresh(path):
    with open(path) as file:
        body = file.read()
    return Session(json.loads(body)["access_token"])
sessions = [refresh(sys.argv[1])]
sessions[0] = refresh(sys.argv[2])
with open(sys.argv[3], "rb") as file:
    bare = file.read()[:48].decode()
headers = {"Authorization": "Bearer " + bare}
kept = [bare, bare.encode(), bare.encode("utf-16-le"), "\\u2713 " + bare]
wide = sessions[0].cache["access_token"].encode("utf-16-le")
quoted = json.dumps(sessions[0].cache).encode()
os.write(1, b"ready\\n")
sys.stdin.read()
"""

NODE = """
const fs = require('fs');
const refresh = (path) => { const body = JSON.parse(fs.readFileSync(path, 'utf8'));
  const headers = { authorization: `Bearer ${body.access_token}` };
  return { headers, cache: new Map([['token', body.access_token]]) }; };
let session = refresh(process.argv[2]);
session = refresh(process.argv[3]);
const wide = Buffer.from(session.cache.get('token'), 'utf16le');
fs.writeSync(1, 'ready\\n');
setInterval(() => session.headers.authorization.length + wide.length, 1000);
"""


def bodies(folder: Path) -> tuple[Path, Path]:
    """Two answers of a token endpoint: the first token is superseded by the second."""
    paths = (folder / "first.json", folder / "second.json")
    for path, token in zip(paths, (OLD, CURRENT), strict=True):
        path.write_text(json.dumps({"access_token": token.decode(), "token_type": "Bearer", "expires_in": 300}))
    return paths


def check(core: Path, maps: list[tuple[int, int, str]]) -> list[Finding]:
    """Every copy that a plain search finds is a finding, with the address an independent reader gives."""
    found, skipped = found_in(core)
    assert skipped == []
    data = core.read_bytes()
    wanted = {**occurrences(data, CURRENT), **occurrences(data, OLD), **occurrences(data, OPAQUE)}
    assert wanted.items() <= places(found).items()
    assert ("utf-16le",) in wanted.values()
    with core.open("rb") as file:
        loads = [(s["p_offset"], s["p_filesz"], s["p_vaddr"]) for s in ELFFile(file).iter_segments("PT_LOAD")]
    for finding in found:
        at = finding.spans[0].start
        virtual = next((address + at - offset for offset, size, address in loads if offset <= at < offset + size), None)
        assert finding.address is not None
        told = finding.address.get("virtual")
        assert (int(str(told), 16) if told else None) == virtual
        name = next((name for start, end, name in maps if virtual is not None and start <= virtual < end), "")
        if name and not name.startswith("[anon"):
            assert finding.address["mapping"] == name
    return found


def test_a_python_program(tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(PYTHON)
    (tmp_path / "bare").write_bytes(OPAQUE)
    files = (*bodies(tmp_path), tmp_path / "bare")
    with running(sys.executable, script, *files, SERVICE_TOKEN=CURRENT.decode()) as process:
        maps = mappings(process.pid)
        core = gcore(process, tmp_path)
    found = check(core, maps)
    subjects = [f.token.subject for f in found if f.verdict.basis == "claims"]
    assert subjects.count("job-1") >= 5
    assert {f.address.get("part") for f in found if f.address} >= {"environment", None}
    copies = [f for f in found if f.verdict.state == "unknown" and f.kind == "bearer_token"]
    assert len(copies) >= 4  # of the token that only a header named: in a str, bytes, UTF-16, a longer string
    assert len({f.fingerprint for f in copies}) == 1


@pytest.mark.slow
def test_a_node_program(tmp_path: Path) -> None:
    """Its heap is reserved, and gdb writes what is reserved: 11 GB, nearly all of them zeros."""
    needs("node")
    if shutil.disk_usage(tmp_path).free < 30 << 30:
        pytest.skip("a core of Node takes 12 GB of disk, and there are not 30 GB free")
    script = tmp_path / "service.js"
    script.write_text(NODE)
    with running("node", script, *bodies(tmp_path), SERVICE_TOKEN=CURRENT.decode()) as process:
        maps = mappings(process.pid)
        core = gcore(process, tmp_path)
    found, skipped = found_in(core, jobs=2)
    assert skipped == []
    wanted = {}
    for offset, data in _not_zero(core):
        for token in (CURRENT, OLD):
            for (start, end), encoding in occurrences(data, token).items():
                wanted[(offset + start, offset + end)] = encoding
    assert len(wanted) >= 5
    assert wanted.items() <= places(found).items()
    assert {(f.address or {}).get("mapping") for f in found} >= {"[stack]"}
    assert maps


def _not_zero(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of the stretches of a file that are not zeros, by mebibytes: a plain search is slow."""
    zeros = bytes(1 << 20)
    start, held, position = 0, b"", 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            if block != zeros:
                start = start if held else position
                held += block
            elif held:
                yield start, held
                held = b""
            position += len(block)
    if held:
        yield start, held


def test_a_time_in_another_object_of_memory_is_not_the_token_s() -> None:
    body = b'{"access_token":"' + opaque(1) + b'","expires_in":300}'
    line = b"2026-11-22T11:59:00Z GET /token\n"
    (beside,) = scan(line + body)
    (apart,) = scan(line + b"\0" * 8 + body)
    assert beside.logged_at is not None
    assert (apart.logged_at, apart.verdict.state) == (None, "unknown")
