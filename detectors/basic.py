"""User id and password in one: Basic (RFC 7617), SASL PLAIN (RFC 4616), userinfo of a URL (RFC 3986 3.2.1), curl -u."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text, TokenFacts
from detectors.fields import field_at
from detectors.keys import words
from detectors.patterns import pattern
from detectors.shapes import is_hex, is_masked, is_reference, is_text, is_uuid, is_wordy, random_looking

_GAP = pattern(rb"""["']?>?(?:(?<=>)|[ \t]{1,4}|[:=][ \t]{0,2}|\+)["'<\[]?""")
_BLOB = pattern(rb"[A-Za-z0-9+/_-]{8,4096}={0,2}")
_HEADER = pattern(rb"""(?i)authorization(?:\W{1,8}|=)basic\Z""")
KEY = 24  # characters that a key under the scheme has at least
_PAIR = pattern(rb"[\x20-\x39\x3b-\x7e\x80-\xff]{0,256}:[\x20-\x7e\x80-\xff]{3,1024}")
_PLAIN = pattern(rb"[\x20-\x7e\x80-\xff]{0,256}\0[\x20-\x7e\x80-\xff]{1,256}\0([\x20-\x7e\x80-\xff]{3,1024})")
_USERINFO = pattern(
    rb"""://([^\s/?#"'<>@:\\]{0,128}(?:@[a-z0-9.-]{1,64})?):{1,2}([^\s/?#"'<>@\\]{3,256})@[A-Za-z0-9.\[-]"""
)
# Between an option and its value: a blank, or what parts arguments in a list, in auditd's records, in a process.
_CURL = pattern(
    rb"""(?:[\s"'\0]-[ua]|--user|--proxy-user|--?auth|--(?:src-|dest-)?creds)"""
    rb"""(?:[ =]{0,2}|["'](?:,[ ]?|[ ]a\d{1,3}=)|\0)["']?"""
    rb"""([^\s:"'$<\0]{1,128}):([^\s"'\0]{4,256})"""
)
# A key for the user, and nothing or a word that says so for the password: Stripe, Freshdesk, GitHub.
_KEY = rb"([A-Za-z0-9._~+-]{16,255})"
_NOTHING = rb"(?i:x-oauth-basic|x-oauth-token|x-token-auth|x|)"
_CURL_KEY = pattern(
    rb"""[\s"'\0](?:-u|--user)(?:[ =]{0,2}|["'],[ ]?|\0)["']?""" + _KEY + b":" + _NOTHING + rb"""(?=["'\s\0]|\Z)"""
)
_URL_KEY = pattern(
    rb"://" + _KEY + b"(?::" + _NOTHING + rb")?@([A-Za-z0-9.\[-]{1,253})(?::\d{1,5})?(?P<path>/[^\s\"'<>]{0,40})?"
)
_KEY_ALONE = pattern(_KEY + b":" + _NOTHING)
_DSN = pattern(rb"(?:/\d{1,12}|/api/\d{1,12}.*)")  # of an error tracker: its user is a public key
_CLEAR = pattern(rb"[!#-~]{4,256}")
_WEAK = frozenset(
    b"""password pass secret user xxx x-oauth-basic pwd passwd foobar username token passwort kennwort wachtwoord
    motdepasse senha contrase\xc3\xb1a haslo has\xc5\x82o heslo parola
    \xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c""".split()
)
# The end of the element whose attribute names the mechanism: RFC 6120 section 6.4.2.
_ELEMENT = pattern(rb"""["'][^<>\n]{0,120}>""")
# From the challenge to the end of the line below it: what a client's or a server's log puts before either.
_ANSWER = pattern(rb"""[^A-Za-z0-9+/=\n]?[^\n]{0,60}\n[^\n]{0,80}?[ <>:]([A-Za-z0-9+/]{6,344}={0,2})\r?(?:\n|\Z)""")
BACK = 200  # bytes of userinfo looked back over: no URL's is longer in practice


def confirm_basic(text: Text) -> Iterator[Match]:
    """`Basic` and a blob that decodes to `user:password`."""
    gap = _GAP.match(text.data, text.hit)
    if gap:
        found = tuple(_blob_at(text, gap.end(), _PAIR))
        yield from found or _key_at(text, gap.end())


def _key_at(text: Text, start: int) -> Iterator[Match]:
    """A key where the pair should stand, as some services want it: only in an Authorization field."""
    blob = _BLOB.match(text.data, start)
    if blob is None or not _HEADER.search(text.data[max(0, text.hit - 48) : text.hit]):
        return
    plain = _decoded(blob[0])
    told = plain if plain and is_text(plain) else blob[0]
    if b":" not in told and (random_looking(told, KEY) or is_uuid(told)):
        yield Match(
            *blob.span(), Kind.API_KEY, Secret(blob[0]), Rank.SCHEME, Confidence.MEDIUM, key="authorization",
            static=True,
        )  # fmt: skip


def confirm_auth_field(text: Text) -> Iterator[Match]:
    """The `auth` of a Docker config.json: the same blob under a key. And `basic_auth=user:password`."""
    field = field_at(text)
    if field is None:
        return
    if field.quoted and field.key.lower() in (b"auth", b"_auth", b"proxyauth"):
        yield from _blob_at(text, field.start, _PAIR)
    elif words(field.key)[-2:] == (b"basic", b"auth"):
        user, _, secret = field.value(text).partition(b":")
        if user and _CLEAR.fullmatch(secret) and not _is_weak(secret) and not is_wordy(secret):
            start = field.end - len(secret)
            yield _match(start, field.end, secret, TokenFacts(client_id=user.decode("utf-8", "replace")))


def confirm_sasl(text: Text) -> Iterator[Match]:
    """`AUTH PLAIN` and a blob of two or three strings with NULs between (RFC 4616 section 2)."""
    if text.data.endswith(b"resp=A", 0, text.hit):
        yield from _blob_at(text, text.hit - 1, _PLAIN)
        return
    gap = _ELEMENT.match(text.data, text.hit) or _GAP.match(text.data, text.hit)
    if gap:
        yield from _blob_at(text, gap.end(), _PLAIN)


def confirm_login(text: Text) -> Iterator[Match]:
    """What answers the challenge `Password:` of AUTH LOGIN: the last word of the line below."""
    answer = _ANSWER.match(text.data, text.hit)
    if answer is None:
        if text.cut and len(text.data) < text.hit + 200:
            raise NeedMore
        return
    plain = _decoded(answer[1])
    if plain and len(plain) >= 4 and not _PROMPT.fullmatch(plain) and is_text(plain) and not _is_weak(plain):
        yield Match(
            *answer.span(1), Kind.CLIENT_SECRET, Secret(plain), Rank.SCHEME, encoding=("base64",), key="password",
            static=True,
        )  # fmt: skip


_PROMPT = pattern(rb"(?i)(?:user ?name|password|login):?\0?")  # the server's next challenge, not an answer


def confirm_userinfo(text: Text) -> Iterator[Match]:
    """The password between `://user:` and `@`."""
    at = text.data.rfind(b"://", max(0, text.hit - BACK), text.hit)
    if at < 0:
        return
    found = _USERINFO.match(_delimited(text, at), at)
    user, secret = (text.data[slice(*found.span(group))] for group in (1, 2)) if found else (b"", b"")
    if found and is_text(secret) and not _is_weak(secret):
        yield _match(*found.span(2), secret, TokenFacts(client_id=user.decode("utf-8", "replace") or None))
        return
    key = _URL_KEY.match(text.data, at)
    if key and key.end() == len(text.data) and text.cut:
        raise NeedMore
    public = key is not None and is_hex(key[1]) and _DSN.fullmatch(key["path"] or b"") is not None
    if key and not public and random_looking(key[1]):
        yield _key_match(*key.span(1), key[1])


def _delimited(text: Text, at: int) -> bytes:
    """The text with a letter for each delimiter behind `at` that stood escaped: of `a%2Fb`, the slash ends nothing."""
    if text.depth is None:
        return text.data
    outer, end = max(text.depth[at : at + 3]), min(text.hit + 1, len(text.data))
    deeper = [i for i in range(at, end) if text.depth[i] > outer and text.data[i] in b"/?#@:\"'<>\\"]
    if not deeper:
        return text.data
    data = bytearray(text.data)
    for i in deeper:
        data[i] = 120
    return bytes(data)


def confirm_curl(text: Text) -> Iterator[Match]:
    """`curl -u id:secret`: the pair is one argument, and one finding."""
    end = text.data.find(b"\n", text.hit)
    limit = min(text.hit + 2000, end if end >= 0 else len(text.data))
    for found in _CURL.finditer(text.data, max(0, text.hit - 16), limit):
        if found.end() == len(text.data) and text.cut:
            raise NeedMore
        if not _is_weak(found[2]):
            facts = TokenFacts(client_id=found[1].decode("utf-8", "replace"))
            yield _match(found.start(1), found.end(2), found[1] + b":" + found[2], facts)
    for found in _CURL_KEY.finditer(text.data, max(0, text.hit - 16), limit):
        if random_looking(found[1]):
            yield _key_match(*found.span(1), found[1])


def _blob_at(text: Text, start: int, shape: re.Pattern[bytes]) -> Iterator[Match]:
    blob = _BLOB.match(text.data, start)
    if blob is None:
        return
    if blob.end() == len(text.data) and text.cut:
        raise NeedMore
    plain = _decoded(blob[0])
    if plain is None or not _is_text(plain):
        return
    alone = _KEY_ALONE.fullmatch(plain) if shape is _PAIR else None
    if alone and random_looking(alone[1]):
        yield _match(start, blob.end(), plain, TokenFacts(), ("base64",))
        return
    if not shape.fullmatch(plain):
        return
    user, secret = plain.rsplit(b"\0", 1) if shape is _PLAIN else plain.split(b":", 1)
    if _is_weak(secret):
        return
    facts = TokenFacts(client_id=user.lstrip(b"\0").decode("utf-8", "replace") or None)
    yield _match(start, blob.end(), plain, facts, ("base64",))


def _decoded(blob: bytes) -> bytes | None:
    core = blob.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if len(core) % 4 == 1:
        return None
    try:
        return base64.b64decode(core + b"=" * (-len(core) % 4), validate=True)
    except binascii.Error:
        return None


def _is_text(plain: bytes) -> bool:
    """UTF-8, which RFC 7617 asks for; random bytes hardly ever are."""
    try:
        return bool(plain.decode())
    except UnicodeDecodeError:
        return False


def _is_weak(secret: bytes) -> bool:
    return is_masked(secret) or is_reference(secret) or secret.lower() in _WEAK


def _key_match(start: int, end: int, key: bytes) -> Match:
    return Match(start, end, Kind.API_KEY, Secret(key), Rank.KEYED, key="user", static=True)


def _match(start: int, end: int, value: bytes, facts: TokenFacts, encoding: tuple[str, ...] = ()) -> Match:
    return Match(
        start, end, Kind.BASIC_CREDENTIALS, Secret(value), Rank.STRUCTURE, Confidence.HIGH, facts=facts,
        encoding=encoding, key="authorization", static=True,
    )  # fmt: skip


_PAIR_B64 = base64.b64encode(b"billing-batch:" + b"Q7rT2xW9" + b"mK4pL1vB")
_USER_KEY = b"Vb8xQ2mZ4k" + b"R7tW9pLs3N"
_CLEAR_ONE = b"v8Kq2" + b"Zr7Lw"
_KEY_B64 = base64.b64encode(_USER_KEY + b":x-oauth-basic")
_REFERENCE = "https://www.rfc-editor.org/rfc/rfc7617#section-2"

DETECTORS = (
    Detector(
        id="basic",
        kind=Kind.BASIC_CREDENTIALS,
        title="Basic credentials",
        anchors=(Anchor(b"basic", caseless=True),),
        confirm=confirm_basic,
        reference=_REFERENCE,
        examples=(
            (b"Authorization: Basic " + _PAIR_B64 + b"\r\n", _PAIR_B64),
            (b"Authorization: Basic " + _KEY_B64 + b"\r\n", _KEY_B64),
        ),
        counterexamples=(
            b'WWW-Authenticate: Basic realm="files"',
            b"basic authentication is off",
            b"Basic dXNlcjpwYXNz",
            b"Authorization: Basic c29tZSB0ZXh0IHdpdGhvdXQgYSBjb2xvbg==",
            b"the basic Q7rT2xW9mK4pL1vBzY8nHs3d",
        ),
    ),
    Detector(
        id="basic-auth-field",
        kind=Kind.BASIC_CREDENTIALS,
        title="Basic credentials of a registry login file",
        anchors=(
            Anchor(b'auth"'),
            Anchor(b'auth\\"'),
            Anchor(b"basic_auth", keyed=True),
            Anchor(b"basicAuth", keyed=True),
        ),
        confirm=confirm_auth_field,
        reference="https://docs.docker.com/reference/cli/docker/login/",
        examples=(
            (b'{"auths":{"r.example":{"auth":"' + _PAIR_B64 + b'"}}}', _PAIR_B64),
            (b"url=https://id.example/token, basic_auth=orders:" + _CLEAR_ONE + b", ssl=1", _CLEAR_ONE),
        ),
        counterexamples=(b'{"auth":"none"}', b'{"auth":"c29tZSB0ZXh0IHdpdGhvdXQ="}'),
    ),
    Detector(
        id="sasl-plain",
        kind=Kind.BASIC_CREDENTIALS,
        title="SASL PLAIN credentials",
        anchors=(Anchor(b"plain", caseless=True), Anchor(b"X-OAUTH2"), Anchor(pattern=rb"(?:[\t ]|\\t)resp=A")),
        confirm=confirm_sasl,
        reference="https://www.rfc-editor.org/rfc/rfc4616#section-2",
        examples=(
            (
                b"AUTH PLAIN " + (_SASL := base64.b64encode(b"\0ops@example.org\0" + b"Vb8xQ2" + b"mZ4k")) + b"\r\n",
                _SASL,
            ),
        ),
        counterexamples=(b"text/plain; charset=utf-8", b"AUTH PLAIN LOGIN XOAUTH2"),
    ),
    Detector(
        id="sasl-login",
        kind=Kind.CLIENT_SECRET,
        title="Password sent by AUTH LOGIN",
        anchors=(Anchor(pattern=rb"(?:334|\+) [Uc]GFzc3dvcmQ6"),),
        confirm=confirm_login,
        reference="https://datatracker.ietf.org/doc/html/draft-murchison-sasl-login-00",
        examples=((b"<-  334 UGFzc3dvcmQ6\n -> " + (_LOGIN := base64.b64encode(b"Vb8xQ2" + b"mZ4k")) + b"\n", _LOGIN),),
        counterexamples=(b"<-  334 UGFzc3dvcmQ6\n -> ********\n", b"<-  334 UGFzc3dvcmQ6\n<-  535 5.7.8 failed\n"),
    ),
    Detector(
        id="url-userinfo",
        kind=Kind.BASIC_CREDENTIALS,
        title="Password in a URL",
        anchors=(
            Anchor(
                pattern=rb"""(?://|\\/\\/|%2[fF]%2[fF])[A-Za-z0-9._~%!$&*+=-]{0,64}(?::|%3[aA])[^\s/?#"'<>@\\]{3,96}(?:@|%40)"""
            ),
            Anchor(pattern=rb"://[A-Za-z0-9._~+-]{16,128}(?::[Xx]?)?@"),
        ),
        confirm=confirm_userinfo,
        reference="https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
        examples=(
            (b"GET https://svc:" + b"k3vR9" + b"pXq2@files.example/simple", b"k3vR9pXq2"),
            (b"git clone https://" + _USER_KEY + b":x-oauth-basic@git.example/a.git", _USER_KEY),
            (b"GET https://" + _USER_KEY + b":@api.example/v1", _USER_KEY),
        ),
        counterexamples=(
            b"https://3f9c04e7b1d852a6c7e0194f8b6d235e@o17.ingest.example/42",
            b"https://maria.fernandez-orders:@api.example/",
            b"http://host:8080/path@x",
            b"amqp://guest:****@mq",
            b"git clone https://user:${PW}@h/x",
        ),
    ),
    Detector(
        id="curl-user",
        kind=Kind.BASIC_CREDENTIALS,
        title="Credentials on a curl command line",
        anchors=(
            *(Anchor(start) for start in (b"curl ", b"http -", b"https -")),
            *(Anchor(pattern=re.escape(start)) for start in (b'curl"', b"curl'", b"-creds", b" -auth ")),
            Anchor(pattern=rb"curl\x00"),
        ),
        confirm=confirm_curl,
        reference="https://curl.se/docs/manpage.html#-u",
        examples=(
            (b"curl -s -u batch:" + b"G4tY7" + b"wQz1 https://id.example/token", b"batch:G4tY7wQz1"),
            (b'a0="curl" a1="-u" a2="batch:' + b"G4tY7" + b'wQz1" a3="-s"', b"batch:G4tY7wQz1"),
            (b"skopeo copy --src-creds=batch:" + b"G4tY7" + b"wQz1 docker://a", b"batch:G4tY7wQz1"),
        ),
        counterexamples=(b"docker login -u ci:x", b"curl -u $USER:$PASS https://x"),
    ),
)
