"""How long the token at a place lives, by the fields of its own object: a duration, an end, a time of issue.

An object is what one pair of brackets holds; without brackets it is the lines that go on with keys and values. A field
counts for the token it belongs to and for no other: by its name (`refresh_expires_in`), by its object, and where
several tokens share one object, by its place among them. Where that leaves a doubt there is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from detectors.claims import decode_part, facts_of
from detectors.detector import Kind
from detectors.patterns import pattern
from scanner import timestamps
from scanner.columns import as_object
from scanner.expiry_values import LONGEST, duration, end_as_duration, plausible
from scanner.expiry_values import end as end_of
from scanner.objects import TOKEN, Object, Owner, Place, name_before, owner_in_words, owner_of, vicinity
from scanner.record_time import Stamp, date_fields


class Lifetime(Struct, frozen=True):
    """Fields found; None where there is none."""

    seconds: float | None = None  # from the moment it was issued
    ends: Stamp | None = None
    issued: Stamp | None = None
    least: float | None = None  # seconds, where `seconds` may be meant as milliseconds
    field: str = ""  # the name of the field that gave `seconds` or `ends`, for the reason


_SEP = (
    rb"""["']?(?:(?::"[\w\\]{1,80}")?:(?:protected|private))?["'\]\s]{0,4}(?:=>|->|:=|=|:|,|>)?\s{0,12}"""
    rb"""(?:int\(|float\(|string\(\d{1,3}\)\s|NumberLong\(|Some\(|Optional\[)?["'\[(]{0,3}"""
)
_SECONDS = pattern(
    rb"(?i)(?:expires?[_.-]?in|lease[_-]?duration)(?P<u>[_-]?(?:s|secs?|seconds|ms|millis|milliseconds))?"
    rb"(?![A-Za-z0-9_])" + _SEP + rb"(?=\d|P[\dT]|(?:datetime\.)?timedelta)"
)
# As people and programs say it in a message; a number needs its unit there.
_PROSE = pattern(rb"(?i)(?<![a-z])(?:expir(?:es?|ing) (?:in|after)|(?:valid|good) for)[:=]?\s{1,3}(?=\d)")
_ENDS = pattern(
    rb"(?i)(?:expires?[ _.-]?(?:at|on|time|date|utc)|expiry(?:[_-]?(?:time|date))?|expires|end_?date_?time|"
    rb"expiration(?:[_-]?(?:time(?:stamp)?|date))?|valid[_ -]?(?:until|to)|exp)(?:[_-]?(?:ms|millis|utc|timestamp))?"
    rb"(?![A-Za-z0-9_])" + _SEP + rb"(?=[\dJFMASONDTW/d{In\\])"
)
_ISSUED = pattern(
    rb"(?i)(?:issued?[_-]?at|issue[_-]?time|iat|created(?:[_-]?at)?|obtained[_-]?at|acquired[_-]?at|retrieved[_-]?at)"
    rb"(?:[_-]?(?:ms|millis))?(?![A-Za-z0-9_])" + _SEP + rb"(?=\d)"
)
_COOKIE = pattern(
    rb"""(?i)\A["']?(?:;[ \t]*(?:expires=(?:[a-z]{3,9}, )?[^;,\r\n"']{0,60}|"""
    rb"""[A-Za-z-]{1,20}(?:=[^;,\r\n"']{0,60})?)){1,12}"""
)
_JAR = pattern(rb"\t(?:TRUE|FALSE)\t(\d{1,12})\t[^\t\n]{1,200}\t\Z")  # curl.se/docs/http-cookies.html
_MAX_AGE = pattern(rb"(?i);[ \t]*max-age=(\d{1,10})")
_EXPIRES = pattern(rb"(?i);[ \t]*expires=")
_MESSAGE = pattern(rb"HTTP/\d")  # where an HTTP message begins, of which a `Date` above is no more


def of(data: bytes, start: int, end: int, kind: Kind, key: str | None, zone: tzinfo | None) -> Lifetime:
    """What the fields of its object say of the token at [start, end)."""
    text, low = vicinity(data, start, end)
    cookie = _of_cookie(data[end : end + 512], zone) or _of_jar(data[max(0, start - 256) : start])
    if cookie:
        return cookie
    row = as_object(data, start, end)
    if row:
        text, low, start, end = row.text, 0, row.start, row.end
    lowered = text.lower()
    if not any(word in lowered for word in _WORDS) or not _MAY_TELL.search(text):
        return NOTHING
    owner = _owner_of_token(kind, key or "")
    place = Place(text, start - low, end - low, owner)
    for object_ in place.objects():
        found = _in_object(place, object_, zone)
        if found.seconds is not None or found.ends is not None:
            return found
    return Lifetime()


NOTHING = Lifetime()


# A word that is nowhere needs no expression to look for it.
_MAY_TELL = pattern(rb"(?i)expir|lease|(?:valid|good)[_ -]?(?:to|until|for)|end_?date|(?<![a-z])exp(?![a-z])")
_WORDS = (
    b"exp",
    b"lease",
    b"valid",
    b"good for",
    b"end_date",
    b"enddate",
)  # looked for first: ten times as fast as the expression


def _of_cookie(tail: bytes, zone: tzinfo | None) -> Lifetime | None:
    """The attributes behind the value of a Set-Cookie field. Max-Age wins (RFC 6265 section 5.3)."""
    attributes = _COOKIE.match(tail)
    if attributes is None:
        return None
    age = _MAX_AGE.search(attributes[0])
    if age and 0 < int(age[1]) < LONGEST:
        return Lifetime(seconds=float(age[1]), field="Max-Age")
    expires = _EXPIRES.search(attributes[0])
    ends = end_of(tail[expires.end() : expires.end() + 64], zone) if expires else None
    return Lifetime(ends=ends, field="Expires") if ends else None


def _of_jar(before: bytes) -> Lifetime | None:
    """The end of a cookie in a file of Netscape's form; 0 is the session's."""
    row = _JAR.search(before)
    ends = end_of(row[1], None) if row else None
    return Lifetime(ends=ends, field="expires") if ends else None


def _owner_of_token(kind: Kind, key: str) -> Owner:
    named = owner_of(key.encode("utf-8", "replace"))
    if named is Owner.DEVICE:
        return named
    if named is Owner.SECRET and kind is not Kind.CLIENT_SECRET:
        named = Owner.ACCESS  # MSAL keeps a token under the key `secret`
    by_kind = {
        Kind.REFRESH_TOKEN: Owner.REFRESH, Kind.AUTH_CODE: Owner.CODE, Kind.SESSION_COOKIE: Owner.SESSION,
        Kind.CLIENT_SECRET: Owner.SECRET,
    }  # fmt: skip
    return by_kind.get(kind) or named or Owner.ACCESS


def _in_object(place: Place, object_: Object, zone: tzinfo | None) -> Lifetime:
    seconds = _nearest(place, object_, [*_fields(place, object_, _SECONDS), *_said(place, object_)])
    ends = [(field, stamp) for field in _fields(place, object_, _ENDS) if (stamp := _read_end(place, field, zone))]
    sure = [(field, stamp) for field, stamp in ends if not stamp.assumed]
    ends = sure or ends  # Azure's command line tells the end twice: in local time, and in seconds since 1970
    end = _nearest(place, object_, [field for field, _ in ends])
    issued = _chosen(place, object_, _ISSUED)
    count, moment = _read_seconds(place, seconds, zone) if seconds else (NOTHING, None)
    ends_at = next((stamp for field, stamp in ends if field is end), None) or moment
    name = end or seconds
    return Lifetime(
        seconds=count.seconds,
        ends=ends_at,
        issued=_read_issue(place, issued, zone) if issued and count.seconds is not None else None,
        least=count.least,
        field=_name(place, name) if name else "",
    )


def _chosen(place: Place, object_: Object, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    return _nearest(place, object_, list(_fields(place, object_, pattern)))


def _fields(place: Place, object_: Object, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """The fields of an object that are the token's by their names."""
    for field in pattern.finditer(place.text, max(0, object_.start), object_.end):
        if place.start <= field.start() < place.end or not place.direct(field.start(), object_):
            continue
        if _COMPARED.search(field[0]):
            continue
        before = place.text[field.start() - 1 : field.start()]
        if before.isalnum() and not (before.islower() and field[0][:1].isupper()):
            continue  # the tail of another word; `tokenExpiresIn` is none
        prefix = name_before(place.text, field.start())
        spoken = b" " in field[0].split(b":")[0].split(b"=")[0].strip() and not prefix
        low = place.end if place.end <= field.start() else 0  # letters of the token are no words
        owner = owner_in_words(place.text, low, field.start()) if spoken else owner_of(prefix)
        plain = owner is Owner.ACCESS and place.owner in (Owner.SESSION, Owner.DEVICE)
        if owner is place.owner or (plain and not prefix):
            yield field


_COMPARED = pattern(rb"""\s>|(?<![=-])>\s?["']""")  # a condition of a statement; the end of a tag stands close


def _said(place: Place, object_: Object) -> Iterator[re.Match[bytes]]:
    """What a message says of the token it has just named, or names next: in its line, with no other token between."""
    for field in _PROSE.finditer(place.text, max(0, object_.start), object_.end):
        start, end = sorted((place.start, field.start())), sorted((place.end, field.end()))
        between = place.text[end[0] : start[1]] if place.end <= field.start() or field.end() <= place.start else b"\n"
        if len(between) > _SAID_NEAR or b"\n" in between or TOKEN.search(between):
            continue
        owner = owner_in_words(place.text, place.end if place.end <= field.start() else 0, field.start())
        if owner is place.owner or (owner is Owner.ACCESS and place.end <= field.start()):
            yield field


_SAID_NEAR = 160  # bytes


def _nearest(place: Place, object_: Object, fields: list[re.Match[bytes]]) -> re.Match[bytes] | None:
    """Of the fields in an object the token's own: where several tokens share it, each has one, all on the same side."""
    tokens = [at for at in place.tokens if object_.start <= at < object_.end]
    tokens = [at for at in tokens if at == place.start or place.direct(at, object_)]
    if len(tokens) > 1:
        if len(fields) != len(tokens):
            return None  # which field is whose can't be told
        field = fields[tokens.index(place.start)]
        pairs = [(at < other.start()) for at, other in zip(tokens, fields, strict=True)]
        turns = sorted([*tokens, *(other.start() for other in fields)])
        in_turn = all((index in tokens) == (i % 2 == (0 if pairs[0] else 1)) for i, index in enumerate(turns))
        return field if in_turn else None
    after = [field for field in fields if field.start() >= place.end]
    return after[0] if after else fields[-1] if fields else None


def _name(place: Place, field: re.Match[bytes]) -> str:
    bare = re.match(rb"[A-Za-z_.-]+(?: (?:until|to|in|after|for|at|on))?(?![A-Za-z])", field[0])
    name = name_before(place.text, field.start()) + (bare[0] if bare else b"")
    return name.strip(b"-_.@$").decode("ascii", "replace")[:40]


def _read_seconds(place: Place, field: re.Match[bytes], zone: tzinfo | None) -> tuple[Lifetime, Stamp | None]:
    """A duration, or the end itself, which some write under that name."""
    value = place.text[field.end() : field.end() + 64]
    unit = (field.groupdict().get("u") or b"").lower().strip(b"_-")
    found = duration(value, unit)
    if found is None:
        return NOTHING, end_as_duration(value, zone)
    quoted = place.text[field.end() - 1 : field.end()] in (b'"', b"'")
    if quoted and value[found.end : found.end + 1] not in (b'"', b"'", b"\\", b""):
        return NOTHING, None  # there is more to it
    if "u" not in field.re.groupindex and value[: found.end].strip(b"0123456789.") == b"":
        return NOTHING, None  # in a message, a number without a unit
    return Lifetime(seconds=found.seconds, least=found.least), None


def _read_end(place: Place, field: re.Match[bytes], zone: tzinfo | None) -> Stamp | None:
    value = place.text[field.end() : field.end() + 96]
    behind = place.text[place.end : field.start()].strip(b""" "'""") == b"("  # `V (expires …)`
    bare = _BARE.match(field[0]) is not None and not behind
    if bare and place.owner is not Owner.SESSION and not _NUMBER.match(value):
        return None  # in words it is a session's, or how long an answer may be cached (RFC 9111 section 5.3)
    return end_of(value, zone)


_NUMBER = pattern(rb"\d{10}(?:\d{3})?(?!\d)|\\?/Date\(\d")
_BARE = pattern(rb"(?i)expires(?![_.-]?(?:at|on|time|date|utc))")


def _read_issue(place: Place, field: re.Match[bytes], zone: tzinfo | None) -> Stamp | None:
    """`created_at` is when the token was made only where it is a number, as in Doorkeeper's answers."""
    written = timestamps.value(place.text[field.end() : field.end() + 64])
    if written is None or (written.exact is None and field[0].lower().startswith(b"created")):
        return None
    return plausible(written, zone)


def made_with(data: bytes, start: int, end: int) -> datetime | None:
    """When a JWT of the same answer was issued (its `iat`), the ID token beside an opaque access token: with it."""
    text, low = vicinity(data, start, end)
    if b"eyJ" not in text and b"ewo" not in text:
        return None
    place = Place(text, start - low, end - low, Owner.ACCESS)
    for object_ in place.objects():
        for jwt in _JWT.finditer(text, max(0, object_.start), object_.end):
            if place.start <= jwt.start() < place.end or not place.direct(jwt.start(), object_):
                continue
            facts = facts_of(decode_part(jwt["payload"]) or b"", None)
            if facts and facts.issued_at and _EARLIEST_SECOND < facts.issued_at < _LATEST_SECOND:
                return datetime.fromtimestamp(facts.issued_at, UTC)
        if object_.depth == 0:
            return None
    return None


_JWT = pattern(rb"(?<![A-Za-z0-9_-])ey[A-Za-z0-9_-]{8,2000}\.(?P<payload>ey[A-Za-z0-9_-]{8,8000})\.[A-Za-z0-9_-]{8}")
_EARLIEST_SECOND, _LATEST_SECOND = 978307200, 4102444800  # 2001 to 2100


def date_of_message(data: bytes, start: int, end: int) -> datetime | None:
    """The `Date` of the HTTP message whose body the token at [start, end) stands in: when it was issued, if then."""
    text, low = vicinity(data, start, end)
    if b"GMT" not in text:
        return None
    place = Place(text, start - low, end - low, Owner.ACCESS)
    best: tuple[int, datetime] | None = None
    around = [(a, b) for a, b in place.pairs if a < place.start and b >= place.end]
    for index, moment in date_fields(text):
        between = text[index : place.start] if index < place.start else text[place.end : index]
        if _MESSAGE.search(between) or place.others(min(index, place.start), max(index, place.end)):
            continue
        if index > place.end and not any(a < index < b for a, b in around):
            continue
        distance = len(between)
        if best is None or distance < best[0]:
            best = distance, moment
    return best[1] if best else None
