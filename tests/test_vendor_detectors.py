"""The self-proving detectors: every row is found through its anchors, exactly, and nothing else is."""

from __future__ import annotations

import base64
import re
import time
import zlib
from collections.abc import Iterator

import pytest

from detectors.detector import Anchor, Confidence, Detector, Flaw, Kind, Match, NeedMore, Rank, Text
from detectors.registry import all_detectors
from detectors.vendor import checksums as sums
from detectors.vendor.family import ALNUM, B62, HEX, glued, varied

OTHERS = (
    "detectors.vendor",
    "detectors.private_key",
    "detectors.signed_url",
    "detectors.tokens_with_clock",
    "detectors.connections",
    "detectors.logins",
    "detectors.caveats",
    "detectors.handshakes",
)


def _mine() -> list[Detector]:
    import sys

    all_detectors()
    out: list[Detector] = []
    for name, module in sorted(sys.modules.items()):
        if name.startswith(OTHERS):
            out += [d for d in (module.__dict__.get("DETECTOR"),) if d]
            out += module.__dict__.get("DETECTORS", ())
    return out


MINE = _mine()
BY_ID = {d.id: d for d in MINE}


def hits(anchor: Anchor, data: bytes) -> Iterator[int]:
    """Where the anchor's matches end: what the matcher would report."""
    pattern = anchor.pattern or re.escape(anchor.literal)
    flags = re.DOTALL | (re.IGNORECASE if anchor.caseless else 0)
    compiled = re.compile(pattern, flags)
    position = 0
    while found := compiled.search(data, position):
        yield found.end()
        position = found.start() + 1


def matches(detector: Detector, data: bytes, binary: bool = False) -> list[Match]:
    found = {
        (m.start, m.end): m
        for anchor in detector.anchors
        for hit in hits(anchor, data)
        for m in detector.confirm(Text(data, hit, binary=binary))
    }
    return [found[key] for key in sorted(found)]


def only(detector: str, data: bytes, binary: bool = False) -> Match:
    (match,) = matches(BY_ID[detector], data, binary)
    assert match.secret.reveal() == data[match.start : match.end]
    return match


def test_there_are_many_families() -> None:
    assert len(MINE) >= 170
    assert all(d.reference and d.title and d.examples and d.anchors for d in MINE)


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_examples_are_found_exactly(detector: Detector) -> None:
    for data, secret in detector.examples:
        found = matches(detector, data)
        assert [data[m.start : m.end] for m in found] == [secret], detector.id
        assert found[0].encoding or found[0].secret.reveal() == secret
        assert found[0].kind in Kind


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_counterexamples_are_not(detector: Detector) -> None:
    for data in detector.counterexamples:
        assert matches(detector, data) == []


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_no_example_belongs_to_two_families(detector: Detector) -> None:
    """Where two families claim the same bytes, one of them outranks the other or is the longer."""
    for data, secret in detector.examples:
        start = data.index(secret)
        for other in MINE:
            if other is detector:
                continue
            for m in matches(other, data):
                if (m.start, m.end) == (start, start + len(secret)) and m.kind != detector.kind:
                    own = matches(detector, data)[0]
                    assert m.rank < own.rank, (detector.id, other.id)


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_a_cut_inside_asks_for_more(detector: Detector) -> None:
    """A cut text may give NeedMore or the whole answer, never a different one."""
    data, secret = detector.examples[0]
    data += b" " + b"and so on " * 2000
    whole = {(m.start, m.end) for m in matches(detector, data)}
    for anchor in detector.anchors:
        for hit in hits(anchor, data):
            for size in range(hit, hit + len(secret) + 8):
                try:
                    part = {(m.start, m.end) for m in detector.confirm(Text(data[:size], hit, cut=True))}
                except NeedMore:
                    continue
                assert part <= whole, (detector.id, size)
                assert part or size >= data.index(secret) + len(secret), (detector.id, size)


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_confirm_is_linear(detector: Detector) -> None:
    """Long runs of everything a shape likes, at every anchor, end quickly."""
    for anchor in detector.anchors:
        literal = anchor.literal or detector.examples[0][1][:40]
        for filler in (b"A", b"0", b"a1Z", b"a-", b"f0.", literal or b"x", b"-_", b"=", b"%3D&"):
            data = b" " + filler * (8192 // len(filler)) + literal + filler * (16384 // len(filler))
            begin = time.perf_counter()
            for hit in {8193 + len(literal), len(data) // 2, len(data)}:
                list(detector.confirm(Text(data, hit)))
            assert time.perf_counter() - begin < 0.25, detector.id


@pytest.mark.parametrize("detector", MINE, ids=lambda d: d.id)
def test_any_hit_anywhere_is_survived(detector: Detector) -> None:
    data = bytes(range(256)) + detector.examples[0][0] + bytes(range(255, -1, -1))
    for hit in range(len(data) + 1):
        for match in detector.confirm(Text(data, hit, binary=True)):
            assert 0 <= match.start < match.end <= len(data)
        list(detector.confirm(Text(data[:hit], hit)))


def test_checksums_of_known_shape() -> None:
    assert sums.digits(0, sums.BASE62, 6) == b"000000"
    assert sums.digits(61, sums.BASE62, 6) == b"00000z"
    assert sums.digits(62, sums.BASE62, 2) == b"10"
    assert sums.digits(36**7 - 1, sums.BASE36, 7) == b"zzzzzzz"
    body = B62[:30]
    token = b"np" + b"m_" + body + sums.digits(zlib.crc32(body), sums.BASE62, 6)
    assert sums.crc_base62(token)
    assert not sums.crc_base62(token[:-1] + (b"a" if token[-1:] != b"a" else b"b"))


def test_a_checksum_decides_where_no_separator_does() -> None:
    token = BY_ID["github-pat"].examples[0][1]
    for before, after in ((b"https://id.acme.io", b""), (b"", b"Ab9"), (b"x_", b"_y"), (b"\x00\xff", b"GET /v1")):
        match = only("github-pat", before + token + after)
        assert (match.rank, match.confidence) == (Rank.CHECKED, Confidence.HIGH)
        assert match.secret.reveal() == token
    damaged = token[:10] + (b"A" if token[10:11] != b"A" else b"B") + token[11:]
    assert matches(BY_ID["github-pat"], damaged) == []


def test_an_undocumented_checksum_only_lowers_confidence() -> None:
    good = BY_ID["grafana-service-account"].examples[0][1]
    assert only("grafana-service-account", good).rank is Rank.CHECKED
    bad = good[:-1] + (b"0" if good[-1:] != b"0" else b"1")
    match = only("grafana-service-account", bad)
    assert (match.rank, match.confidence) == (Rank.STRUCTURE, Confidence.MEDIUM)


def test_memory_has_no_separators() -> None:
    token = BY_ID["figma"].examples[0][1]
    data = b"https://api.acme.io" + token + b"next"
    assert matches(BY_ID["figma"], data) == []
    assert only("figma", data, binary=True).secret.reveal() == token


@pytest.mark.parametrize("name", ["sendgrid", "huggingface", "vault-service", "sk-hex", "dropbox-access"])
def test_weak_starts_want_to_stand_alone(name: str) -> None:
    token = BY_ID[name].examples[0][1]
    assert matches(BY_ID[name], b"task" + token + b" ") == []
    for before in (b"", b"=", b'"', b"%3D", rb"\n", b"/", b"\x00"):
        assert only(name, before + token + b" ").secret.reveal() == token


def test_glued() -> None:
    assert glued(b"ax", 1) and glued(b"3Dx", 2) and glued(b"nx", 1)
    assert not any((glued(b"x", 0), glued(b"=x", 1), glued(rb"\nx", 2), glued(b"%3Dx", 3)))


@pytest.mark.parametrize(
    "body",
    [b"x" * 36, b"****************", b"abcdefghijklmnopqrstuvwxyz", b"your-token-goes-here1", b"EXAMPLEKEY9a8b7c6d5e4",
     b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"my-service-name-of-length", b"ababababab1212121212"],
)  # fmt: skip
def test_fillers_are_no_secret(body: bytes) -> None:
    assert not varied(body)


def test_random_bodies_are() -> None:
    assert varied(HEX[:32]) and varied(B62[:40])
    assert len(ALNUM) == 62


def test_a_bare_access_key_id_is_no_finding() -> None:
    detector = BY_ID["aws-secret-access-key"]
    identifier = b"AK" + b"IAZ3Q7XLM2KWTBNC4D"
    assert matches(detector, b"accessKeyId=" + identifier + b" region=eu-central-1") == []
    far = identifier + b" " * 260 + B62[:40]
    assert matches(detector, far) == []


def test_lifetimes_and_facts() -> None:
    match = only("github-installation-stateless", BY_ID["github-installation-stateless"].examples[0][1])
    assert match.facts.expires_at == 1795340000.0 and match.max_lifetime == 86400.0 and not match.static
    assert only("sentry-org", BY_ID["sentry-org"].examples[0][1]).facts.issued_at == 1795338967.0
    assert only("stripe-secret", BY_ID["stripe-secret"].examples[0][1]).static


def test_only_documented_maxima_are_lifetimes() -> None:
    """A default or a lifetime that a refresh prolongs says nothing of when a token has surely ended."""
    lifetimes = {name: only(name, BY_ID[name].examples[0][0]).max_lifetime for name in MAXIMA}
    assert lifetimes == MAXIMA


MAXIMA = {
    "github-installation": 86400.0,  # also the GITHUB_TOKEN of a job, refreshed for a day
    "entra-refresh-token": None,
    "instagram": None,
    "linkedin-access": 365 * 86400.0,  # of the refresh tokens, which look alike
}


@pytest.mark.parametrize(
    ("name", "issued", "expires"),
    [
        ("aws-sigv4-url", 1795348800.0, 1795349700.0),
        ("aws-sigv2-url", None, 1795348800.0),
        ("gcs-v4-url", 1795348800.0, 1795352400.0),
        ("gcs-v2-url", None, 1795348800.0),
        ("azure-sas", 1795345200.0, 1795348800.0),
        ("cloudfront-url", None, 1795348800.0),
        ("paseto", 1795348800.0, 1795352400.0),
        ("fernet", 1795348800.0, None),
        ("itsdangerous", 1795348800.0, None),
        ("saml-response", 1795348800.0, 1795349100.0),
    ],
)
def test_clocks_are_read(name: str, issued: float | None, expires: float | None) -> None:
    match = only(name, BY_ID[name].examples[0][0])
    assert (match.facts.issued_at, match.facts.expires_at) == (issued, expires)


def test_a_django_stamp_is_read() -> None:
    match = only("django-signed", BY_ID["django-signed"].examples[0][0])
    assert match.facts.issued_at is not None and 1.7e9 < match.facts.issued_at < 1.9e9


def test_a_custom_cloudfront_policy_says_when() -> None:
    policy = b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1795348800}}}]}'
    encoded = base64.b64encode(policy).translate(bytes.maketrans(b"+=/", b"-_~"))
    url = b"?Policy=" + encoded + b"&Signature=" + B62[:172] + b"&Key-Pair-Id=K2JCJMDEHXQW5F"
    assert only("cloudfront-url", url).facts.expires_at == 1795348800.0


def test_a_pem_block_cut_off_is_truncated() -> None:
    block = BY_ID["pem-private-key"].examples[0][1]
    short = block[: block.index(b"-----END") - 30]
    match = only("pem-private-key", b"x " + short + b"\n\nnext record of the log, in plain words\n")
    assert match.flaw is Flaw.TRUNCATED and match.rank is Rank.BLOCK
    assert match.secret.reveal() == short.rstrip()


def test_a_pem_block_with_log_headers_is_one_match() -> None:
    block = BY_ID["pem-private-key"].examples[0][1].replace(b"\n", b"\n2026-11-22T12:00:00Z DEBUG app: ")
    match = only("pem-private-key", b"2026-11-22T12:00:00Z DEBUG app: " + block + b"\n")
    assert match.secret.reveal() == block and match.flaw is None


def test_private_members_of_a_jwk_are_one_span() -> None:
    d, p = B62[:60], B62[60:110]
    data = b'{"keys":[{"kty":"RSA","n":"' + B62[:100] + b'","e":"AQAB","d":"' + d + b'","p":"' + p + b'","kid":"k1"}]}'
    match = only("jwk-private-key", data)
    assert match.secret.reveal() == d + b'","p":"' + p
    assert match.facts.key_id == "k1"


def test_what_follows_a_truncated_block_is_left_out() -> None:
    block = BY_ID["pem-private-key"].examples[0][1]
    lines = block.split(b"\n")
    short = b"\n".join(lines[:3])
    for after in (b"\n/usr/lib/python3/dist-packages/botocore/session", b"\n2026-11-22 ThisIsALongNameOfAClass", b""):
        assert only("pem-private-key", short + after).secret.reveal() == short


V = b"q3ZkXx9QbTmL2vRw"


@pytest.mark.parametrize(
    ("name", "text", "user"),
    [
        ("connection-string", b"Data Source=db;User Id=app;Pwd=" + V + b";Encrypt=True", "app"),
        ("connection-string", b'<add connectionString="Server=db;Database=o;Uid=app;Pwd=' + V + b'" />', "app"),
        ("connection-string", b"Driver={ODBC Driver 18};Server=db;UID=app;PWD={" + V + b"}", "app"),
        ("connection-string", b"jdbc:mysql://db:3306/o?useSSL=true&user=app&password=" + V, "app"),
        ("oracle-url", b"jdbc:oracle:thin:app/" + V + b"@db.acme.io:1521:orcl", "app"),
        ("netrc", b"machine h.acme.io\nlogin app\naccount x\npassword " + V + b"\n", "app"),
        ("netrc", b"default login app password " + V + b"\n", "app"),
        ("pgpass", b"localhost:*:orders:app:" + V + b"\n", "app"),
        ("npmrc-auth", b"_auth = " + base64.b64encode(b"app:" + V) + b"\n", "app"),
    ],
)
def test_a_connection_s_password_and_its_user(name: str, text: bytes, user: str) -> None:
    (match,) = matches(BY_ID[name], text)
    assert match.facts.client_id == user
    assert V in match.secret.reveal()


@pytest.mark.parametrize(
    "text",
    [
        b"2026-11-22 10:15:32 INFO 10.0.0.7:8080:GET:index:served\n",
        b"db.acme.io:5432:orders:app:abc:def\n",
        b"the machine login failed, password rejected",
        b"form: user=app password=Hunter2 confirm=Hunter2",
        b"Server=db;Database=orders;User ID=app;Password=;Trusted_Connection=True",
        b"jdbc:postgresql://db/o?user=app&password=***&ssl=true",
    ],
)
def test_no_connection_no_password(text: bytes) -> None:
    for detector in MINE:
        if detector.id in ("connection-string", "netrc", "pgpass", "oracle-url"):
            assert matches(detector, text) == []


@pytest.mark.parametrize(
    ("name", "start", "lifetime"),
    [("aws-secret-access-key", b"ASIA", 129600.0), ("aws-secret-access-key", b"AKIA", None)],
)
def test_a_pair_s_key_lives_as_its_id_says(name: str, start: bytes, lifetime: float | None) -> None:
    key = B62[9:49]
    (match,) = matches(BY_ID[name], start + b"Z3Q7XLM2KWTBNC4D " + key)
    assert (match.max_lifetime, match.static) == (lifetime, lifetime is None)
