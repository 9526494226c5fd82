"""Redacted bytes: nothing is found in them again, and all that was no secret is as it was."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.detector import Kind
from scanner.context import FileHints
from scanner.model import Finding, State, StreamId
from scanner.redaction.library import BytesReader, redact, remaining, scanner_for
from scanner.redaction.mask import Style
from scanner.redaction.stream import StreamRedactor
from tests.scanning import AS_OF, KEY, jwt, opaque, scan
from tests.test_encodings import CARRIERS, ENCODINGS

WORDS = (b"GET /health 200", b"user=anna", b'{"a": 1}', b"caf\xc3\xa9", b"\tat java.lang.Thread.run", b"")


@st.composite
def logs(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A log with secrets in any encoding, and the secrets."""
    lines, secrets = [], []
    for _ in range(draw(st.integers(1, 6))):
        lines.append(draw(st.sampled_from(WORDS)))
        text, secret = CARRIERS[draw(st.sampled_from(sorted(CARRIERS)))](draw(st.integers(0, 999)))
        one_line = [name for name in sorted(ENCODINGS) if "utf-16" not in name]
        lines.append(ENCODINGS[draw(st.sampled_from(one_line))](text, secret)[0].strip(b"\n"))
        secrets.append(secret)
    return b"\n".join(lines) + b"\n", secrets


def _redacted(data: bytes, style: Style, chunk: int = 1 << 30) -> bytes:
    parts: list[bytes] = []
    StreamRedactor(scanner_for(KEY), style).run(BytesReader(data, chunk), parts.append)
    return b"".join(parts)


@pytest.mark.parametrize("style", Style)
@settings(max_examples=25, deadline=None)
@given(log=logs())
def test_nothing_is_found_again_and_a_second_time_changes_nothing(style: Style, log: tuple[bytes, list[bytes]]) -> None:
    data, secrets = log
    done = redact(data, style=style, key=KEY)
    assert remaining(scanner_for(KEY), done.data, style) == []
    assert redact(done.data, style=style, key=KEY).data == done.data
    assert done.data.count(b"\n") == data.count(b"\n")
    assert len(done.findings) >= len(secrets)
    if not style.keeps_claims:
        assert scan(done.data) == []
        assert not any(secret in done.data for secret in secrets)


@settings(max_examples=40, deadline=None)
@given(log=logs(), style=st.sampled_from([style for style in Style if style.keeps_lengths]))
def test_equal_length_changes_secrets_only(log: tuple[bytes, list[bytes]], style: Style) -> None:
    data, _ = log
    done = _redacted(data, style)
    inside = {i for f in scan(data) for s in f.spans for i in range(s.start, s.end)}
    assert len(done) == len(data)
    assert all(i in inside for i in range(len(data)) if data[i] != done[i])
    assert b"\0" not in done or b"\0" in data


@settings(max_examples=25, deadline=None)
@given(log=logs())
def test_bytes_outside_of_the_spans_stay(log: tuple[bytes, list[bytes]]) -> None:
    data, _ = log
    done = _redacted(data, Style.LABEL)
    position = at = 0
    for span in sorted(s for f in scan(data) for s in f.spans):
        kept = data[position : span.start]
        at = done.index(kept, at) if position else 0
        assert done[at : at + len(kept)] == kept
        at, position = at + len(kept), span.end
    assert done.endswith(data[position:])


@settings(max_examples=25, deadline=None)
@given(log=logs(), chunk=st.integers(1, 300), style=st.sampled_from(Style))
def test_chunks_do_not_matter(log: tuple[bytes, list[bytes]], chunk: int, style: Style) -> None:
    assert _redacted(log[0], style, chunk) == _redacted(log[0], style)


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("carrier", CARRIERS)
def test_json_stays_json_at_each_depth(carrier: str, depth: int, style: Style) -> None:
    text, secret = CARRIERS[carrier](5)
    inner = text.decode()
    for _ in range(depth):
        inner = json.dumps({"m": inner, "n": 1})
    value = json.loads(redact(json.dumps({"top": inner}).encode(), style=style, key=KEY).data)["top"]
    for _ in range(depth):
        value = json.loads(value)["m"]
    assert secret.decode() not in value


def test_a_json_number_becomes_a_string() -> None:
    found = json.loads(redact(b'{"client_secret": 839207461582930471, "b": true}', key=KEY).data)
    assert found["b"] is True
    assert found["client_secret"] == 839207461582930471 or found["client_secret"].startswith("[REDACTED:")


def test_urls_stay_parseable() -> None:
    token = opaque(3).decode()
    url = f"https://x.example/cb?access_token={token}&state=7"
    made = redact(f"GET {url} done\n".encode(), key=KEY).data.decode().split()[1]
    asked = parse_qs(urlsplit(made).query)
    assert asked["state"] == ["7"] and asked["access_token"][0].startswith("[REDACTED:")
    password = opaque(4, 24).decode()
    made = redact(f"dial https://svc:{password}@db.example:5432/x\n".encode(), key=KEY).data.decode().split()[1]
    assert urlsplit(made).hostname == "db.example" and password not in made


@pytest.mark.parametrize("style", [style for style in Style if style.keeps_claims])
@pytest.mark.parametrize("at", [3, 30, 60, 90])
def test_claims_kept_in_pieces_stay_as_they_are(style: Style, at: int) -> None:
    """Coloured by grep in the midst: the second time, the placeholder is no signature with fragments."""
    token = jwt(12)
    made = redact(b"seen " + token[:at] + b"\x1b[m\x1b[K" + token[at:] + b" here\n", style=style, key=KEY).data
    assert token[at:].rpartition(b".")[0] in made and token[-20:] not in made
    assert redact(made, style=style, key=KEY).data == made


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("lost", [1, 25, 43, 44, 60])
def test_a_token_that_was_cut_is_redacted_once(style: Style, lost: int) -> None:
    data = b'{"value":"Bearer ' + jwt(13)[:-lost] + b'","truncated":true}\n'
    made = redact(data, style=style, key=KEY).data
    assert json.loads(made)["truncated"] and remaining(scanner_for(KEY), made, style) == []
    assert redact(made, style=style, key=KEY).data == made


@pytest.mark.parametrize("style", [style for style in Style if style.keeps_claims])
@pytest.mark.parametrize("frame", [b"Authorization: Bearer %s\n", b'{"id_token":"%s"}\n', b"\0\1Bearer %s\0\n"])
@pytest.mark.parametrize("wide", [False, True])
def test_kept_claims_can_be_read_and_are_no_token_any_more(style: Style, frame: bytes, wide: bool) -> None:
    token = jwt(11)
    claims, _, signature = token.rpartition(b".")
    code = "utf-16-le" if wide else "latin-1"
    data = (frame % token).decode().encode(code)
    made = redact(data, style=style, key=KEY).data
    text = made.decode(code).encode()
    assert claims + b"." in text and signature not in text
    mark = {Style.KEEP_CLAIMS: b"[REDACTED:jwt:", Style.CLAIMS_PSEUDONYM: b"REDACTED-"}.get(
        style, b"*" * len(signature)
    )
    binary = b"\0" in frame
    assert claims + b"." + (b"*" * len(signature) if binary else mark) in text
    assert len(made) == len(data) or not (style.keeps_lengths or binary)
    kept = text[text.index(claims) :].split(b'"')[0].strip(b"\0\n ").decode()
    with pytest.raises(pyjwt.InvalidTokenError):
        pyjwt.decode(kept, "k" * 32, algorithms=["HS256"])
    assert redact(made, style=style, key=KEY).data == made


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("frame", [b"sent %s\n", b'{"token":"%s"}\n', b"GET /cb#id_token=%s&state=1\n", b"\0\1%s\0"])
@pytest.mark.parametrize("lost", ["header", "some of the header", "header, not its dot"])
def test_of_a_token_without_its_header_no_signature_stays(style: Style, frame: bytes, lost: str) -> None:
    """The header says nothing: who has the rest can write it again."""
    token = jwt(17)
    header, payload, signature = token.split(b".")
    kept = {"header": b"", "some of the header": header[-9:] + b".", "header, not its dot": b"."}[lost]
    data = frame % (kept + payload + b"." + signature)
    made = redact(data, style=style, key=KEY).data
    assert not any(signature[i : i + 12] in made for i in range(len(signature) - 11))
    assert redact(made, style=style, key=KEY).data == made


def test_pseudonyms_tell_equal_from_different() -> None:
    lines = b"".join(b"Authorization: Bearer " + opaque(seed) + b"\n" for seed in (1, 2, 1))
    first, second, third = redact(lines, style=Style.PSEUDONYM, key=KEY).data.splitlines()
    assert first == third != second


def test_a_key_keeps_its_fences_and_lines() -> None:
    dashes = b"-" * 5
    body = [opaque(seed, 64) for seed in range(5)] + [opaque(9, 12)]
    block = [dashes + b"BEGIN RSA PRIVATE KEY" + dashes, *body, dashes + b"END RSA PRIVATE KEY" + dashes]
    for newline in (b"\n", b"\r\n", b"\\n", b"%0A"):
        made = redact(b'k="' + newline.join(block) + b'"\n', key=KEY).data
        assert made.startswith(b'k="' + block[0] + newline) and made.endswith(newline + block[-1] + b'"\n')
        assert made.count(newline) == (b'k="' + newline.join(block) + b'"\n').count(newline)
        assert not any(line in made for line in body)


def test_findings_tell_the_places_in_the_input() -> None:
    data = b"x\nAuthorization: Bearer " + (token := opaque(5)) + b"\n"
    found: list[Finding] = []
    redactor = StreamRedactor(scanner_for(KEY), on_finding=found.append, stream=StreamId("in"), hints=FileHints(None))
    redactor.run(BytesReader(data), lambda part: None)
    assert [data[s.start : s.end] for f in found for s in f.spans] == [token]
    assert found[0].line == 2


@settings(max_examples=60, deadline=None)
@given(log=logs(), shift=st.integers(0, 3))
def test_a_verdict_by_itself_is_that_of_the_finding(log: tuple[bytes, list[bytes]], shift: int) -> None:
    """Where nobody reads the findings only their kind and state are worked out."""
    data = b'2026-11-22T10:00:00Z {"expires_in":300}\n' * shift + log[0]
    told: list[tuple[Kind, State]] = []
    found: list[Finding] = []
    scanner = scanner_for(KEY, AS_OF)
    StreamRedactor(scanner, on_state=lambda kind, state: told.append((kind, state))).run(BytesReader(data), len)
    StreamRedactor(scanner, on_finding=found.append).run(BytesReader(data), len)
    assert told == [(finding.kind, finding.verdict.state) for finding in found]
