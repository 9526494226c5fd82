"""The types a detector is made of. Nothing here knows how bytes are read or reported.

All positions are byte indexes into `Text.data`, half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct, field


class Kind(StrEnum):
    """What a finding is. The names are those of the external contract."""

    JWT = "jwt"
    BEARER_TOKEN = "bearer_token"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_SECRET = "client_secret"
    BASIC_CREDENTIALS = "basic_credentials"
    API_KEY = "api_key"
    PRIVATE_KEY = "private_key"
    SESSION_COOKIE = "session_cookie"
    AUTH_CODE = "auth_code"
    SIGNED_URL = "signed_url"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Rank(IntEnum):
    """Which match stays where two overlap: the higher rank, then the longer, then the earlier."""

    PUBLIC = -20  # no secret: whatever else stands there is worth more
    HUNCH = -10  # it looks random, and nothing says what it is
    GUESS = 0  # a key that only sounds secret
    KEYED = 10  # the value of a key that names a credential
    SCHEME = 20  # a header scheme or protocol field says what it is
    RULE = 25  # a user's rule says so: it names the thing, but what proves itself can be judged
    STRUCTURE = 30  # the value proves itself: a decoded JWT, a vendor's prefix and alphabet
    CHECKED = 40  # the value proves itself by a checksum
    BLOCK = 50  # a whole block: a PEM key


class Anchor(Struct, frozen=True):
    """A short byte string whose presence makes a detector look.

    `literal` is plain bytes. `keyed` says that the literal is (part of) a key: it only counts where,
    after at most 48 bytes of key characters and 4 blanks, something follows that may separate a key
    from its value, in any escape. `pattern` replaces the literal by a Vectorscan expression where no literal
    serves; it must match at most 192 bytes, and only its UTF-16 forms are derived. `wrapped` says that only
    the derived encodings are looked for: a shorter anchor finds the plain form.
    """

    literal: bytes = b""
    caseless: bool = False
    keyed: bool = False
    pattern: bytes = b""
    wrapped: bool = False


class Secret:
    """Holds the decoded bytes of a secret and never shows them: not in repr, str, format or pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes. For the fingerprint, the judge and the redactor's search, never for output."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not to be pickled")


class TokenFacts(Struct, array_like=True, frozen=True):
    """What a token says of itself. Names of RFC 7519, 8693 and 9068; times are Unix seconds."""

    issuer: str | None = None
    subject: str | None = None
    audience: tuple[str, ...] = ()
    client_id: str | None = None
    scope: tuple[str, ...] = ()
    key_id: str | None = None
    algorithm: str | None = None
    token_type: str | None = None
    token_id: str | None = None
    issued_at: float | None = None
    not_before: float | None = None
    expires_at: float | None = None
    problems: tuple[str, ...] = ()  # claims that could not be used: "exp_not_a_number", "duplicate_keys"


class Flaw(StrEnum):
    """Why the value as it stands cannot be used."""

    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    FRAGMENT = "fragment"  # too little to report; kept only if the lines that follow complete it


class Text(Struct, frozen=True):
    """What `confirm` looks at: plain bytes around an anchor, whatever they were encoded in.

    `hit` is the index just past the anchor. `depth[i]` is how many escapes deep byte i stood (None:
    all 0): a delimiter ends a value only where its depth is at most that of the one that opened it.
    `cut` says that the data ends at a bound while the stream goes on; a detector whose answer
    depends on what follows raises `NeedMore`, and is asked again with more.
    """

    data: bytes
    hit: int
    depth: bytes | None = None
    cut: bool = False
    binary: bool = False  # the bytes around are no text: memory, a database page


class NeedMore(Exception):
    """The answer depends on bytes past the end of a `Text` that was cut."""


class Usual(Struct, frozen=True):
    """How long a token lives unless its server was told otherwise: no proof of its end."""

    seconds: float
    whose: str  # and what the setting is called there, in words


class Match(Struct, frozen=True):
    """A confirmed secret: [start, end) of Text.data covers the secret only, without scheme or quotes."""

    start: int
    end: int
    kind: Kind
    secret: Secret
    rank: Rank
    confidence: Confidence = Confidence.HIGH
    facts: TokenFacts = field(default_factory=TokenFacts)
    encoding: tuple[str, ...] = ()  # what the detector itself decoded, outermost first: ("base64",)
    flaw: Flaw | None = None
    family: str | None = None  # vendor family, e.g. "github-pat": the judge knows lifetimes by it
    key: str | None = None  # normalised name of the key or header it stood under
    max_lifetime: float | None = None  # seconds, documented by the vendor; None: not known
    usual: Usual | None = None  # documented defaults; None: not known
    static: bool = False  # valid until revoked or rotated
    public: bool = False  # no secret and so no finding: what secrets found are compared with


Confirm = Callable[[Text], Iterable[Match]]
GLANCE, GLANCE_AFTER = 32, 160  # bytes that a glance gets before and after the anchor's end
Glance = Callable[[bytes, bytes], bool]


class Detector(Struct, frozen=True):
    """What a secret looks like. `before` and `after` bound how far from the anchor's end it ever looks, in bytes."""

    id: str
    kind: Kind
    title: str
    anchors: tuple[Anchor, ...]
    confirm: Confirm
    reference: str  # the specification or vendor page the shape is taken from
    examples: tuple[tuple[bytes, bytes], ...]  # (text, the secret's bytes in it)
    counterexamples: tuple[bytes, ...]
    before: int = 384  # the longest key, its tail, and what stands before a key
    after: int = 8192
    # Asked once a stream, with its path: the confirm to use there, None where the detector is not for it. For
    # detectors whose answer depends on the path, or that keep something while they work on a stream.
    for_path: Callable[[str], Confirm | None] | None = None
    # Asked at a plain hit with the raw bytes before and after the anchor's end, escapes and all: False where nothing
    # can be, whatever the escapes. Spares the work of decoding what stands around; never needed for the answer.
    glance: Glance | None = None
    # Where given, one of these stands at most `before` bytes before the anchor's end, or there is nothing.
    follows: tuple[bytes, ...] = ()
