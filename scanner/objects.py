"""Where a token stands among the fields around it: the objects that hold it, and whose field is whose by its name."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from detectors.patterns import pattern

REACH = 2048  # bytes on either side; larger objects hold what tells of their token next to it all the same
DEEPEST = 3  # brackets around a token that are looked into: its own wrapper, its object, a `data` around both


class Owner(StrEnum):
    """Whose lifetime a field tells."""

    ACCESS = "access"
    REFRESH = "refresh"
    ID = "id"
    CODE = "code"
    DEVICE = "device"
    SECRET = "secret"
    SESSION = "session"


# A key with a value that may be a token: what makes a second one in an object.
TOKEN = pattern(
    rb"""(?i)(?:(?:token(?:_?value)?|jwt|authorization|assertion|code)["'\]\s]{0,4}(?:=>|->|:=|=|:|,|>)|bearer(?=\s))"""
    rb"""\s{0,12}["'\[(]{0,3}(?:bearer\s)?(?=[A-Za-z0-9/+._~-]{12})(?!0x|[\w.-]+["']?\s?[:=](?![=]))"""
)
_BRACKETS = pattern(rb"[{}()\[\]]")
_OPENS = {b"}": b"{", b")": b"(", b"]": b"["}
_GOES_ON = pattern(rb"""[ \t]*(?:export |set |\$env:)?["']?[A-Za-z_][A-Za-z0-9_.-]{1,40}["']?\s{0,12}[:=](?!//)""")
_WRAPPER = 160  # bytes
_NAMED = pattern(rb"""[A-Za-z_]{2}["']?\s{0,4}(?:=>|[:=])""")
# The names of parts of a token's object that tell of the token, with what opens them (`=> #<Meta`).
_PARTS = rb"meta(?:data)?|options?|opts|params|extra|info|expir[a-z]*|attributes|lifetime"
_OPENED = rb"""["']?\s{0,4}(?:=>|[:=])?\s{0,4}(?:[a-z0-9_.:]{0,24})?\Z"""
_PART = pattern(rb"(?i)(?:" + _PARTS + rb")" + _OPENED)
_SESSION = pattern(rb"(?i)(?:session|" + _PARTS + rb")" + _OPENED)  # a session's token, and the session
_WORD = pattern(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KEY = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-@$"
_PLAIN = frozenset(b"access token tokens auth bearer oauth credential credentials jwt sts x user data key".split())
_HARMLESS = pattern(rb"(?i)csrf|xsrf|page|next|continu|cancel|sync|verif")  # tokens that open nothing
_OWNERS = {
    b"refresh": Owner.REFRESH, b"rt": Owner.REFRESH, b"code": Owner.CODE, b"device": Owner.DEVICE,
    b"secret": Owner.SECRET, b"session": Owner.SESSION, b"cookie": Owner.SESSION, b"id": Owner.ID,
}  # fmt: skip


def vicinity(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """What is looked at, and where it begins: up to a NUL, past which in memory another object stands."""
    low, high = max(0, start - REACH), min(len(data), end + REACH)
    low = max(low, data.rfind(b"\0", low, start) + 1)
    nul = data.find(b"\0", end, high)
    return data[low : nul if nul >= 0 else high], low


def owner_of(prefix: bytes) -> Owner | None:
    """Whose lifetime a field is by what its name begins with; None where that is none of ours (`cert_`, `ext_`)."""
    *outer, last = prefix.strip(b"-_.@$").split(b".")
    for part in (last, *outer):
        words = [word.lower() for word in _WORD.findall(part)]
        owner = next((_OWNERS[word] for word in words if word in _OWNERS), None)
        if owner:
            return owner
        if part is last and not _PLAIN.issuperset(words):
            return None
    return Owner.ACCESS


def owner_in_words(text: bytes, low: int, index: int) -> Owner | None:
    """Whose lifetime a message speaks of, by the words in [low, index) ("the refresh token expires in …")."""
    said = _WORDS_BEFORE.search(text, max(low, index - 60), index)
    words = [word for word in (said[0].lower().split() if said else []) if word not in _FILLERS]
    owner = next((_OWNERS[word] for word in reversed(words) if word in _OWNERS), None)
    return owner or (Owner.ACCESS if _PLAIN.issuperset(words) else None)


_WORDS_BEFORE = pattern(rb"(?<![A-Za-z0-9])(?:[A-Za-z']+ ){1,4}\Z")
_FILLERS = frozenset(b"it is and which that will this the a an now to new got your has been was".split())


class Object(Struct, frozen=True):
    """[start, end) of what one pair of brackets holds, or of a run of lines; `inner` are the brackets in it."""

    start: int
    end: int
    depth: int


class Place:
    """A token among its neighbours, as brackets and lines nest them. Indexes are of `text`."""

    def __init__(self, text: bytes, start: int, end: int, owner: Owner) -> None:
        self.text, self.start, self.end, self.owner = text, start, end, owner
        self.pairs = list(_paired(text, start, end))
        self.tokens = self._tokens()

    def objects(self) -> Iterator[Object]:
        """The token's own object, and those around it as long as no other token stands in them."""
        around = sorted((p for p in self.pairs if p[0] < self.start and p[1] >= self.end), key=lambda p: -p[0])
        for depth, (low, high) in enumerate(around[:DEEPEST]):
            if depth and (self.others(low, high) or not self._is_wrapper(*around[depth - 1])):
                return
            yield Object(low + 1, high, depth)
        if around and not self._is_wrapper(*around[-1]):
            return
        if len(around) <= DEEPEST:
            low, high = self._lines(around[-1] if around else (self.start, self.end))
            if not around or not self.others(low, high):
                yield Object(low, high, len(around))

    def _is_wrapper(self, low: int, high: int) -> bool:
        """Whether brackets hold the token and hardly more, so that the object is the one around them."""
        rest = self.text[max(0, low) : self.start] + self.text[self.end : high]
        return len(rest) < _WRAPPER and len(_NAMED.findall(rest)) <= 1

    def direct(self, index: int, object_: Object) -> bool:
        """Whether an index lies in an object itself, or in a part of it that is about its token (`meta`, `options`)."""
        inside = [p for p in self.pairs if object_.start <= p[0] < index < p[1] <= object_.end]
        if not inside:
            return True
        low, high = max(inside, key=lambda p: p[0])
        if len(inside) > 1 or low < self.start < high or any(low < at < high for at in self.tokens):
            return False
        if low >= self.end and not self.text[self.end : low].strip(b""" "'"""):
            return True  # what stands in brackets right behind the token: `V (expires …)`
        part = _SESSION if self.owner is Owner.SESSION else _PART
        return part.search(self.text, max(0, low - 48), low) is not None

    def others(self, low: int, high: int) -> bool:
        return any(low <= at < high and not self.start - 2 <= at <= self.end for at in self.tokens)

    def _tokens(self) -> list[int]:
        """Where the values of tokens of the same owner begin, this one's own among them."""
        found = {self.start}
        for token in TOKEN.finditer(self.text):
            prefix = name_before(self.text, token.start())
            owner = Owner.CODE if token[0][:4].lower() == b"code" else owner_of(prefix)
            harmless = owner is None and _HARMLESS.search(prefix)
            again = self.text.startswith(self.text[self.start : self.end], token.end())
            if not self.start <= token.end() < self.end and owner in (self.owner, None) and not harmless and not again:
                found.add(token.end())
        near = [at for at in found if at == self.start or abs(at - self.start) > 8]
        return sorted(near)

    def _lines(self, core: tuple[int, int]) -> tuple[int, int]:
        """The line around `core`, and those beside it that go on with keys and values."""
        text = self.text
        low = text.rfind(b"\n", 0, core[0]) + 1
        while low and _GOES_ON.match(text, low):
            above = text.rfind(b"\n", 0, low - 1) + 1
            if not _GOES_ON.match(text, above):
                break
            low = above
        high = self._line_end(core[1])
        while high < len(text) and _GOES_ON.match(text, high + 1):
            high = self._line_end(high + 1)
        return low, high

    def _line_end(self, index: int) -> int:
        """The end of the line, what brackets hold counting as one line."""
        end = self.text.find(b"\n", index)
        while end >= 0:
            around = next((p for p in self.pairs if p[0] >= index and p[0] < end < p[1]), None)
            if around is None:
                return end
            end = self.text.find(b"\n", around[1])
        return len(self.text)


def _paired(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The brackets that belong together, and the tags of XML, those of the token itself left out. A bracket that is not
    closed in sight reaches to the end, one that was not opened in sight to the beginning; a wrong one counts for
    nothing.
    """
    stack: list[tuple[bytes, int]] = []
    for found in (_TAGS if b"</" in text else _BRACKETS).finditer(text):
        if start <= found.start() < end:
            continue
        char = found[0]
        opener = _OPENS.get(char) or (b"<" + char[2:-1] if char.startswith(b"</") else None)
        if opener is None:
            if not char.endswith(b"/>"):
                stack.append((char if len(char) == 1 else b"<" + (found["tag"] or b""), found.end() - 1))
            continue
        level = next((i for i in range(1, min(4, len(stack)) + 1) if stack[-i][0] == opener), 0)
        if level:
            opened = stack[-level][1]
            del stack[-level:]
            if not (
                char == b"]" and found.start() - opened < 48 and _KEY_ALONE.fullmatch(text, opened + 1, found.start())
            ):
                yield opened, found.start()
        elif not stack:
            yield -1, found.start()
    yield from ((index, len(text)) for opener, index in stack if len(opener) == 1)


_KEY_ALONE = pattern(
    rb"""["']?[A-Za-z_][\w.:-]{0,40}["']?(?:(?::"[\w\\]{1,30}")?:(?:protected|private))?"""
)  # `["expires_in"]=>` of PHP is a key, no object
_TAGS = pattern(rb"[{}()\[\]]|</[A-Za-z][\w:.-]{0,60}>|<(?P<tag>[A-Za-z][\w:.-]{0,60})(?:\s[^<>]{0,200})?>")


def name_before(text: bytes, index: int) -> bytes:
    head = text[max(0, index - 41) : index]
    return head[len(head.rstrip(_KEY)) :]
