"""Whose credentials leaked: the roll-up by identity, the inventory, and what is weak about them."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.identities import Roll
from scanner.inventory import load_inventory
from scanner.model import Identity, Summary
from scanner.sinks.jsonl import JsonlSink
from scanner.sinks.text import TextSink
from scanner.weaknesses import EXPLAINED
from tests.commands import AT, ROOT, bearertrap
from tests.commands import scan as command
from tests.scanning import AS_OF, jwt, opaque, scan

ISSUER = "https://id.example"
DAY = b"2026-11-22T11:5%d:00Z "


def roll(*logs: bytes, inventory: str | None = None) -> tuple[Identity, ...]:
    kept = Roll(load_inventory(inventory) if inventory else None)
    for log in logs:
        for finding in scan(log):
            kept.add(finding)
    return kept.identities(AS_OF)


def of_client(client_id: str, seed: int, minute: int = 0, **claims: object) -> bytes:
    return DAY % minute + b"token=" + jwt(seed, azp=client_id, **claims) + b"\n"


def secret_of(client_id: str, seed: int) -> bytes:
    return b'{"client_id":"' + client_id.encode() + b'","client_secret":"' + opaque(seed) + b'"}\n'


def test_tokens_and_secret_of_one_client_are_one_identity() -> None:
    (one,) = roll(
        of_client("batch", 5, 1) + of_client("batch", 6, 7) + of_client("batch", 5, 8) + secret_of("batch", 1)
    )
    assert (one.client_id, one.issuer) == ("batch", ISSUER)
    assert (one.secrets, one.tokens, one.usable, one.findings) == (1, 2, 3, 4)
    assert one.first_seen == datetime(2026, 11, 22, 11, 51, tzinfo=UTC)
    assert one.last_seen == datetime(2026, 11, 22, 11, 58, tzinfo=UTC)
    assert one.live_until == datetime.fromtimestamp(1795348806, UTC)
    assert one.registered is None


def test_a_secret_stays_apart_where_several_issuers_know_its_client() -> None:
    found = roll(of_client("batch", 5) + of_client("batch", 6, iss="https://other.example") + secret_of("batch", 1))
    assert {(one.client_id, one.issuer, one.secrets) for one in found} == {
        ("batch", ISSUER, 0), ("batch", "https://other.example", 0), ("batch", None, 1),
    }  # fmt: skip


def test_a_token_that_names_no_client_is_its_subjects(tmp_path: Path) -> None:
    account = "system:serviceaccount:shop:orders"
    own = b"token=" + jwt(1, sub=account) + b"\n"
    named = of_client("batch", 3, sub=account)
    found = roll(own + b"token=" + jwt(2, sub=account) + b"\n" + named + b"token=" + jwt(4, iss="https://b.example"))
    assert {(one.client_id, one.subject, one.issuer, one.tokens) for one in found} == {
        (None, account, ISSUER, 2), ("batch", None, ISSUER, 1), (None, "job-4", "https://b.example", 1),
    }  # fmt: skip
    (tmp_path / "i.toml").write_text(f'[[identity]]\nclient_id = "{account}"\nowner = "Dana"\n')
    known = {one.subject: (one.owner, one.registered, one.weaknesses) for one in roll(
        own + b"token=" + jwt(4) + b"\n", inventory=str(tmp_path / "i.toml")
    )}  # fmt: skip
    assert known[account][:2] == ("Dana", True)
    assert known["job-4"][:2] == (None, None)
    assert "not_registered" not in known["job-4"][2]


def test_subjects_leave_room_for_clients_and_what_there_was_none_for_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scanner.identities.MOST_SUBJECTS", 3)
    kept = Roll()
    for seed in range(5):
        for finding in scan(b"token=" + jwt(seed) + b"\n"):
            kept.add(finding)
    for finding in scan(of_client("batch", 6)):
        kept.add(finding)
    assert [one.client_id for one in kept.identities(AS_OF)].count("batch") == 1
    assert len(kept.identities(AS_OF)) == 4
    assert kept.more == 2
    summary = Summary(identities=kept.identities(AS_OF), more_identities=kept.more)
    for made in (TextSink, JsonlSink):
        out = io.BytesIO()
        sink = made(out)
        sink.begin()
        sink.finish(summary)
        assert (
            b"2 findings of identities there was no room for" in out.getvalue()
            or b'"more_identities":2' in out.getvalue()
        )


def test_the_subject_of_client_credentials_is_the_client() -> None:
    (one,) = roll(b"token=" + jwt(1, sub="xPZyWXkHbi6D@clients"))
    assert one.client_id == "xPZyWXkHbi6D"


def test_basic_credentials_belong_to_their_user() -> None:
    import base64

    blob = base64.b64encode(b"billing-batch:" + opaque(3, 20))
    (one,) = roll(b"Authorization: Basic " + blob + b"\r\n")
    assert (one.client_id, one.secrets) == ("billing-batch", 1)


def test_those_with_most_to_be_done_come_first() -> None:
    expired = of_client("old", 1, exp=1_000_000_000)
    found = roll(expired + of_client("new", 2) + secret_of("worst", 3) + of_client("worst", 4))
    assert [one.client_id for one in found] == ["worst", "new", "old"]


SHARED = secret_of("app-a", 1) + secret_of("app-b", 1) + secret_of("app-b", 2)


def test_a_shared_secret_and_several_secrets_are_weaknesses() -> None:
    found = {one.client_id: one.weaknesses for one in roll(SHARED)}
    assert found == {"app-a": ("shared_secret",), "app-b": ("several_secrets", "shared_secret")}


TOML = """
[[identity]]
client_id = "batch"
owner = "Dana Reyes"
team = "billing"
rotation_days = 90
last_rotated = 2026-08-01
revoke = "rotate at the console"

[[identity]]
client_id = "web"
issuer = "https://other.example"
"""
CSV = """client_id,owner,team,rotation_days,last_rotated,revoke,issuer
batch,Dana Reyes,billing,90,2026-08-01,rotate at the console,
web,,,,,,https://other.example
"""


@pytest.mark.parametrize(("name", "text"), [("known.toml", TOML), ("known.csv", CSV)])
def test_the_inventory_names_owners_and_what_is_overdue(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    log = of_client("batch", 5) + of_client("web", 6) + of_client("stranger", 7)
    found = {one.client_id: one for one in roll(log, inventory=str(tmp_path / name))}
    batch = found["batch"]
    assert (batch.owner, batch.team, batch.revoke) == ("Dana Reyes", "billing", "rotate at the console")
    assert batch.rotation_due == date(2026, 10, 30)
    assert batch.weaknesses == ("rotation_overdue",)
    assert found["web"].registered is False  # it is known at another issuer only
    assert found["stranger"].weaknesses == ("not_registered",)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "[[identity]]\nowner = 'x'", "identity 1: has no client_id"),
        ("a.toml", "[[identity]]\nclient_id = 'x'\nowmer = 'y'", "unknown name 'owmer'"),
        ("a.toml", "[[identity]]\nclient_id = 'x'\nrotation_days = -1", "rotation_days"),
        ("a.toml", "[[identity]]\nclient_id = 'x'\nowner = 3", "owner is not text"),
        ("a.toml", "client_id = 'x'", "holds [[identity]] tables and nothing else"),
        ("a.toml", "[[", "a.toml"),
        ("a.csv", "client_id,last_rotated\nx,soon\n", "last_rotated is a date"),
        ("a.csv", "id\nx\n", "unknown name 'id'"),
        ("none.toml", None, "can't be read"),
    ],
)
def test_a_wrong_inventory_is_an_error_that_says_where(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError) as error:
        load_inventory(path)
    assert said in str(error.value)
    ran = bearertrap("scan", "--inventory", path, "samples/files")
    assert ran.code == 2
    assert ran.out == b""


def test_reports_name_the_identities(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(TOML)
    (tmp_path / "a.log").write_bytes(of_client("batch", 5) + secret_of("batch", 1))
    lines = command("--inventory", tmp_path / "known.toml", tmp_path / "a.log")
    (one,) = lines.of_type("identity")
    assert (one["client_id"], one["owner"], one["rotation_due"], one["usable"]) == (
        "batch",
        "Dana Reyes",
        "2026-10-30",
        2,
    )
    assert [line["type"] for line in lines.lines] == ["finding", "finding", "identity", "summary"]
    ran = bearertrap("scan", "--at", AT, "-f", "json", "--inventory", tmp_path / "known.toml", tmp_path / "a.log")
    assert json.loads(ran.out)["identities"] == [one]
    text = bearertrap("scan", "--at", AT, "-f", "text", "--inventory", tmp_path / "known.toml", tmp_path / "a.log").out
    assert b"batch at https://id.example\n" in text
    assert b"owner Dana Reyes, team billing, rotation due 2026-10-30, revoke rotate at the console" in text


@pytest.mark.parametrize(
    ("claims", "weak"),
    [
        ({"aud": "a", "jti": "1", "iat": 1795348800 - 299}, set()),
        ({"aud": "a", "jti": "1", "iat": 1795348800 - 7200}, {"lifetime_over_policy"}),
        ({"aud": "a", "jti": "1", "exp": None}, {"no_exp"}),
        ({"jti": "1", "scope": "read:* write"}, {"no_audience", "broad_scope"}),
        ({"aud": "a", "scope": "https://graph.example/.default"}, {"no_jti", "broad_scope"}),
    ],
)
def test_what_is_weak_about_a_token(claims: dict[str, object], weak: set[str]) -> None:
    (finding,) = scan(b"t=" + jwt(0, **claims))
    assert set(finding.verdict.weaknesses) == weak


def test_an_unsigned_token_and_a_long_lived_refresh_token_are_weak() -> None:
    from tests.scanning import b64url

    unsigned = b64url(b'{"alg":"none"}') + b"." + b64url(b'{"sub":"x","exp":1795348800,"aud":"a","jti":"1"}') + b"."
    assert scan(b"Authorization: Bearer " + unsigned)[0].verdict.weaknesses == ("alg_none",)
    body = b'{"access_token":"%s","expires_in":299,"refresh_token":"%s","refresh_expires_in":%d}'
    for days, weak in ((29, ()), (90, ("long_lived_refresh_token",))):
        found = scan(body % (opaque(1), opaque(2), days * 86400))
        assert [finding.verdict.weaknesses for finding in found] == [(), weak]


def test_the_policy_for_lifetimes_is_the_user_s(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"t=" + jwt(0, aud="a", jti="1", iat=1795348800 - 299))
    for limit, weak in (("300", []), ("200", ["lifetime_over_policy"])):
        assert command("--max-lifetime", limit, tmp_path / "a.log").of_type("finding")[0]["weaknesses"] == weak


def test_every_weakness_is_explained_by_a_rule() -> None:
    documented = (ROOT / "docs" / "identities.md").read_text()
    for name, one in EXPLAINED.items():
        assert f"| `{name}` | {one.says} | {one.rule} | {one.owasp} |" in documented
    for weakness in EXPLAINED.values():
        assert weakness.owasp.startswith("NHI")
        assert weakness.rule.startswith("RFC ") or weakness.rule == "inventory"


def test_where_a_secret_leaked_to_is_a_weakness_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"t=" + jwt(0))
    assert command(tmp_path / "a.log").of_type("finding")[0]["cwe"] == ["CWE-532"]
