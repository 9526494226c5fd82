"""Keys among the findings, on the command: each a finding of its own, in order, whoever found what; none is shown."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from detectors.detector import Detector, Match
from detectors.registry import public
from scanner.context import FileHints
from scanner.judge import Policy
from scanner.matcher import Matcher
from scanner.model import Finding, StreamId
from scanner.pipeline import Scanner
from scanner.run import Options, run
from scanner.signing import DETECTOR, MOST_TOKENS, SigningKeys
from tests.commands import Ran, bearertrap
from tests.scanning import AS_OF, KEY, Chunks, b64url, jwt, opaque
from tests.streams import source_of

SECRET = opaque(11, 40)
FILLER = b"2026-11-22T10:00:01Z INFO request done in 12 ms\n" * 40


def signed(
    secret: bytes, number: int = 0, alg: str = "HS256", issuer: str = "https://id.example", **claims: object
) -> bytes:
    """A token that this secret signed."""
    said = {"iss": issuer, "sub": f"job-{number}", "exp": 1795348800 + number, **claims}
    body = b".".join(b64url(json.dumps(part).encode()) for part in ({"alg": alg, "typ": "JWT"}, said))
    return body + b"." + b64url(hmac.digest(secret, body, "sha" + alg[2:]))


def bearer(token: bytes) -> bytes:
    return b"2026-11-22T10:00:00Z DEBUG Authorization: Bearer " + token + b"\n"


def keys_of(run: Ran) -> list[dict[str, object]]:
    return [one for one in run.findings if one["detector"] == DETECTOR]


def planted(folder: Path, text: bytes) -> Path:
    path = folder / "app.log"
    path.write_bytes(text)
    return path


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("raw", SECRET),
        ("base64", base64.b64encode(SECRET)),
        ("basic", None),
    ],
)
def test_a_secret_that_signed_a_token_is_a_finding_of_its_own(
    tmp_path: Path, alg: str, form: str, written: bytes | None
) -> None:
    secret = SECRET if written is not None else opaque(12, 24)
    place = (
        b'{"client_secret": "%s"}\n' % written
        if written
        else (b"Authorization: Basic " + base64.b64encode(b"billing:" + secret) + b"\n")
    )
    tokens = [signed(secret, number, alg) for number in range(3)]
    other = signed(opaque(99), 7, alg, "https://other.example")
    planted(tmp_path, place + b"".join(map(bearer, [*tokens, other])) + bearer(tokens[0]))
    ran = bearertrap("scan", "--at", "2026-11-22T12:00:00Z", "app.log", cwd=tmp_path)
    (key,) = keys_of(ran)
    first = ran.findings[0]
    assert ran.findings[-1] is key and key["fingerprint"] == first["fingerprint"] and key["spans"] == first["spans"]
    assert key["kind"] == first["kind"] and key["id"] != first["id"]
    assert key["weaknesses"] == ["signs_found_token"] and ran.code == 11
    verdict = key["verdict"]
    assert isinstance(verdict, dict) and verdict["state"] == "no_expiry" and verdict["reason"].startswith("critical: ")
    marks = {one["fingerprint"]: None for one in ran.findings if one["kind"] == "jwt"}
    assert key["related"] == list(marks)[:3]
    for value in (secret, *tokens):
        assert value not in ran.said and value.rpartition(b".")[2] not in ran.said


def test_a_notorious_secret_and_one_of_the_users_list(tmp_path: Path) -> None:
    keys = {"a": b"secret", "b": b"our dev secret", "c": opaque(3)}
    tokens = [signed(key, issuer=name) for name, key in keys.items()]
    planted(tmp_path, b"".join(map(bearer, tokens)))
    (tmp_path / "weak.txt").write_bytes(b"unused\nour dev secret\n")
    (one,) = keys_of(bearertrap("scan", "app.log", cwd=tmp_path))
    assert one["kind"] == "jwt" and "weak_signing_key" in one["weaknesses"]  # type: ignore[operator]
    both = bearertrap("scan", "--weak-secrets", "weak.txt", "app.log", cwd=tmp_path)
    assert [key["line"] for key in keys_of(both)] == [1, 2]
    assert b"our dev secret" not in both.said
    missing = bearertrap("scan", "--weak-secrets", "nonesuch.txt", "app.log", cwd=tmp_path)
    assert missing.code == 2 and b"nonesuch.txt" in missing.err


def test_a_private_key_whose_public_half_is_in_a_named_key_set(tmp_path: Path) -> None:
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    member = {"kty": "RSA", "kid": "k1", "n": b64url(numbers.n.to_bytes(256, "big")).decode(), "e": "AQAB"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [member]}))
    planted(tmp_path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert not keys_of(bearertrap("scan", "app.log", cwd=tmp_path))
    ran = bearertrap("scan", "--jwks", "keys.json", "app.log", cwd=tmp_path)
    (key,) = keys_of(ran)
    assert key["kind"] == "private_key" and "in a key set you named" in str(key["verdict"])
    assert key["related"] == [] and key["weaknesses"] == ["known_key_pair"]


def _certificate(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str = "api.example") -> bytes:
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(whose, whose, private.public_key(), 7, begun, begun + timedelta(days=400))
    return made.sign(private, SHA256()).public_bytes(Encoding.PEM)


KEYS = {"rsa": rsa.generate_private_key(65537, 2048), "ec": ec.generate_private_key(ec.SECP256R1())}
LOGGED = {
    "plain": lambda pem: pem,
    "escaped": lambda pem: b'{"tls.crt":"' + pem.replace(b"\n", b"\\n") + b'"}\n',
    "log headers": lambda pem: pem.replace(b"\n", b"\n2026-11-22T12:00:00Z INFO server/main | "),
    "base64 of it": lambda pem: b"client-certificate-data: " + base64.b64encode(pem) + b"\n",
    "UTF-16": lambda pem: pem.decode().encode("utf-16-le"),
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("logged", LOGGED.values(), ids=LOGGED)
def test_a_private_key_whose_public_half_is_in_a_certificate_found(tmp_path: Path, kind: str, logged: Any) -> None:
    """In another file, and the certificate itself is no finding: it is public."""
    private = KEYS[kind]
    (tmp_path / "certs.log").write_bytes(logged(_certificate(private)))
    planted(tmp_path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ran = bearertrap("scan", "certs.log", "app.log", cwd=tmp_path)
    found, key = ran.findings
    assert found["source"]["path"] == "app.log" and key["detector"] == DETECTOR
    assert key["weaknesses"] == ["known_key_pair"] and key["spans"] == found["spans"] and ran.code == 11
    assert key["verdict"]["reason"] == (
        "critical: its public half is in a certificate found in this scan of api.example, valid until 2027-02-05; "
        "who holds it can pass for its owner"
    )
    planted(tmp_path, KEYS[{"rsa": "ec", "ec": "rsa"}[kind]].private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ))  # fmt: skip
    assert not keys_of(bearertrap("scan", "certs.log", "app.log", cwd=tmp_path))


def test_certificates_alone_are_nothing(tmp_path: Path) -> None:
    planted(tmp_path, _certificate(KEYS["rsa"]) + _certificate(KEYS["ec"], "x" * 64)[:-40])
    ran = bearertrap("scan", "app.log", cwd=tmp_path)
    assert (ran.code, ran.findings, ran.skipped) == (0, [], [])


def test_keys_rotated_under_one_header_are_both_found(tmp_path: Path) -> None:
    """Many tokens of one header and issuer; the later ones are signed with a key of the next quarter."""
    keys = opaque(21, 40), opaque(22, 40)
    body = b"".join(b'{"client_secret": "%s"}\n' % key for key in keys)
    for quarter, key in enumerate(keys):
        for number in range(MOST_TOKENS + 4):
            body += bearer(signed(key, number, iat=1795348800 - (1 - quarter) * 2 * 91 * 86400))
    planted(tmp_path, body)
    found = keys_of(bearertrap("scan", "app.log", cwd=tmp_path))
    assert [len(key["related"]) for key in found] == [MOST_TOKENS, MOST_TOKENS]  # type: ignore[arg-type]


def test_people_are_told_of_it_first(tmp_path: Path) -> None:
    planted(tmp_path, b'{"client_secret": "' + SECRET + b'"}\n' + bearer(signed(SECRET)))
    ran = bearertrap("scan", "-f", "text", "--at", "2026-11-22T12:00:00Z", "app.log", cwd=tmp_path)
    head, reason = ran.out.decode().splitlines()[:2]
    assert DETECTOR in head and reason.strip().startswith("critical: it signed 1 token tried of this scan")
    assert b"do first: replace the signing key at once" in ran.out


def test_it_can_be_allowed(tmp_path: Path) -> None:
    planted(tmp_path, bearer(signed(b"secret")))
    (tmp_path / "allow.toml").write_text('[[allow]]\nrule = "signing-key"\n')
    ran = bearertrap("scan", "--allow", "allow.toml", "app.log", cwd=tmp_path)
    assert not keys_of(ran) and ran.summary["suppressed"] == 1


def test_workers_give_back_what_is_to_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and tokens are found by different processes, in ranges of a file and in files of a batch."""
    for name in ("units.RANGE", "units.RANGE_LEAST", "sequence.RANGE", "units.BATCH_BYTES"):
        module, _, value = name.partition(".")
        monkeypatch.setattr(import_module(f"scanner.run.{module}"), value, 100_000)
    tokens = [bearer(signed(SECRET, number)) + FILLER * 20 for number in range(3 * MOST_TOKENS)]
    (tmp_path / "big.log").write_bytes(b"".join(tokens))
    (tmp_path / "small.log").write_bytes(
        b'{"client_secret": "' + SECRET + b'"}\n' + bearer(signed(b"secret", 1, "HS512"))
    )
    (tmp_path / "plain.log").write_bytes(FILLER * 60)
    sources = [source_of(tmp_path / name) for name in ("big.log", "small.log", "plain.log")]

    def events(jobs: int) -> list[Finding]:
        signing = SigningKeys()
        trials = signing.trial()
        found = run(sources, Options(AS_OF, KEY), jobs=jobs, trials=trials)
        return [event for event in signing.watched(found, trials) if isinstance(event, Finding)]

    alone, together = events(1), events(2)
    assert together == alone
    keys = [event for event in alone if event.detector == DETECTOR]
    assert [key.verdict.weaknesses[-1] for key in keys] == ["signs_found_token", "weak_signing_key"]
    assert len(keys[0].related) == MOST_TOKENS


def test_nothing_is_imported_where_there_is_nothing_to_try(tmp_path: Path) -> None:
    planted(tmp_path, b'{"client_secret": "' + SECRET + b'"}\n' + bearer(jwt(1)[:90]))
    code = (
        "import sys; from scanner.cli import main\n"
        "try: main()\n"
        "except SystemExit: print('cryptography' in sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "scan", "app.log"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert ran.stderr.splitlines()[-1] == "False"


def test_values_of_unchanged_sources_are_said_to_be_untried(tmp_path: Path) -> None:
    planted(tmp_path, b'{"client_secret": "' + SECRET + b'"}\n' + bearer(signed(SECRET)))
    os.utime(tmp_path / "app.log", (1, 1))
    for _ in range(2):  # the second time nothing new came that could have been tried
        ran = bearertrap("scan", "--state", "sweep.db", "app.log", cwd=tmp_path)
        assert ran.summary["notices"] == []
    (tmp_path / "new.log").write_bytes(bearer(signed(SECRET, 9)))
    ran = bearertrap("scan", "--state", "sweep.db", "app.log", "new.log", cwd=tmp_path)
    said = "signing keys: values of sources that did not change since they were read were not tried"
    assert not keys_of(ran) and ran.summary["notices"] == [said] and said.encode() in ran.err


@pytest.mark.parametrize("detector", public(), ids=lambda one: one.id)
def test_what_is_public_is_found_and_kept_apart(detector: Detector) -> None:
    scanner = Scanner(Matcher(public()), Policy(AS_OF), KEY)
    for text, value in detector.examples:
        aside: list[Match] = []
        assert not list(scanner.scan(StreamId("x"), Chunks(text), FileHints(), aside=aside.append))
        assert [match.secret.reveal() for match in aside] == [value]
    for text in detector.counterexamples:
        aside = []
        assert not list(scanner.scan(StreamId("x"), Chunks(text), FileHints(), aside=aside.append))
        assert not aside
