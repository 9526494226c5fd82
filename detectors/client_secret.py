"""Client secrets and other static credentials by the name of their key, in every spelling of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import LONGEST_KEY, Field, field_at
from detectors.keyed import glance, is_of, matches, of_value
from detectors.keys import Meaning, meaning, words
from detectors.patterns import pattern

_SECRETS = is_of(frozenset({Kind.CLIENT_SECRET, Kind.API_KEY, Kind.PRIVATE_KEY}))


def confirm(text: Text) -> Iterator[Match]:
    """The value of a key that names a static credential."""
    return matches(text, lambda field, said: said if words(field.key) == (b"secret",) else _SECRETS(field, said))


def confirm_phrase(text: Text) -> Iterator[Match]:
    """`rotated api key old=V`: a key of several words, as people write it in messages."""
    before = text.data[max(0, text.hit - LONGEST_KEY) : text.hit]
    found = next(reversed(list(_PHRASE.finditer(before))), None)
    field = field_at(text)
    if found is None or field is None or meaning(field.key) is not None:
        return
    name, after = found[1].replace(b" ", b"_"), found[2].lower().split()
    if after and _HANDED.issuperset(after):
        field = replace(field, key=name, doubtful=True)
    elif after:
        name += b"_" + after[0]
    said = meaning(name)
    if said is None:
        return
    match = of_value(text, field, said)
    if match:
        yield match


_PHRASE = pattern(
    rb"(?i)((?:api|access|client|refresh|auth|secret|subscription) (?:key|token|secret|id))((?: [a-z]{1,12}){0,2})"
    rb" {0,12}[:=]"
)
_HANDED = frozenset(b"used value is was received obtained old new now returned generated created issued".split())


def _keys(*literals: bytes) -> tuple[Anchor, ...]:
    return tuple(Anchor(literal, caseless=True, keyed=True) for literal in literals)


def confirm_column(text: Text) -> Iterator[Match]:
    """`KEY V`: a directive, a column, an entry of the registry; the anchor also matched the value's beginning."""
    low = max(0, text.hit - COLUMN_BACK)
    key = next(reversed(list(_COLUMN_KEY.finditer(text.data, low, text.hit))), None)
    return matches(replace(text, hit=key.end()), lambda _field, said: said) if key else iter(())


def confirm_section(text: Text) -> Iterator[Match]:
    """`"Jwt": {"Issuer": "x", "Key": "V"}`, `Jwt:Key = V`, `Jwt__Key=V`: the section says what the key is for."""
    found = _SECTION_KEY.match(text.data, text.hit)
    if found is None:
        if text.cut and len(text.data) < text.hit + SECTION:
            raise NeedMore
        return
    field = field_at(replace(text, hit=found.end("key")))
    match = of_value(text, replace(field, key=b"jwt_key"), _SIGNING) if field else None
    if match:
        yield match


SECTION = 600  # bytes of a section looked at
_SIGNING = Meaning(Kind.PRIVATE_KEY, True, True)
_SECTION_KEY = pattern(
    rb"""[{\s]{0,60}(?:["']?[A-Za-z]{2,40}["']?\s?[:=]\s?["']?[^\r\n{}"']{0,100}["']?[^\r\n{}]{0,80}\r?\n\s{1,40}"""
    rb"""|"[A-Za-z]{2,40}":\s?"?[^"{},]{0,100}"?,\s?){0,6}["']?(?P<key>Key|KEY|key)(?=["']?\s?[:=])"""
)


def confirm_identified(text: Text) -> Iterator[Match]:
    """`CREATE USER … IDENTIFIED BY 'V'`, `ALTER ROLE … ENCRYPTED PASSWORD 'V'`."""
    opened = _QUOTED.match(text.data, text.hit)
    end = text.data.find(opened[1], opened.end()) if opened else -1
    if end < 0 and text.cut and len(text.data) < text.hit + LONGEST_PASSWORD:
        raise NeedMore
    if opened and end >= 0:
        place = Field(b"password", text.hit, opened.end(), end, quoted=True, closed=True, flag=False)
        match = of_value(text, place, Meaning(Kind.CLIENT_SECRET, True, True))
        if match:
            yield match


LONGEST_PASSWORD = 512  # bytes in which a quoted password ends
COLUMN_BACK = 160  # bytes before the end of a column's anchor in which its key begins
_QUOTED = pattern(rb"""\s{0,20}N?(["'])""")
_FLAGS = (b"-secret", b"-password", b"-passwd", b"-key")
_NAMES = rb"""(?:token|secret(?:[_.-]?(?:id|key|access[_.-]key))?|api[_.-]?key|passw(?:or)?d|passphrase|pwd)"""
# The same in two expressions, which Vectorscan runs faster than one with something optional in its midst.
_COLUMN_ANCHORS = tuple(
    Anchor(
        pattern=names + rb"""["']?[ \t]{1,40}(?:reg_(?:expand_)?sz[ \t]{1,40}|is |was |has value )?["']?[!-~]{16}""",
        caseless=True,
    )
    for names in (
        rb"(?:token|secret|api[_.-]?key|passw(?:or)?d|passphrase|pwd)",
        rb"(?:secret[_.-]?(?:id|key)|access[_.-]key)",
    )
)
_COLUMN_KEY = pattern(rb"(?i)" + _NAMES + rb"""(?=["']?[ \t]{1,40})""")

# `pass` alone, where a value may follow: it is a word of prose and the end of others.
_PASS = rb"""pass(?:(?:["'\\\]]{0,8}|%22|%5[dD]|&quot;) ?(?:[=:]|%3[adAD])|["'],)"""
# Of redis.conf, slapd.conf, sssd.conf, keepalived.conf and clients of LDAP, Duo and OCI.
_DIRECTIVE = rb"""(?:requirepass|masterauth|rootpw|bindpw|adminpw|authtok|auth_pass|skey|pass[_-]phrase)["'=: \t]"""

_V = b"Zk7pQ2vX9mT4bR8sLw1cYd3h"

DETECTORS = (
    Detector(
        id="client-secret",
        kind=Kind.CLIENT_SECRET,
        title="Client secret or password in a field that names it",
        anchors=(
            *_keys(b"secret", b"passw", b"pwd", b"passphrase", b"passcode", b"securestring", b"credential"),
            Anchor(pattern=_PASS, caseless=True),
            Anchor(pattern=_DIRECTIVE, caseless=True),
            *(Anchor(flag + end, caseless=True) for flag in _FLAGS for end in (b" ", b"\0")),
            Anchor(pattern=rb"[ \x00](?:-pw|-pass|/pass|/password)[ \x00]"),
        ),
        confirm=confirm,
        glance=glance,
        reference="https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1",
        examples=(
            (b'{"client_id":"a","client_secret":"' + _V + b'"}', _V),
            (b"spring.security.oauth2.client.registration.x.client-secret=" + _V + b"\n", _V),
            (b"export OIDC_CLIENT_SECRET=" + _V + b"\n", _V),
            (b"app --client-secret " + _V + b" --port 80", _V),
            (b"DB_PASS=" + _V + b" DB_HOST=db", _V),
            (b"requirepass " + _V + b"\n", _V),
        ),
        counterexamples=(
            b"client_secret=${CLIENT_SECRET}",
            b'"client_secret":"********"',
            b"client_secret_expires_at=1795341895000",
            b"client_secret: changeme-changeme",
            b"pass: 12 of 13 tests, bypass=on-every-request",
        ),
    ),
    Detector(
        id="api-key",
        kind=Kind.API_KEY,
        title="API key in a field that names it",
        anchors=(
            Anchor(pattern=rb"x-[a-z0-9]{2,16}(?:-[a-z0-9]{2,16})?-key", caseless=True, keyed=True),
            *_keys(
                b"api_hash", b"jwt_key", b"jwt-key", b"functions-key", b"write_key", b"writekey",
                b"apikey", b"api_key", b"api-key", b"api.key", b"subscription-key", b"license_key", b"licensekey",
                b"accountkey", b"account_key", b"account-key", b"access_key", b"accesskey", b"access-key",
                b"app_key", b"app-key", b"appkey", b"sharedaccesskey", b"signing_key", b"signing-key", b"signingkey",
                b"encryption_key", b"encryption-key", b"encryptionkey", b"principalkey",
                b"auth_key", b"authkey", b"master_key", b"masterkey",
                b"private_key",
                b"private-key", b"privatekey", b"client_key", b"clientkey",
                b"shared_key", b"shared-key", b"sharedkey", b"hmac_key", b"hmac-key",
                b"fernet_key", b"psk",
            ),
            *(Anchor(pattern=name) for name in (b"validationKey=", b"decryptionKey=")),
        ),
        confirm=confirm,
        glance=glance,
        reference="https://owasp.org/www-project-non-human-identities-top-10/",
        examples=((b"x-api-key: " + _V + b"\r\n", _V), (b"GET /v1?apikey=" + _V + b"&q=1 HTTP/1.1", _V)),
        counterexamples=(b"api_key_id=1234567890", b"x-api-key: <your-api-key>", b"primary_key=orders_2026_11"),
    ),
    Detector(
        id="credential-phrase",
        kind=Kind.API_KEY,
        title="Credential named by several words",
        anchors=(
            Anchor(
                pattern=rb"(?:api|access|client|refresh|auth|secret|subscription) (?:key|token|secret)"
                rb"(?: [a-z]{1,12}){1,2} ?[:=]",
                caseless=True,
            ),
            Anchor(pattern=rb"secret (?:id|key|value) {0,12}[:=]", caseless=True),
            Anchor(b"api key", caseless=True, keyed=True),
        ),
        confirm=confirm_phrase,
        reference="https://owasp.org/www-project-non-human-identities-top-10/",
        examples=((b"rotate api key old=" + _V + b" done", _V),),
        counterexamples=(b"the api key is: missing", b"access token lifetime in seconds: 3600"),
    ),
    Detector(
        id="credential-column",
        kind=Kind.CLIENT_SECRET,
        title="Credential behind its name and blanks",
        anchors=_COLUMN_ANCHORS,
        confirm=confirm_column,
        reference="https://httpd.apache.org/docs/current/mod/mod_env.html#setenv",
        examples=((b"SetEnv ORDERS_API_KEY " + _V + b"\n", _V),),
        counterexamples=(b"client secret authentication-failed-for-user", b"token org.springframework.security"),
    ),
    Detector(
        id="jwt-section",
        kind=Kind.PRIVATE_KEY,
        title="Key that signs JWTs, in a section of their own",
        anchors=(
            Anchor(
                pattern=rb"""jwt(?:settings|options|config|bearer)?(?:__|["']?[ ]{0,2}[:=\]][ \r\n]{0,2})""",
                caseless=True,
            ),
        ),
        confirm=confirm_section,
        reference="https://learn.microsoft.com/aspnet/core/security/authentication/configure-jwt-bearer-authentication",
        examples=(
            (b'"Jwt": {\n  "Issuer": "https://id.example",\n  "Key": "' + _V + b'"\n}', _V),
            (b"Jwt__Key=" + _V + b"\n", _V),
        ),
        counterexamples=(b'"Jwt": {"Key": "${JWT_KEY}"}', b"jwt: key not found", b'"jwt":{"keyId":"' + _V + b'"}'),
    ),
    Detector(
        id="sql-identified",
        kind=Kind.CLIENT_SECRET,
        title="Password of a database user",
        anchors=(Anchor(b"identified by ", caseless=True), Anchor(b"encrypted password ", caseless=True),
            # MySQL's SET PASSWORD; in its client's history a blank is \040
            Anchor(pattern=rb"=(?:[ ]|\\040)?password\(", caseless=True),
        ),
        confirm=confirm_identified,
        reference="https://dev.mysql.com/doc/refman/8.4/en/create-user.html",
        examples=(
            (b"CREATE USER 'a'@'%' IDENTIFIED BY '" + _V + b"';", _V),
            (b"ALTER ROLE a ENCRYPTED PASSWORD '" + _V + b"';", _V),
            (b"SET PASSWORD FOR 'a'@'%' = PASSWORD('" + _V + b"');", _V),
        ),
        counterexamples=(
            b"identified by 'user-name' in it",
            b"IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F9'",
            b"ENCRYPTED PASSWORD 'md5c4ca4238a0b923820dcc509a6f75849b'",
            b"ENCRYPTED PASSWORD 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$a2V5:a2V5'",
        ),
    ),
)  # fmt: skip
