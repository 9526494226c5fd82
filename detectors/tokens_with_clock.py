"""Tokens other than JWTs that say in clear when they were issued or end: PASETO, Fernet, itsdangerous, Django's and
Rails' signatures, SAML assertions; and macaroons, which are recognised by their first packet.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from detectors.claims import decode_part, json_object, may_open_object
from detectors.detector import (
    Anchor,
    Confidence,
    Detector,
    Kind,
    Match,
    NeedMore,
    Rank,
    Secret,
    Text,
    TokenFacts,
    Usual,
)
from detectors.patterns import pattern
from detectors.vendor.checksums import BASE62
from detectors.vendor.family import glued, varied

AFTER = 8192  # bytes: a header's line, which servers bound at 8 KB
SAML_AFTER = 48 * 1024  # bytes: a signed response with its certificate has 5 to 20 KB in base64
EARLIEST, LATEST = 1262304000.0, 4102444800.0  # 2010 to 2100: no token's clock stands elsewhere

Reader = Callable[[bytes], TokenFacts | None]


def _plausible(seconds: float) -> bool:
    return EARLIEST <= seconds < LATEST


def _moment(stamp: object) -> float | None:
    """Unix seconds of an ISO 8601 time with a zone."""
    if not isinstance(stamp, str) or len(stamp) > 40:
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_HOUR, _DAY = 3600.0, 86400.0
# A token of that kind under a name that begins with one of these is a session of the framework that uses it.
_USUAL = {
    "django-signed": (rb"sessionid", Usual(14 * _DAY, "Django's default is 2 weeks (SESSION_COOKIE_AGE)")),
    "itsdangerous": (rb"session", Usual(31 * _DAY, "Flask's default is 31 days (PERMANENT_SESSION_LIFETIME)")),
    "fernet": (rb"x-(?:subject|auth)-token", Usual(_HOUR, "Keystone's default is one hour ([token] expiration)")),
}


def _usual(family: str, data: bytes, start: int) -> Usual | None:
    if family not in _USUAL:
        return None
    name, usual = _USUAL[family]
    named = re.compile(rb"""(?i)(?<![a-z0-9_-])""" + name + rb"""["']?\s{0,4}(?:=>|[:=,])\s{0,4}(?:b?["'])?\Z""")
    return usual if named.search(data, max(0, start - 48), start) else None


def _match(text: Text, start: int, end: int, family: str, kind: Kind, facts: TokenFacts, sure: Confidence) -> Match:
    return Match(
        start=start,
        end=end,
        kind=kind,
        secret=Secret(text.data[start:end]),
        rank=Rank.STRUCTURE,
        confidence=sure,
        facts=facts,
        family=family,
        usual=_usual(family, text.data, start),
    )


def _shape(
    family: str, shape: bytes, read: Reader, kind: Kind, sure: Confidence, back: int
) -> Callable[[Text], Iterable[Match]]:
    """A confirm for a token that begins at most `back` bytes before the anchor's end and runs on in its alphabet."""
    compiled = pattern(shape)

    def confirm(text: Text) -> Iterable[Match]:
        data, hit = text.data, text.hit
        stop = min(len(data), hit + AFTER)
        starts = range(max(0, hit - back), hit)
        found = next((m for at in starts if (m := compiled.match(data, at, stop)) and m.end() >= hit), None)
        if text.cut and len(data) < hit + AFTER and (found is None or found.end() == len(data)):
            tail = data[found.end() if found else hit :]
            if not re.search(rb"[^!-~]", tail):
                raise NeedMore
        if found is None or glued(data, found.start()):
            return
        facts = read(found[0])
        if facts is not None:
            yield _match(text, found.start(), found.end(), family, kind, facts, sure)

    return confirm


# v<1-4>.<purpose>.<payload>[.<footer>], base64url without padding.
# https://github.com/paseto-standard/paseto-spec/blob/master/docs/01-Protocol-Versions/Common.md
_PASETO = rb"v[1-4]\.(?:local|public)\.[0-9A-Za-z_-]{64,7000}(?:\.[0-9A-Za-z_-]{1,1000})?(?![0-9A-Za-z_-])"
_SIGNATURE = {b"v1": 256, b"v2": 64, b"v3": 96, b"v4": 64}  # bytes at the payload's end


def _paseto(token: bytes) -> TokenFacts | None:
    parts = token.split(b".")
    payload = decode_part(parts[2])
    if payload is None or not varied(parts[2], dense=True):
        return None
    if parts[1] == b"local":
        return TokenFacts(token_type="paseto")
    claims = json_object(payload[: -_SIGNATURE[parts[0]]])
    if claims is None:
        return None
    names = {k: v for k, v in claims.items() if isinstance(v, str)}
    return TokenFacts(
        issuer=names.get("iss"),
        subject=names.get("sub"),
        audience=(names["aud"],) if "aud" in names else (),
        token_id=names.get("jti"),
        token_type="paseto",
        issued_at=_moment(claims.get("iat")),
        not_before=_moment(claims.get("nbf")),
        expires_at=_moment(claims.get("exp")),
    )


def _fernet(token: bytes) -> TokenFacts | None:
    """0x80, 8 bytes of Unix time, 16 of IV, blocks of 16, 32 of HMAC: github.com/fernet/spec."""
    raw = decode_part(token)
    if raw is None or len(raw) < 73 or (len(raw) - 57) % 16:
        return None
    issued = float(int.from_bytes(raw[1:9], "big"))
    return TokenFacts(token_type="fernet", issued_at=issued) if _plausible(issued) else None


_DJANGO_SHAPE = pattern(
    rb"(?:eyJ|\.eJ)[0-9A-Za-z_-]{4,4000}:(1[0-9A-Za-z]{5}):(?:[0-9A-Za-z_-]{43}|[0-9A-Za-z_-]{27})(?![0-9A-Za-z_-])"
)


def _glance(before: bytes, after: bytes) -> bool:
    """Whether an encoded object begins there, or a compressed one: 0x78 0x9C, zlib at its default level (RFC 1950)."""
    if before.endswith(b".eJ"):
        return not after or after[:1] in b"wxyz" or not after[:1].isalnum()
    return may_open_object(before[-3:] + after, 0)


_DJANGO_OPEN = pattern(rb"(?:eyJ|\.eJ)[0-9A-Za-z_:-]{0,4060}")  # what a whole one may still become


def _django(text: Text) -> Iterable[Match]:
    """value:base62(time):base64url(HMAC), of 20 or 32 bytes. django.core.signing.TimestampSigner on JSON."""
    start = text.hit - 3
    token = _DJANGO_SHAPE.match(text.data, start) if start >= 0 else None
    if text.cut and start >= 0 and _DJANGO_OPEN.fullmatch(text.data, start):
        raise NeedMore
    if token is None:
        return
    issued = 0
    for digit in token[1]:
        issued = issued * 62 + BASE62.index(digit)
    if _plausible(issued):
        facts = TokenFacts(token_type="django", issued_at=float(issued))
        yield _match(text, start, token.end(), "django-signed", Kind.SESSION_COOKIE, facts, Confidence.MEDIUM)


def _itsdangerous(token: bytes) -> TokenFacts | None:
    """value.base64url(time).base64url(HMAC): itsdangerous.TimedSerializer, which Flask's sessions use."""
    value, stamp, _ = token.rsplit(b".", 2)
    raw = decode_part(stamp)
    issued = float(int.from_bytes(raw, "big")) if raw else 0.0
    if not _plausible(issued):
        return None
    if not (value.startswith(b".") or (decode_part(value) or b"").startswith((b"{", b"[", b'"'))):
        return None
    return TokenFacts(token_type="itsdangerous", issued_at=issued)


def _rails(token: bytes) -> TokenFacts | None:
    """base64(JSON)--hex(HMAC): ActiveSupport::MessageVerifier, with what it is for and until when."""
    message = decode_part(token.partition(b"--")[0].replace(b"%3D", b"="))
    said = (json_object(message) or {}).get("_rails") if message else None
    if not isinstance(said, dict) or not {"message", "data"} & said.keys():
        return None
    return TokenFacts(token_type="rails", expires_at=_moment(said.get("exp")))


def _macaroon(token: bytes) -> TokenFacts | None:
    """Version 1: packets of a length in 4 hex digits, a name, a space, a value and a newline; location is first."""
    raw = decode_part(token)
    if raw is None or not re.match(rb"[0-9a-f]{4}location ", raw) or b"identifier " not in raw:
        return None
    return TokenFacts(token_type="macaroon") if b"signature " in raw else None


_XML_TIME = pattern(rb"""(NotOnOrAfter|IssueInstant|NotBefore)=["']([0-9T:.Z+-]{19,35})["']""")
_XML_ISSUER = pattern(rb"<(?:[A-Za-z0-9]{1,16}:)?Issuer[^>]{0,200}>([!-;=-~]{1,300})<")
_XML_HEAD = pattern(rb"<(?:[A-Za-z0-9]{1,16}:)?(?:Response|Assertion)[ >]")
_SAML_VALUE = pattern(rb"""[\s"'=:>\\]{0,12}([0-9A-Za-z+/_-]{200,48000}={0,2})""")


_SAML_OTHER = pattern(rb"""[^\s"'=:>\\0-9A-Za-z+/_-]""")


def _saml(text: Text) -> Iterable[Match]:
    """SAML bindings 3.5.4: base64 of the response. It ends at the first NotOnOrAfter of its assertion."""
    found = _SAML_VALUE.match(text.data, text.hit, text.hit + SAML_AFTER)
    open_end = found.end() == len(text.data) if found else not _SAML_OTHER.search(text.data, text.hit)
    if text.cut and open_end and len(text.data) < text.hit + SAML_AFTER:
        raise NeedMore
    raw = decode_part(found[1]) if found else None
    if found is None or raw is None or not _XML_HEAD.search(raw[:2000]):
        return
    times: dict[bytes, list[float]] = {}
    for stamp in _XML_TIME.finditer(raw):
        moment = _moment(stamp[2].decode("ascii"))
        if moment is not None:
            times.setdefault(stamp[1], []).append(moment)
    issuer = _XML_ISSUER.search(raw)
    facts = TokenFacts(
        issuer=issuer[1].decode("ascii") if issuer else None,
        token_type="saml",
        issued_at=min(times.get(b"IssueInstant", []), default=None),
        not_before=max(times.get(b"NotBefore", []), default=None),
        expires_at=min(times.get(b"NotOnOrAfter", []), default=None),
    )
    yield _match(text, found.start(1), found.end(1), "saml-response", Kind.BEARER_TOKEN, facts, Confidence.HIGH)


_RANDOM = bytes((i * 197 + 89) % 256 for i in range(256))


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


_CLAIMS = b'{"iss":"https://id.acme.io","exp":"2026-11-22T13:00:00+00:00","iat":"2026-11-22T12:00:00+00:00"}'
_PUBLIC = b"v4.public" + b"." + _b64(_CLAIMS + _RANDOM[:64])
_LOCAL = b"v2.local" + b"." + _b64(_RANDOM[:90]) + b"." + _b64(b'{"kid":"1"}')
_FERNET = base64.urlsafe_b64encode(b"\x80" + (1795348800).to_bytes(8, "big") + _RANDOM[:80])
_DJANGO = b"eyJuIjoxLCJ1IjoiYWNtZSJ9:1xVGxg:" + _b64(_RANDOM[:32])
_FLASK = b"eyJfaWQiOiI3MzQyNSIsIl9mcmVzaCI6dHJ1ZX0." + _b64((1795348800).to_bytes(4, "big")) + b"." + _b64(_RANDOM[:20])
_SIGNED = b'{"_rails":{"data":17,"exp":"2026-11-22T12:30:00.000Z","pur":"blob_id"}}'
_RAILS = base64.b64encode(_SIGNED) + b"--" + _RANDOM[:20].hex().encode()
_PACKETS = b"0021location https://id.acme.io/\n0012identifier ab\n002fsignature " + _RANDOM[:32] + b"\n"
_XML = (
    b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" IssueInstant="2026-11-22T12:00:00Z">'
    b'<saml:Issuer>https://idp.acme.io</saml:Issuer><saml:Assertion><saml:Conditions NotBefore="2026-11-22T11:59:30Z" '
    b'NotOnOrAfter="2026-11-22T12:05:00Z"/></saml:Assertion></samlp:Response>'
)

_TOKEN, _COOKIE, _HIGH, _MEDIUM = Kind.BEARER_TOKEN, Kind.SESSION_COOKIE, Confidence.HIGH, Confidence.MEDIUM

DETECTORS = (
    Detector(
        id="paseto",
        kind=_TOKEN,
        title="PASETO",
        anchors=tuple(Anchor(b"v%d.%s." % (v, purpose)) for v in range(1, 5) for purpose in (b"local", b"public")),
        confirm=_shape("paseto", _PASETO, _paseto, _TOKEN, _HIGH, 10),
        reference="https://github.com/paseto-standard/paseto-spec",
        examples=((b"token=" + _PUBLIC + b"&x=1", _PUBLIC), (b'"' + _LOCAL + b'"', _LOCAL)),
        counterexamples=(b"v4.public.", b"v2.local." + b"A" * 90, b"v1.public.api/v1.public.method"),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="fernet",
        kind=_TOKEN,
        title="Fernet token",
        anchors=(Anchor(b"gAAAAAB"),),
        confirm=_shape(
            "fernet", rb"gAAAAAB[0-9A-Za-z_-]{90,8000}={0,2}(?![0-9A-Za-z_=-])", _fernet, _TOKEN, _MEDIUM, 7
        ),
        reference="https://github.com/fernet/spec/blob/master/Spec.md",
        examples=((b"X-Subject-Token: " + _FERNET + b"\r\n", _FERNET),),
        counterexamples=(_FERNET[:-6], b"gAAAAAB" + b"x" * 93),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="django-signed",
        kind=_COOKIE,
        title="Django signed value with a timestamp",
        anchors=(Anchor(b"eyJ"), Anchor(b".eJ")),
        confirm=_django,
        reference="https://docs.djangoproject.com/en/stable/topics/signing/",
        examples=((b"sessionid=" + _DJANGO + b"; Path=/", _DJANGO),),
        counterexamples=(b"2001:db8:1abcde:1:2", b"a:1zzzzz:" + b"short"),
        before=4096,
        after=512,
        glance=_glance,
    ),
    Detector(
        id="itsdangerous",
        kind=_COOKIE,
        title="Flask session or other itsdangerous value with a timestamp",
        anchors=(Anchor(b"eyJ"), Anchor(b".eJ")),
        confirm=_shape(
            "itsdangerous",
            rb"(?:eyJ|\.eJ)[0-9A-Za-z_-]{4,4000}\.[0-9A-Za-z_-]{6}\.(?:[0-9A-Za-z_-]{27}|[0-9A-Za-z_-]{43})(?![0-9A-Za-z_-])",
            _itsdangerous,
            _COOKIE,
            _HIGH,
            3,
        ),
        reference="https://itsdangerous.palletsprojects.com/en/stable/timed/",
        examples=((b"Cookie: session=" + _FLASK + b"; a=b", _FLASK),),
        counterexamples=(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",),
        before=64,
        after=AFTER,
        glance=_glance,
    ),
    Detector(
        id="rails-message",
        kind=Kind.SIGNED_URL,
        title="Signed message of Rails",
        anchors=(Anchor(b"eyJfcmFpbHMi"),),  # {"_rails"
        confirm=_shape(
            "rails-message",
            rb"eyJfcmFpbHMi[0-9A-Za-z_+/-]{8,4000}?(?:=|%3D){0,2}--(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])",
            _rails,
            Kind.SIGNED_URL,
            _HIGH,
            12,
        ),
        reference="https://api.rubyonrails.org/classes/ActiveSupport/MessageVerifier.html",
        examples=((b"/rails/active_storage/blobs/redirect/" + _RAILS + b"/a.pdf", _RAILS),),
        counterexamples=(_RAILS[:-1], b"eyJfcmFpbHMi--" + b"0" * 40),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="macaroon",
        kind=_TOKEN,
        title="Macaroon",
        anchors=(Anchor(b"xvY2F0aW9u"),),  # base64 of "location" at the place a first packet has it
        confirm=_shape("macaroon", rb"MDA[0-9A-Za-z_+/-]{60,8000}={0,2}", _macaroon, _TOKEN, _HIGH, 24),
        reference="https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt",
        examples=((b"Authorization: Macaroon " + _b64(_PACKETS) + b"\n", _b64(_PACKETS)),),
        counterexamples=(b"MDAxY2xvY2F0aW9u" + b"x" * 80,),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="saml-response",
        kind=_TOKEN,
        title="SAML response",
        anchors=(Anchor(b"SAMLResponse"), Anchor(b"saml_response")),
        confirm=_saml,
        reference="https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf",
        examples=((b"RelayState=x&SAMLResponse=" + base64.b64encode(_XML) + b"&y", base64.b64encode(_XML)),),
        counterexamples=(b"SAMLResponse=" + b"A" * 300, b"no SAMLResponse in the request", b"SAMLResponse=[FILTERED]"),
        before=64,
        after=SAML_AFTER,
    ),
)
