"""Many sources on many workers: the same events as one after another, to the byte; a killed one costs its unit."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.codec import pack, unpack
from scanner.model import Finding, Skipped, Source, StreamId
from scanner.run import Options, Progress, run
from scanner.run.pool import processes
from scanner.run.units import Unit, all_units
from scanner.values import Value
from tests.archives import tar, zipped
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.scanning import scan as scan_bytes
from tests.streams import source_of

OPTIONS = Options(AS_OF, KEY)
FILLER = b"2026-11-22T10:00:00Z INFO nothing of interest here, request 4711 took 12 ms\n"


def line(seed: int) -> bytes:
    return b"2026-11-22T10:00:%02dZ DEBUG authorization: Bearer %s\n" % (seed % 60, jwt(seed))


def put(folder: Path, files: dict[str, bytes]) -> list[Source]:
    sources = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        sources.append(source_of(folder / name))
    return sources


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units so small that a test's files make many of them."""
    monkeypatch.setattr("scanner.run.units.RANGE", 200_000)
    monkeypatch.setattr("scanner.run.units.RANGE_LEAST", 200_000)
    monkeypatch.setattr("scanner.run.units.BATCH_BYTES", 20_000)
    monkeypatch.setattr("scanner.run.units.BATCH_FILES", 3)
    monkeypatch.setattr("scanner.run.sequence.RANGE", 2)


def files() -> dict[str, bytes]:
    big = b"".join((FILLER * 40) + line(n) + (b"x" * 1000 if n % 7 else b"\n") for n in range(400))
    return {
        "a.log": line(1) + FILLER,
        "big.log": big,
        "b.log.gz": gzip.compress(big[:300_000]),
        "c.tar": tar({"one": line(2), "two.gz": gzip.compress(line(3))}),
        "d.zip": zipped({"x": line(4)})[:-30],
        "broken.gz": gzip.compress(big[:300_000])[:-100],
        **{f"small-{n}.log": FILLER * 3 + line(n) for n in range(40)},
        "one-line.log": (b"y" * 700_000) + b" " + jwt(5) + b" " + b"z" * 10,
    }


@pytest.mark.usefixtures("small_units")
@pytest.mark.parametrize("jobs", [2, 3])
def test_processes_find_what_one_does(tmp_path: Path, jobs: int) -> None:
    sources = put(tmp_path, files())
    assert len(list(all_units(sources, jobs))) > 15
    serial = list(run(sources, OPTIONS))
    assert len(serial) > 500
    assert list(run(sources, OPTIONS, jobs=jobs)) == serial


@pytest.mark.usefixtures("small_units")
def test_any_executor_will_do(tmp_path: Path) -> None:
    sources = put(tmp_path, files())
    with ThreadPoolExecutor(2) as executor:
        assert list(run(sources, OPTIONS, executor=executor)) == list(run(sources, OPTIONS))


@pytest.mark.usefixtures("small_units")
def test_values_come_with_their_findings(tmp_path: Path) -> None:
    sources = put(tmp_path, files())
    kept: list[list[Value]] = [[], []]
    found = [list(run(sources, OPTIONS, jobs=jobs, keep=kept[jobs - 1].append)) for jobs in (1, 2)]
    assert found[0] == found[1]
    for events, values in zip(found, kept, strict=True):
        assert [value.finding for value in values] == [event for event in events if isinstance(event, Finding)]
    assert [v.match.secret.reveal() for v in kept[0]] == [v.match.secret.reveal() for v in kept[1]]


PIECES = st.lists(
    st.one_of(
        st.builds(line, st.integers(0, 99)),
        st.builds(lambda n: b'{"access_token": "%s", "expires_in": 299}\n' % opaque(n), st.integers(0, 99)),
        st.sampled_from([FILLER * 200, b"x" * 50_000, b"\n" * 3000, bytes(20_000)]),
    ),
    min_size=1,
    max_size=25,
).map(b"".join)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(contents=st.lists(PIECES, min_size=1, max_size=4), repeat=st.integers(1, 12), workers=st.integers(1, 4))
@pytest.mark.usefixtures("small_units")
def test_however_it_is_cut(tmp_path: Path, contents: list[bytes], repeat: int, workers: int) -> None:
    sources = put(tmp_path, {f"{n}": data * repeat for n, data in enumerate(contents)})
    with ThreadPoolExecutor(1) as executor:
        assert list(run(sources, OPTIONS, executor=executor)) == list(run(sources, OPTIONS))
    cut = [unit for unit in all_units(sources, workers) if unit.ranged]
    for source in sources:
        ranges = [(unit.start, unit.end) for unit in cut if unit.sources == (source,)]
        if ranges:
            assert [low for low, _ in ranges] == [0, *(high for _, high in ranges[:-1])]
            assert ranges[-1][1] is None


PACKS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "joined gzip": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
    "cut gzip": lambda data: gzip.compress(data)[:-40],
    "tar.gz": lambda data: gzip.compress(tar({"one": data, "two": data[:9000]})),
    "zip": lambda data: zipped({"one": data, "two.tar": tar({"in": data[-9000:]})}),
    "streamed zip": lambda data: zipped({"one": data}, streamed=True),
}


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(contents=st.lists(st.tuples(PIECES, st.sampled_from(sorted(PACKS))), min_size=2, max_size=6))
@pytest.mark.usefixtures("small_units")
def test_archives_among_the_files_make_no_difference(tmp_path: Path, contents: list[tuple[bytes, str]]) -> None:
    sources = put(tmp_path, {f"{n}": PACKS[pack](data) for n, (data, pack) in enumerate(contents)})
    assert list(run(sources, OPTIONS, jobs=2)) == list(run(sources, OPTIONS))


def test_events_come_back_from_their_packed_form() -> None:
    data = b"".join(line(n) + b'{"client_secret": "%s"}\n' % opaque(n) for n in range(20))
    events: list[Finding | Skipped] = [*scan_bytes(data), Skipped(StreamId("a", ("gzip", "tar:ü")), "why", None)]
    assert list(unpack(pack(events))) == events


# ---- workers that die


def _kills(unit: Unit, options: Options, read: object = None) -> object:
    """What a unit's work is replaced by: a source called `deadly` kills its process, always or once."""
    from scanner.run.work import work

    for source in unit.sources:
        if source.path.endswith("deadly"):
            mark = Path(source.path + ".died")
            if source.path.endswith("always-deadly") or not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return work(unit, options)


@pytest.mark.usefixtures("small_units")
@pytest.mark.parametrize("name", ["once-deadly", "always-deadly"])
def test_a_killed_worker_loses_its_unit_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """SIGKILL is what the kernel's out-of-memory killer sends."""
    contents = {f"{n}.log": FILLER * 50 + line(n) for n in range(30)}
    contents["7.log-" + name] = contents.pop("7.log")
    sources = put(tmp_path, dict(sorted(contents.items())))
    serial = list(run(sources, OPTIONS))
    monkeypatch.setattr("scanner.run.pool.work", _kills)
    found = list(run(sources, OPTIONS, jobs=2))
    if name == "once-deadly":
        assert found == serial
        return
    lost = [event for event in found if isinstance(event, Skipped)]
    assert [(event.stream.path, event.reason) for event in lost] == [
        (str(tmp_path / "7.log-always-deadly"), "the worker process died twice (out of memory?)")
    ]
    assert [event for event in found if event not in lost] == [
        event for event in serial if event.stream.path != lost[0].stream.path
    ]


def test_progress_of_a_unit_that_is_not_done_yet(tmp_path: Path) -> None:
    """One large compressed file is one unit: it is told how far it is all the same."""
    text = b"".join(b"%032x nothing\n" % (n * 2654435761 % 2**32) for n in range(400_000)) * 8
    (source,) = put(tmp_path, {"a.gz": gzip.compress(text, 1)})
    assert source.size
    told: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.run.sequence.RANGE", 2)
        patch.setattr("scanner.run.pool.TELL_EVERY", 0.01)
        assert list(run([source], OPTIONS, jobs=2, progress=told.append)) == []
    done = [now.bytes_done for now in told]
    assert done == sorted(done)
    assert done[-1] == told[-1].bytes_total == source.size
    assert len({count for count in done if 0 < count < source.size}) > 3


# ---- memory


def peak_of(*args: str | Path) -> tuple[int, int]:
    """(bytes resident at most in the largest process, and in all together) of a scan, shared pages counted in each."""
    program = str(Path(sys.executable).with_name("bearertrap"))
    one = every = 0
    with subprocess.Popen(
        [program, "scan", "-q", "--exit-zero", *map(str, args)], stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            sizes = [resident(pid) for pid in (process.pid, *children(process.pid))]
            one, every = max(one, *sizes), max(every, sum(sizes))
            time.sleep(0.02)
        assert process.returncode == 0
    return one, every


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["lines", "one line", "dense"])
def test_memory_stays_whatever_the_size(tmp_path: Path, shape: str) -> None:
    """5 GB of log, 1 GB without a line's end, and a finding in every line."""
    path = tmp_path / "big.log"
    piece = {
        "lines": FILLER * 13_000 + line(1),
        "one line": b"x" * 999_000 + b" " + jwt(2) + b" ",
        "dense": b"".join(line(n) for n in range(3000)),
    }[shape]
    wanted = {"lines": 5 << 30, "one line": 1 << 30, "dense": 64 << 20}[shape]
    with path.open("wb") as file:
        for _ in range(wanted // len(piece)):
            file.write(piece)
    one, every = peak_of("-o", tmp_path / "out.jsonl", "--jobs", "2", path)
    with (tmp_path / "out.jsonl").open("rb") as rows:
        findings = sum(b'"type":"finding"' in row for row in rows)
    path.unlink()
    assert findings == wanted // len(piece) * (3000 if shape == "dense" else 1)
    assert one < 100_000_000
    assert every < 300_000_000


def test_an_interrupt_that_breaks_a_lock_stays_an_interrupt() -> None:
    """As one does that comes while `Condition.wait` has let go of its lock."""
    condition = threading.Condition()

    def waiting() -> None:
        with processes(OPTIONS, 1), condition:
            condition.release()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        waiting()
