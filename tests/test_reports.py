"""Each report format on the samples: it parses as what it says it is, and tells the same findings."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.commands import AT, ROOT, bearertrap, scan
from tests.scanning import jwt, opaque

SAMPLES = "samples/files"
STATES = {"live", "expired", "not_yet_valid", "no_expiry", "unknown", "unusable", "revoked"}
FIELDS = {
    "schema", "type", "id", "kind", "detector", "fingerprint", "preview", "source", "spans", "encoding", "line",
    "column", "address", "logged_at", "logged_at_basis", "verdict", "token", "weaknesses", "confidence", "entropy",
    "replacement",
}  # fmt: skip


@pytest.fixture(scope="module")
def findings() -> list[dict[str, Any]]:
    ran = scan(SAMPLES, cwd=ROOT)
    assert ran.code == 11
    return ran.of_type("finding")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples' findings in every format, and a file that can't be read whole."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "cut <b>.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b")
    outputs = [a for suffix in ("jsonl", "json", "sarif", "csv", "html", "txt") for a in ("-o", folder / f"r.{suffix}")]
    ran = bearertrap("scan", "--at", AT, *outputs, SAMPLES, folder / "cut <b>.gz", cwd=ROOT)
    assert (ran.code, ran.out, ran.err) == (12, b"", ran.err)
    assert ran.err.startswith(b"bearertrap: 42 findings: 9 live, ")
    assert ran.err.endswith(f"; written to {', '.join(map(str, outputs[1::2]))}\n".encode())
    return folder


def test_jsonl_has_the_contract_s_fields(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        assert set(finding) >= FIELDS
        assert finding["schema"] == "bearertrap/1"
        assert set(finding["verdict"]) >= {"state", "basis", "as_of", "expires_at", "live_when_logged", "reason"}
        assert finding["verdict"]["state"] in STATES
        assert finding["verdict"]["as_of"] == AT
        assert all(span["start"] < span["end"] for span in finding["spans"])
        assert finding["replacement"] == f"[REDACTED:{finding['kind']}:{finding['fingerprint'][:8]}]"


def test_lines_and_columns_are_those_of_the_spans(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        if finding["line"] is None or finding["source"]["layers"]:
            continue
        before = (ROOT / finding["source"]["path"]).read_bytes()[: finding["spans"][0]["start"]]
        assert finding["line"] == before.count(b"\n") + 1
        assert finding["column"] == len(before) - before.rfind(b"\n")


def test_all_formats_tell_the_same(folder: Path, findings: list[dict[str, Any]]) -> None:
    marks = [finding["fingerprint"] for finding in findings]
    lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    assert [line["fingerprint"] for line in lines if line["type"] == "finding"] == marks
    assert [line["type"] for line in lines if line["type"] not in ("finding", "identity")] == ["skipped", "summary"]

    document = json.loads((folder / "r.json").read_text())
    assert [finding["fingerprint"] for finding in document["findings"]] == marks
    assert document["summary"]["findings"] == len(marks)
    assert len(document["skipped"]) == 1

    rows = list(csv.DictReader(io.StringIO((folder / "r.csv").read_text())))
    assert [row["fingerprint"] for row in rows if row["type"] == "finding"] == marks
    assert [row["type"] for row in rows].count("skipped") == 1


def test_sarif_is_what_code_scanning_takes(folder: Path, findings: list[dict[str, Any]]) -> None:
    """The members SARIF 2.1.0 requires (sections 3.13 to 3.27), and that indexes point to what they name."""
    log = json.loads((folder / "r.sarif").read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "bearertrap"
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == len(findings)
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding["detector"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith("samples/files/")
        if not finding["source"]["layers"]:
            assert place["region"]["byteOffset"] == finding["spans"][0]["start"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("/cut%20%3Cb%3E.gz")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_inert_and_complete(folder: Path, findings: list[dict[str, Any]]) -> None:
    page = _Page()
    page.feed((folder / "r.html").read_text())
    assert "script" not in page.tags
    assert "b" not in page.tags  # a name is text, never markup
    assert page.tags.count("tr") == len({finding["fingerprint"] for finding in findings}) + 1
    assert "cut <b>.gz" in page.text


def test_text_puts_the_worst_first_and_ends_with_totals(folder: Path) -> None:
    text = (folder / "r.txt").read_text()
    heads = [line.split("  ")[0].strip() for line in text.splitlines() if line[:1].isupper()]
    order = ["LIVE", "NOT YET VALID", "NO EXPIRY", "UNKNOWN", "EXPIRED", "REVOKED", "UNUSABLE", "NOT SCANNED"]
    ranks = [next(i for i, state in enumerate(order) if head.startswith(state)) for head in heads]
    assert ranks == sorted(ranks)
    assert "NOT SCANNED" in text
    assert text.splitlines()[-1].startswith("42 findings of 33 secrets: 9 live")


def test_text_fits_the_terminal_and_honours_no_color() -> None:
    narrow = bearertrap("scan", "--at", AT, "-f", "text", SAMPLES, cwd=ROOT, env={"COLUMNS": "60"})
    details = [line for line in narrow.out.decode().splitlines() if line.startswith(" " * 14)]
    assert details
    assert max(map(len, details)) <= 60
    places = [line for line in details if ".log.gz!gzip" in line]
    assert places
    assert all(re.search(r"^ +samples.*…\S*(?::\d+:\d+|: \d+)$", line) for line in places)
    first = narrow.out.decode().partition("to be acted on first\n")[2].partition("\n\n")[0].splitlines()
    assert first
    assert max(map(len, first)) <= 60
    whose = narrow.out.decode().partition("identities, those")[2].partition("\n\n")[0]
    assert max(len(line) for line in whose.splitlines()[1:] if line.startswith(" " * 4)) <= 60
    assert "live until 2026-11-22 12:02:00Z" in " ".join(whose.split())
    assert b"\x1b" not in narrow.out
    assert b"\x1b[1;31m" in bearertrap("scan", "--at", AT, "-f", "text", "--color", "always", SAMPLES, cwd=ROOT).out


def test_of_many_secrets_the_text_ends_with_those_to_be_acted_on(tmp_path: Path) -> None:
    """Those that have ended are counted after the first few, so that what is live is not far above the last line."""
    end = {"live": 1_795_440_000, "over": 1_795_000_000}
    tokens = [jwt(number, exp=end["over"], iss=f"https://{number}.example") for number in range(30)] + [
        jwt(99, exp=end["live"], iss="https://other.example")
    ]
    (tmp_path / "app.log").write_bytes(b"\n".join(tokens) + b"\n" + b"client_secret=" + opaque(7, 30) + b"\n")
    text = bearertrap("scan", "--at", AT, "-f", "text", tmp_path / "app.log").out.decode()
    assert text.count("EXPIRED  ") == 20
    assert "… and 10 more secrets that can't be used any more; other formats have all" in text
    first = text.split("to be acted on first\n")[1].splitlines()
    assert first[0].split() == [
        "LIVE", "1", "jwt,", "until", "2026-11-23", "13:20:00Z:", "subject", "job-99,", "issuer", "https://other.example",
    ]  # fmt: skip
    assert first[1].split() == ["NO", "EXPIRY", "1", "client_secret"]
    assert first[2] == ""


@pytest.mark.parametrize(("number", "alone"), [(10, 10), (11, 5), (205, 5)])
def test_many_secrets_alike_are_told_of_together(tmp_path: Path, number: int, alone: int) -> None:
    """Those of two files, beside one of another client's; each is told of or counted."""
    field = b'2026-11-22T11:00:00Z {"refresh_token":"%s","client_id":"%s"}\n'
    for name, seeds in (("a.log", range(0, number, 2)), ("b.log", range(1, number, 2))):
        (tmp_path / name).write_bytes(b"".join(field % (opaque(seed, 40), b"one") for seed in seeds))
    (tmp_path / "c.log").write_bytes(field % (opaque(9_999, 40), b"two"))
    text = bearertrap("scan", "--at", AT, "-f", "text", ".", cwd=tmp_path).out.decode()
    assert len(re.findall(r"^UNKNOWN .* bytes\) ", text, re.M)) == alone + 1
    bundled = re.findall(r"^UNKNOWN +refresh_token  (\d+) more secrets like the above", text, re.M)
    assert bundled == ([str(number - alone)] if number > alone else [])
    entries = text.split("identities, those")[0]
    counted = [int(found) for found in re.findall(r"^ +(?:\./)?[ab]\.log: (\d+)$", entries, re.M)]
    assert sum(counted) == number - alone
    assert len(re.findall(r"[abc]\.log:\d+:\d+$", entries, re.M)) == alone + 1


def test_of_few_secrets_nothing_is_said_twice(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"client_secret=" + opaque(7, 30) + b"\n")
    assert b"to be acted on first" not in bearertrap("scan", "-f", "text", tmp_path / "app.log").out
