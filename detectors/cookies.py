"""Opaque session cookies, by their names: who sends one is who logged in, until the session ends (RFC 6265).

A cookie that proves itself (a JWT, a Django or Flask signature) has a detector of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.fields import key_at
from detectors.keys import words
from detectors.patterns import pattern
from detectors.shapes import is_hex, is_uuid, random_looking

LONGEST = 4096  # bytes between a field's name and a cookie in it: what browsers send at least (RFC 6265 section 6.1)
_SESSION = frozenset(
    b"""session sessions sess sessid sessionid sid jsessionid phpsessid cfid cftoken aspxauth applicationcookie ltpa
    ticket tkt remember sso cookies application""".split()
)
# What has "session" in its name and opens none: what measures visits, steers load or guards forms.
_OTHER = frozenset(
    b"""csrf xsrf analytics ga gid gat hj ai incap visid utm visitor anonymous consent tracking hint state nonce last
    expires expiry start started count device fingerprint replay cart lang theme affinity""".split()
)
_OPENS = pattern(rb"""[sS]?["'\]]{0,2}\s{0,4}(?:=>|[:=,>])?\s{0,4}""")
_COOKIE = pattern(
    rb"""(?<![\w.%$-])(?P<name>[A-Za-z_.$][\w.$-]{1,60})["']?\s?[=:,]\s?["']?(?:s%3A|s:)?"""
    rb"""(?P<v>[A-Za-z0-9%+/_.!~-][A-Za-z0-9%+/_.!~=-]{15,4095})"""
)
_IN_URL = pattern(rb"(?P<v>[A-Za-z0-9]{20,64}(?:\.[A-Za-z0-9_-]{1,24})?)(?![A-Za-z0-9])")
_END = pattern(rb"""[\r\n\0]|\}|["'\]]\s{0,2},?\s{0,2}["'][A-Za-z-]{2,40}["']\s?[:=]\s?["'{\[]""")


def confirm(text: Text) -> Iterator[Match]:
    """The session cookie an anchor marked the name of, in a Cookie or Set-Cookie field."""
    start, end = key_at(text)
    low = max(0, start - LONGEST)
    field = text.data[low:start].lower().rfind(b"cookie")
    if field < 0 or not _names_session(text.data[start:end]):
        return
    opened = _OPENS.match(text.data, low + field + len(b"cookie"))
    if opened and _END.search(text.data, opened.end(), start):
        return
    found = _COOKIE.match(text.data, start)
    if found is None:
        return
    if found.end() == len(text.data) and text.cut:
        raise NeedMore
    if _is_session(found["v"]):
        yield _match(found)


def confirm_named(text: Text) -> Iterator[Match]:
    """`;jsessionid=V` in a URL, where some servers put it."""
    found = _IN_URL.match(text.data, text.hit)
    if found is None:
        return
    if found.end() == len(text.data) and text.cut:
        raise NeedMore
    if _is_session(found["v"]):
        yield _match(found)


def confirm_object(text: Text) -> Iterator[Match]:
    """`{"name": "sid", "value": "V", "httpOnly": true}`: a cookie as drivers of browsers and recorders write it."""
    start, end = key_at(text)
    if not _names_session(text.data[start:end]) or not _NAMED.search(text.data[max(0, start - 24) : start]):
        return
    found = _VALUE.match(text.data, end)
    if found is None or found.end() == len(text.data):
        if text.cut and len(text.data) < end + LONGEST:
            raise NeedMore
        return
    if _is_session(found["v"]) and _company(text.data, start, found.end()):
        yield _match(found)


def _company(data: bytes, start: int, end: int) -> bool:
    """Whether an attribute of a cookie stands in the object, or the object under such a name."""
    before = data[max(0, start - OBJECT) : start]
    return _ATTRIBUTE.search(before[before.rfind(b"}") + 1 :] + data[end : end + OBJECT].partition(b"}")[0]) is not None


OBJECT = 400  # bytes of an object on either side of its cookie that are looked at
_NAMED = pattern(rb"""["']name["']\s?:\s?["']\Z""")
_VALUE = pattern(
    rb"""["'],\s{0,60}(?:["'][A-Za-z]{2,12}["']\s?:\s?[^,{}]{0,80},\s{0,60}){0,6}["']value["']\s?:\s?["']"""
    rb"""(?:s%3A|s:)?(?P<v>[A-Za-z0-9%+/_.!~=-]{16,4095})(?=["'])"""
)
_ATTRIBUTE = pattern(rb"""(?i)["'](?:domain|http_?only|same_?site)["']\s?:|cookies?["']?\s?[:=]\s?[\[{]""")


def _names_session(name: bytes) -> bool:
    parts = words(name.lower() if name.isupper() else name)
    return not _SESSION.isdisjoint(parts) and _OTHER.isdisjoint(parts)


def _is_session(value: bytes) -> bool:
    core = value.partition(b".")[0] if len(value) < 80 else value  # the node behind the id says nothing
    return is_uuid(core) or random_looking(core, 16) or (is_hex(core) and len(core) >= 24)


def _match(found: re.Match[bytes]) -> Match:
    start = found.start("v")
    value = found["v"].rstrip(b".!-")
    return Match(
        start, start + len(value), Kind.SESSION_COOKIE, Secret(value), Rank.GUESS, Confidence.MEDIUM, key="session"
    )  # fmt: skip


# What the names of sessions have in them; `cookie` itself would be looked at on each line of some logs. Behind a name
# stands a `=`, in any escape, or the quotes of a dict.
_NAMES = (
    b"session", b"sessid", rb"\.sess", rb"\.sid", b"_sid", rb'(?:[ ;"]|%20|%3[bB]|%22)sid', b"_tkt", b"aspxauth",
    b"remember_", rb"\.aspnetcore\.", rb"\.aspnet\.",
)  # fmt: skip
_BEHIND = rb"""[A-Za-z0-9_.$-]{0,48}(?:=|%3[dD]|\\u003d|\\{0,8}["'],? ?[:=,]? ?\\{0,8}["']|%22%3[aA]%22)"""

# Behind a name in an object: the next member, which may stand on a line of its own.
_MEMBER = rb"""[A-Za-z0-9_.-]{0,48}\\{0,8}["'],(?:\\{1,4}[nrt]|[ \r\n\t]){0,40}\\{0,8}["']"""
_SHORT_NAMES = (b"session", b"sessid", rb"""[._"'-]sid""", b"_tkt", b"aspxauth", b"remember_")

_V = b"Qk4xV8vR2mK9pL5sW7cY1d3hT6nZ0gFj"

DETECTORS = (
    Detector(
        id="session-cookie",
        kind=Kind.SESSION_COOKIE,
        title="Session cookie",
        anchors=tuple(Anchor(pattern=name + _BEHIND, caseless=True) for name in _NAMES),
        confirm=confirm,
        reference="https://www.rfc-editor.org/rfc/rfc6265#section-4.2.2",
        examples=(
            (b"Cookie: lang=de; PHPSESSID=" + _V + b"; a=b\r\n", _V),
            (b"Set-Cookie: connect.sid=s%3A" + _V + b"; Path=/; HttpOnly\n", _V),
            (b'"cookies":[["sessionid","' + _V + b'"]]', _V),
        ),
        counterexamples=(
            b"Cookie: _ga=GA1.2.917704662.3086751158; lang=de",
            b"Set-Cookie: PHPSESSID=deleted; Max-Age=0",
            b"Cookie: csrftoken=" + _V,
            b"no cookie: session expired for user",
        ),
        before=LONGEST + 128,
        follows=(b"ookie", b"OOKIE"),
    ),
    Detector(
        id="cookie-object",
        kind=Kind.SESSION_COOKIE,
        title="Session cookie in an object of its own",
        anchors=tuple(Anchor(pattern=name + _MEMBER, caseless=True) for name in _SHORT_NAMES),
        confirm=confirm_object,
        reference="https://w3c.github.io/webdriver/#cookies",
        examples=(
            (b'{"cookie": {"name": "PHPSESSID", "value": "' + _V + b'"}}', _V),
            (b"{'domain': 'a', 'name': 'sid', 'path': '/', 'secure': True, 'value': '" + _V + b"'}", _V),
        ),
        counterexamples=(
            b'{"name": "session", "value": "' + _V + b'"}',
            b'{"cookies": [{"name": "csrf_session", "value": "' + _V + b'"}]}',
            b'{"name": "sid", "value": "", "domain": "a"}',
        ),
        before=OBJECT + 64,
    ),
    Detector(
        id="session-in-url",
        kind=Kind.SESSION_COOKIE,
        title="Session id in a URL",
        anchors=tuple(Anchor(name, caseless=True) for name in (b";jsessionid=", b"?jsessionid=", b"phpsessid=")),
        confirm=confirm_named,
        reference="https://jakarta.ee/specifications/servlet/6.0/jakarta-servlet-spec-6.0#url-rewriting",
        examples=((b"GET /orders;jsessionid=" + _V + b".node1?x=1 HTTP/1.1", _V + b".node1"),),
        counterexamples=(b"/orders;jsessionid=?x=1", b"PHPSESSID=deleted"),
        after=128,
    ),
)
