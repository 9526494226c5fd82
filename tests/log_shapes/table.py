"""Shapes as real software writes them, one a line: `name: template`, the place of each secret marked.

«kind:style» is a secret of that kind; several kinds with commas: any of them will do. The style is how it is made
(o40: 40 letters and digits; u43: base64url; h32, H32: hex; a, A: digits and letters of one case; b64; uuid; pw: a
password with punctuation; jwt; pre_+o40: behind a prefix; …); without one, each seed draws another of the styles usual
for that kind.
«…|percent» writes it escaped. «how:text|kind:style|text» writes the text with its secret in an encoding; NUL, SOH and
CRLF are those bytes. Line ends and control bytes stand as their pictures (U+2400 and up; ⏎). A name that ends in `*`
says that the template is written with Python's escapes. In the tables of what is no secret, the kind is `no`.
"""

from __future__ import annotations

import base64
import binascii
import html
import random
import re
import string
import struct
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from detectors.shapes import is_wordy
from tests.scanning import jwt

FOLDER = Path(__file__).parent
_MARK = re.compile("«([^»]*)»")
_WORDS = {"NUL": b"\0", "SOH": b"\1", "CRLF": b"\r\n"}
_STYLES = {
    "bearer_token": ("o40", "u43", "h40", "u64", "uuid"),
    "jwt": ("jwt",),
    "session_cookie": ("jwt",),
    "refresh_token": ("u43", "h64", "o48", "google"),
    "client_secret": ("o32", "u40", "h40", "uuid", "tilde"),
    "api_key": ("o32", "h32", "u40", "uuid"),
    "auth_code": ("u43", "h40", "code", "keycloak"),
    "basic_credentials": ("pair",),
    "private_key": ("b64",),
    "no": ("h32",),
}
_LETTERS = string.ascii_letters + string.digits
_ALPHABETS = {
    "o": _LETTERS,
    "u": _LETTERS + "-_",
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_uppercase + string.digits,
    "n": string.digits,
}


@dataclass(frozen=True)
class Planted:
    """One secret of an instance; [start, end) of its bytes as written, or None where an encoding moved them."""

    kinds: tuple[str, ...]
    value: bytes
    place: tuple[int, int] | None


@dataclass(frozen=True)
class Shape:
    table: str
    name: str
    template: str

    def instance(self, seed: int) -> tuple[bytes, list[Planted]]:
        """The text with secrets made from the seed, and what they are."""
        source = random.Random(f"{self.name} {seed}")
        out, planted, position = b"", [], 0
        for mark in _MARK.finditer(self.template):
            out += self._literal(self.template[position : mark.start()])
            written, secrets = _written(mark[1], source)
            for kinds, value, plain in secrets:
                place = (len(out), len(out) + len(written)) if plain else None
                planted.append(Planted(kinds, value, place))
            out += written
            position = mark.end()
        return out + self._literal(self.template[position:]), planted

    def _literal(self, text: str) -> bytes:
        text = text.replace("⏎", "\n")
        text = "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c for c in text)
        return text.encode().decode("unicode_escape").encode("latin-1") if self.name.endswith("*") else text.encode()


def shapes(*tables: str) -> list[Shape]:
    """The shapes of the named tables."""
    return [
        Shape(table, *line.split(": ", 1))
        for table in tables
        for line in (FOLDER / f"{table}.txt").read_text().splitlines()
        if line
    ]


Secret = tuple[tuple[str, ...], bytes, bool]


def _written(mark: str, source: random.Random) -> tuple[bytes, list[Secret]]:
    if mark.partition(":")[0] in HOW:
        how, _, rest = mark.partition(":")
        text, secrets = b"", []
        for part in rest.split("|"):
            if part.partition(":")[0].partition(",")[0] in _STYLES:
                kinds, value = _secret(part, source)
                secrets.append((kinds, value, False))
                text += value
            else:
                text += _WORDS.get(part, part.encode())
        return HOW[how](text), secrets
    if mark == "sasl":
        value = b"\0ops@mail.example\0" + _make("o20", source)
        return base64.b64encode(value), [(("basic_credentials",), value, True)]
    spec, _, encoding = mark.partition("|")
    kinds, value = _secret(spec, source)
    written = base64.b64encode(value) if kinds == ("basic_credentials",) and ":" not in spec else value
    if encoding:
        written = {"percent": quote(value, safe=""), "html": html.escape(value.decode())}[encoding].encode()
    return written, [(kinds, value, True)]


def _secret(spec: str, source: random.Random) -> tuple[tuple[str, ...], bytes]:
    names, _, style = spec.partition(":")
    kinds = tuple(names.split(","))
    return kinds, _make(style or source.choice(_STYLES[kinds[0]]), source)


def _make(style: str, source: random.Random) -> bytes:
    if "+" in style:
        prefix, _, style = style.partition("+")
        return prefix.encode() + _make(style, source)
    some = partial(_some, source)
    if style[1:].isdigit() and style[0] in _ALPHABETS:
        return some(_ALPHABETS[style[0]], int(style[1:]))
    number = source.randrange(10**6)
    uuid = "-".join(source.randbytes(n).hex() for n in (4, 2, 2, 2, 6)).encode()
    made: dict[str, Callable[[], bytes]] = {
        "o": lambda: some(_LETTERS, source.choice((28, 32, 40))),
        "uuid": lambda: uuid,
        "pw": lambda: some(_LETTERS + "!@#%^*_-+=.?", 22),
        "p64": lambda: some(_LETTERS + "!@#%^*_-+=.?|~<>[]{}()$:, ", 64),
        "pass": lambda: some(_LETTERS, 20),
        "pair": lambda: b"orders:" + some(_LETTERS, 24),
        "b64": lambda: base64.b64encode(source.randbytes(32)),
        "b128": lambda: base64.b64encode(source.randbytes(64)),
        "ceph": lambda: base64.b64encode(struct.pack("<HIIH", 1, 1795344156, number, 16) + source.randbytes(16)),
        "conda": lambda: b"ab-" + uuid,
        "kubeadm": lambda: (
            some("0123456789abcdefghijklmnopqrstuvwxyz", 6) + b"." + some("0123456789abcdefghijklmnopqrstuvwxyz", 16)
        ),
        "ocp": lambda: b"sha256~" + some(_LETTERS + "-_", 43),
        "eskey": lambda: base64.b64encode(some(_LETTERS, 20) + b":" + some(_LETTERS, 22)),
        "k3s": lambda: b"K10" + some("0123456789abcdef", 64) + b"::server:" + some("0123456789abcdef", 32),
        "nkey": lambda: _nkey(source.randbytes(32)),
        "newrelic": lambda: some("0123456789abcdef", 36) + b"NRAL",
        "octopus": lambda: b"API-" + some(string.ascii_uppercase + string.digits, 32),
        "openvpn": lambda: b"SESS_ID_AT_" + base64.b64encode(source.randbytes(30)),
        "panos": lambda: b"LUF" + b"RPT1" + some(_LETTERS + "+/", 85) + b"==",
        "tilde": lambda: some(_LETTERS, 5) + b"~" + some(_LETTERS + ".~_-", 30),
        "google": lambda: b"1//0" + some(_LETTERS + "-_", 99),
        "code": lambda: b"4/0A" + some(_LETTERS + "-_", 70),
        "keycloak": lambda: uuid + b"." + some("0123456789abcdef", 8) + uuid[8:] + b"." + uuid[::-1],
        "jwt": lambda: jwt(number, source.choice(("HS256", "RS256", "ES256"))),
    }
    return made[style]()


def _nkey(key: bytes) -> bytes:
    """The seed of a user of NATS."""
    raw = bytes((18 << 3 | 20 >> 2, (20 & 3) << 6)) + key
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).rstrip(b"=")


def _some(source: random.Random, alphabet: str, size: int) -> bytes:
    """Random characters that neither begin nor end with punctuation, so that a span's end is beyond dispute.

    Nor pass for words, as one draw in a thousand does.
    """
    while True:
        value = "".join(source.choice(alphabet) for _ in range(size))
        if value[0].isalnum() and value[-1].isalnum() and not is_wordy(value.encode()):
            return value.encode()


def _trace_ascii(text: bytes) -> bytes:
    """Rows of `curl --trace-ascii`: at most 64 characters, or up to a line end, which is not shown."""
    rows, at = [], 0
    while at < len(text):
        end = min(at + 64, len(text))
        line_end = text.find(b"\r\n", at, end)
        shown = text[at : line_end if line_end >= 0 else end]
        rows.append(b"%04x: %s\n" % (at, shown))
        at = line_end + 2 if line_end >= 0 else end
    return b"=> Send header, %d bytes (0x%x)\n" % (len(text), len(text)) + b"".join(rows)


def _rows(text: str, width: int) -> bytes:
    return "\n".join(textwrap.wrap(text, width)).encode()


HOW: dict[str, Callable[[bytes], bytes]] = {
    "bytes": lambda text: str(list(text)).replace(" ", "").encode(),
    "decimals, ": lambda text: ", ".join(map(str, text)).encode(),
    "decimals,": lambda text: ",".join(map(str, text)).encode(),
    "decimals ": lambda text: " ".join(map(str, text)).encode(),
    "spacedhex": lambda text: text.hex(" ").encode(),
    "colonhex": lambda text: text.hex(":").encode(),
    "dashhex": lambda text: text.hex("-").upper().encode(),
    "carray": lambda text: ", ".join(f"0x{c:02x}" for c in text).encode(),
    "xx": lambda text: "".join(f"\\x{c:02x}" for c in text).encode(),
    "HEX": lambda text: text.hex().upper().encode(),
    "hexw": lambda text: _rows(text.hex(), 60),
    "b64": base64.b64encode,
    "b64w": lambda text: base64.encodebytes(text).rstrip(),
    "traceascii": _trace_ascii,
}


def instances(shape: Shape, seeds: int) -> Iterator[tuple[bytes, list[Planted]]]:
    """Some instances of a shape: other secrets, of other styles."""
    return (shape.instance(seed) for seed in range(seeds))
