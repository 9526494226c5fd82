"""From a field to a match: shared by the detectors that go by a key's name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from detectors import jwt
from detectors.detector import Confidence, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.fields import LONGEST_VALUE, Field, field_at
from detectors.keys import Meaning, meaning, name_of, words
from detectors.patterns import pattern
from detectors.shapes import is_hex, is_other_data, is_uuid, is_wordy, plausible, random_looking
from detectors.words import is_drawn

_SCHEME = pattern(rb"(?i)(?:bearer|token|basic|apikey|api-key|jwt|digest|negotiate|oauth|splunk|snowflake|key)[ =:]\s*")
# Encrypted values: Spring Cloud Config, Jenkins, Vault's transit engine, Bitnami's sealed secrets, Windows' DPAPI,
# PAN-OS; by their algorithm's name (WebSphere, WebLogic, LDAP); Maven's, in braces.
_CIPHERED = pattern(
    rb"""["']?(?:\{(?!(?i:plain|clear|cleartext|noop)\})[A-Za-z0-9_-]{2,16}\}|\{[A-Za-z0-9+/]{24,}={1,2}\}|\{AQAAABAAAA"""
    rb"""|vault:v\d+:|Ag[A-C][A-Za-z0-9+/]{500}|AQAAANCMnd8BFdERjHoA|-AQ==|01000000[dD]08[cC]9[dD][dD][fF]0115)"""
)
# Before a key whose value is a digest, encrypted or of one session: charts, systemd.exec(5), openssl s_client.
_SEALED = pattern(rb"checksum/(?:[\w.-]{1,24}/)?\Z|CredentialEncrypted=\Z|Resumption \Z")
_BASE64 = pattern(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_PRINTABLE = pattern(rb"[\x20-\x7e]{8,}\n?")
# A token goes into a header, a query or a cookie: RFC 6750's alphabet, RFC 6265's, and what issuers add to them.
_NO_TOKEN = pattern(rb"[\s\"'<>(){}\[\]\\^`,;?#&]")
_TOKENS = frozenset((Kind.BEARER_TOKEN, Kind.REFRESH_TOKEN, Kind.AUTH_CODE))

_IN_RUN = pattern(rb"[A-Za-z0-9+/]{24}")  # base64, in which a key's name stands by chance
LONGEST_NAME = 60  # bytes of a key that nothing but its place tells from what surrounds it

Accepts = Callable[[Field, Meaning], Meaning | None]


def matches(text: Text, accepts: Accepts) -> Iterator[Match]:
    """The credential in the field an anchor marked, if its key is of the detector's kind."""
    field = field_at(text)
    if field is None or _is_verdict(text, field):
        return
    field = _as_said(text, field)
    said = _typed(text, field, meaning(field.key))
    wanted = accepts(field, said) if said else None
    if wanted is not None:
        for place in (field, *_changed(text, field), *_listed(text, field)):
            match = of_value(text, place, wanted)
            if match:
                yield match


def glance(before: bytes, after: bytes) -> bool:
    """False where code stands behind the key: `a.token=b["c"]`. A name of one or two characters is no secret."""
    return before[-1:] not in (b"=", b":") or _CODE.match(after) is None


_CODE = pattern(rb"""[ \t]{0,4}[A-Za-z_$][A-Za-z0-9_$]?\[["']""")


def _is_verdict(text: Text, field: Field) -> bool:
    """`PASS: gdb.base/step.exp`, `--- PASS: TestRefresh/first`, `pass: step-over.exp`: how a test ended."""
    if field.key.lower() != b"pass" or field.quoted or not text.data.startswith(b":", field.key_start + len(b"pass")):
        return False
    return field.key == b"PASS" or not field.value(text).isalnum()


def _changed(text: Text, field: Field) -> Iterator[Field]:
    """`KEY = "V" -> "V"`: what a plan or a diff changes the value to."""
    becomes = _BECOMES.match(text.data, field.end)
    if becomes is None:
        return
    end = text.data.find(becomes["q"], becomes.end(), becomes.end() + LONGEST_VALUE)
    if end < 0 and text.cut and len(text.data) < becomes.end() + LONGEST_VALUE:
        raise NeedMore
    if end >= 0:
        yield replace(field, start=becomes.end(), end=end)


def _listed(text: Text, field: Field) -> Iterator[Field]:
    """`KEY: ["V", "V"]`, `KEY: [V, V]`, `KEY IN ('V', 'V')`, `KEY:\\n - V\\n - V`: the further items of a list."""
    opened = _LIST.search(text.data, max(0, field.start - 60), field.start)
    if opened is None:
        return
    shape = _DASHED if opened["dash"] else _ITEM if opened["q"] else _BARE_ITEM
    item = shape.match(text.data, field.end)
    for _ in range(MOST_ITEMS):
        if item is None:
            return
        if item.end() == len(text.data) and text.cut:
            raise NeedMore
        yield replace(field, start=item.start(1), end=item.end(1))
        item = shape.match(text.data, item.end(1))


MOST_ITEMS = 100  # of a list that are looked at
_LIST = pattern(
    rb"""(?i:\[\s{0,40}|\bin[ ]?\([ ]{0,4})(?P<q>["'])\Z|:[ ]?\[\Z"""
    rb"""|:[ \t]{0,4}\r?\n[ \t]{0,60}(?P<dash>-)[ ]["']?\Z"""
)
_ITEM = pattern(rb"""["'][ ]{0,4},\s{0,60}["']([^"'\r\n]{8,8192})(?=["']|\Z)""")
_BARE_ITEM = pattern(rb"""[ ]{0,4},[ ]{0,4}([^\s"',\[\]{}]{8,8192})(?=[ ]{0,4}[,\]}]|\Z)""")
_DASHED = pattern(
    rb"""["']?[ \t]{0,8}\r?\n[ \t]{0,60}-[ ]["']?([^\s"':#\[{][^\s"']{7,8192})(?=["']{0,2}[ \t]{0,8}(?:[\r\n"']|\Z))"""
)
_BECOMES = pattern(rb"""["'`][ ](?:->|=>|\xe2\x86\x92)[ ](?P<q>["'`])""")


def _as_said(text: Text, field: Field) -> Field:
    """With the word before it where the key is one word: people write `CSRF token: V`, `Access token [V]`."""
    if field.flag or len(words(field.key)) != 1:
        return field
    before = _WORD_BEFORE.search(text.data, max(0, field.key_start - 24), field.key_start)
    phrase = before[1] + b"_" + field.key if before else field.key
    said = meaning(phrase)
    if before and (said is None or said.strong or (field.doubtful and before[1].lower() in _HANDED)):
        return replace(field, key=phrase, doubtful=True)
    if field.doubtful and said and _FATE.match(text.data, field.end):
        return replace(field, key=b"said_" + field.key)
    return field


# What people say they do with a token, and what they say becomes of one.
_HANDED = frozenset(
    b"""received got obtained new old using with issued generated returned trying checking validating verifying sending
    revoking refreshing storing saving caching deleting removing creating created sent stored saved revoked refreshed
    expired invalid valid""".split()
)
_FATE = pattern(
    rb"""["'\])>]{0,2}[ ](?:(?:will|has|had|is|was|does)[ ](?:not[ ]|now[ ]|been[ ]|already[ ]|no[ ]longer[ ]){0,2})?"""
    rb"""(?:(?:expires?|expired|valid|invalid|revoked|rejected|refused|accepted|refreshed|rotated|renewed|issued|active|inactive"""
    rb"""|unknown|blacklisted|used|exists?|saved|stored|deleted|found)\b)"""
)


_WORD_BEFORE = pattern(rb"\b([A-Za-z]{2,20}) \Z")


def _typed(text: Text, field: Field, said: Meaning | None) -> Meaning | None:
    """With what a field beside it says it is: `"secret":"V","credential_type":"RefreshToken"`, RFC 7009's hint."""
    if said is None or words(field.key) not in _UNTYPED:
        return said
    before = _OUTSIDE.split(text.data[max(0, field.key_start - BESIDE) : field.key_start])[-1]
    after = _OUTSIDE.split(text.data[field.end : field.end + BESIDE], 1)[0]
    typed = _TYPE.search(after) or _TYPE.search(before)
    return meaning(typed[1]) or said if typed else said


BESIDE = 700  # bytes on either side of a field in which its object says of what type it is
_UNTYPED = ((b"token",), (b"secret",))
# Where an object or a record ends; a line that is indented or begins with a quote goes on with it.
_OUTSIDE = pattern(rb"""[{}]|\n(?![ \t"'])""")
_TYPE = pattern(
    rb"""(?i)(?:credential|token|secret|\b)_?type(?:_?hint)?(?:["'\\]{0,4}\s{0,4}(?:[:=]|=>)\s{0,4}["'\\]{0,4})"""
    rb"""((?:access|refresh|id)_?token)\b(?!=)"""
)


_TEMPLATES = (b"{{", b"${", b"#{", b"%{[")  # whatever stands in them
_NO_VALUE = (*_TEMPLATES, b":")  # the fields of a passwd file, a scope in source code


def of_value(text: Text, field: Field, said: Meaning) -> Match | None:
    """The match for a field's value, or None where the value is no secret."""
    start, end = _inner(text.data, field)
    value = text.data[start:end]
    if _is_other(text, field, value):
        return None
    token = jwt.at(text, start)
    if token is not None and said.kind is Kind.REFRESH_TOKEN and token.kind is Kind.JWT:
        return replace(token, kind=said.kind)
    if token is not None:
        return token  # mostly found by its own anchor too; not where that was cut by the end of a record
    if not field.closed and not text.cut and len(value) < 8:
        return None
    if said.kind in _TOKENS and _NO_TOKEN.search(value):
        return None
    sure = said.strong and not field.doubtful
    beside = text.data[max(0, field.key_start - 24) : field.key_start]
    if field.doubtful and (not _is_name(field.key, said) or _IN_RUN.fullmatch(beside)):
        return None
    if field.doubtful and not field.quoted and _FIELD.match(value):
        return None
    if not (plausible(value) if sure else _random(value, said, field.doubtful)):
        return None
    plain = unwrapped(value)
    if plain and is_other_data(plain):
        return None  # a hash in base64, as LDIF writes it
    return Match(
        start,
        end,
        said.kind,
        Secret(plain or value),
        Rank.KEYED if sure else Rank.GUESS,
        Confidence.HIGH if sure and not is_uuid(value) else Confidence.MEDIUM,
        encoding=("base64",) if plain else (),
        key=name_of(field.key),
        static=said.static,
    )


def _is_other(text: Text, field: Field, value: bytes) -> bool:
    """Whether it is encrypted, a digest, a template, the key again, or of another detector."""
    brace = text.data[field.start - 1 : field.start] == b"{"
    if _CIPHERED.match(text.data, field.start - brace, field.end) or value.lower() == field.key.lower():
        return True
    if _SEALED.search(text.data, max(0, field.key_start - 32), field.key_start):
        return True
    if text.data.startswith(_TEMPLATES if field.quoted else _NO_VALUE, field.start):
        return True
    return _SCHEME.match(value) is not None  # its own detector knows better what follows


def _is_name(key: bytes, said: Meaning) -> bool:
    """Whether a key is more than a word of prose, and no piece of base64 with such a word in it."""
    parts = words(key)
    named = (said.strong or len(parts) > 1 or parts == (b"password",)) and len(key) <= LONGEST_NAME
    return named and (is_wordy(key) or is_wordy(b"_".join(parts)))


def _random(value: bytes, said: Meaning, doubtful: bool) -> bool:
    """Random enough for a key that says `token` or `password` and no more, or that may be none."""
    if is_uuid(value):
        return said.plain or said.strong
    if said.kind is Kind.CLIENT_SECRET and not doubtful and len(value) >= SHORTEST_PASSWORD and is_drawn(value):
        return plausible(value)  # passwords are shorter than tokens
    return random_looking(value) or (is_hex(value) and len(value) >= 32)


_FIELD = pattern(rb"[A-Za-z_][\w.-]{1,40}(?:=(?!=?\Z)|[:(\[{])")  # another field, or a call
SHORTEST_PASSWORD = 10  # characters of one that is told from a word where its key says no more than `password`


def _inner(data: bytes, field: Field) -> tuple[int, int]:
    """Without quotes and brackets that stand inside the value's own delimiters (a repr inside JSON).

    Of a value in quotes only pairs that embrace it: a password may begin or end with any one of them.
    """
    start, end = field.start, field.end
    whole = field.quoted and field.closed
    if whole and end > start and data[start - 1] == data[end - 1] and data[start - 2 : start].strip(b"\"'`") == b"":
        end -= 1  # of two quotes that opened it, the inner one
    while start < end:
        first, last = data[start], data[end - 1]
        if _CLOSES.get(first) == last and end - start > 1:
            start, end = start + 1, end - 1
        elif first in b" \t" or (not whole and first in _CLOSES and _CLOSES[first] not in data[start + 1 : end]):
            start += 1
        elif last in b" \t\r\n" or (not whole and (last in b",;" or _is_odd(data[start:end]))):
            end -= 1
        else:
            break
    return start, end


def _is_odd(value: bytes) -> bool:
    """Whether the last byte closes what the value did not open."""
    last = value[-1:]
    opens = _OPENS.get(last[0])
    return opens is not None and (last in b"\"'`" or value.count(last) > value.count(opens))


_CLOSES = dict(zip(b"\"'`[(<{", b"\"'`])>}", strict=True))
_OPENS = {close: bytes((opening,)) for opening, close in _CLOSES.items()}


def unwrapped(value: bytes) -> bytes | None:
    """What base64 text holds if that is printable text: a random secret decodes to such once in millions."""
    if len(value) < 20 or len(value) % 4 == 1 or not _BASE64.fullmatch(value):
        return None
    core = value.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        plain = base64.b64decode(core + b"=" * (-len(core) % 4), validate=True)
    except binascii.Error:
        return None
    return plain.rstrip(b"\n") if _PRINTABLE.fullmatch(plain) else None


def is_of(kinds: frozenset[Kind]) -> Accepts:
    """Accepts keys whose meaning is one of these kinds."""
    return lambda _field, said: said if said.kind in kinds else None
