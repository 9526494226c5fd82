"""Tokens by the name of their field: access, refresh, id and device tokens of RFC 6749 and its kin, in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, Text
from detectors.fields import Field, field_at
from detectors.keyed import glance, is_of, matches, of_value
from detectors.keys import Meaning, meaning, words
from detectors.patterns import pattern
from detectors.shapes import is_uuid, random_looking

_TOKENS = is_of(frozenset({Kind.BEARER_TOKEN, Kind.REFRESH_TOKEN, Kind.API_KEY, Kind.AUTH_CODE}))
_CODE = Meaning(Kind.AUTH_CODE, True, False)
# https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
_FUNCTION_KEY = Meaning(Kind.API_KEY, True, True)
# What stands beside an authorization code: the parameters of RFC 6749 sections 4.1.2 and 4.1.3, OIDC's and RFC 9207's.
_BESIDE = pattern(
    rb"""(?i)authorization[_-]?code|redirect[_-]?uri|[?&"' ]state["']?\s?[=:]|:state\s|session_state|code_verifier
       |[?&]iss=|[?&]scope=|callback|signin|sign-in|oauth|oidc|authorize|/cb\b|/login|grant_?type|/token""",
    re.VERBOSE,
)
_FUNCTION = pattern(rb"(?i)\.azurewebsites\.net/|/api/[a-z0-9_-]{1,40}\?$")  # where `code` is a function's access key
_DIGITS = pattern(rb"[0-9.]+")
NEAR = 400  # bytes on either side in which the company of a code is looked for


def confirm_token(text: Text) -> Iterator[Match]:
    """The value of a key that names a token."""
    return matches(text, _TOKENS)


def confirm_code(text: Text) -> Iterator[Match]:
    """The value of `code`, in the company of the other parameters of an authorization response or token request."""
    low = max(0, text.hit - 64)
    at = low + text.data[low : text.hit].lower().rfind(b"code")
    field = field_at(Text(text.data, at + 4, text.depth, text.cut, text.binary)) if at >= low else None
    if field is None or not (words(field.key) == (b"code",) or meaning(field.key) == _CODE):
        return
    said = _company(text, field)
    if said:
        match = of_value(text, field, said)
        if match:
            yield match


def _company(text: Text, field: Field) -> Meaning | None:
    """What a `code` is, by what stands beside it: an authorization code, an Azure function's key, or neither."""
    value = field.value(text)
    if _DIGITS.fullmatch(value) or not (random_looking(value, 16) or is_uuid(value)):
        return None
    before = text.data[max(0, field.key_start - NEAR) : field.key_start]
    if _FUNCTION.search(before[-200:]):
        return _FUNCTION_KEY
    if meaning(field.key) == _CODE:
        return _CODE
    return _CODE if _BESIDE.search(before + b"\n" + text.data[field.end : field.end + NEAR]) else None


_V = b"hT3vQ9xLm2Rz8KpWc5Yb1NsD"

_TICKET = rb"(?:session|auth|authentication|login|access|security)[_.-]?ticket"
# `"refresh": "V"`, and not the word in prose.
_QUOTED = rb"""(?:\\{0,8}["']|%22|\\u0022|&quot;) ?(?:=>|:|%3[aA])"""

DETECTORS = (
    Detector(
        id="oauth-token",
        kind=Kind.BEARER_TOKEN,
        title="Token in a field that names it",
        anchors=(
            Anchor(b"token", caseless=True, keyed=True),
            Anchor(b"credential", caseless=True, keyed=True),
            Anchor(b"-token ", caseless=True),
            Anchor(b"--auth "),
            Anchor(b"--auth="),
            Anchor(pattern=rb"(?:[?&]|%3[fF]|%26|\\u0026)auth(?:=|%3[dD])"),
            Anchor(pattern=rb"""x-[a-z0-9]{2,16}-auth["'\]]{0,2} ?(?:=>?|:|,)""", caseless=True),
            Anchor(b'"auth":'),
            Anchor(b'auth\\":'),
            Anchor(b"device_code", caseless=True, keyed=True),
            Anchor(b"devicecode", caseless=True, keyed=True),
            Anchor(b"oauth_verifier", keyed=True),
            Anchor(b"-token\0", caseless=True),
            Anchor(pattern=_TICKET, caseless=True, keyed=True),
            *(Anchor(pattern=name + _QUOTED) for name in (b"refresh", b"access")),
        ),
        confirm=confirm_token,
        glance=glance,
        reference="https://www.rfc-editor.org/rfc/rfc6749#section-5.1",
        examples=(
            (b'{"access_token":"' + _V + b'","token_type":"Bearer"}', _V),
            (b"grant_type=refresh_token&refresh_token=" + _V + b"&client_id=a", _V),
            (b"TokenResponse(accessToken=" + _V + b", tokenType=Bearer)", _V),
            (b"X-Auth-Token: " + _V + b"\r\n", _V),
        ),
        counterexamples=(
            b'{"token_type":"Bearer","token_endpoint":"https://id.example/token"}',
            b"access_token=[REDACTED]",
            b"nextPageToken: CAUQAA1234567890abcdef",
            b"unexpected token: identifier",
        ),
    ),
    Detector(
        id="oauth-code",
        kind=Kind.AUTH_CODE,
        title="Authorization code",
        anchors=(
            Anchor(
                pattern=rb"""code(?:["'\\\]]|%22|\\u0022|&quot;){0,9}(?: ?(?:=>?|:|%(?:25)?3[da])[ "'\[\\%]{0,9}| ")"""
                rb"""[A-Za-z0-9_\-./~%=\r\n]{14}""",
                caseless=True,
            ),
            Anchor(b"code%3D", wrapped=True),
            *(Anchor(b"code" + follows, wrapped=True) for follows in (b"=", b'":')),
        ),
        confirm=confirm_code,
        reference="https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2",
        examples=((b"GET /callback?code=" + _V + b"&state=af0ifjsldkj HTTP/1.1", _V),),
        before=NEAR + 240,
        counterexamples=(b"statusCode=20000000000000000000", b"code=ERR_CONNECTION_REFUSED_BY_PEER state=closed"),
    ),
)
