"""`--rules`, `--skip-rule` and `--allow` on the command: honoured, counted, said, and no secret shown."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import tarfile
from pathlib import Path

import pytest

from scanner.rules import detectors_of, read_rules
from scanner.run import Options, run
from scanner.run.units import RANGE
from scanner.sources import WalkRules, walk
from tests.commands import ROOT, bearertrap
from tests.scanning import AS_OF, KEY, jwt, opaque

RULES = """
[[rules]]
id = "acme-token"
description = "Acme token"
regex = '''acme[-_][a-z]{2,10}:([a-z0-9]{32})\\b'''
keywords = ["acme"]
"""
ONE, TWO = (opaque(seed, 32).lower() for seed in (1, 2))
LOG = b"".join(
    b"2026-11-22T10:00:00Z INFO acme_%s:%s sent\n" % (name, value) for name, value in ((b"ab", ONE), (b"cd", TWO))
)
TOKEN = jwt(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "app.log").write_bytes(LOG + b"Authorization: Bearer " + TOKEN + b"\n")
    return tmp_path


def test_a_rule_finds_beside_our_detectors(folder: Path) -> None:
    plain = bearertrap("scan", "app.log", cwd=folder)
    assert [one["detector"] for one in plain.findings] == ["jwt"]
    with_rules = bearertrap("scan", "--rules", "rules.toml", "app.log", cwd=folder)
    assert [one["detector"] for one in with_rules.findings] == ["rule:acme-token"] * 2 + ["jwt"]
    first = with_rules.findings[0]
    data = (folder / "app.log").read_bytes()
    assert data[first["spans"][0]["start"] : first["spans"][0]["end"]] == ONE
    assert first["kind"] == "bearer_token" and first["line"] == 1


def test_a_rule_does_not_take_a_token_that_proves_itself(folder: Path) -> None:
    (folder / "rules.toml").write_text("[[rules]]\nid = 'any'\nregex = '''Bearer \\S+'''\n")
    found = bearertrap("scan", "--rules", "rules.toml", "app.log", cwd=folder).findings
    assert [one["detector"] for one in found] == ["jwt"]  # with its claims and its verdict


def test_a_path_rule_sees_members_of_archives(folder: Path) -> None:
    (folder / "rules.toml").write_text(RULES + "path = '''!logs/acme[.]log$'''\n")
    blob = io.BytesIO()
    with tarfile.open(fileobj=blob, mode="w:gz") as tar:
        for name in ("logs/acme.log", "logs/other.log"):
            info = tarfile.TarInfo(name)
            info.size = len(LOG)
            tar.addfile(info, io.BytesIO(LOG))
    (folder / "old.tgz").write_bytes(blob.getvalue())
    args = ["--copies", "never", "--rules", "rules.toml"]
    found = bearertrap("scan", *args, "old.tgz", "app.log", cwd=folder).findings
    of_rule = [one for one in found if one["detector"] == "rule:acme-token"]
    assert [one["source"]["layers"][-1] for one in of_rule] == ["tar:logs/acme.log"] * 2


def test_refused_rules_are_named_all_at_once(folder: Path) -> None:
    (folder / "rules.toml").write_text(
        RULES + "[[rules]]\nid='only-path'\npath='x'\n[[rules]]\nid='odd'\nregex='acme(?=x)'\n"
    )
    refused = bearertrap("scan", "--rules", "rules.toml", "app.log", cwd=folder)
    assert refused.code == 2 and not refused.out
    assert b"rules.toml" in refused.err and b"'only-path'" in refused.err and b"'odd'" in refused.err
    taken = bearertrap(
        "scan", "--rules", "rules.toml", "--skip-rule", "only-path", "--skip-rule", "odd", "app.log", cwd=folder
    )
    assert len(taken.findings) == 3
    (folder / "rules.toml").write_text(RULES)
    unknown = bearertrap("scan", "--rules", "rules.toml", "--skip-rule", "nonesuch", "app.log", cwd=folder)
    assert unknown.code == 2 and b"'nonesuch'" in unknown.err


def test_two_files_may_not_use_one_id(folder: Path) -> None:
    (folder / "more.toml").write_text(RULES)
    twice = bearertrap("scan", "--rules", "rules.toml", "--rules", "more.toml", "app.log", cwd=folder)
    assert twice.code == 2 and b"'acme-token' stands in rules.toml and in more.toml" in twice.err


def test_a_rule_that_takes_too_long_is_a_skipped_place_and_no_more(folder: Path) -> None:
    (folder / "rules.toml").write_text("[[rules]]\nid='evil'\nregex='acme(a|aa)+$'\n" + RULES)
    evil = b"".join(b"acme" + b"a" * 2000 + b"!%d\n" % i + b"." * 20_000 + b"\n" for i in range(8))
    (folder / "app.log").write_bytes(evil + LOG)
    slow = bearertrap("scan", "--rules", "rules.toml", "app.log", cwd=folder)
    assert slow.code == 12
    assert [one["detector"] for one in slow.findings] == ["rule:acme-token"] * 2
    assert len(slow.skipped) == 5 and all("rule:evil" in one["reason"] for one in slow.skipped)
    assert "not tried any further" in slow.skipped[-1]["reason"]
    assert b"aaaa" not in slow.said


def test_workers_make_the_same_detectors(folder: Path) -> None:
    files = read_rules([folder / "rules.toml"])
    options = Options(AS_OF, KEY, rules=files)
    arrived = pickle.loads(pickle.dumps(options))  # noqa: S301 - our own
    assert arrived == options and hash(arrived) == hash(options)
    assert [one.id for one in detectors_of(arrived.rules)] == ["rule:acme-token"]
    line = b"2026-11-22T10:00:00Z INFO nothing here to see, move along\n"
    with (folder / "big.log").open("wb") as file:
        for _ in range(5):
            file.write(line * (RANGE // 2 // len(line)))
            file.write(LOG)
    sources = list(walk([str(folder / "big.log")], WalkRules()))
    alone, together = (list(run(sources, options, jobs=jobs)) for jobs in (1, 2))  # type: ignore[arg-type]
    assert alone == together and len(alone) == 10


ALLOW = """
[[allow]]
rule = "rule:acme-*"
path = "app.log"
reason = "test data"
expires = {expires}
"""


def allowed(folder: Path, expires: str = "2030-01-01") -> list[str]:
    (folder / "allow.toml").write_text(ALLOW.format(expires=expires))
    return ["--rules", "rules.toml", "--allow", "allow.toml"]


def test_suppressed_findings_are_counted_in_every_format(folder: Path) -> None:
    args = ["scan", *allowed(folder), "app.log"]
    reports = ["-o", "r.json", "-o", "r.csv", "-o", "r.txt", "-o", "-"]
    some = bearertrap(*args, *reports, cwd=folder)
    assert [one["detector"] for one in some.findings] == ["jwt"]
    assert some.summary["suppressed"] == 2 and some.summary["findings"] == 1
    assert some.summary["suppressed_by"] == [{"entry": 1, "reason": "test data", "findings": 2}]
    said = b"2 findings suppressed by entry 1 (test data)"
    assert b'"suppressed":2' in (folder / "r.json").read_bytes()
    assert said in (folder / "r.csv").read_bytes() and said in (folder / "r.txt").read_bytes()
    written = some.said + b"".join((folder / f"r.{suffix}").read_bytes() for suffix in ("json", "csv", "txt"))
    for secret in (ONE, TWO, TOKEN, TOKEN.rpartition(b".")[2]):
        assert secret not in written


def test_the_exit_code_counts_what_is_left(folder: Path) -> None:
    (folder / "app.log").write_bytes(LOG)
    assert bearertrap("scan", "--rules", "rules.toml", "app.log", cwd=folder).code == 11
    assert bearertrap("scan", *allowed(folder), "app.log", cwd=folder).code == 0


def test_an_expired_entry_suppresses_nothing_and_is_said(folder: Path) -> None:
    late = bearertrap("scan", *allowed(folder, "2026-01-31"), "--at", "2026-11-22", "app.log", cwd=folder)
    assert len(late.findings) == 3 and late.summary["suppressed"] == 0
    assert b"entry 1 (test data) expired at 2026-02-01 00:00 UTC" in late.err
    quiet = bearertrap("scan", "-q", *allowed(folder, "2026-01-31"), "--at", "2026-11-22", "app.log", cwd=folder)
    assert not quiet.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[allow]]\nrule='rule:acm'", b"no detector's id"),
        ("[[allow]]\nreason='x'", b"no condition"),
        ("x", b"not TOML"),
    ],
)
def test_an_allow_list_that_can_never_do_what_it_says_is_refused(folder: Path, text: str, said: bytes) -> None:
    (folder / "allow.toml").write_text(text)
    refused = bearertrap("scan", "--rules", "rules.toml", "--allow", "allow.toml", "app.log", cwd=folder)
    assert refused.code == 2 and said in refused.err and b"allow.toml" in refused.err


def test_a_file_of_rules_that_is_not_there(folder: Path) -> None:
    for option in ("--rules", "--allow"):
        missing = bearertrap("scan", option, "nonesuch.toml", "app.log", cwd=folder)
        assert missing.code == 2 and b"nonesuch.toml: cannot be read" in missing.err


def test_compressed_logs_are_searched_too(folder: Path) -> None:
    (folder / "app.log.gz").write_bytes(gzip.compress(LOG))
    found = bearertrap("scan", "--rules", "rules.toml", "app.log.gz", cwd=folder).findings
    assert [one["source"]["layers"] for one in found] == [["gzip"], ["gzip"]]


def test_the_examples_of_the_document(folder: Path) -> None:
    rules, allow = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs/rules.md").read_text(), re.MULTILINE | re.DOTALL)
    (folder / "rules.toml").write_text(rules)
    (folder / "allow.toml").write_text(allow)
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "a.log").write_bytes(LOG)
    (folder / "app.log").write_bytes(LOG + b"acme_manual:" + b"0" * 32 + b"\n")
    run = bearertrap(
        "scan", "--at", "2027-01-31T23:00:00Z", "--rules", "rules.toml", "--allow", "allow.toml", ".", cwd=folder
    )
    assert [one["detector"] for one in run.findings] == ["rule:acme-token"] * 2
    assert run.summary["suppressed_by"] == [{"entry": 2, "reason": "test data", "findings": 2}]
