"""`bearertrap redact` from outside: what it writes, keeps and refuses, and that no secret is in any of it."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import jwt as pyjwt
import pytest

from tests.scanning import jwt, opaque

ROOT = Path(__file__).parent.parent
MAIN = "import sys; from scanner.cli import main; sys.exit(main())"
TOKEN, OTHER, SIGNED = opaque(21), opaque(22), jwt(23)
LINES = (
    b"2026-11-22T10:00:00Z INFO start\n"
    b"2026-11-22T10:00:01Z DEBUG Authorization: Bearer " + TOKEN + b"\n"
    b'{"access_token":"' + SIGNED + b'","n":1}\n'
    b"2026-11-22T10:00:02Z INFO cached " + TOKEN + b" for later\n"
)


def run(*arguments: str | Path, data: bytes = b"", code: int | None = 11) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "redact", *map(str, arguments)], input=data, capture_output=True, timeout=100
    )
    for secret in (TOKEN, OTHER, SIGNED):
        assert secret not in done.stderr
    if code is not None:
        assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "app.log"
    path.parent.mkdir()
    path.write_bytes(LINES)
    return path


def is_clean(data: bytes) -> bool:
    return not any(secret in data for secret in (TOKEN, OTHER, SIGNED))


def test_a_stream_keeps_lines_and_order(tmp_path: Path) -> None:
    done = run("-", "--findings", tmp_path / "found.jsonl", data=LINES)
    lines = done.stdout.splitlines()
    assert is_clean(done.stdout) and len(lines) == 4
    assert lines[0] == LINES.splitlines()[0]
    assert json.loads(lines[2])["n"] == 1
    assert lines[3].startswith(b"2026-11-22T10:00:02Z INFO cached [REDACTED:bearer_token:")
    rows = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [row["type"] for row in rows] == ["finding", "finding", "summary"]
    assert rows[-1]["redaction"]["copies"] == 1 and rows[-1]["redaction"]["values"] == 2
    assert (tmp_path / "found.jsonl").stat().st_mode & 0o777 == 0o600
    assert is_clean((tmp_path / "found.jsonl").read_bytes())


def test_compressed_stdin_does_not_pass_unseen() -> None:
    done = run("-", data=gzip.compress(LINES), code=12)
    assert done.stdout == b"" and b"is gzip" in done.stderr


def test_exit_codes() -> None:
    assert run("-", data=b"nothing here\n", code=0).stdout == b"nothing here\n"
    expired = jwt(1, exp=1500000000)
    run("-", data=b"Authorization: Bearer " + expired + b"\n", code=10)
    run("-", "--exit-zero", data=LINES, code=0)
    run("--in-place", "-", code=2)
    run("x.log", code=2)
    run("x.log", "-o", "y", "--in-place", code=2)
    run("-", "--mask", "equal-length", "--pseudonym", code=2)


@pytest.mark.parametrize(
    "options",
    [
        (), ("--mask", "equal-length"), ("--keep-claims",), ("--pseudonym",),
        ("--keep-claims", "--pseudonym"), ("--keep-claims", "--mask", "equal-length"),
    ],
)  # fmt: skip
def test_copies_mirror_the_tree(log: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    deep = log.parent / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "quiet.txt").write_bytes(b"nothing\0here")
    (deep / "again.log").write_bytes(b"worker holds " + TOKEN + b" still\n")
    os.chmod(deep / "quiet.txt", 0o640)
    os.utime(deep / "quiet.txt", (1_700_000_000, 1_700_000_001))
    out = tmp_path / "out"
    run(log.parent, "-o", out, *options)
    assert log.read_bytes() == LINES
    assert (out / "logs/a/b/quiet.txt").read_bytes() == b"nothing\0here"
    assert (out / "logs/a/b/quiet.txt").stat().st_mode & 0o777 == 0o640
    assert (out / "logs/a/b/quiet.txt").stat().st_mtime == 1_700_000_001
    again = (out / "logs/a/b/again.log").read_bytes()
    assert TOKEN not in again and again.startswith(b"worker holds "), "a value of another file of the run"
    made = (out / "logs/app.log").read_bytes()
    assert is_clean(made) and made.count(b"\n") == 4
    if "equal-length" in options:
        assert len(made) == len(LINES)
    if "--keep-claims" in options:
        kept = json.loads(made.splitlines()[2])["access_token"]
        assert kept.startswith(SIGNED.decode().rpartition(".")[0])
        with pytest.raises(pyjwt.InvalidTokenError):
            pyjwt.decode(kept, "k" * 32, algorithms=["HS256"])
    assert not list(tmp_path.rglob("*.partial"))


def test_copies_never_overwrite_what_is_read_or_each_other(log: Path, tmp_path: Path) -> None:
    run(log, "-o", log.parent, code=2)
    twin = tmp_path / "app.log"
    twin.write_bytes(LINES)
    run(log, twin, "-o", tmp_path / "out", code=2)
    assert log.read_bytes() == twin.read_bytes() == LINES and not (tmp_path / "out").exists()


def test_in_place_keeps_all_but_the_secrets(log: Path) -> None:
    os.chmod(log, 0o640)
    os.utime(log, ns=(1_700_000_000_000_000_123, 1_700_000_001_000_000_456))
    try:
        os.setxattr(log, "user.origin", b"app-7")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    before = log.stat()
    run("--in-place", log)
    after = log.stat()
    assert is_clean(log.read_bytes())
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_mtime_ns == before.st_mtime_ns
    assert os.getxattr(log, "user.origin") == b"app-7"
    assert os.listdir(log.parent) == ["app.log"]
    held = log.read_bytes()
    run("--in-place", log, code=0)
    assert log.read_bytes() == held and log.stat().st_ino == after.st_ino, "nothing to do, nothing done"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_in_place_keeps_another_owner_and_access_lists(log: Path) -> None:
    os.chown(log, 1234, 5678)
    os.chmod(log, 0o640)
    # acl(5) as an attribute: version 2, then tag, permissions and id of each entry
    entries = ((1, 6, -1), (2, 4, 4321), (4, 4, -1), (16, 4, -1), (32, 0, -1))
    listed = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(log, "system.posix_acl_access", listed)
    except OSError:
        pytest.skip("no access lists on this file system")
    run("--in-place", log)
    after = log.stat()
    assert (after.st_uid, after.st_gid, after.st_mode & 0o7777) == (1234, 5678, 0o640)
    assert os.getxattr(log, "system.posix_acl_access") == listed and is_clean(log.read_bytes())


def test_in_place_of_a_live_log_is_refused(log: Path) -> None:
    with open(log, "ab"):
        done = run("--in-place", log, code=12)
    assert b"open for writing" in done.stderr
    assert log.read_bytes() == LINES and os.listdir(log.parent) == ["app.log"]


def test_hard_links_and_symlinks_are_said(log: Path, tmp_path: Path) -> None:
    os.link(log, tmp_path / "other.log")
    done = run("--in-place", log, code=12)
    assert b"hard link" in done.stderr and (tmp_path / "other.log").read_bytes() == LINES
    assert is_clean(log.read_bytes())
    os.unlink(log)
    os.link(tmp_path / "other.log", log)
    run("--in-place", log, tmp_path / "other.log")
    assert is_clean(log.read_bytes()) and is_clean((tmp_path / "other.log").read_bytes())
    log.write_bytes(LINES)
    (tmp_path / "link").symlink_to(log)
    done = run("--in-place", tmp_path / "link")
    assert b"link" in done.stderr and (tmp_path / "link").is_symlink() and is_clean(log.read_bytes())


def test_holes_stay_holes(tmp_path: Path) -> None:
    path = tmp_path / "sparse.log"
    with open(path, "wb") as file:
        file.write(LINES)
        file.seek(24 << 20)
        file.write(LINES)
    assert path.stat().st_blocks * 512 < 1 << 20
    run("--in-place", path)
    assert path.stat().st_blocks * 512 < 1 << 20
    data = path.read_bytes()
    assert is_clean(data) and data.count(b"[REDACTED:") == 6
    assert len(data.replace(b"\0", b"")) < 2 * len(LINES)


COMPRESSORS = {
    "gz": ("gzip", lambda data: gzip.compress(data, 9, mtime=5), gzip.decompress, "zcat"),
    "bz2": ("bzip2", lambda data: bz2.compress(data, 4), bz2.decompress, "bzcat"),
    "xz": ("xz", lambda data: lzma.compress(data, preset=2, check=lzma.CHECK_SHA256), lzma.decompress, "xzcat"),
    "zst": ("zstd", None, None, "zstdcat"),
    "lz4": ("lz4", None, None, "lz4cat"),
}


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_compressed_files_come_back_in_kind(suffix: str, tmp_path: Path) -> None:
    program, pack, unpack, cat = COMPRESSORS[suffix]
    if shutil.which(cat) is None:
        pytest.skip(f"no {program} here")
    path = tmp_path / f"app.log.{suffix}"
    if pack:
        path.write_bytes(pack(LINES * 50))
    else:
        packed = subprocess.run([program, "-q", "-c"], input=LINES * 50, capture_output=True, check=True)
        path.write_bytes(packed.stdout)
    before = path.read_bytes()
    run("--in-place", path)
    after = path.read_bytes()
    assert after[:4] == before[:4]
    plain = subprocess.run([cat, str(path)], capture_output=True, check=True).stdout
    assert is_clean(plain) and plain.count(b"\n") == 200
    if unpack:
        assert unpack(after) == plain
    if suffix == "xz":
        assert after[7] == before[7] and lzma.LZMADecompressor().decompress(after) == plain
    if suffix == "gz":
        assert after[3:10] == before[3:10]


def test_what_can_not_be_read_whole_is_not_written(log: Path, tmp_path: Path) -> None:
    broken = log.parent / "cut.gz"
    broken.write_bytes(gzip.compress(LINES * 100)[:-20])
    done = run(log.parent, "-o", tmp_path / "out", code=12)
    assert b"cut.gz" in done.stderr
    assert os.listdir(tmp_path / "out" / "logs") == ["app.log"]
    held = broken.read_bytes()
    run("--in-place", broken, code=12)
    assert broken.read_bytes() == held


def scan(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-c", MAIN, "scan", "-q", *map(str, arguments)], timeout=100, check=False)


def test_a_report_is_applied_as_it_stands(log: Path, tmp_path: Path) -> None:
    (log.parent / "old.log.gz").write_bytes(gzip.compress(LINES * 3))
    wide = f"a: 1\r\nAuthorization: Bearer {OTHER.decode()}\r\n".encode("utf-16-le")
    (log.parent / "wide.log").write_bytes(wide)
    scan(log.parent, "-o", tmp_path / "found.jsonl")
    run("--from", tmp_path / "found.jsonl", log.parent, "-o", tmp_path / "out")
    run(log.parent, "-o", tmp_path / "twin")
    for name in ("app.log", "old.log.gz", "wide.log"):
        assert (tmp_path / "out/logs" / name).read_bytes() == (tmp_path / "twin/logs" / name).read_bytes()
        assert (tmp_path / "out/logs" / name).read_bytes() != (log.parent / name).read_bytes()
    run("--from", tmp_path / "found.jsonl", "--in-place")
    assert is_clean(log.read_bytes())


def test_what_a_report_leaves_out_is_not_let_pass(log: Path, tmp_path: Path) -> None:
    """The proof, with a result that would hold a secret: nothing is written."""
    scan(log, "-o", tmp_path / "found.jsonl")
    lines = (tmp_path / "found.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "found.jsonl").write_text("".join(line for line in lines if '"kind":"jwt"' not in line))
    done = run("--from", tmp_path / "found.jsonl", log, "-o", tmp_path / "out", code=12)
    assert b"a scan of the result finds secrets" in done.stderr
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    run("--from", tmp_path / "found.jsonl", log, "-o", tmp_path / "out", "--no-verify")
    made = (tmp_path / "out/app.log").read_bytes()
    assert TOKEN not in made and SIGNED in made, "the recorded spans, exactly"


@pytest.mark.parametrize("lead", range(3))
def test_a_report_names_copies_in_base64_too(lead: int, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    inside = base64.b64encode(b"." * lead + b" q " + TOKEN + b" tail")
    path.write_bytes(b"Authorization: Bearer " + TOKEN + b"\nblob " + inside + b"\n" + TOKEN.hex().encode() + b"\n")
    scan(path, "-o", tmp_path / "found.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert sum(row["type"] == "finding" for row in rows) == 3
    run("--from", tmp_path / "found.jsonl", "--in-place")
    assert TOKEN not in path.read_bytes() and TOKEN.hex().encode() not in path.read_bytes()
    blob = base64.b64decode(path.read_bytes().split(b"blob ")[1].split(b"\n")[0])
    assert blob == b"." * lead + b" q " + b"*" * len(TOKEN) + b" tail"


@pytest.mark.parametrize("change", ["grown", "other token", "other line", "unknown file", "other key", "cut report"])
def test_a_report_of_other_bytes_is_refused(change: str, log: Path, tmp_path: Path) -> None:
    report = tmp_path / "found.jsonl"
    scan(log, "-o", report)
    code = 12
    if change == "grown":
        log.write_bytes(LINES + b"one more line\n")
    elif change == "other token":
        log.write_bytes(LINES.replace(TOKEN, OTHER))
    elif change == "other line":
        log.write_bytes(LINES.replace(b"DEBUG Auth", b"TRACE Auth"))
    elif change == "unknown file":
        other = log.with_name("b.log")
        other.write_bytes(b"Authorization: Bearer " + OTHER + b"\n")
        log.unlink()
        log = other
    elif change == "other key":
        report.write_text(report.read_text().replace('"key_id":"', '"key_id":"0'))
        code = 2
    else:
        report.write_text("".join(report.read_text().splitlines(keepends=True)[:-1]))
        code = 2
    held = log.read_bytes()
    run("--from", report, "--in-place", log, code=code)
    assert log.read_bytes() == held


def fragments(*values: bytes) -> set[bytes]:
    """Of each value what nothing written may hold: stretches of 12 characters; of a JWT those of its signature."""
    telling = [value.rpartition(b".")[2] for value in values]
    return {value[i : i + 12] for value in telling for i in range(len(value) - 11)}


@pytest.mark.parametrize("mode", [("-o", "out"), ("--in-place",), ("-o", "out", "--mask", "equal-length")])
def test_nothing_written_holds_a_fragment_of_a_secret(mode: tuple[str, ...], log: Path, tmp_path: Path) -> None:
    cut = b"left of it: " + TOKEN[5:25] + b", " + SIGNED[-20:] + b", wide " + OTHER.decode().encode("utf-16-le") + b"\n"
    log.write_bytes(LINES + b"client_secret=" + OTHER + b"\n" + cut)
    for name in ("tmp", "state", "cache"):
        (tmp_path / name).mkdir()
    env = {"TMPDIR": tmp_path / "tmp", "XDG_STATE_HOME": tmp_path / "state", "XDG_CACHE_HOME": tmp_path / "cache"}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "redact", str(log), *mode, "--findings", "found.jsonl"],
        env={**os.environ, **{name: str(path) for name, path in env.items()}, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 11, done.stderr
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != log}
    if "--in-place" in mode:
        written[log] = log.read_bytes()
    for name, data in {"stdout": done.stdout, "stderr": done.stderr, **written}.items():
        left = [
            part for part in fragments(TOKEN, OTHER, SIGNED) if part in data or part in data[::2] or part in data[1::2]
        ]
        assert not left, f"{name} holds {len(left)} fragments"
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq here")
def test_jq_reads_redacted_json(tmp_path: Path) -> None:
    record = {
        "a": TOKEN.decode(),
        "access_token": TOKEN.decode(),
        "body": json.dumps({"refresh_token": OTHER.decode()}),
    }
    data = "".join(json.dumps(record) + "\n" for _ in range(20)).encode()
    made = run("-", data=data).stdout
    read = subprocess.run(
        ["jq", "-r", ".body | fromjson | .refresh_token"], input=made, capture_output=True, check=True
    )
    assert read.stdout.count(b"[REDACTED:refresh_token:") == 20
