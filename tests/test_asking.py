"""The whole command against a real authorization server on loopback: keys, questions, and not one packet unasked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.authserver import AUDITOR, AUDITOR_SECRET, ISSUER, LIFETIME, AuthServer, running
from tests.commands import ROOT, START, bearertrap
from tests.hostile import saying, serving
from tests.scanning import jwt, opaque
from tests.scanning import scan as scanned

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def issuer() -> Iterator[AuthServer]:
    with running() as server:
        yield server


Findings = list[dict[str, Any]]
Scan = Callable[..., tuple[int, Findings, str]]


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Runs the command in a process of its own; gives its code, its findings and what it said."""
    monkeypatch.setenv("AUDITOR_SECRET", AUDITOR_SECRET)

    def run(text: str | bytes, *options: str) -> tuple[int, Findings, str]:
        log = tmp_path / "app.log"
        log.write_bytes(text.encode() if isinstance(text, str) else text)
        done = bearertrap("scan", "-f", "jsonl", log, *options)
        said = done.said.decode()
        assert AUDITOR_SECRET not in said
        return done.code, done.findings, said

    return run


def introspect(server: AuthServer) -> list[str]:
    return [
        "--introspect", f"{server.url}/introspection", "--issuer", ISSUER, "--client-id", AUDITOR,
        "--client-secret-env", "AUDITOR_SECRET",
    ]  # fmt: skip


def response(answer: dict[str, Any]) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + json.dumps(answer)


def verdict(findings: Findings, kind: str) -> dict[str, Any]:
    return dict(next(one["verdict"] for one in findings if one["kind"] == kind))


def test_client_credentials_from_live_to_revoked(issuer: AuthServer, scan: Scan) -> None:
    token = issuer.client_credentials()
    line = response({"access_token": token, "expires_in": LIFETIME})
    code, findings, said = scan(line, "--jwks", f"{issuer.url}/keys", *introspect(issuer))
    live = verdict(findings, "jwt")
    assert (code, live["state"], live["basis"]) == (11, "live", "introspection")
    assert "localhost says that it is active" in live["reason"]
    assert [one["name"] for one in live["evidence"]] == ["introspection", "signature", "claims"]
    assert token not in said
    issuer.revoke(token)
    code, findings, _ = scan(line, "--jwks", f"{issuer.url}/keys", *introspect(issuer))
    revoked = verdict(findings, "jwt")
    assert (code, revoked["state"], revoked["basis"]) == (10, "revoked", "introspection")
    assert revoked["expires_at"] is None


def test_an_opaque_token_its_refresh_and_its_end(issuer: AuthServer, scan: Scan) -> None:
    first = issuer.password()
    second = issuer.refreshed(first["refresh_token"])
    _, findings, _ = scan(response(first) + "\n" + response(second), *introspect(issuer))
    states = [(one["kind"], one["verdict"]["state"]) for one in findings]
    assert states == [
        ("bearer_token", "revoked"),
        ("refresh_token", "revoked"),
        ("bearer_token", "live"),
        ("refresh_token", "live"),
    ]
    issuer.expire(second["access_token"])
    _, findings, _ = scan("2026-01-01T00:00:00Z " + json.dumps(second), *introspect(issuer))
    ended = verdict(findings, "bearer_token")
    assert ended["state"] == "expired"  # by its record's time and its lifetime: there was no need to ask
    _, findings, _ = scan("access_token=" + second["access_token"], *introspect(issuer))
    assert verdict(findings, "bearer_token")["state"] == "revoked"
    assert "revoked, expired or not its own" in verdict(findings, "bearer_token")["reason"]


def test_299_seconds_later_it_is_over(issuer: AuthServer, scan: Scan) -> None:
    token = issuer.client_credentials()
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + LIFETIME + 2))
    before = len(issuer.asked)
    _, findings, _ = scan(token, "--at", later, *introspect(issuer))
    assert verdict(findings, "jwt")["state"] == "expired"
    assert len(issuer.asked) == before  # its own claims said so: nobody was asked


def test_user_info(issuer: AuthServer, scan: Scan) -> None:
    token = issuer.password()["access_token"]
    options = ["--userinfo", f"{issuer.url}/userinfo"]
    _, findings, _ = scan(f"access_token={token}", *options)
    assert (verdict(findings, "bearer_token")["state"], verdict(findings, "bearer_token")["basis"]) == (
        "live",
        "introspection",
    )
    issuer.revoke(token)
    _, findings, _ = scan(f"access_token={token}", *options)
    assert verdict(findings, "bearer_token")["state"] == "revoked"


def test_keys_rotate_and_forgeries_show(issuer: AuthServer, scan: Scan) -> None:
    old = issuer.client_credentials()
    issuer.rotate()
    new = issuer.client_credentials()
    _, findings, _ = scan(f"{old}\n{new}\n", "--jwks", f"{issuer.url}/keys")
    assert [one["verdict"]["basis"] for one in findings] == ["signature+claims", "signature+claims"]
    issuer.rotate(drop=len(issuer.keys))
    _, findings, _ = scan(f"{old}\n", "--jwks", f"{issuer.url}/keys")
    assert findings[0]["verdict"]["state"] == "live"
    assert "none of the given set made the signature" in findings[0]["verdict"]["reason"]
    named = {"kid": issuer.keys[-1].kid}
    stranger = rsa.generate_private_key(65537, 2048)
    forged = pyjwt.encode({"iss": ISSUER, "exp": int(time.time()) + 900}, stranger, "RS256", headers=named)
    _, findings, _ = scan(f"{forged}\n", "--jwks", f"{issuer.url}/keys")
    assert (findings[0]["verdict"]["state"], findings[0]["verdict"]["basis"]) == ("unusable", "signature")


def test_a_sweep_with_a_state_checks_again_where_keys_changed(issuer: AuthServer, tmp_path: Path) -> None:
    log, state = tmp_path / "app.log", tmp_path / "state"
    log.write_text(issuer.client_credentials() + "\n")
    os.utime(log, (1, 1))
    for options, basis in (
        ([], "claims"),
        (["--jwks", f"{issuer.url}/keys"], "signature+claims"),
        (["--jwks", f"{issuer.url}/keys"], "signature+claims"),  # from the state
    ):
        found = bearertrap("scan", "-f", "jsonl", log, "--state", state, *options).findings
        assert [one["verdict"]["basis"] for one in found] == [basis]


def test_the_map_of_issuers(issuer: AuthServer, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "issuers.toml").write_text(
        f'[[issuer]]\nissuer = "{ISSUER}"\njwks = "{issuer.url}/keys"\nintrospection = "{issuer.url}/introspection"\n'
        f'client_id = "{AUDITOR}"\nclient_secret_env = "AUDITOR_SECRET"\nclient_auth = "post"\n'
    )
    token = issuer.client_credentials()
    stranger = pyjwt.encode({"iss": "https://other.example", "exp": int(time.time()) + 900}, "k" * 32)
    before = issuer.asked.count("/introspection")
    _, findings, _ = scan(f"{token}\n{stranger}\n{token}\n", "--issuers", str(tmp_path / "issuers.toml"))
    assert [one["verdict"]["basis"] for one in findings] == ["introspection", "claims", "introspection"]
    assert "no endpoint was named for its issuer" in findings[1]["verdict"]["reason"]
    assert issuer.asked.count("/introspection") == before + 1  # the second time it was known


def test_an_hmac_token_of_an_issuer_with_public_keys_is_weak(issuer: AuthServer, scan: Scan, tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(f'[[issuer]]\nissuer = "{ISSUER}"\njwks = "{issuer.url}/keys"\n')
    end = int(time.time()) + 900
    tokens = [pyjwt.encode({"iss": name, "exp": end}, "k" * 32) for name in (ISSUER, "https://other.example")]
    _, findings, _ = scan("\n".join([*tokens, issuer.client_credentials(), ""]), "--issuers", str(path))
    assert ["hmac_despite_public_keys" in one["weaknesses"] for one in findings] == [True, False, False]


def test_what_is_nobodys_business_is_shown_to_nobody(issuer: AuthServer, scan: Scan) -> None:
    vendor = b"gh" + b"p_" + b"16C7e42F292c6912E7710c838347Ae178B4a"
    lines = b"client_secret=" + opaque(1) + b"\napi_key=" + opaque(2) + b"\n" + vendor
    before = len(issuer.asked)
    _, findings, _ = scan(lines, *introspect(issuer))
    assert findings
    assert len(issuer.asked) == before


def test_order_is_kept_across_processes(issuer: AuthServer, scan: Scan) -> None:
    tokens = [issuer.password()["access_token"] for _ in range(4)]
    padding = "x" * 99 + "\n"
    text = "".join(f"access_token={token}\n" + padding * 60_000 for token in tokens)
    _, findings, _ = scan(text, "--jobs", "2", *introspect(issuer))
    assert [one["verdict"]["state"] for one in findings] == ["live"] * 4
    assert [one["spans"][0]["start"] for one in findings] == sorted(one["spans"][0]["start"] for one in findings)


def test_an_issuer_that_fails_leaves_the_verdict_and_says_so(scan: Scan) -> None:
    token = pyjwt.encode({"iss": ISSUER, "exp": int(time.time()) + 900}, "k" * 32)
    with serving(saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")) as server:
        url = f"http://localhost:{server.port}/"
        options = ["--introspect", url, "--issuer", ISSUER, "--client-id", "a", "--client-secret-env", "AUDITOR_SECRET"]
        _, findings, said = scan(token, "--jwks", url, *options)
    assert findings[0]["verdict"]["state"] == "live"
    assert "the issuer's word could not be had because localhost redirects" in findings[0]["verdict"]["reason"]
    assert "the keys could not be fetched" in said


def test_keys_that_could_not_be_had_are_said_in_the_report_and_by_the_exit_code(tmp_path: Path) -> None:
    """A signature that was not checked is not a checked one, whatever was found."""
    log, table = tmp_path / "app.log", tmp_path / "issuers.toml"
    log.write_text("nothing here\n")
    with serving(saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")) as server:
        keys = f"http://localhost:{server.port}/keys"
        table.write_text(f'[[issuer]]\nissuer = "{ISSUER}"\njwks = "{keys}"\n')
        for options in (["--jwks", f"{keys}?tenant=7"], ["--issuers", table]):
            ran = bearertrap("scan", "-f", "jsonl", log, *options)
            assert ran.code == 12
            assert [(one["source"]["path"], one["reason"]) for one in ran.skipped] == [
                (keys, "the keys could not be fetched: localhost redirects; no redirect is followed")
            ]
            assert ran.summary["skipped"] == 1
        ran = bearertrap("inspect", "--json", "--jwks", keys, stdin=jwt(9))
    assert ran.code == 12
    assert json.loads(ran.out)["not_checked"][0]["source"]["path"] == keys
    assert f"not checked: {keys}: the keys could not be fetched" in ran.err.decode()


def test_one_token_is_put_to_its_issuer_and_its_signature_checked(issuer: AuthServer) -> None:
    token = issuer.client_credentials()
    options = ["--jwks", f"{issuer.url}/keys", *introspect(issuer)]

    def inspected() -> dict[str, Any]:
        ran = bearertrap("inspect", "--json", *options, stdin=token.encode(), env={"AUDITOR_SECRET": AUDITOR_SECRET})
        assert AUDITOR_SECRET.encode() not in ran.said
        return {**json.loads(ran.out), "code": ran.code}

    live = inspected()
    assert (live["code"], live["verdict"]["state"], live["not_checked"]) == (11, "live", [])
    assert [one["name"] for one in live["evidence"]] == ["introspection", "signature", "claims"]
    issuer.revoke(token)
    revoked = inspected()
    assert (revoked["code"], revoked["verdict"]["state"]) == (10, "revoked")
    assert revoked["verdict"]["basis"] == "introspection"


def test_one_token_alone_asks_nobody(issuer: AuthServer) -> None:
    before = len(issuer.asked)
    assert bearertrap("inspect", "--jwks", f"{issuer.url}/keys", stdin=_luring(1)).code == 11
    assert issuer.asked[before:] in ([], ["/keys"])  # the key set was named; nothing in the token was


def _listening() -> tuple[socket.socket, int]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.3)
    return listener, listener.getsockname()[1]


def _luring(port: int) -> bytes:
    """A token that names addresses for its keys and its issuer."""
    url = f"http://127.0.0.1:{port}/keys"
    header = {"jku": url, "x5u": url, "kid": url, "jwk": {"kty": "oct", "k": "AA"}}
    return pyjwt.encode({"iss": url, "exp": int(time.time()) + 900}, "k" * 32, headers=header).encode()


def test_no_address_of_a_token_is_followed(issuer: AuthServer, scan: Scan) -> None:
    listener, port = _listening()
    with listener:
        _, findings, _ = scan(_luring(port), "--jwks", f"{issuer.url}/keys", *introspect(issuer))
        assert findings[0]["verdict"]["state"] == "live"
        with pytest.raises(TimeoutError):
            listener.accept()


def test_nothing_is_asked_unless_named(scan: Scan) -> None:
    listener, port = _listening()
    with listener:
        _, findings, _ = scan(_luring(port) + b"\naccess_token=Zk3vQ9xT7bLm2RwY8cNdZk3v")
        assert len(findings) == 2
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_street_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this very process, with no socket to be had."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(scanned(b"Authorization: Bearer " + jwt(1))) == 1


def _has_namespaces() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has_namespaces(), reason="no network namespace may be made here (unshare -rn)")
def test_a_scan_without_any_network(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(_luring(1))
    command = ["unshare", "-rn", *START, "scan", "-f", "jsonl", str(log)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 11, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["verdict"]["state"] == "live"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--introspect", "https://id.example/x"], "needs --client-id"),
        (["--introspect", "http://id.example/x", "--client-id", "a", "--client-secret-env", "AUDITOR_SECRET"], "https"),
        (
            ["--introspect", "https://id.example/x", "--client-id", "a", "--client-secret-env", "UNSET_X"],
            "no client secret",
        ),
        (["--client-id", "a"], "of use with --introspect"),
        (["--jwks", "/nowhere/keys.json"], "cannot be read"),
        (["--jwks", "ftp://id.example/keys"], "only https"),
        (["--issuers", "/nowhere.toml"], "cannot be read"),
        (["--zone", "Mars"], "not a zone"),
    ],
)
def test_options_that_cannot_work(scan: Scan, options: list[str], said: str) -> None:
    code, findings, told = scan("x", *options)
    assert (code, findings) == (2, [])
    assert said in told


def test_a_zone_given_settles_what_a_local_time_left_open(scan: Scan) -> None:
    line = b'2026-11-22 12:30:00 {"access_token":"' + opaque(1) + b'","expires_in":3600}'
    at = ["--at", "2026-11-22T12:00:00Z"]
    assert scan(line, *at)[1][0]["verdict"]["state"] == "unknown"
    assert scan(line, *at, "--zone", "Europe/Berlin")[1][0]["verdict"]["state"] == "live"
    assert scan(line, *at, "--zone", "+03:00")[1][0]["verdict"]["state"] == "expired"
