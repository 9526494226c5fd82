"""Random passwords full of punctuation are found whole where quotes or an element hold them; source code is none."""

from __future__ import annotations

import html
import json
import random
import string
from collections.abc import Callable

import pytest

from detectors.words import is_drawn
from scanner.fingerprint import fingerprint
from tests.scanning import KEY, scan

ALPHABETS = {
    "assignments": string.ascii_letters + string.digits + "=&;{",
    "symbols": string.ascii_letters + string.digits + "!@#$^&*()-_=+[]{};:,.<>?/|~",
    "few symbols": string.ascii_letters + string.digits + "!@#^*_-+=.?",
    "lower": string.ascii_lowercase + string.digits + "=-_.",
}
NOTATIONS: dict[str, Callable[[str], str]] = {
    "client secret in JSON": lambda value: json.dumps({"client_secret": value, "x": 1}),
    "password in JSON": lambda value: json.dumps({"user": "a", "password": value}),
    "Python": lambda value: repr({"client_secret": value}),
    "shell": lambda value: f'export CLIENT_SECRET="{value}"'.replace("$", r"\$"),
    "TOML": lambda value: f"db_password = {json.dumps(value)} # rotated",
    "attribute": lambda value: f'<add key="ClientSecret" value="{html.escape(value)}"/>',
    "element": lambda value: f"<password>{html.escape(value)}</password>",
}
DRAWS = 250


def _draws(alphabet: str) -> list[str]:
    source = random.Random(alphabet)
    return ["".join(source.choices(alphabet, k=source.choice((16, 20, 24, 32)))) for _ in range(DRAWS)]


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_random_password_in_quotes_is_found_whole(notation: str, alphabet: str) -> None:
    values = _draws(ALPHABETS[alphabet])
    found = {f.fingerprint for f in scan("\n".join(map(NOTATIONS[notation], values)).encode())}
    missed = [value for value in values if fingerprint(KEY, value.encode()) not in found]
    assert len(missed) <= 0.05 * DRAWS, len(missed)


@pytest.mark.parametrize("alphabet", ["assignments", "lower"])
def test_a_random_password_alone_on_its_line_is_found_whole(alphabet: str) -> None:
    values = [value for value in _draws(ALPHABETS[alphabet]) if value[0].isalnum() and value[-1].isalnum()]
    found = {f.fingerprint for f in scan("".join(f"DB_PASSWORD={value}\n" for value in values).encode())}
    missed = [value for value in values if fingerprint(KEY, value.encode()) not in found]
    assert len(missed) <= 0.05 * len(values), len(missed)


@pytest.mark.parametrize(
    "code",
    [
        "e.default=t.createContext(null)",
        "options[passwordField].value",
        "getPassword(user,realm)",
        "this.form.get('password').value",
        "Object.assign({},n,{password:r})",
        "password=req.body.password",
        "function(e,t){return t.password}",
        "props.theme.colors[primary]",
        "user.password==confirmation",
        "ENC[AES256_GCM,data:Zk3xQ9bT,tag:mL2v]",
        "${db.password:-none}",
        "$db_password_from_env",
        "<password-of-the-database>",
        "SCRAM-SHA-256$4096:MDEyMzQ1$Zk3xQ9bTmL2vRw8Y:cN0aHsJd5FgKpU7e",
    ],
)
def test_source_code_in_quotes_is_no_password(code: str) -> None:
    assert not scan(json.dumps({"password": code, "client_secret": code}).encode())
    assert not scan(f"password: {code}\n".encode())


def test_names_and_numbers_are_no_draws() -> None:
    for value in (b"getElementsByClassName", b"HTTP_X_FORWARDED_FOR", b"2026-11-22T10:42:36.276Z", b"utf8mb4_general"):
        assert not is_drawn(value)
