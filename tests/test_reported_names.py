"""Whose a credential is, is reported in clear: so what is reported as a client id or an issuer is never a secret."""

from __future__ import annotations

import base64

import pytest

from detectors.registry import all_detectors
from scanner.unsafe_names import holds_secret
from tests.scanning import opaque, scan

PAT = next(one.examples[0][1] for one in all_detectors() if one.id == "github-pat")  # assembled there, checksum and all
WORD = opaque(7, 20)
TOKEN = opaque(8, 40)


def said(text: bytes) -> set[str]:
    found = scan(text)
    assert found
    return {word for one in found for word in (one.token.client_id, one.token.issuer) if word}


@pytest.mark.parametrize(
    "text",
    [
        b"git clone https://" + PAT + b":x-oauth-basic@github.com/a/b.git",
        b"git clone https://" + PAT + b":" + WORD + b"@github.com/a/b.git",
        b"Authorization: Basic " + base64.b64encode(PAT + b":" + WORD),
        b"curl -u " + PAT + b":" + WORD + b" https://api.github.com",
        b"client_id=" + PAT + b" client_secret=" + WORD,
    ],
)
def test_a_token_in_the_place_of_a_user_is_not_reported_in_clear(text: bytes) -> None:
    assert said(text) == set()


@pytest.mark.parametrize("name", ["app-1", "billing-batch@clients", "0oa1b2c3d4e5F6g7H8i9", "glpat-runner-of-a"])
def test_a_name_is_reported(name: str) -> None:
    assert not holds_secret(name)
    assert said(b"client_id=" + name.encode() + b" client_secret=" + TOKEN) == {name}


@pytest.mark.parametrize("word", [b"azp", b"AZp", b"appid", b"ClientId"])
def test_letters_of_a_token_are_no_key(word: bytes) -> None:
    near = b'{"access_token":"' + TOKEN + b'","expires_in":9,"refresh_token":"' + TOKEN[:9] + word + TOKEN[9:] + b'"}'
    assert said(near) == set()


@pytest.mark.parametrize(
    ("address", "issuer"),
    [
        (b"https://id.example/realms/a", "https://id.example/realms/a"),
        (b"https://[::1]:8443/token", "https://[::1]:8443/token"),
        (b"https://batch:" + WORD + b"@id.example/token", "https://id.example/token"),
        (b"https://" + WORD + b"@id.example:444/token", "https://id.example:444/token"),
        (b"https://id.example/token?assertion=" + WORD, "https://id.example/token"),
        (b"https://id.example#" + WORD, "https://id.example"),
    ],
)
def test_of_an_issuer_s_address_no_userinfo_and_no_query(address: bytes, issuer: str) -> None:
    assert said(b"token_url=" + address + b" access_token=" + TOKEN) == {issuer} | (
        {"batch"} if b"batch" in address else set()
    )


def test_a_scheme_is_no_client() -> None:
    assert said(b"appid: Bearer " + TOKEN + b" client_secret=" + WORD) == set()
