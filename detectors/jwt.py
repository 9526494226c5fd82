"""JSON Web Tokens: JWS compact (RFC 7515 section 7.1), JWE compact (RFC 7516 section 7.1).

Found by the first bytes of an encoded JSON object, told by decoding; no boundary is asked for on
either side. Where a byte of the alphabet follows, the length a signature of that algorithm must
have tells the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from detectors.claims import decode_part, facts_of, jose_header, may_open_object
from detectors.detector import (
    Anchor,
    Confidence,
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

_RUN = pattern(rb"[A-Za-z0-9_-]*")
# Encoded signature lengths (RFC 7518 section 3.1; RFC 8037): bytes of the signature * 4 / 3, rounded up.
_FIXED = {"HS256": 43, "HS384": 64, "HS512": 86, "ES256": 86, "ES256K": 86, "ES384": 128, "ES512": 176, "EdDSA": 86}
_RSA = (2731, 1366, 683, 512, 342)  # moduli of 16384, 8192, 4096, 3072, 2048 bits
_SHORT_RSA = 171  # 1024 bits, forbidden by RFC 7518 section 3.3: more than that is the beginning of a longer one
_SIGNATURES = frozenset((*_FIXED.values(), *_RSA))
_CLAIMS = pattern(rb'"(?:iss|sub|aud|exp|nbf|iat|jti|azp|client_id|scope|scp)"\s*:')
_HEADER_START = pattern(rb'\{\s*"(?:alg|typ|kid|enc|x5[tcu]|jku|jwk|cty|crit|zip|epk)"')
_COOKIE = pattern(rb"""(?i)cookies?["'\]]{0,3}\s{0,2}[:=,]|"cookies"|set-cookie|session[a-z_]*cookie""")
Header = tuple[str | None, str | None, str | None, bool]  # as `jose_header` gives it
REMEMBERED = 4096  # characters of a payload that is not read anew: a token is logged again and again while it lives
HEADER_BACK = 2048  # characters before a payload in which the remains of a damaged header are looked for


def confirm(text: Text) -> Iterator[Match]:
    """The token at an anchor: its header begins there, or its payload does and the header is damaged."""
    start = _begin(text.data, text.hit)
    match = None if start is None else _token(text, start)
    if match:
        yield match


def _token(text: Text, start: int) -> Match | None:
    header_end = _run_end(text, start)
    header = text.data[start:header_end]
    known = jose_header(header) if text.data[header_end : header_end + 1] == b"." else None
    if known is not None:
        return _jwe(text, start, header_end) if known[3] else _jws(text, start, header_end, known)
    if text.data[start - 1 : start] == b".":
        return _headless(text, start, header_end)
    if match := _beheaded(text, start, header_end):
        return match
    return _match(text, start, header_end, TokenFacts(), Flaw.FRAGMENT) if _is_header_start(header) else None


def _begin(data: bytes, hit: int) -> int | None:
    """Where the encoded object an anchor marked begins: anchors are its first 3, 4 or 8 bytes."""
    for size in (3, 4, 8):
        if hit >= size and data[hit - size : hit - size + 2] in (b"ey", b"ew"):
            return hit - size
    return None


def glance(before: bytes, after: bytes) -> bool:
    """Whether an object may begin there; in a run of base64 it mostly does not."""
    start = _begin(before, len(before))
    return start is not None and may_open_object(before + after, start)


def at(text: Text, start: int) -> Match | None:
    """The token that begins at `start`, for detectors that found its place by a key. Raises NeedMore."""
    if text.data[start : start + 2] not in (b"ey", b"ew"):
        return None
    match = _token(text, start)
    return match if match and match.start == start else None


def _run_end(text: Text, start: int) -> int:
    run = _RUN.match(text.data, start)
    end = run.end() if run else start
    if end == len(text.data) and text.cut:
        raise NeedMore
    return end


def _is_header_start(part: bytes) -> bool:
    """Whether it decodes to the beginning of a JOSE header."""
    plain = decode_part(part[: len(part) & ~3])
    return plain is not None and _HEADER_START.match(plain) is not None


def _jws(text: Text, start: int, header_end: int, header: Header) -> Match | None:
    data = text.data
    payload_end = _run_end(text, header_end + 1)
    part = data[header_end + 1 : payload_end]
    facts = _facts(part, header) if len(part) <= REMEMBERED else _read(part, header)
    whole = data[payload_end : payload_end + 1] == b"."
    known = facts or TokenFacts(algorithm=header[0], key_id=header[1], problems=("claims_unreadable",))
    if not whole:
        cut = Flaw.TRUNCATED if payload_end - header_end > 8 else Flaw.FRAGMENT
        return _match(text, start, payload_end, known, cut)
    run_end = _run_end(text, payload_end + 1)
    if facts is None and run_end - payload_end < 22:
        return None  # neither claims nor a signature: a dotted name that happens to begin alike
    end, flaw = _signature_end(header[0] or "", payload_end + 1, run_end)
    confidence = Confidence.HIGH if facts else Confidence.MEDIUM
    return _match(text, start, end, known, flaw, confidence)


def _read(part: bytes, header: Header) -> TokenFacts | None:
    """What an encoded payload says; None where it is no claims set."""
    payload = decode_part(part)
    return facts_of(payload, header) if payload else None


_facts = lru_cache(maxsize=1024)(_read)


def _signature_end(alg: str, start: int, end: int) -> tuple[int, Flaw | None]:
    """Where the signature that begins at `start` ends, given that its run of base64url ends at `end`."""
    size = end - start
    if alg == "none":
        return (start, None) if size == 0 else (end, None)
    if size == 0:
        return start, Flaw.TRUNCATED
    if alg in _FIXED:
        wanted = _FIXED[alg]
        return (start + wanted, None) if size >= wanted else (end, Flaw.TRUNCATED)
    if alg[:2] in ("RS", "PS"):
        if size < _RSA[-1]:
            return end, None if size == _SHORT_RSA else Flaw.TRUNCATED
        fitting = next(n for n in _RSA if n <= size)
        odd_modulus = size % 4 != 1 and (size * 3 // 4) % 32 == 0
        return (end, None) if odd_modulus else (start + fitting, None)
    return end, None


def _jwe(text: Text, start: int, header_end: int) -> Match | None:
    """Five parts: header.key.iv.ciphertext.tag; the key may be empty (direct encryption)."""
    end = header_end
    for _ in range(4):
        if text.data[end : end + 1] != b".":
            return _match(text, start, end, TokenFacts(), Flaw.TRUNCATED) if end - header_end > 40 else None
        end = _run_end(text, end + 1)
    known = jose_header(text.data[start:header_end])
    facts = TokenFacts(algorithm=known[0], key_id=known[1], token_type="JWE") if known else TokenFacts()
    return _match(text, start, end, facts, None)


def _headless(text: Text, payload_start: int, payload_end: int) -> Match | None:
    """A payload and a signature whose header was overwritten (a freed block), lost to what came before, or cut."""
    data = text.data
    if data[payload_end : payload_end + 1] != b".":
        return None
    back = data[max(0, payload_start - 1 - HEADER_BACK) : payload_start - 1]
    kept = back[len(back.rstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")) :]
    for i in _starts(kept):
        header = jose_header(kept[i:])
        if header and not header[3]:  # its own anchor finds the token too, unless a record was cut in its first bytes
            return _jws(text, payload_start - 1 - len(kept) + i, payload_start - 1, header)
    payload = decode_part(data[payload_start:payload_end])
    if not payload or not _CLAIMS.search(payload):
        return None
    facts = facts_of(payload, None)
    end = _run_end(text, payload_end + 1)
    if facts is None or end - payload_end < 22:
        return None
    return _match(text, payload_start - 1 - len(kept), end, facts, Flaw.DAMAGED)


def _beheaded(text: Text, start: int, payload_end: int) -> Match | None:
    """A payload and a signature of a length signatures have, without their header, which anyone can write again."""
    payload = decode_part(text.data[start:payload_end]) if text.data[payload_end : payload_end + 1] == b"." else None
    if not payload or not _CLAIMS.search(payload) or (facts := facts_of(payload, None)) is None:
        return None
    end = _run_end(text, payload_end + 1)
    if end - payload_end - 1 not in _SIGNATURES or text.data[end : end + 1] == b".":
        return None
    return _match(text, start, end, facts, Flaw.DAMAGED)


def _starts(run: bytes) -> Iterator[int]:
    for mark in (b"eyJ", b"ewo", b"ew0", b"eyA", b"eyI"):
        position = run.find(mark)
        while position >= 0:
            yield position
            position = run.find(mark, position + 1)


def _match(
    text: Text, start: int, end: int, facts: TokenFacts, flaw: Flaw | None, confidence: Confidence = Confidence.HIGH
) -> Match:
    kind = Kind.SESSION_COOKIE if _in_cookie(text.data, start) else Kind.JWT
    return Match(
        start, end, kind, Secret(text.data[start:end]), Rank.STRUCTURE, confidence, facts=facts, flaw=flaw, family="jwt"
    )


def _in_cookie(data: bytes, start: int) -> bool:
    """Whether a Cookie or Set-Cookie header (RFC 6265) stands before it, nearer than an Authorization header."""
    line = data[max(data.rfind(b"\n", 0, start), start - 400, 0) : start]
    if line.lstrip().startswith(b'"value"'):  # an archive of HTTP, printed over lines: the list it is in stands above
        line = data[max(start - 400, 0) : start]
    if b"cookie" not in line.lower():
        return False
    found = next(reversed(list(_COOKIE.finditer(line))), None)
    between = line[found.end() :] if found else b""
    if found is None or b"uthorization" in between or b'"headers"' in between:
        return False
    depth = 0
    for bracket in _BRACKETS.finditer(between):
        depth += 1 if bracket[0] in b"{[" else -1
        if depth < 0 or (depth == 0 and bracket[0] in b"}]"):
            return False  # what held the cookies is closed
    return True


_BRACKETS = pattern(rb"[{}\[\]]")


_H = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
_P = b"eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJleHAiOjE3OTUzNDE4OTV9"
_S = b"Zm9yLXRlc3RzLW9ubHktbm90LWEtcmVhbC1zaWduYXR1cmUx"[:43]
_TOKEN = _H + b"." + _P + b"." + _S

# The encoded beginnings of headers with white space after the brace, and of the usual ones, long enough to be told
# inside another base64.
_SPACED = (b"eyAi", b"eyAg", b"eyAK", b"ewog", b"ewoi", b"ewoJ", b"ewoN", b"ew0K", b"ewki", b"ewkJ")
_USUAL = (
    b"eyJhbGci",
    b"eyJ0eXAi",
    b"eyJraWQi",
    b"eyJlbmMi",
    b"eyJ4NXQi",
    b"eyJjdHki",
    b"eyJqa3Ui",
    b"eyJ6aXAi",
    b"eyJlcGsi",
)

DETECTOR = Detector(
    id="jwt",
    kind=Kind.JWT,
    title="JSON Web Token",
    anchors=(
        Anchor(b"eyJ"),  # {"
        *(Anchor(start) for start in _SPACED),
        *(Anchor(start, wrapped=True) for start in _USUAL),
    ),
    confirm=confirm,
    reference="https://www.rfc-editor.org/rfc/rfc7515#section-7.1",
    examples=(
        (b"token " + _TOKEN + b" seen", _TOKEN),
        (b"x_" + _TOKEN + b"tail", _TOKEN),
        (b"ends in " + _P + b"." + _S, _P + b"." + _S),
    ),
    counterexamples=(
        b"cursor eyJpZCI6MTIzNDU2fQ end",
        b"eyJhbGciOiJIUzI1NiJ9 alone is a header",
        b"eyJsaW1pdCI6MTB9.eyJwYWdlIjoyfQ.x",
        b"cursor eyJsaW1pdCI6MTB9." + _S,
        b"session " + _P + b".Zk7pQ2." + _S,
        b"session " + _P + b"." + _S[:27],
    ),
    before=2560,
    after=65536,
    glance=glance,
)
