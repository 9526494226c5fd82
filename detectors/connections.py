"""Passwords of connection strings: the company of a key says what its name alone does not.

`password=` in prose or in a form may be anything; between `Server=` and `User Id=` it is one, however plain it looks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text, TokenFacts
from detectors.patterns import pattern
from detectors.shapes import is_masked, is_reference, is_text, is_wordy

REACH = 512  # bytes on either side of a key in which the rest of its connection string stands
SHORTEST = 4  # characters: what is shorter is a placeholder
_WEAK = frozenset(b"password passwd pass pwd secret none null empty true false user username your test".split())

# Keys of ADO.NET, ODBC and JDBC drivers that say where to connect and as whom.
# https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax
_WHERE = pattern(
    rb"(?i)(?:server|data source|address|addr|host(?:name)?|database|initial catalog|driver|dsn|uid|user(?: ?id|name)?"
    rb"|integrated security|port|dbname|sslmode|encrypt) ?="
)
_PAIR = pattern(
    rb"""(?i)(?:password|pwd)[ \t]?=[ \t]?"""
    rb"""(?:\{(?P<b>[^}\r\n]{1,256})\}|(?P<q>["'])(?P<s>[^"'\r\n]{1,256})(?P=q)|(?P<v>[^;&\s"'<>,)\]]{1,256}))"""
)
_IN_STRING = pattern(rb"""[;?&][ \t]?\Z""")
_SUDO = pattern(rb"TTY=|COMMAND=")  # sudo's log, where PWD is the working directory
_URL = pattern(rb"""jdbc:[a-z0-9:+]{2,40}[^\s"'<>]{0,400}\Z""")


def confirm_connection(text: Text) -> Iterator[Match]:
    """`Password=V` among the other keys of one connection string."""
    start = _word_start(text)
    pair = _PAIR.match(text.data, start)
    if text.cut and len(text.data) < start + REACH:
        raise NeedMore
    if pair is None:
        return
    low = max(text.data.rfind(b"\n", max(0, start - REACH), start) + 1, start - REACH, 0)
    before = text.data[low:start]
    line_end = text.data.find(b"\n", pair.end(), pair.end() + REACH)
    after = text.data[pair.end() : line_end if line_end >= 0 else pair.end() + REACH]
    jdbc = _URL.search(before)
    apart = b";" in before[-1:] + before[-2:-1] + after[:2]
    if not (jdbc and _IN_STRING.search(before)) and not (apart and _WHERE.search(before + b"\n" + after)):
        return
    if _SUDO.search(before + b"\n" + after) or _MEMBER.search(before):
        return
    group = next(name for name in ("b", "s", "v") if pair[name] is not None)
    yield from password_at(text, *pair.span(group), "connection-string", _user(before + b"\n" + after))


_MEMBER = pattern(rb"[\w$)\]]\._?\Z")  # a program assigns to a member of an object
_USER = pattern(rb"(?i)(?:user(?: ?id|name)?|uid) ?= ?[\"'{]?([^;&\s\"'}]{1,64})")


def _user(text: bytes) -> str | None:
    user = _USER.search(text)
    return user[1].decode("utf-8", "replace") if user else None


def _word_start(text: Text) -> int:
    """Where the word an anchor ends in begins: anchors are `password` or `pwd`, and a separator."""
    head = text.data[max(0, text.hit - 16) : text.hit].lower()
    return max(0, text.hit - 16) + max(head.rfind(b"password"), head.rfind(b"pwd"), 0)


def password_at(text: Text, start: int, end: int, family: str, user: str | None) -> Iterator[Match]:
    """The password at [start, end) where its place says that it is one; nothing where it is a blank to fill in."""
    value = text.data[start:end]
    if value[:1] in (b"/", b"~") or value[1:3] == b":\\":
        return  # a directory, which PWD names in a shell
    filled_in = value[:1] + value[-1:] in (b"{}", b"<>", b"[]", b"%%")
    if len(value) < SHORTEST or filled_in or not is_text(value):
        return
    if is_masked(value) or is_reference(value) or value.lower() in _WEAK:
        return
    sure = Confidence.MEDIUM if is_wordy(value) or value.isdigit() else Confidence.HIGH
    yield Match(
        start, end, Kind.CLIENT_SECRET, Secret(value), Rank.KEYED, sure, TokenFacts(client_id=user), family=family,
        key="password", static=True,
    )  # fmt: skip


_NPM = pattern(rb"""_auth[ \t]{0,2}=[ \t]{0,2}["']?(?P<v>[A-Za-z0-9+/_-]{8,1024}={0,2})(?![A-Za-z0-9+/=_-])""")


def confirm_npm(text: Text) -> Iterator[Match]:
    """`_auth` of an .npmrc: base64 of user and password (docs.npmjs.com/cli/configuring-npm/npmrc)."""
    found = _NPM.match(text.data, max(0, text.hit - len(b"_auth=") - 1)) or _NPM.match(text.data, max(0, text.hit - 6))
    if text.cut and len(text.data) < text.hit + 1100 and (found is None or found.end() == len(text.data)):
        raise NeedMore
    if found is None:
        return
    core = found["v"].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        plain = base64.b64decode(core + b"=" * (-len(core) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return
    user, colon, secret = plain.partition(":")
    if colon and plain.isprintable() and len(secret) >= SHORTEST and not is_masked(secret.encode()):
        facts = TokenFacts(client_id=user)
        yield Match(
            found.start("v"), found.end("v"), Kind.BASIC_CREDENTIALS, Secret(plain.encode()), Rank.STRUCTURE,
            facts=facts, encoding=("base64",), family="npmrc-auth", key="_auth", static=True,
        )  # fmt: skip


_V = b"q3ZkXx9QbTmL2v"
_ADO = b"Server=tcp:db.acme.io,1433;Database=orders;User ID=app;Password="
_REFERENCE = "https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax"

DETECTORS = (
    Detector(
        id="connection-string",
        kind=Kind.CLIENT_SECRET,
        title="Password in a connection string",
        anchors=tuple(Anchor(word + mark, caseless=True) for word in (b"password", b"pwd") for mark in (b"=", b" =")),
        confirm=confirm_connection,
        reference=_REFERENCE,
        examples=(
            (_ADO + _V + b";Encrypt=True\n", _V),
            (b'"Driver={ODBC Driver 18};Server=db;UID=app;PWD={' + _V + b'};"', _V),
            (b"url=jdbc:postgresql://db:5432/o?user=app&password=" + _V + b"&ssl=true\n", _V),
            (b"jdbc:sqlserver://db:1433;user=app;password=" + _V + b";\n", _V),
        ),
        counterexamples=(
            _ADO + b"*****;", b"Server=db;Password=${DB_PASSWORD};", b"password=hunter22 rejected for user app",
            b"jdbc:postgresql://db:5432/o?ssl=true", b"Server=db;User ID=app;Password=;Encrypt=True",
            b"sudo:  app : TTY=pts/0 ; PWD=/home/app ; USER=root ; COMMAND=/bin/ls",
            b"USER=app;PWD=/srv/app;SHELL=/bin/sh",
            b"this._host=s._host,this._username=s._username,this._password=s._password;break",
        ),
        before=REACH + 32,
        after=REACH * 2,
    ),
    Detector(
        id="npmrc-auth",
        kind=Kind.BASIC_CREDENTIALS,
        title="Basic credentials of an .npmrc",
        anchors=(Anchor(b"_auth="), Anchor(b"_auth =")),
        confirm=confirm_npm,
        reference="https://docs.npmjs.com/cli/configuring-npm/npmrc",
        examples=((b"_auth=" + base64.b64encode(b"ci:" + _V) + b"\n", base64.b64encode(b"ci:" + _V)),),
        counterexamples=(b"_auth=true", b"_auth=${NPM_AUTH}", b"always_auth=deadbeefdeadbeef"),
        before=64,
        after=1200,
    ),
)  # fmt: skip
