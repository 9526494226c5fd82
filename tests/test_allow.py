"""Allow lists: what an entry covers, when it ends, and which entries are refused."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.detector import Kind
from scanner.allow import AllowList, Entry, Glob, Tally, load_allow
from scanner.errors import UsageError
from scanner.model import Finding, StreamId
from tests.scanning import jwt, scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARK = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def finding() -> Finding:
    (found,) = scan(b"Authorization: Bearer " + jwt(1) + b"\n")
    return replace(found, fingerprint=MARK, stream=StreamId("var/logs/app.log"))


def listed(tmp_path: Path, text: str, detectors: list[str] | None = None) -> AllowList:
    path = tmp_path / "allow.toml"
    path.write_text(text, encoding="utf-8")
    return load_allow(path, detectors)


@pytest.mark.parametrize(
    ("conditions", "covered"),
    [
        (f"fingerprint='{MARK}'", True),
        (f"fingerprint='{MARK[:8].upper()}'", True),
        ("fingerprint='0123456700'", False),
        ("rule='jwt'", True),
        ("rule='j*'", True),
        ("rule='bearer'", False),
        ("kind='jwt'", True),
        ("kind='api_key'", False),
        ("path='*.log'", True),
        ("path='*.txt'", False),
        ("path='*.log'\nrule='jwt'\nkind='jwt'\nfingerprint='01234567'", True),
        ("path='*.log'\nrule='bearer'\nkind='jwt'\nfingerprint='01234567'", False),
    ],
)
def test_an_entry_suppresses_what_meets_all_its_conditions(
    tmp_path: Path, finding: Finding, conditions: str, covered: bool
) -> None:
    allow = listed(tmp_path, "[[allow]]\n" + conditions)
    assert (allow.suppresses(finding, NOW) is not None) is covered


@pytest.mark.parametrize(
    ("expires", "end"),
    [
        ("2026-11-22", datetime(2026, 11, 23, tzinfo=UTC)),
        ("'2026-11-22'", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-22T12:00:00Z", NOW),
        ("2026-11-22T13:00:00+01:00", NOW),
    ],
)
def test_an_entry_ends_at_its_expiry_and_that_is_said(
    tmp_path: Path, finding: Finding, expires: str, end: datetime
) -> None:
    allow = listed(tmp_path, f"[[allow]]\nrule='jwt'\nreason='test account'\nexpires={expires}\n")
    before = end - timedelta(microseconds=1)
    assert allow.suppresses(finding, before)
    assert allow.expired(before) == []
    assert allow.suppresses(finding, end) is None
    (said,) = allow.expired(end)
    assert "entry 1 (test account) expired" in said


def test_what_is_suppressed_is_counted_by_the_first_entry_that_covers_it(tmp_path: Path, finding: Finding) -> None:
    text = "[[allow]]\nrule='jwt'\nexpires=2020-01-01\n[[allow]]\nkind='jwt'\n[[allow]]\nrule='jwt'\n"
    tally = Tally(listed(tmp_path, text), NOW)
    other = replace(finding, kind=Kind.API_KEY, detector="bearer")
    assert [tally.takes(one) for one in (finding, other, finding)] == [True, False, True]
    assert [(one.entry, one.findings) for one in tally.counted()] == [(2, 2)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[allow]]\nreason='x'", "entry 1: has no condition"),
        ("[[allow]]\nrule='jwt'\n[[allow]]\n", "entry 2: has no condition"),
        ("[[allow]]\nfingerprint='0123456'", "entry 1: fingerprint.*never"),
        ("[[allow]]\nfingerprint='0123456x'", "entry 1: fingerprint.*never"),
        ("[[allow]]\nfingerprint=12345678", "entry 1: fingerprint must be text"),
        ("[[allow]]\nrule='none'", "entry 1: rule 'none'.*never"),
        ("[[allow]]\nrule=''", "entry 1: rule.*never"),
        ("[[allow]]\nkind='jwtt'", "entry 1: kind 'jwtt'.*never"),
        ("[[allow]]\npath=''", "entry 1: a path glob"),
        ("[[allow]]\npath='a[b'", "entry 1: a ] is missing"),
        ("[[allow]]\npath='[b-a]'", "entry 1: a range"),
        ("[[allow]]\npaths='a'", "entry 1: paths is not known"),
        ("[[allow]]\nrule='jwt'\nexpires='soon'", "entry 1: expires"),
        ("[[allow]]\nrule='jwt'\nexpires=2026-01-01T00:00:00", "entry 1: expires needs a time zone"),
        ("[[allow]]\nrule='jwt'\nexpires=2026", "entry 1: expires"),
        ("[[allows]]\nrule='jwt'", "something else"),
        ("allow=1", "something else"),
        ("]", "not TOML"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_by_number(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        listed(tmp_path, text, ["jwt", "bearer"])


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_allow(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.log", "a.log", True),
        ("*.log", "x/y/a.log", True),
        ("*.log", "a.log.1", False),
        ("a.log", "ba.log", False),
        ("logs/*.log", "/var/logs/a.log", True),
        ("logs/*.log", "/var/logs/x/a.log", False),
        ("logs/**/*.log", "/var/logs/a.log", True),
        ("logs/**/*.log", "/var/logs/x/y/a.log", True),
        ("logs/**", "logs/x/y/a.log", True),
        ("logs/", "logs/x/y/a.log", True),
        ("logs/", "logs", False),
        ("logs/", "mylogs/a", False),
        ("/var/*.log", "/var/a.log", True),
        ("/var/*.log", "/x/var/a.log", False),
        ("./a.log", "a.log", True),
        ("a.log", "./a.log", True),
        ("a?.log", "ab.log", True),
        ("a?b", "a/b", False),
        ("a[0-9].log", "a7.log", True),
        ("a[!0-9].log", "a7.log", False),
        ("a[!0-9]b", "a/b", False),
        ("a.log", "aXlog", False),
        ("*.zip!*.log", "x/y.zip!a.log", True),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    assert Glob(glob).matches(StreamId(path)) is fits


def test_globs_reach_into_archives() -> None:
    stream = StreamId("old/backup.tgz", ("gzip", "tar:app/app.log"))
    assert Glob("backup.tgz").matches(stream)
    assert Glob("app/*.log").matches(stream)
    assert Glob("backup.tgz!app/*").matches(stream)
    assert not Glob("backup.tgz!*.txt").matches(stream)


NAMES = st.text(string.ascii_letters + string.digits + ".-_ []*?!é\n", min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join).filter(lambda path: path.strip("/ ") != "")


def literal(path: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


@given(PATHS, PATHS)
def test_a_glob_without_wildcards_fits_itself_and_nothing_else(path: str, other: str) -> None:
    glob = Glob(literal(path))
    assert glob.matches(StreamId(path))
    assert glob.matches(StreamId(f"/some/where/{path}"))
    if not other.endswith(path):
        assert not glob.matches(StreamId(other))


@given(PATHS, st.data())
def test_replacing_a_stretch_by_stars_still_fits(path: str, draw: st.DataObject) -> None:
    low = draw.draw(st.integers(0, len(path)))
    high = draw.draw(st.integers(low, len(path)))
    stretch = path[low:high]
    wild = literal(path[:low]) + ("*" if "/" not in stretch else "**") + literal(path[high:])
    assert Glob(wild).matches(StreamId(path)) or wild.endswith("/")


@given(PATHS, PATHS)
def test_one_star_never_crosses_a_folder(first: str, second: str) -> None:
    assert not Glob("/" + literal(first) + "*").matches(StreamId(f"/{first}/{second}"))


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(8, 64), st.integers(0, 63))
def test_a_prefix_covers_its_fingerprint_and_no_other(mark: str, size: int, changed: int) -> None:
    (found,) = scan(b"Bearer " + jwt(2) + b"\n")
    entry = Entry(1, fingerprint=mark[:size])
    other = mark[:changed] + format(15 - int(mark[changed], 16), "x") + mark[changed + 1 :]
    assert entry.covers(replace(found, fingerprint=mark))
    assert entry.covers(replace(found, fingerprint=other)) is (changed >= size)
