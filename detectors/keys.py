"""What a key's name says of its value. Names are taken apart into words, so that every spelling is one."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from detectors.detector import Kind
from detectors.patterns import pattern
from detectors.shapes import is_wordy

_RUNS = pattern(rb"[A-Za-z0-9]{12,}")
# What may stand before the telling word, the longer ones first.
_QUALIFIERS = (
    b"subscription", b"encryption", b"personal", b"private", b"refresh", b"session", b"signing", b"account", b"license",
    b"access", b"bearer", b"client", b"secret", b"shared", b"master", b"oauth", b"auth", b"user", b"api", b"app", b"id",
    b"db",
)  # fmt: skip
_WORD = pattern(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_GLUED = {
    b"sessionticket": (b"session", b"ticket"), b"authticket": (b"auth", b"ticket"), b"clientkey": (b"client", b"key"),
    b"apikey": (b"api", b"key"), b"accesstoken": (b"access", b"token"), b"authtoken": (b"auth", b"token"),
    b"refreshtoken": (b"refresh", b"token"), b"idtoken": (b"id", b"token"), b"clientsecret": (b"client", b"secret"),
    b"secretkey": (b"secret", b"key"), b"accesskey": (b"access", b"key"), b"appkey": (b"app", b"key"),
    b"appsecret": (b"app", b"secret"), b"apitoken": (b"api", b"token"), b"privatekey": (b"private", b"key"),
    b"accountkey": (b"account", b"key"), b"passwd": (b"password",), b"pwd": (b"password",),
    b"passphrase": (b"password",),
    b"pass": (b"password",), b"licensekey": (b"license", b"key"), b"authkey": (b"auth", b"key"),
    b"secrets": (b"secret",), b"passcode": (b"password",),
    b"keys": (b"key",), b"apikeys": (b"api", b"key"),
    b"requirepass": (b"require", b"password"), b"masterauth": (b"master", b"password"),
    b"rootpw": (b"root", b"password"), b"bindpw": (b"bind", b"password"), b"adminpw": (b"admin", b"password"),
    b"pw": (b"password",), b"authtok": (b"bind", b"password"), b"presharedkey": (b"shared", b"key"),
    b"preshared": (b"shared",), b"skey": (b"secret", b"key"),
    b"fernetkey": (b"fernet", b"key"),
    b"sharedkey": (b"shared", b"key"), b"apisecret": (b"api", b"secret"), b"oauthtoken": (b"oauth", b"token"),
}  # fmt: skip
# Words behind the telling one that make the key mean something about the secret, not the secret.
_ABOUT = frozenset(
    b"""type types id ids identifier identifiers count counts url uri endpoint endpoints name names expires expiry
    expiration expire exp hash ttl length len size lifetime limit limits usage bucket class provider validity issuer
    info introspection exchange
    request requests response method version path file files header prefix suffix policy rotation rotated age duration
    seconds ms time timestamp at date status state alg algorithm format field param parameter var variable env ref
    reference store storage manager service server host port address user username owner description desc label
    required enabled disabled valid invalid cache pool max min used left remaining total digest fingerprint thumbprint
    checksum accessor role roles scope scopes source budget model index pair provided present sign signed signing
    verification verifier yml yaml enc json xml toml ini conf cfg pem sha md bcrypt argon scrypt pbkdf crypt
    encrypted hashed validator filter factory generator resolver rotation refresh
    expired exception error errors failed failure received revoked invalidated issued created updated stale
    versions stages jti sub aud iss kid claim claims payload header body string uuid post basic signature""".split()
)
# Words before the telling one that make it a thing without power, or one that is no credential of ours.
_HARMLESS = frozenset(
    b"""csrf xsrf page next prev previous continuation cancellation sync public primary foreign partition sort cache
    row object s3 idempotency dedup hash lock map group topic routing message event metric feature flag
    antiforgery request requestverification forgery nextpage pagetoken resume cursor scroll watermark consumer_group
    stop start end lex lexer syntax parse bos eos pad unk stemmed word per input output prompt completion max min
    starting ending change lifecycle action pagination publishable site sequence fencing bus span trace color design
    authenticity registry_key encrypted hashed form nonce hashed encrypted surrogate idempotent""".split()
)
# Those that hold whatever stands between: a `csrf_access_token` opens nothing, a `page_access_token` (Facebook's) does.
_ALWAYS = frozenset(
    b"""csrf xsrf antiforgery forgery requestverification authenticity public publishable cancellation form nonce hash
    hashed encrypted idempotency""".split()
)
_ENDINGS = (
    b"token",
    b"secret",
    b"password",
    b"apikey",
    b"passphrase",
    b"passwd",
    b"pwd",
)  # what names of words run together end in: `wstoken`


class Meaning(Struct, frozen=True):
    """`strong`: the key alone says that the value is a credential; else the value must look random.

    `plain`: the value may be a UUID all the same; under `change_token` it is an id.
    """

    kind: Kind
    strong: bool
    static: bool
    plain: bool = False


_BEARER = Meaning(Kind.BEARER_TOKEN, True, False)
_TOKEN = Meaning(Kind.BEARER_TOKEN, False, False)
_PLAIN_TOKEN = Meaning(Kind.BEARER_TOKEN, False, False, plain=True)
_REFRESH = Meaning(Kind.REFRESH_TOKEN, True, False)
_SECRET = Meaning(Kind.CLIENT_SECRET, True, True)
_API_KEY = Meaning(Kind.API_KEY, True, True)
_HEADER_KEY = Meaning(Kind.API_KEY, False, True)
_ACCESS_KEY = Meaning(Kind.API_KEY, False, True, plain=True)
_PASSWORD = Meaning(Kind.CLIENT_SECRET, False, True)
_SIGNING = Meaning(Kind.PRIVATE_KEY, True, True)
_CODE = Meaning(Kind.AUTH_CODE, True, False)
_SHARED_KEY = Meaning(Kind.API_KEY, False, True)
# Two words that mean more than the second. The last code is of RFC 5849 section 2.3; PKCE's stays with its client.
_CODES = ((b"device", b"code"), (b"authorization", b"code"), (b"auth", b"code"), (b"oauth", b"code"),
          (b"oauth", b"verifier"))  # fmt: skip
# Tickets that stand for a login: of game services, SSO and CAS; of TLS they are printed as dumps.
_TICKETS = b"session auth authentication login access security sso proxy granting entity".split()
# AWS Secrets Manager's SecretString is a password, or JSON of several.
_STRINGS = {(b"secure", b"string"): _SECRET, (b"secret", b"string"): _PASSWORD}
_PAIRS = dict.fromkeys(_CODES, _CODE) | {(before, b"ticket"): _TOKEN for before in _TICKETS} | _STRINGS
_PASSWORDS = frozenset((b"basic", b"password", b"security"))  # java.naming.security.credentials, BasicHttpCredentials
_KEYS_TO_SIGN_OR_DECRYPT = frozenset(b"signing encryption private shared hmac jwt fernet validation decryption".split())
# Tokens that are UUIDs: of Splunk's event collector, of agents and clusters that join (Consul, Nomad, Logz.io).
_ISSUED_AS_UUID = frozenset(b"hec splunk default agent management bootstrap join replication shipping".split())


@lru_cache(maxsize=4096)
def words(key: bytes) -> tuple[bytes, ...]:
    """`clientSecret`, `client-secret`, `CLIENT_SECRET`, `client.secret` -> (client, secret)."""
    found: list[bytes] = []
    for word in _WORD.findall(key):
        lowered = word.lower()
        found.extend(_GLUED.get(lowered) or _apart(lowered))
    return tuple(found)


def _apart(word: bytes) -> tuple[bytes, ...]:
    """`wstoken` -> (ws, token). What is harmless before it stays so: `csrfmiddlewaretoken`."""
    ending = next((one for one in _ENDINGS if len(one) < len(word) <= 24 and word.endswith(one)), None)
    if ending is None:
        return (word,)
    before = word[: -len(ending)]
    harmless = next((one for one in _HARMLESS if len(one) > 3 and before.startswith(one)), before)
    return (harmless, *(_GLUED.get(ending) or (ending,)))


def name_of(key: bytes) -> str:
    """The words of a key in snake case. What memory left before it may be a secret and stays out."""
    parts = words(key)
    if any(not is_wordy(run) for run in _RUNS.findall(key)):
        place = next((i for i in range(len(parts) - 1, -1, -1) if _at(parts, i)), len(parts) - 1)
        before = [word for word in _QUALIFIERS if place > 0 and parts[place - 1].endswith(word)]
        parts = (*before[:1], *parts[place:])
    return b"_".join(parts).decode("ascii", "replace")[:80]


@lru_cache(maxsize=4096)
def meaning(key: bytes) -> Meaning | None:
    """What a key says of its value, or None where it names no credential."""
    parts = words(key)
    if parts[-1:] == (b"psk",):
        return _SHARED_KEY  # not of a cipher suite: PSK-AES128-CBC-SHA
    if parts in ((b"refresh",), (b"access",)):  # {"access": "V", "refresh": "V"}
        return Meaning(Kind.REFRESH_TOKEN if parts[0] == b"refresh" else Kind.BEARER_TOKEN, False, False)
    for position in range(len(parts) - 1, -1, -1):
        found = _at(parts, position)
        if found:
            return None if _is_about(parts, position, found.strong) else found
    return None


def _is_about(parts: tuple[bytes, ...], position: int, strong: bool) -> bool:
    after = parts[position + 1 :]
    if after and parts[position] == b"ticket":
        return True  # sessionTicketKeys of TLS
    if after and after[0] in _ABOUT and not _is_secret_id(parts, position):
        return True
    farther = parts[max(0, position - 2) : max(0, position - 1)]
    harmless = _ALWAYS if strong or parts[position] == b"password" else _HARMLESS  # request.parameters.password
    return any(word in harmless for word in farther) or any(
        word in _HARMLESS for word in parts[position - 1 : position]
    )


def _is_secret_id(parts: tuple[bytes, ...], position: int) -> bool:
    """Vault's and Nomad's SecretID is the secret itself; a client_secret_id only names one."""
    before = parts[:position]
    return parts[position : position + 2] == (b"secret", b"id") and not (before and before[-1] == b"client")


def _at(parts: tuple[bytes, ...], position: int) -> Meaning | None:
    word = parts[position]
    before = parts[position - 1] if position else b""
    if word in (b"token", b"tokens"):
        if word == b"token" and parts[0] == b"x" and before in parts[1:]:
            return replace(_token(before), plain=True)  # X-WF-Token
        return _TOKEN if word == b"tokens" and not before else _token(before)
    if word == b"secret":
        return _SIGNING if before in (b"jwt", b"signing", b"hmac", b"hs256", b"cookie") else _SECRET
    if word == b"key":
        return _key(before, parts[: position - 1])
    if word in (b"password",):
        return _PASSWORD
    if word == b"credential" and before in (b"amz", b"goog"):
        return None  # of a signed URL: the id of the key, a date and a region
    if word in (b"credential", b"credentials") and not _PASSWORDS.isdisjoint(parts[:position]):
        return _PASSWORD
    if word in (b"credential", b"credentials", b"jwt", b"bearer", b"authorization", b"auth"):
        return _TOKEN
    if parts[position:] == (b"hash",) and before == b"api":  # of Telegram's applications
        return _ACCESS_KEY
    if word in (b"assertion",) and before in (b"client", b"saml", b""):
        return _TOKEN
    return _PAIRS.get((before, word))


def _token(before: bytes) -> Meaning:
    if before == b"refresh":
        return _REFRESH
    if before in (
        b"access",
        b"id",
        b"auth",
        b"oauth",
        b"bearer",
        b"session",
        b"identity",
        b"subject",
        b"actor",
        b"security",
    ):
        return _BEARER
    if before in _ISSUED_AS_UUID:
        return _PLAIN_TOKEN
    if before in (b"service", b"account", b"admin"):
        return Meaning(Kind.API_KEY, True, False)  # a token that a service uses need not be one for ever
    if before in (b"api", b"bot", b"deploy", b"personal", b"app", b"registration"):
        return _API_KEY
    return _TOKEN if before else _PLAIN_TOKEN


def _key(before: bytes, earlier: tuple[bytes, ...]) -> Meaning | None:
    if (
        before == b"secret"
        or before.endswith(b"api")
        or before
        in (
            b"api",
            b"subscription",
            b"license",
            b"account",
            b"function",
            b"functions",
            b"master",
            b"auth",
        )
    ):
        return _API_KEY
    if before in (
        b"access",
        b"app",
        b"application",
        b"admin",
        b"integration",
        b"write",
        b"ingest",
        b"webhook",
        b"routing",
        b"principal",
        b"setup",
        b"enrollment",
        b"provisioning",
    ):
        return _API_KEY if b"secret" in earlier or before != b"access" else _ACCESS_KEY
    if before in _KEYS_TO_SIGN_OR_DECRYPT:
        return Meaning(Kind.PRIVATE_KEY if before != b"shared" else Kind.API_KEY, False, True)
    if before == b"client":
        return _ACCESS_KEY
    return _HEADER_KEY if earlier[:1] == (b"x",) else None  # X-Appwrite-Key
