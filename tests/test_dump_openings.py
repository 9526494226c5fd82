"""What is asked before the formats of dumps are: nothing that one of them would recognise is kept from it."""

from __future__ import annotations

import pytest

from scanner.decoders.dumps import dump_of, undecided
from scanner.decoders.dumps.formats import DUMPS
from scanner.decoders.dumps.openings import may_be_dump
from scanner.decoders.dumps.physical import KNOWN

REPORTS = {
    "hs-err": (
        b"#\n# A fatal error has been detected by the Java",
        b"#\r\n# There is insufficient memory for the Java",
    ),
    "tombstone": (b"*** *** *** *** *** *** *** *** *** *** ***\nBuild fingerprint:",),
    "ips": (b'{"app_name":"x","bug_type":"309"}\n{\n"uptime": 1',),
    "node-report": (b'{"header":{"reportVersion":3', b'\n{\n  "header": {\n    "reportVersion": 3,'),
    "faulthandler": (b"Fatal Python error: Segmentation fault\n", b"2026-01-01 start\nCurrent thread 0x00007f (most"),
    "go-panic": (b"panic: x\n\ngoroutine 1 [running]:\n", b"ready\npanic: x\n\ngoroutine 1 [running]:\n"),
    "rust-panic": (b"thread 'main' panicked at src/main.rs:2:5:\n", b"ready\nthread 'main' (7) panicked at x:1:1:\n"),
    "thread-dump": (
        b"2026-01-01 00:00:00\nFull thread dump OpenJDK 64-Bit Server VM (21):\n",
        b"Full thread dump OpenJDK",
        b"\n\n----- pid 77 at 2026-01-01 00:00:00 -----\n",
    ),
    "heapsnapshot": (b'{"snapshot":{"meta":{"node_fields":[', b' {\n "snapshot" : { "meta" : {'),
    "hprof": (b"JAVA PROFILE 1.0.2\0",),
    "jfr": (b"FLR\0\0\2\0\1",),
    "elf-core": (b"\x7fELF\2\1\1" + bytes(9) + b"\4\0",),
    "minidump": (b"MDMP\x93\xa7",),
    "lime": (b"EMiL\1\0\0\0",),
    "windows-kernel": (b"PAGEDU64", b"PAGEDUMP"),
}  # fmt: skip
MEMORY = {
    name: tuple(bytes(one.at) + magic + bytes(8) + b"\0\x10\0\0" + bytes(64) for magic in one.magic)
    for name, one in KNOWN.items()
}
BEGINNINGS = [(name, head) for name, heads in (REPORTS | MEMORY).items() for head in heads]


def test_each_format_has_a_beginning_here() -> None:
    assert {dump.name for dump in DUMPS} == set(REPORTS) | set(MEMORY)


@pytest.mark.parametrize(("name", "head"), BEGINNINGS)
def test_what_a_dump_begins_with_reaches_its_format(name: str, head: bytes) -> None:
    dump = dump_of(head)
    assert dump is not None and dump.name == name


@pytest.mark.parametrize(("name", "head"), BEGINNINGS)
def test_what_is_cut_short_is_waited_for(name: str, head: bytes) -> None:
    """As far as the formats themselves would wait."""
    for size in range(1, min(len(head), 300)):
        assert undecided(head[:size]) == any(dump.undecided(head[:size]) for dump in DUMPS), (name, size)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"2026-11-22T12:00:00Z INFO started\n" * 100,
        b'{"ts":"2026-11-22T12:00:00Z","msg":"the header of a report"}\n' * 60,
        b"# comment\n" * 200,
        b"<189>1 2026-11-22T12:00:00Z host app - - - full thread dump\n" * 50,
    ],
)
def test_a_log_is_no_dump(head: bytes) -> None:
    assert not may_be_dump(head)
