"""A second look at each source: copies are found in each kind of source, in order, and at no cost without need."""

from __future__ import annotations

import base64
import gzip
import os
import random
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import pytest

from scanner.model import Finding, Skipped
from scanner.run import Options, run
from scanner.secondlook import Copies
from scanner.values import Value
from tests.commands import bearertrap
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of

SECRET, OTHER = opaque(1, 40), opaque(2, 24)
KEYED = b'2026-11-22T10:00:00Z INFO {"client_secret": "' + SECRET + b'"}\n'
FILLER = b"2026-11-22T10:00:01Z INFO request done in 12 ms\n" * 50
BARE = [
    SECRET,
    SECRET.decode().encode("utf-16-le"),
    SECRET.hex().encode(),
    base64.b64encode(b"x" + SECRET + b"yy"),
]
LOG = FILLER + b"connect(" + SECRET + b")\n" + KEYED + FILLER + b"\n".join(BARE) + b"\n"
OPENED: list[str] = []


def look(path: Path, copies: Copies = Copies.AUTO, jobs: int = 1) -> list[Finding | Skipped]:
    return list(run([source_of(path)], Options(AS_OF, KEY, copies=copies), jobs=jobs))


def findings(path: Path, copies: Copies = Copies.AUTO) -> list[Finding]:
    return [event for event in look(path, copies) if isinstance(event, Finding)]


@pytest.fixture
def opened() -> list[str]:
    """The paths this process opens from here on."""

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and isinstance(args[0], str | bytes):
            OPENED.append(os.fsdecode(args[0]))

    if not getattr(sys, "_bearertrap_hook", False):
        sys.addaudithook(hook)
        sys._bearertrap_hook = True  # type: ignore[attr-defined]  # a hook can't be removed, so it is added once
    OPENED.clear()
    return OPENED


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_copies_come_after_the_findings_of_their_source(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(gzip.compress(LOG) if packed else LOG)
    found = findings(path)
    assert [one.copy_of is None for one in found] == [True, False, False, False, False, False]
    first, *copies = found
    assert LOG[first.spans[0].start : first.spans[0].end] == SECRET
    assert [one.encoding for one in copies] == [(), (), ("utf-16le",), ("hex",), ("base64",)]
    assert {one.fingerprint for one in found} == {first.fingerprint}
    assert {one.copy_of for one in copies} == {first.id}
    starts = [one.spans[0].start for one in copies]
    assert starts == sorted(starts) and starts[0] == LOG.index(b"(" + SECRET) + 1
    for one in copies:
        start = one.spans[0].start
        assert (one.line, one.column) == (LOG.count(b"\n", 0, start) + 1, start - LOG.rfind(b"\n", 0, start))
    assert [one.copy_of for one in findings(path, Copies.NEVER)] == [None]


def test_values_of_one_stream_are_looked_for_in_the_others(tmp_path: Path) -> None:
    """Two members of one gzip file, each a stream of its own or both one: a copy before and one behind."""
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(b"early: " + SECRET + b"\n") + gzip.compress(KEYED + b"late: " + SECRET + b"\n"))
    assert [one.copy_of is None for one in findings(path)] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "auto", "always"),
    [
        (FILLER, 1, 1),
        (b"Authorization: Bearer " + jwt(1) + b"\n", 1, 2),
        (b"token " + b"gh" + b"p_" + b"4Kq9ZxR7aLkV2tYbN0cWpE8sUdJ6fH1XDVPK\n", 1, None),
        (KEYED, 2, 2),
        (b"GET / HTTP/1.1\nAuthorization: Bearer " + OTHER + b"\n", 2, 2),
    ],
    ids=["nothing", "jwt", "vendor token", "by key", "by header"],
)
def test_only_what_its_context_gave_away_costs_a_second_look(
    tmp_path: Path, opened: list[str], text: bytes, auto: int, always: int | None
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(FILLER * 50 + text)  # too large to be read at a glance first
    for mode, times in ((Copies.NEVER, 1), (Copies.AUTO, auto), (Copies.ALWAYS, always)):
        opened.clear()
        look(path, mode)
        assert times is None or opened.count(str(path)) == times, mode


def test_ranges_find_what_one_look_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies stand on and near the edges of ranges, in each range, and far from what gave them away."""
    size = 300_000
    monkeypatch.setattr(import_module("scanner.run.units"), "RANGE_LEAST", size)
    monkeypatch.setattr(import_module("scanner.run.sequence"), "RANGE", size)
    draw = random.Random(5)
    data = bytearray((FILLER * 2000)[: 8 * size])
    for seed in range(40):
        near = draw.choice([size, 3 * size, 5 * size]) + draw.randrange(-60, 20)
        for at in (near if seed < 6 else draw.randrange(len(data) - 200), draw.randrange(len(data) - 200)):
            value = b" " + draw.choice([*BARE, OTHER]) + b" "
            data[at : at + len(value)] = value
    data[7 * size : 7 * size] = b"\n" + KEYED + b"Authorization: Bearer " + OTHER + b"\n"
    path = tmp_path / "big.log"
    path.write_bytes(data)
    alone, together = look(path), look(path, jobs=2)
    assert together == alone
    copies = [one for one in alone if isinstance(one, Finding) and one.copy_of]
    assert len(copies) > 40
    for one in copies:
        start = one.spans[0].start
        assert (one.line, one.column) == (data.count(b"\n", 0, start) + 1, start - data.rfind(b"\n", 0, start))


def test_values_do_not_come_back_from_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("scanner.run.units"), "RANGE_LEAST", 300_000)
    big, small = tmp_path / "big.log", tmp_path / "small.log"
    big.write_bytes(LOG + FILLER * 400)
    small.write_bytes(LOG)
    said: list[str] = []
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        sources = [source_of(big), source_of(small)]
        events = list(run(sources, Options(AS_OF, KEY), executor=pool, notice=said.append))
    copied = [event.stream.path for event in events if isinstance(event, Finding) and event.copy_of]
    assert copied == [str(small)] * 5  # looked at whole by one worker, which keeps its values to itself
    assert said == [f"{big}: copies were not looked for: values stay on the machine that found them"]


def test_a_copy_has_its_value_for_who_keeps_values(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(LOG)
    kept: list[Value] = []
    events = list(run([source_of(path)], Options(AS_OF, KEY), keep=kept.append))
    assert [value.finding for value in kept] == events
    assert {value.match.secret.reveal() for value in kept} == {SECRET}


def test_what_broke_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    noise = random.Random(1).randbytes(200_000).hex().encode()
    path.write_bytes(gzip.compress(LOG + noise)[:-50_000])
    events = look(path)
    assert len([event for event in events if isinstance(event, Skipped)]) == 1
    assert len([event for event in events if isinstance(event, Finding) and event.copy_of]) == 5


def test_a_file_that_went_away_meanwhile_is_said(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(LOG)
    events = run([source_of(path)], Options(AS_OF, KEY))
    assert isinstance(next(events), Finding)
    path.unlink()
    (gone,) = events
    assert isinstance(gone, Skipped) and gone.reason.startswith("cannot be read again")


def test_a_dump_completes_its_copies_too(tmp_path: Path) -> None:
    path = tmp_path / "heap.hprof"
    path.write_bytes(b"JAVA PROFILE 1.0.2\0" + bytes(64) + KEYED + bytes(500) + b"\n".join(BARE))
    found = findings(path)
    assert len(found) == 5
    assert {(one.format, one.line) for one in found} == {("hprof", None)}


def test_the_command_looks_again_and_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(LOG)
    reports = [argument for suffix in ("json", "csv", "txt") for argument in ("-o", f"r.{suffix}")]
    for mode, count in (("auto", 6), ("always", 6), ("never", 1)):
        ran = bearertrap("scan", "--copies", mode, *reports, "-o", "-", "app.log", cwd=tmp_path)
        assert len(ran.findings) == count and ran.code == 11
        written = ran.said + b"".join((tmp_path / f"r.{suffix}").read_bytes() for suffix in ("json", "csv", "txt"))
        for form in (SECRET, SECRET.hex().encode(), base64.b64encode(SECRET)[:40]):
            assert form not in written
    assert ran.summary["notices"] == []
    whole = bearertrap("scan", "app.log", cwd=tmp_path).findings
    assert [one["copy_of"] for one in whole] == [None] + [whole[0]["id"]] * 5


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    piped = bearertrap("scan", "-", stdin=LOG)
    assert len(piped.findings) == 1 and piped.code == 11


def test_an_entry_of_the_allow_list_covers_the_copies_too(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(LOG)
    mark = bearertrap("scan", "app.log", cwd=tmp_path).findings[0]["fingerprint"]
    (tmp_path / "allow.toml").write_text(f"[[allow]]\nfingerprint = '{mark[:8]}'\n")
    ran = bearertrap("scan", "--allow", "allow.toml", "app.log", cwd=tmp_path)
    assert not ran.findings and ran.code == 0 and ran.summary["suppressed"] == 6


def test_more_values_than_there_is_room_for_are_said(tmp_path: Path) -> None:
    lines = [b'{"client_secret": "' + opaque(seed, 32) + b'"}\n' for seed in range(1010)]
    (tmp_path / "app.log").write_bytes(b"".join(lines) + opaque(3, 32) + b"\n")
    ran = bearertrap("scan", "app.log", cwd=tmp_path)
    assert ran.code == 11 and len(ran.findings) > 1001 and ran.findings[-1]["copy_of"]
    (said,) = ran.summary["notices"]
    assert re.fullmatch(r"app\.log: more than 1,000 distinct secrets: copies of the others were not looked for", said)
    assert said.encode() in ran.err


def test_a_sparse_file_is_looked_at_again_where_it_has_data(tmp_path: Path) -> None:
    path = tmp_path / "core"
    with path.open("wb") as file:
        file.write(b"early\n" + SECRET + b"\n")
        file.seek(96 << 20)
        file.write(b"\n" + KEYED + b"late " + SECRET)
    found = findings(path)
    assert [(one.copy_of is None, one.line) for one in found] == [(True, 4), (False, 2), (False, 5)]
    assert found[2].spans[0].end == path.stat().st_size
