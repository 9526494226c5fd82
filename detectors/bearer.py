"""Bearer tokens in an Authorization header or whatever a logger made of one (RFC 6750 section 2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from detectors import jwt
from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.fields import field_at
from detectors.keys import words
from detectors.patterns import pattern
from detectors.shapes import is_uuid, plausible, random_looking

# b64token of RFC 6750 section 2.1, and what issuers use beyond it: : (Snowflake), ! (Salesforce), @ $ * ^, and | behind
# a number (Sanctum); elsewhere | parts headers, ^ fields. Two dots are a line end in a dump of packets.
_TOKEN = pattern(rb"(?:\d{1,12}\|)?(?:[A-Za-z0-9_~+/:!@$*-]++|\.(?!\.)|\^(?!\w{2,20}=))+=*")
_GAP = pattern(rb"""["'`]?(?:[ \t]{1,4}|[:=,][ \t]{0,2}|\+)(?:["'`<\[(]|token[ =:]{1,2}){0,2}""")
_SCHEME = pattern(
    rb"""(?i)(?P<scheme>[a-z][a-z0-9_.-]{2,24})(?:[ ]+|=(?=["']))(?:[a-z]{1,12}=[\w.-]{1,24};)?"""
    rb"""(?:(?:token|auth|apikey|key|access_token)=)?["']?"""
    rb"""|(?P<key>key|api[_-]?key|token)=["']?"""  # Firebase's legacy servers: `key=V`
)
# "The token's type is bearer", and the next field follows.
_TYPE = pattern(rb"""(?i)token_?type["'\]]{0,2}\s?(?:=>|[:=])\s?["']?bearer\Z""")
_MECHANISM = pattern(rb"(?i)oauth-?bearer\Z")  # RFC 7628: what follows its name is base64 with the token in it
# Schemes with detectors of their own, or whose parameters hold no reusable secret (RFC 7616, RFC 4559, MS-WSMV, SigV4).
_OTHER = frozenset(
    b"""basic bearer digest negotiate kerberos ntlm hawk aws4-hmac-sha256 aws signature hmac sharedkey mac
    scram-sha-256""".split()
)
# Its value begins with the scheme of another detector: nothing is left to be found by the header's name.
_TAKEN = pattern(
    rb"""[\\"'\]]{0,6}[ \t]{0,4}(?:=>|[:=>])[ \t]{0,4}[\\"'\[(]{0,8}(?:[Bb]earer|BEARER|[Bb]asic|BASIC|[Dd]igest) """
)
_BEFORE = frozenset(
    b"x proxy http request req header headers upstream amz original forwarded incoming outgoing".split()
)
_GOES_ON = pattern(rb"=[A-Za-z0-9]")  # no padding, but a key before its value
_PLUS = pattern(rb"\+(?P<scheme>[A-Za-z]{3,12})\+")  # blanks as a form's encoding writes them
SHORT = 16  # characters below which a token must look random to be told from a word


def confirm_bearer(text: Text) -> Iterator[Match]:
    """`Bearer` and a token, with what loggers put between them."""
    gap = _GAP.match(text.data, text.hit)
    low = max(0, text.hit - 40)
    if gap and not _TYPE.search(text.data, low, text.hit) and not _MECHANISM.search(text.data, low, text.hit):
        yield from _token_at(text, gap.end(), "authorization")


def confirm_header(text: Text) -> Iterator[Match]:
    """An Authorization header with another scheme, or with the token alone."""
    field = field_at(text)
    if field is None or not _is_header(words(field.key)):
        return
    start = field.start
    while text.data[start : start + 1] in (b'"', b"'", b"[") and start < field.end:
        start += 1
    blank = _PLUS.match(text.data, start)
    if blank and blank["scheme"].lower() in _OTHER:
        return
    start = blank.end() if blank else start
    scheme = _SCHEME.match(text.data, start)
    if scheme and (scheme["scheme"] or b"").lower() in _OTHER:
        return
    start = scheme.end() if scheme else start
    if field.doubtful and not random_looking(text.data[start : field.end]):
        return
    is_key = scheme is not None and (scheme["key"] or b"").endswith(b"key")
    for match in _token_at(text, start, "authorization"):
        opaque = match.kind is Kind.BEARER_TOKEN
        yield replace(match, kind=Kind.API_KEY, static=True) if is_key and opaque else match


def _glance(_before: bytes, after: bytes) -> bool:
    return not _TAKEN.match(after)


def _is_header(name: tuple[bytes, ...]) -> bool:
    """`Authorization` with what frameworks put before it, not any name that ends so."""
    return name[-1:] == (b"authorization",) and all(word in _BEFORE for word in name[:-1])


def _token_at(text: Text, start: int, key: str) -> Iterator[Match]:
    token = jwt.at(text, start)
    if token is not None:
        yield token
        return
    run = _TOKEN.match(text.data, start)
    if run is None:
        return
    if run.end() == len(text.data) and text.cut:
        raise NeedMore
    value = run[0][: _counted(text, start, run.end())].rstrip(b".,:;!")
    follows = text.data[start + len(value) : start + len(value) + 3]
    if follows[:1] == b"=" or follows in (b"...", b"\xe2\x80\xa6", b"***"):
        return
    if _GOES_ON.match(text.data, start + len(value) - 1):
        return
    if plausible(value, SHORT) or random_looking(value, 8):
        confidence = Confidence.MEDIUM if is_uuid(value) else Confidence.HIGH
        yield Match(start, start + len(value), Kind.BEARER_TOKEN, Secret(value), Rank.SCHEME, confidence, key=key)


def _counted(text: Text, start: int, end: int) -> int | None:
    """The token's length where a binary format wrote that of `Bearer` and the token before it, else None."""
    if start < 8 or text.data[start - 7 : start - 1].lower() != b"bearer" or text.data[start - 8] in _BEFORE_SCHEME:
        return None
    size = text.data[start - 8] - 7
    return size if SHORT <= size <= end - start and _CONTROL.search(text.data, max(0, start - 40), start - 8) else None


_BEFORE_SCHEME = b" \t\"'`:=[(<{,"
_CONTROL = pattern(rb"[\x00-\x08\x0e-\x1a\x7f-\xff]|\r(?!\n)")


_T = b"mF9QkzP4vT1xR7bN2cLw8sYd"

DETECTORS = (
    Detector(
        id="bearer",
        kind=Kind.BEARER_TOKEN,
        title="Bearer token",
        anchors=(Anchor(b"bearer", caseless=True),),
        confirm=confirm_bearer,
        reference="https://www.rfc-editor.org/rfc/rfc6750#section-2.1",
        examples=(
            (b"Authorization: Bearer " + _T + b"\r\n", _T),
            (b'"authorization" => ["bearer ' + _T + b'"]', _T),
        ),
        counterexamples=(
            b'WWW-Authenticate: Bearer realm="example", error="invalid_token"',
            b"the bearer of this letter",
            b"Authorization: Bearer ****************",
            b"Bearer ${ACCESS_TOKEN}",
            b"Bearer {{token}}",
        ),
    ),
    Detector(
        id="authorization-header",
        kind=Kind.BEARER_TOKEN,
        title="Token in an Authorization header without the Bearer scheme",
        anchors=(Anchor(b"authorization", caseless=True, keyed=True),),
        confirm=confirm_header,
        reference="https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2",
        examples=((b"Authorization: token " + _T + b"\n", _T), (b'authorization="' + _T + b'"', _T)),
        counterexamples=(
            b"Authorization: Digest username=alice",
            b"authorization: required for this resource",
            b"Authorization: AWS4-HMAC-SHA256 Credential=x",
        ),
        glance=_glance,
    ),
)
