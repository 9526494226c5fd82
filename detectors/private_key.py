"""Private keys: PEM and PGP blocks, PuTTY files, the private members of a JWK. A whole key is one match.

Logs put things inside a block: a header before each line, indentation, the two characters `\\n`. So a
block is what stands between its BEGIN and its END, if enough of it is base64; only where END is
missing does the base64 itself tell how far the key goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from detectors.detector import (
    Anchor,
    Detector,
    Flaw,
    Kind,
    Match,
    NeedMore,
    Rank,
    Secret,
    Text,
    TokenFacts,
)
from detectors.patterns import pattern

AFTER = 16 * 1024  # bytes: a 16384-bit RSA key in PEM has 12.6 KB, log headers on its 200 lines included mostly
LEAST = 40  # base64 characters: an Ed25519 key in PKCS #8 has 64

_BEGIN = pattern(rb"-{4,5} ?BEGIN ([A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?) ?-{4,5}")
_ANY_END = pattern(rb"-{4,5} ?END ([A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?) ?-{4,5}|-{4,5} ?BEGIN ")
_CHUNK = pattern(rb"[0-9A-Za-z+/]{16,}={0,2}")
_LONGEST_GAP = 160  # bytes between two lines of a block: a log header, quotes, an escape


def _pem(text: Text) -> Iterable[Match]:
    """RFC 7468 section 5, RFC 1421, RFC 9580 section 6.2; PEM's older headers may stand in the block."""
    data = text.data
    low = max(0, text.hit - 64)
    begin = next((m for m in _BEGIN.finditer(data, low, text.hit + 16) if m.start() < text.hit <= m.end()), None)
    if begin is None:
        if text.cut and len(data) < text.hit + 16:
            raise NeedMore
        return
    stop = min(len(data), text.hit + AFTER)
    end = _ANY_END.search(data, begin.end(), stop)
    if text.cut and len(data) < text.hit + AFTER and (end is None or end.end() == len(data)):
        raise NeedMore
    whole = end is not None and end[1] is not None
    body_end = end.start() if end is not None else stop
    chunks = list(_CHUNK.finditer(data, begin.end(), body_end))
    if not whole:
        chunks = _contiguous(begin.end(), chunks)
    inside = b"".join(m[0] for m in chunks)
    if len(inside) < LEAST or len(set(inside)) < 12:
        return
    last = end.end() if whole and end is not None else _tail(data, chunks[-1].end())
    yield _key(data, begin.start(), last, "pem-private-key", None if whole else Flaw.TRUNCATED)


def _contiguous(start: int, chunks: list[re.Match[bytes]]) -> list[re.Match[bytes]]:
    """The lines of a block whose END is missing: all as long as the first, one shorter after a gap like the others'.

    What follows in a log may hold long words and paths, which look like base64 but not like such a line.
    """
    kept: list[re.Match[bytes]] = []
    gaps = {1, 2}
    for chunk in chunks:
        gap = chunk.start() - start
        full = not kept or len(chunk[0]) == len(kept[0][0])
        alone = chunk.string[chunk.end() : chunk.end() + 1] in (b"", b"\r", b"\n", b'"', b"'", b"\\")
        short = gap in gaps and alone and bool(kept) and len(chunk[0]) < len(kept[0][0])
        if gap > _LONGEST_GAP or not (full or short):
            break
        kept.append(chunk)
        if not full:
            break
        gaps.add(gap)
        start = chunk.end()
    return kept


_SHORT_LINE = pattern(rb"""(?:\r?\n|(?:\\r)?\\n)[ \t]{0,16}[0-9A-Za-z+/]{1,15}={0,2}(?=[\r\n"'\\]|\Z)""")


def _tail(data: bytes, end: int) -> int:
    """The end of a last line too short to be told from a word: it stands alone on its line."""
    last = _SHORT_LINE.match(data, end)
    return last.end() if last else end


def _key(data: bytes, start: int, end: int, family: str, flaw: Flaw | None = None, key_id: str | None = None) -> Match:
    return Match(
        start=start,
        end=end,
        kind=Kind.PRIVATE_KEY,
        secret=Secret(data[start:end]),
        rank=Rank.BLOCK,
        facts=TokenFacts(key_id=key_id),
        flaw=flaw,
        family=family,
        static=True,
    )


_PUTTY_START = b"PuTTY-User-Key-File-"
_PUTTY_END = pattern(rb"Private-MAC: ([0-9a-f]{64}|[0-9a-f]{40})")
_PUTTY_LINES = pattern(rb"Private-Lines: [0-9]{1,4}")


def _putty(text: Text) -> Iterable[Match]:
    """PuTTY manual, appendix C: the file ends with a MAC of 40 (version 2) or 64 (version 3) hex digits."""
    start = text.hit - len(_PUTTY_START)
    if text.data[max(0, start) : text.hit] != _PUTTY_START:
        return
    stop = min(len(text.data), text.hit + AFTER)
    end = _PUTTY_END.search(text.data, text.hit, stop)
    if text.cut and len(text.data) < text.hit + AFTER and (end is None or end.start(1) + 64 > len(text.data)):
        raise NeedMore
    lines = _PUTTY_LINES.search(text.data, text.hit, end.start() if end else stop)
    if lines is None:
        return
    if end is not None:
        yield _key(text.data, start, end.end(), "putty-private-key")
        return
    chunks = _contiguous(lines.end(), list(_CHUNK.finditer(text.data, lines.end(), stop)))
    if chunks:
        yield _key(text.data, start, _tail(text.data, chunks[-1].end()), "putty-private-key", Flaw.TRUNCATED)


_OBJECT = 8192  # bytes: a 4096-bit RSA key with all members has 3.2 KB, a certificate chain may stand beside
_QUOTE = rb"""(?:\\{0,3}["'])?"""
_MEMBER = pattern(
    rb"""(?<![0-9A-Za-z_-])(d|p|q|dp|dq|qi|k|kid|kty|n|e|x|y)"""
    + _QUOTE
    + rb"""[ \t\r\n]{0,16}(?::|=>|=)[ \t\r\n]{0,16}"""
    + _QUOTE
    + rb"""([0-9A-Za-z_.:@+/-]{1,2048})"""
)
_PRIVATE = frozenset((b"d", b"p", b"q", b"dp", b"dq", b"qi"))
_SHORTEST = 22  # characters: 128 bits in base64url


def _jwk(text: Text) -> Iterable[Match]:
    """RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2: `d` and the primes, or `k` of an oct key."""
    data, hit = text.data, text.hit
    low = max(0, hit - _OBJECT)
    opened = data.rfind(b"{", low, hit)
    closed = data.find(b"}", hit, hit + _OBJECT)
    if closed < 0 and text.cut and len(data) < hit + _OBJECT:
        raise NeedMore
    first = max(opened, low)
    last = closed if closed >= 0 else min(len(data), hit + _OBJECT)
    members = {m[1]: m for m in _MEMBER.finditer(data, first, last)}
    kind = members[b"kty"][2] if b"kty" in members else b""
    names = {b"RSA": _PRIVATE, b"EC": {b"d"}, b"OKP": {b"d"}, b"oct": {b"k"}}.get(kind, frozenset())
    private = [m for name, m in members.items() if name in names and len(m[2]) >= _SHORTEST and len(set(m[2])) >= 10]
    if not private or (kind != b"oct" and b"d" not in {m[1] for m in private}):
        return
    start, end = min(m.start(2) for m in private), max(m.end(2) for m in private)
    flaw = Flaw.TRUNCATED if closed < 0 else None
    key_id = members[b"kid"][2].decode("ascii") if b"kid" in members else None
    yield _key(data, start, end, "jwk-private-key", flaw, key_id)


# Random bytes in base64, made for these examples: no key at all.
_LINE = b"q3ZkXx9QbTmL2vRw8YcN0aHsJd5FgKpU7eXoi4MzVq1tSyBnG6rEWfCjDuAhPlO0"
_BODY = _LINE + b"\n" + _LINE[::-1] + b"\n" + _LINE[7:40] + b"="
_DASHES = b"-----"


def _block(label: bytes, body: bytes = _BODY, newline: bytes = b"\n") -> bytes:
    begin, end = _DASHES + b"BEGIN " + label + _DASHES, _DASHES + b"END " + label + _DASHES
    return (begin + b"\n" + body + b"\n" + end).replace(b"\n", newline)


_PUTTY = (
    b"PuTTY-User-Key-" + b"File-3: ssh-ed25519\nEncryption: none\nComment: build\nPublic-Lines: 1\n" + _LINE + b"\n"
    b"Private-Lines: 1\n" + _LINE[::-1] + b"\nPrivate-MAC: " + b"3f9c04e7b1d852a6" * 4
)  # fmt: skip
_D, _K = _LINE[:43], _LINE[20:63]

DETECTORS = (
    Detector(
        id="pem-private-key",
        kind=Kind.PRIVATE_KEY,
        title="Private key in a PEM or PGP block",
        anchors=tuple(Anchor(b"PRIVATE" + blank + b"KEY") for blank in (b" ", b"+", b"%20", b"%2520")),
        confirm=_pem,
        reference="https://www.rfc-editor.org/rfc/rfc7468#section-10",
        examples=(
            (b"loaded " + _block(b"PRIVATE KEY") + b"\n", _block(b"PRIVATE KEY")),
            (b'key: "' + _block(b"RSA PRIVATE KEY", newline=b"\\n") + b'"', _block(b"RSA PRIVATE KEY", newline=b"\\n")),
            (_block(b"OPENSSH PRIVATE KEY", newline=b"\n  | "), _block(b"OPENSSH PRIVATE KEY", newline=b"\n  | ")),
            (_block(b"PGP PRIVATE KEY BLOCK") + b"\n", _block(b"PGP PRIVATE KEY BLOCK")),
        ),
        counterexamples=(
            _block(b"PUBLIC KEY"),
            _block(b"CERTIFICATE"),
            _block(b"PRIVATE KEY", b"[REDACTED]"),
            b"expected a line with " + _DASHES + b"BEGIN PRIVATE KEY" + _DASHES + b" at the start of the file",
            _block(b"PRIVATE KEY", b"..."),
        ),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="putty-private-key",
        kind=Kind.PRIVATE_KEY,
        title="PuTTY private key file",
        anchors=(Anchor(_PUTTY_START),),
        confirm=_putty,
        reference="https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html",
        examples=((b"x\n" + _PUTTY + b"\n", _PUTTY),),
        counterexamples=(b"PuTTY-User-Key-File-2 is not a format this build reads",),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="jwk-private-key",
        kind=Kind.PRIVATE_KEY,
        title="Private or symmetric key in a JWK",
        anchors=tuple(Anchor(b"kty" + mark) for mark in (b'"', b"'", b"=", b":", b"\\")),
        confirm=_jwk,
        reference="https://www.rfc-editor.org/rfc/rfc7518#section-6",
        examples=(
            (b'{"kty":"OKP","crv":"Ed25519","x":"' + _K + b'","d":"' + _D + b'","kid":"a1"}', _D),
            (b'{ "k": "' + _K + b'", "kty": "oct" }', _K),
            (b"{ kty: 'EC', d: '" + _D + b"', x: '" + _K + b"' }", _D),
        ),
        counterexamples=(
            b'{"kty":"RSA","n":"' + _LINE * 5 + b'","e":"AQAB","kid":"2026-11"}',
            b'{"kty":"EC","crv":"P-256","x":"' + _K + b'","y":"' + _D + b'"}',
            b'{"kty":"oct","k":"***"}',
        ),
        before=_OBJECT,
        after=_OBJECT,
    ),
)
