"""No secret leaves: whatever a command writes, on good and on bad input, is searched for every secret planted."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.commands import AT, Ran, bearertrap, environment
from tests.scanning import jwt, opaque

FRAGMENT = 8  # characters of a secret nothing may show; a preview has four

PASSWORD = opaque(90, 24)
SECRETS = {
    "jwt": jwt(5, scope="admin"),
    "bearer": opaque(1),
    "refresh": opaque(2, 48),
    "client": opaque(3, 36),
    "basic": base64.b64encode(b"svc:" + PASSWORD),
    "userinfo": opaque(4, 20),
    "short": opaque(5, 13),
    "vendor": b"gh" + b"p_" + opaque(6, 36),
}


def log() -> bytes:
    s = SECRETS
    lines = (
        b"2026-11-22T11:58:00Z GET /v1?access_token=" + s["jwt"],
        b"2026-11-22T11:58:01Z Authorization: Bearer " + s["bearer"],
        b'2026-11-22T11:58:02Z {"refresh_token":"' + s["refresh"] + b'","expires_in":299,"client_id":"app-1"}',
        b"2026-11-22T11:58:03Z client_secret=" + s["client"] + b" password=" + s["short"],
        b"2026-11-22T11:58:04Z Authorization: Basic " + s["basic"],
        b"2026-11-22T11:58:05Z fetch https://svc:" + s["userinfo"] + b"@files.example/x",
        b"2026-11-22T11:58:06Z token " + s["vendor"] + b" cut " + s["jwt"][:120],
    )
    return b"\n".join(lines) + b"\n"


def spellings(value: bytes) -> Iterator[bytes]:
    """The fragments of a value in each way they may have been written."""
    text = value.decode("ascii")
    for i in range(len(value) - FRAGMENT + 1):
        part = value[i : i + FRAGMENT]
        yield part
        yield part.hex().encode()
        yield part.hex().upper().encode()
        yield text[i : i + FRAGMENT].encode("utf-16-le")
        yield text[i : i + FRAGMENT].encode("utf-16-be")
        yield quote(part, safe="").encode()
    for lead in range(3):
        whole = base64.b64encode(bytes(lead) + value)[4:]
        yield from (whole[i : i + 12] for i in range(len(whole) - 12))


FORBIDDEN = frozenset(part for value in (*SECRETS.values(), PASSWORD) for part in spellings(value))
# What a token says of itself is reported: its claims, and whose Basic credentials they are.
ALLOWED = (b"https://id.example", b"job-5", b"HS256", b"admin", b"svc")


def leaks(data: bytes) -> list[int]:
    """Where anything forbidden stands. Offsets only: a failing test must not show it either."""
    sizes = {len(part) for part in FORBIDDEN}
    return [i for size in sizes for i in range(len(data) - size + 1) if data[i : i + size] in FORBIDDEN]


def test_the_search_itself_finds() -> None:
    for value in (*SECRETS.values(), PASSWORD):
        for written in (
            value,
            value.hex().encode(),
            value.decode().encode("utf-16-le"),
            base64.b64encode(b"k=" + value),
        ):
            assert leaks(b"before " + written[: len(written) // 2 + 12] + b" after")
    assert not leaks(b"".join(ALLOWED) + b"eyJh\xe2\x80\xa6 (200 bytes) [REDACTED:jwt:0123abcd]")


def _plain(folder: Path) -> None:
    (folder / "app.log").write_bytes(log())


def _utf16(folder: Path) -> None:
    (folder / "app.log").write_bytes(log().decode().encode("utf-16"))


def _truncated(folder: Path) -> None:
    packed = gzip.compress(log() * 50 + os.urandom(40_000))
    (folder / "app.log.gz").write_bytes(packed[: len(packed) - 9000])


def _damaged(folder: Path) -> None:
    packed = bytearray(gzip.compress(log() + os.urandom(200_000).hex().encode()))
    packed[90_000:90_100] = bytes(100)
    (folder / "app.log.gz").write_bytes(packed)


def _binary(folder: Path) -> None:
    (folder / "memory").write_bytes(os.urandom(3000) + log().replace(b"\n", b"\0\0") + os.urandom(3000))


INPUTS: dict[str, Callable[[Path], None]] = {
    "plain": _plain, "utf16": _utf16, "truncated": _truncated, "damaged": _damaged, "binary": _binary,
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("in", "out", "tmp", "state", "cache"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(place: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    """Runs with every folder a program may write to inside `place`, and searches all that was written.

    The cache of compiled anchors begins as an empty input leaves it, and must stay so to the byte.
    """
    env = {
        "TMPDIR": str(place / "tmp"), "XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"),
        "HOME": str(place / "out"), "BEARERTRAP_DEBUG": "1",
    }  # fmt: skip
    bearertrap("scan", "-q", "-", env=env)
    cached = contents(place / "cache")
    ran = bearertrap(*arguments, stdin=stdin, env=env, cwd=place / "out")
    assert contents(place / "cache") == cached
    written = {**contents(place / "out"), **contents(place / "state"), **contents(place / "tmp")}
    for name, data in {"stdout": ran.out, "stderr": ran.err, **written}.items():
        assert leaks(data) == [], f"{name} of {arguments}"
    assert list((place / "tmp").iterdir()) == []
    return ran


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("input_", INPUTS)
def test_reports_hold_no_secret(place: Path, input_: str) -> None:
    INPUTS[input_](place / "in")
    reports = [argument for suffix in ("jsonl", "json", "csv", "txt") for argument in ("-o", f"report.{suffix}")]
    ran = run(place, "scan", "--at", AT, "-f", "text", *reports, str(place / "in"))
    assert ran.code in ((12,) if input_ in ("truncated", "damaged") else (11,))
    assert (place / "out" / "report.jsonl").read_bytes().count(b'"type":"finding"') >= 7


def test_a_pipe_leaves_nothing(place: Path) -> None:
    assert run(place, "scan", "--at", AT, "-f", "jsonl", "-", stdin=log()).code == 11


@pytest.mark.parametrize(
    "arguments",
    [("scan", "--at", "SECRET", "."), ("scan", "--jobs", "SECRET", "."), ("scan", "-o", "x.SECRET", "."), ("SECRET",)],
)
def test_what_is_mistyped_is_not_a_scanned_byte(place: Path, arguments: tuple[str, ...]) -> None:
    """Arguments are the user's own words and may be repeated; nothing of the input is."""
    _plain(place / "in")
    assert run(place, *arguments, str(place / "in")).code == 2


def test_a_bug_shows_no_scanned_byte(place: Path) -> None:
    """A detector that raises with the secret in its message: the place is said, the message is not."""
    _plain(place / "in")
    broken = """
import sys
from msgspec.structs import replace
from detectors import registry
def confirm(text):
    raise ValueError(text.data)
found = registry.all_detectors()
broken = tuple(replace(d, confirm=confirm) if d.id == "bearer" else d for d in found)
registry.all_detectors = lambda: broken
from scanner.cli import program
program()
"""
    done = subprocess.run(
        [sys.executable, "-c", broken, "scan", "--jobs", "1", str(place / "in")],
        env=environment(BEARERTRAP_DEBUG="1"), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"ValueError" in done.stderr
    assert leaks(done.stderr) == []
    assert leaks(done.stdout) == []
