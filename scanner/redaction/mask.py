"""What replaces a secret, so that what stands around it still parses. No function here knows a stream.

A replacement is written in the form the secret stood in: UTF-16 in UTF-16, hex as hex, base64 inside
its wrapping, a hex dump in both columns. It always holds the word REDACTED or stars, which detectors
take for a mask: redacting twice changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from detectors.claims import jose_header
from detectors.detector import Kind
from detectors.patterns import pattern
from scanner.model import Finding, Span

CONTEXT = 256  # bytes before a span that are looked at: a key and a separator, however escaped
AFTER = 32  # bytes after a span that are looked at: what a label begins with, in UTF-16
SHOWN = 8  # hex digits of the fingerprint in a label
BLOCK_RUN = 16  # characters: a shorter run inside a key block is a word of its frame, a longer one key material


class Style(StrEnum):
    """How a secret is replaced."""

    LABEL = "label"  # [REDACTED:jwt:1a2b3c4d]
    EQUAL_LENGTH = "equal-length"  # stars; no offset moves
    DUMP = "dump"  # the same, but the header of a JWT stays, which tells what it was and opens nothing
    PSEUDONYM = "pseudonym"  # REDACTED-1a2b3c4d5e6f: safe in any syntax, same secret, same placeholder
    KEEP_CLAIMS = "keep-claims"  # a JWT loses its signature only; everything else as LABEL
    CLAIMS_EQUAL_LENGTH = "keep-claims equal-length"
    CLAIMS_PSEUDONYM = "keep-claims pseudonym"

    @property
    def keeps_claims(self) -> bool:
        """Whether of a JWT only the signature goes."""
        return self in (Style.KEEP_CLAIMS, Style.CLAIMS_EQUAL_LENGTH, Style.CLAIMS_PSEUDONYM)

    @property
    def keeps_lengths(self) -> bool:
        """Whether no offset moves."""
        return self in (Style.EQUAL_LENGTH, Style.DUMP, Style.CLAIMS_EQUAL_LENGTH)

    @property
    def in_place(self) -> Style:
        """The style for where lengths must stay, whatever was asked for."""
        if self.keeps_lengths:
            return self
        return Style.CLAIMS_EQUAL_LENGTH if self.keeps_claims else Style.EQUAL_LENGTH


class Target(Struct, frozen=True):
    """One secret to be replaced. Spans are bytes of the stream, half-open, ascending."""

    spans: tuple[Span, ...]
    kind: Kind
    fingerprint: str
    encoding: tuple[str, ...] = ()  # outermost first, as a finding tells it

    @classmethod
    def of(cls, finding: Finding) -> Target:
        """The part of a finding that matters here."""
        return cls(finding.spans, finding.kind, finding.fingerprint, finding.encoding)


class Edit(Struct, frozen=True):
    """The bytes [start, end) of the stream become `data`. Never shows what it holds: it may be kept claims."""

    start: int
    end: int
    data: bytes

    def __repr__(self) -> str:
        return f"Edit({self.start}, {self.end}, {len(self.data)} bytes)"


Slice = Callable[[int, int], bytes]  # the stream's bytes [start, end), as far as they are held


def edits(target: Target, read: Slice, style: Style = Style.LABEL) -> list[Edit]:
    """What to do to each span of a target, in order. `read` is asked for the spans and a little around them."""
    spans = target.spans
    pieces = [read(span.start, span.end) for span in spans]
    before = read(max(0, spans[0].start - CONTEXT), spans[0].start)
    after = read(spans[-1].end, spans[-1].end + AFTER)
    if _is_binary(before, target.encoding):
        style = style.in_place  # offsets in a dump, a page or a packed record may depend on each length
    made = _replaced(_Secret(target, style), pieces, before, after, target.encoding)
    return [Edit(span.start, span.end, data) for span, data in zip(spans, made, strict=True)]


def _is_binary(before: bytes, encoding: tuple[str, ...]) -> bool:
    """Whether what stands just before a secret is no text."""
    near = before[-64:]
    outer = encoding[0] if encoding else ""
    if outer not in ("utf-16le", "utf-16be"):
        return b"\0" in near
    near = near[len(near) % 2 :]
    low, high = (near[0::2], near[1::2]) if outer == "utf-16le" else (near[1::2], near[0::2])
    return b"\0" in low or high.count(0) * 2 < len(high)


class _Secret(Struct, frozen=True):
    target: Target
    style: Style

    def label(self) -> bytes:
        mark = self.target.fingerprint
        if self.style in (Style.PSEUDONYM, Style.CLAIMS_PSEUDONYM):
            return b"REDACTED-" + mark[:12].encode("ascii")
        return f"[REDACTED:{self.target.kind.value}:{mark[:SHOWN]}]".encode("ascii")


def _replaced(
    secret: _Secret, pieces: list[bytes], before: bytes, after: bytes, encoding: tuple[str, ...]
) -> list[bytes]:
    """The replacement of each piece, by the outermost encoding that decides on its form."""
    outer = encoding[0] if encoding else ""
    if outer in ("utf-16le", "utf-16be"):
        narrow = _narrow(pieces, outer)
        if narrow is None:
            return [_starred(piece, outer) for piece in pieces]
        made = _replaced(secret, narrow, _half(before, outer), _half(after, outer, front=True), encoding[1:])
        if secret.style is Style.EQUAL_LENGTH:
            return [_starred(piece, outer) for piece in pieces]
        return [data.decode("latin-1").encode(outer) for data in made]
    if outer == "hexdump":
        return _dump(pieces)
    if outer == "memory-words":
        return [_hex([piece])[0] if _WORD.fullmatch(piece) else _starred(piece) for piece in pieces]
    if outer == "byte-list":
        return [_DECIMAL.sub(b"42", piece) for piece in pieces]
    if "hex" in encoding:
        return _hex(pieces)
    if "base64" in encoding and not _stands_alone(pieces, before, after):
        return _wrapped(pieces, before, after)
    return _text(secret, pieces, before, after)


def _text(secret: _Secret, pieces: list[bytes], before: bytes, after: bytes) -> list[bytes]:
    kind = secret.target.kind
    if kind is Kind.PRIVATE_KEY:
        return _block(secret, pieces)
    if secret.style.keeps_claims and (kept := _without_signature(secret, pieces, after)):
        return kept
    if secret.style.keeps_lengths:
        told = _HEADER.match(pieces[0]) if secret.style is Style.DUMP else None
        header = told[0] if told else b""
        return [header + _starred(pieces[0][len(header) :]), *map(_starred, pieces[1:])]
    label = _fitted(secret.label(), before, pieces[0], after)
    return [label] + [b"" for _ in pieces[1:]]


_HEADER = pattern(rb"e[yw][A-Za-z0-9_-]{8,512}\.")  # of a JWS or JWE (RFC 7515 section 7.1)
_PERCENT_BEFORE = pattern(rb"%((?:25)*)(?:3[Dd]|22|3[Aa]|20|2[0BbCcFf]|27)(?:%(?:25)*[0-9A-Fa-f]{2})*\Z")
_QUERY = pattern(rb"[?&;][A-Za-z0-9_.\[\]%-]{1,64}=\Z")
_USERINFO = pattern(rb"://[^\s/?#@]{0,128}:\Z")
_BARE_VALUE = pattern(rb"""((?:\\{0,15}["']|\\{1,15}u0022|\\{1,15}x22|&quot;))[ \t]{0,8}:[ \t]{0,8}\Z""")
_BARE = pattern(rb"[0-9A-Za-z_.+-]+")
_HEX_DIGITS = frozenset(bytes([byte]) for byte in b"0123456789abcdefABCDEF")


def _fitted(label: bytes, before: bytes, value: bytes, after: bytes) -> bytes:
    """The label so that a URL, a form, or a JSON value that stood without quotes can still be parsed."""
    last = before[-1:]
    if last in _HEX_DIGITS and (percent := _PERCENT_BEFORE.search(before)):
        return _percent(label, 1 + len(percent[1]) // 2)
    if last == b"=" and _QUERY.search(before):
        return _percent(label, 1)
    if last == b":" and after[:1] == b"@" and _USERINFO.search(before):
        return _percent(label, 1)
    if before.rstrip(b" \t")[-1:] == b":" and (bare := _BARE_VALUE.search(before)) and _BARE.fullmatch(value):
        return bare[1] + label + bare[1]
    return label


def _percent(label: bytes, times: int) -> bytes:
    sign = b"%" + b"25" * (times - 1)
    return label.replace(b"[", sign + b"5B").replace(b"]", sign + b"5D").replace(b":", sign + b"3A")


_SIGNED = (Kind.JWT, Kind.SESSION_COOKIE, Kind.BEARER_TOKEN, Kind.REFRESH_TOKEN)  # what may be a JWS
_JWS = pattern(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.|\Z)")
_DONE = pattern(rb"\.?(?:(?:\[|%(?:25)*5B)?REDACTED[:%-]|\*{6})")  # behind claims that were kept before


def is_kept(token: bytes) -> bool:
    """Whether it is what was left of a token whose claims were kept: it is found again, and is no secret any more."""
    kept = _JWS.match(token)
    return kept is not None and _DONE.match(token, kept.end()) is not None


def is_beheaded(token: bytes) -> bool:
    """Whether it is a payload and a signature, the header being left out; else two parts are a header and a payload."""
    return token.count(b".") == 1 and jose_header(token.partition(b".")[0]) is None


def _without_signature(secret: _Secret, pieces: list[bytes], after: bytes) -> list[bytes] | None:
    """Header and payload as they stand, the signature gone; None where it is no JWS in plain letters (RFC 7515 7.1)."""
    whole = b"".join(pieces)
    kept = _JWS.match(whole)
    if secret.target.kind not in _SIGNED or kept is None:
        return None
    if b"." in whole[kept.end() :]:
        return None  # JWE: five parts, and nothing to be read in any of them
    if is_beheaded(whole):
        return None  # what stands last is the signature
    if _DONE.match(whole[kept.end() :] or after):
        return pieces
    left = kept.end()
    out: list[bytes] = []
    label = secret.label()
    if kept[0][-1:] != b"." and not label.startswith(b"["):
        label = b"." + label  # of a token that was cut: else it would be read as the claims going on
    for piece in pieces:
        if left >= len(piece) and piece is not pieces[-1]:
            out.append(piece)
            left -= len(piece)
        else:
            out.append(piece[:left] + (_starred(piece[left:]) if secret.style.keeps_lengths else label))
            left, label = 0, b""
    return out


def _starred(data: bytes, encoding: str = "") -> bytes:
    """Stars of the same length; line ends and NULs stay, so that lines and UTF-16 stay what they are."""
    if not encoding:
        return data.translate(_STARS)
    star, units = ("*".encode(encoding)), (data[i : i + 2] for i in range(0, len(data), 2))
    keep = {c.encode(encoding) for c in "\r\n\0"}
    return b"".join(unit if unit in keep or len(unit) < 2 else star for unit in units)


_STARS = bytes(byte if byte in b"\0\r\n" else 0x2A for byte in range(256))

# Key material inside a block: base64 and hex, also where its `+`, `/` and `=` are escaped. What stands between the
# runs (line ends plain or escaped, a logger's frame before each line) stays.
_RUN = pattern(
    rb"""(?P<escape>\\+(?:u00(?:0[0-9A-Fa-f]|22|27)|x[0-9A-Fa-f]{2}|[nrt"']) | %(?:25)*(?:0[0-9A-Fa-f]|2[02379]|3[Aa])
         | &[a-z]{2,4}; | &\#x?[0-9A-Fa-f]{1,4};)
       | (?P<run>(?:[0-9A-Za-z+/=_-] | %(?:25)*(?:2[BbFf]|3[Dd]) | \\+/ | \\+u00(?:2[BbFf]|3[Dd]))+)""",
    re.VERBOSE,
)
_FENCE = pattern(rb"-{5}(?:\x20|%20|\+|[A-Z0-9])+?-{5}")


def _block(secret: _Secret, pieces: list[bytes]) -> list[bytes]:
    """A key block: its fences and line ends stay, the first run of key material becomes the label, the others go."""
    label = secret.label()
    out: list[bytes] = []
    for piece in pieces:
        runs = _runs(piece)
        parts: list[bytes] = []
        position = 0
        for start, end in runs:
            parts.append(piece[position:start])
            if secret.style.keeps_lengths:
                parts.append(_starred(piece[start:end]))
            else:
                parts.append(label)
                label = b""
            position = end
        out.append(b"".join(parts) + piece[position:])
    return out


def _runs(piece: bytes) -> list[tuple[int, int]]:
    """The stretches of key material: long runs, and short ones that are alone on their line behind a long one."""
    fences = [fence.span() for fence in _FENCE.finditer(piece)]
    found: list[tuple[int, int]] = []
    everything = [m for m in _RUN.finditer(piece) if m["run"]]
    for match in everything:
        start, end = match.span()
        if any(low < end and start < high for low, high in fences):
            continue
        alone = (bool(found) and piece[end : end + 1] in (b"", b"\n", b"\r", b"\\", b"%")) or len(everything) == 1
        if end - start >= BLOCK_RUN or alone:
            found.append((start, end))
    return found or [(0, len(piece))]


def _hex(pieces: list[bytes]) -> list[bytes]:
    """Stars in hex; pairs that are 00 stay, so that UTF-16 inside stays UTF-16."""
    return [_PAIR.sub(lambda m: m[0] if m[0] == b"00" else b"2a", piece) for piece in pieces]


_WORD = pattern(rb"(?:[0-9a-f]{2})+")
_DECIMAL = pattern(rb"-?[0-9]{1,3}")
_PAIR = pattern(rb"[0-9A-Fa-f]{2}")
_COLUMN = pattern(rb"[0-9A-Fa-f]{2}(?:[ -]{0,3}[0-9A-Fa-f]{2})*")


def _dump(pieces: list[bytes]) -> list[bytes]:
    """Both columns of a hex dump: a hex piece is followed by the text of the same bytes, where the dump has text."""
    out: list[bytes] = []
    zeros: list[bool] | None = None  # of the hex column just masked, which of its bytes are NUL
    for piece in pieces:
        if zeros is not None and len(piece) == len(zeros):
            kept = (piece[i : i + 1] if zero else b"*" for i, zero in enumerate(zeros))
            out.append(b"".join(kept))
            zeros = None
        elif _COLUMN.fullmatch(piece):
            zeros = [pair == b"00" for pair in _PAIR.findall(piece)]
            out += _hex([piece])
        else:
            out.append(_starred(piece))
            zeros = None
    return out


_ESCAPE_BEFORE = pattern(rb"(?:%[0-9A-Fa-f]{2}|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrt]))\Z")
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


def _stands_alone(pieces: list[bytes], before: bytes, after: bytes) -> bool:
    """Whether the secret is a whole run of base64: then the run is the secret as it was sent, and is replaced whole."""
    around = (b"" if _ESCAPE_BEFORE.search(before) else before[-1:]) + after[:1]
    return not any(byte in _ALPHABET for byte in around) and set(b"".join(pieces).rstrip(b"=")) <= _ALPHABET


def _wrapped(pieces: list[bytes], before: bytes, after: bytes) -> list[bytes]:
    """Stars inside the base64 that wraps the secret and its neighbours; theirs do not change by a bit.

    A span in base64 begins at the character that holds the secret's first bit, so only its place in a group of
    four is to be found: of those its length allows, the one where the secret decodes to printable text.
    """
    run = b"".join(pieces)
    url = b"-" in run or b"_" in run
    best: tuple[int, bytes] = (-1, (b"Kioq" * (len(run) // 4 + 1))[: len(run)])
    for lead in (0, 1, 2):
        masked = _masked_at(run, before, after, lead)
        if masked is not None and masked[0] > best[0]:
            best = masked
    new = best[1].translate(bytes.maketrans(b"+/", b"-_")) if url else best[1]
    out: list[bytes] = []
    for piece in pieces:
        out.append(new[: len(piece)])
        new = new[len(piece) :]
    return out


def _masked_at(run: bytes, before: bytes, after: bytes, lead: int) -> tuple[int, bytes] | None:
    """(printable bytes of the secret, the run masked) if its first character is number `lead` of its group."""
    if (lead + len(run.rstrip(b"="))) % 4 == 1 or len(before) < lead:
        return None
    behind = -(lead + len(run)) % 4
    group = before[len(before) - lead :] + run + after[:behind]
    group = group.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    if not set(group) <= _ALPHABET or len(group) % 4 == 1:
        return None
    try:
        plain = base64.b64decode(group + b"=" * (-len(group) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    first = -(-lead * 6 // 8)
    last = min(len(plain), (lead + len(run.rstrip(b"="))) * 6 // 8)
    hidden = plain[:first] + plain[first:last].translate(_STARS) + plain[last:]
    new = base64.b64encode(hidden)[lead : lead + len(run.rstrip(b"="))]
    printable = sum(32 <= byte < 127 for byte in plain[first:last])
    return printable, new + run[len(new) :]


def _narrow(pieces: list[bytes], encoding: str) -> list[bytes] | None:
    """UTF-16 pieces as one byte a character; None where a character does not fit one."""
    try:
        return [piece.decode(encoding).encode("latin-1") for piece in pieces]
    except UnicodeError:
        return None


def _half(data: bytes, encoding: str, front: bool = False) -> bytes:
    """What stands beside the secret, narrowed; whole units counted from the secret on."""
    if len(data) % 2:
        data = data[:-1] if front else data[1:]
    return data[0::2] if encoding == "utf-16le" else data[1::2]
