"""Crash reports in text: real ones of the JVM, Node, CPython and Rust; tombstones and .ips in their documented form."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.decoders.dumps.reports import KINDS, Sections
from scanner.framings import memory_words
from scanner.model import Finding
from scanner.redaction import Style, redact
from tests.dumping import found_in, needs, running
from tests.scanning import KEY, jwt

TOKEN = jwt(1)
TEXT = TOKEN.decode()


def sections(path: Path) -> set[tuple[str, object]]:
    """(format, section) of each finding of the token; nothing may be skipped."""
    found, skipped = found_in(path)
    assert skipped == []
    assert all(f.line is not None for f in found)
    return {(f.format, (f.address or {}).get("section")) for f in found}


SLEEPING = """
public class Sleeping {
    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        Thread.sleep(60000);
    }
}
"""


def test_a_jvm_that_crashes(tmp_path: Path) -> None:
    needs("java", "javac")
    (tmp_path / "Sleeping.java").write_text(SLEEPING)
    subprocess.run(["javac", "-d", tmp_path, tmp_path / "Sleeping.java"], check=True, timeout=120)
    log = tmp_path / "hs_err.log"
    command = ["java", f"-Dtoken={TEXT}", f"-XX:ErrorFile={log}", "-XX:-CreateCoredumpOnCrash", "-Xmx64m"]
    with running(*command, "-cp", tmp_path, "Sleeping", TEXT, _JAVA_OPTIONS=f"-Dother={TEXT}") as process:
        process.send_signal(signal.SIGSEGV)
        process.wait(timeout=60)
    assert log.read_text().count(TEXT) >= 4
    wanted = {("hs-err", "command line"), ("hs-err", "vm arguments"), ("hs-err", "environment")}
    assert wanted <= sections(log)


def test_a_report_of_node(tmp_path: Path) -> None:
    needs("node")
    report = tmp_path / "report.json"
    code = f"process.report.writeReport({json.dumps(str(report))})"
    environment = {"PATH": os.environ["PATH"], "SERVICE_TOKEN": TEXT}
    subprocess.run(["node", "-e", code, "--", f"--token={TEXT}"], check=True, timeout=60, env=environment)
    assert sections(report) == {("node-report", "command line"), ("node-report", "environment")}


def test_faulthandler(tmp_path: Path) -> None:
    """It prints no values; a path of a frame may hold one."""
    script = tmp_path / f"token={TEXT}.py"
    script.write_text("import os\nos.abort()\n")
    dump = subprocess.run([sys.executable, "-X", "faulthandler", script], capture_output=True, timeout=60).stderr
    path = tmp_path / "stderr"
    path.write_bytes(dump)
    assert sections(path) == {("faulthandler", "stack")}


def test_a_rust_panic(tmp_path: Path) -> None:
    needs("rustc")
    (tmp_path / "job.rs").write_text('fn main() { panic!("refused {}", std::env::args().nth(1).unwrap()); }')
    made = subprocess.run(["rustc", "-o", tmp_path / "job", tmp_path / "job.rs"], capture_output=True, timeout=120)
    if made.returncode:
        pytest.skip("rustc is installed and does not work")
    path = tmp_path / "stderr"
    path.write_bytes(subprocess.run([tmp_path / "job", TEXT], capture_output=True, timeout=60).stderr)
    assert sections(path) == {("rust-panic", "message")}


def test_a_go_panic(tmp_path: Path) -> None:
    path = tmp_path / "stderr"
    path.write_text(
        f'panic: Get "https://id.example/?access_token={TEXT}": refused\n\ngoroutine 1 [running]:\n'
        f"main.call({{0xc000012345, 0x10}}, ...)\n\t/src/main.go:12 +0x1d\nmain.main()\n\t/src/{TEXT}.go:30 +0x20\n"
        "exit status 2\n"
    )
    assert sections(path) == {("go-panic", "message"), ("go-panic", "stack")}


def test_a_panic_in_a_log(tmp_path: Path) -> None:
    """Only what stands in the panic is of it."""
    path = tmp_path / "service.log"
    line = f'2026-11-22T12:00:00Z INFO access_token="{TEXT}"\n'
    path.write_text(
        line + f"panic: refused {TEXT}\n\ngoroutine 7 [running]:\nmain.main()\n\t/src/main.go:30 +0x20\n" + line
    )
    found, _ = found_in(path)
    assert [(f.format, f.address) for f in found] == [
        ("text", None), ("go-panic", {"section": "message"}), ("text", None),
    ]  # fmt: skip


def test_a_thread_dump(tmp_path: Path) -> None:
    path = tmp_path / "threads"
    path.write_text(
        "2026-11-22 12:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):\n\n"
        f'"worker token={TEXT}" #12 prio=5 os_prio=0 cpu=1.00ms tid=0x00007f runnable\n'
    )
    assert sections(path) == {("thread-dump", "threads")}


def test_an_ips_file(tmp_path: Path) -> None:
    head = {"app_name": "Service", "timestamp": "2026-11-22 12:00:00.00 +0000", "bug_type": "309", "name": "Service"}
    body = {
        "uptime": 520000, "procName": "Service", "pid": 4711, "exception": {"type": "EXC_CRASH", "signal": "SIGABRT"},
        "asi": {"libsystem_c.dylib": [f"abort() called: token {TEXT}"]},
        "threads": [{"triggered": True, "id": 12, "queue": f"com.example.{TEXT}"}], "usedImages": [],
    }  # fmt: skip
    path = tmp_path / "Service.ips"
    path.write_text(json.dumps(head) + "\n" + json.dumps(body, indent=2))
    assert sections(path) == {("ips", "application information"), ("ips", "threads")}


# --- memory printed as words ---

STARS = "*** " * 15 + "***\n"


def memory_near(data: bytes, address: int, size: int = 8, text: bool = True, gap: int | None = None) -> str:
    """As debuggerd prints it."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16].ljust(16, b"\0")
        words = [row[i : i + size][::-1].hex() for i in range(0, 16, size)]
        if gap == at:
            words[0] = "-" * 2 * size
        shown = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        lines.append(f"    {address + at:0{2 * size}x} {' '.join(words)}" + (f"  {shown}" if text else ""))
    return "\n".join(lines) + "\n"


def tombstone(memory: str) -> str:
    return (
        f"{STARS}Build fingerprint: 'google/raven/raven:13'\nABI: 'arm64'\nCmdline: com.example --token {TEXT}\n"
        f"pid: 4711, tid: 4711, name: main  >>> com.example <<<\nAbort message: 'token {TEXT} refused'\n"
        "    x0  0000000000000000  x1  0000007b2c3f4a10\n\nbacktrace:\n      #00 pc 0000000000051af0  /apex/libc.so\n\n"
        f"memory near x1 ([anon:libc_malloc]):\n{memory}\nmemory near x2 (/system/lib64/libc.so):\n"
        f"{memory_near(bytes(64), 0x7B00000000)}\nopen files:\n    fd 0: /dev/null\n"
    )


@pytest.mark.parametrize("size", [8, 4])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("before", [0, 3, 8, 13])
def test_memory_words_of_a_tombstone(size: int, text: bool, before: int, tmp_path: Path) -> None:
    path = tmp_path / "tombstone_00"
    memory = memory_near(bytes(before) + TOKEN + bytes(20), 0x7B2C3F4A10 if size == 8 else 0xF7A4C3B0, size, text)
    path.write_text(tombstone(memory))
    found, skipped = found_in(path)
    assert skipped == []
    by_section = {str((f.address or {}).get("section")): f for f in found}
    assert {f.fingerprint for f in found} == {found[0].fingerprint}
    assert set(by_section) == {"command line", "abort message", "memory"}
    finding = by_section["memory"]
    assert finding.encoding == ("memory-words",)
    assert shown_by(path.read_bytes(), finding, size) == TOKEN


def shown_by(data: bytes, finding: Finding, size: int) -> bytes:
    """The bytes a finding's spans of words show; those of the text column are left out."""
    out = b""
    for span in finding.spans:
        piece = data[span.start : span.end]
        line = data[data.rfind(b"\n", 0, span.start) + 1 : span.start]
        if len(line) < 5 + 2 * size + 1 + (2 * size + 1) * (16 // size):
            out += bytes.fromhex(piece.decode())[::-1]
    return out


def test_a_gap_in_memory_ends_a_token(tmp_path: Path) -> None:
    path = tmp_path / "tombstone_00"
    path.write_text(tombstone(memory_near(TOKEN, 0x7B2C3F4A10, gap=64)))
    found, _ = found_in(path)
    states = {str((f.address or {}).get("section")): f.verdict.state.value for f in found}
    assert states.get("memory") in (None, "unusable")


def test_masked_words_keep_their_form() -> None:
    data = tombstone(memory_near(bytes(3) + TOKEN, 0x7B2C3F4A10)).encode()
    masked = redact(data, style=Style.EQUAL_LENGTH, key=KEY).data
    assert len(masked) == len(data)
    assert TOKEN not in masked
    assert b"".join(masked.split()) != b"".join(data.split())
    again = redact(masked, style=Style.EQUAL_LENGTH, key=KEY)
    assert again.findings == ()


# --- sections ---


@given(st.sampled_from(KINDS), st.binary(max_size=3000), st.integers(1, 700))
def test_sections_do_not_depend_on_how_the_bytes_come(kind: object, data: bytes, size: int) -> None:
    lines = b'Heap:\nmemory near x0\n"environmentVariables": {\n' + data + b"\npanic: x\nCommand Line: y\n"
    whole, parts = Sections(kind), Sections(kind)  # type: ignore[arg-type]
    whole.passes(lines)
    whole.end()
    for at in range(0, len(lines), size):
        parts.passes(lines[at : at + size])
    parts.end()
    assert [parts.at(offset) for offset in range(0, len(lines), 7)] == [
        whole.at(offset) for offset in range(0, len(lines), 7)
    ]


def test_a_long_report_is_not_slow(tmp_path: Path) -> None:
    path = tmp_path / "threads"
    path.write_bytes(b"Full thread dump x\n" + b'"thread" #1\n' * 300_000 + b"token " + TOKEN)
    began = time.monotonic()
    assert sections(path) == {("thread-dump", "threads")}
    assert time.monotonic() - began < 20


@given(st.binary(max_size=120), st.sampled_from([4, 8]), st.booleans(), st.integers(0, 3))
def test_each_byte_of_a_block_of_words_is_where_its_map_says(data: bytes, size: int, text: bool, lead: int) -> None:
    shown = "#" * lead + "\n" + memory_near(data + b"\1", 0x7B2C3F4A10 if size == 8 else 0xF7A4C3B0, size, text)
    block = memory_words.block_after(shown.encode(), 0)
    assert block is not None
    assert block.data.startswith(data)
    for i, byte in enumerate(block.data):
        places = block.outer(i, i + 1)
        assert bytes.fromhex(shown[slice(*places[0])]) == bytes([byte])
        assert len(places) == 1 + text


@given(
    st.lists(
        st.sampled_from(["    0000007b2c3f4a10", " 6f54796265722065", "--------", "  text", "\n", "0x", ":", "\0"])
    )
)
def test_any_lines_are_survived_as_words(parts: list[str]) -> None:
    block = memory_words.block_after(("memory near x0:\n" + "".join(parts)).encode(), 0)
    if block:
        block.outer(0, len(block.data))
        block.inner(5)
