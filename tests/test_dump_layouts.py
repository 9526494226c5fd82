"""Hex dumps and lists of bytes as tools print them: one finding, its spans the secret's bytes in each column."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scanning import jwt, opaque, scan

Layout = Callable[[bytes], bytes]


def _shown(part: bytes) -> bytes:
    return bytes(c if 32 <= c < 127 else 46 for c in part)


def _pairs(part: bytes) -> str:
    return " ".join(part[i : i + 2].hex() for i in range(0, len(part), 2))


def _halves(part: bytes, middle: str) -> str:
    return part[:8].hex(" ") + (middle + part[8:].hex(" ") if len(part) > 8 else "")


def _words(part: bytes, size: int, mark: str = "", between: str = " ") -> str:
    """Words with their last byte first; the last one is filled up with zeros."""
    part += bytes(-len(part) % size)
    return between.join(mark + part[i : i + size][::-1].hex() for i in range(0, len(part), size))


def _rows(line: Callable[[int, bytes], str], width: int = 16) -> Layout:
    """`line` gives a row's columns without the text."""

    def dump(text: bytes) -> bytes:
        parts = [(at, text[at : at + width]) for at in range(0, len(text), width)]
        return b"".join(line(at, part).encode().replace(b"TEXT", _shown(part)) + b"\n" for at, part in parts)

    return dump


LAYOUTS: dict[str, Layout] = {
    "hexdump -C": _rows(lambda at, part: f"{at:08x}  {_halves(part, '  '):<48}  |TEXT|"),
    "xxd": _rows(lambda at, part: f"{at:08x}: {_pairs(part):<39}  TEXT"),
    "xxd -c 32": _rows(lambda at, part: f"{at:08x}: {_pairs(part):<79}  TEXT", 32),
    "xxd -g 1 -u": _rows(lambda at, part: f"{at:08x}: {part.hex(' ').upper():<47}  TEXT"),
    "tcpdump -X": _rows(lambda at, part: f"\t0x{at:04x}:  {_pairs(part):<39}  TEXT"),
    "tcpdump -x": _rows(lambda at, part: f"\t0x{at:04x}:  {_pairs(part)}"),
    "curl --trace": _rows(lambda at, part: f"{at:04x}: {part.hex(' '):<47} TEXT"),
    "javax.net.debug": _rows(lambda at, part: f"  {at:04X}: {_halves(part, '   ').upper():<50} TEXT"),
    "netty": _rows(lambda at, part: f"|{at:08x}| {part.hex(' '):<47} |{'TEXT':<4}|"),
    ".NET trace": _rows(lambda at, part: f"{at:08X} : {_halves(part, '-').upper():<47} : TEXT"),
    "openssl s_client -debug": _rows(lambda at, part: f"{at:04x} - {_halves(part, '-'):<47}   TEXT"),
    "wireshark": _rows(lambda at, part: f"{at:04x}   {part.hex(' '):<47}   TEXT"),
    "wireshark text import": _rows(lambda at, part: f"{at:06x}  {part.hex(' '):<47}"),
    "radare2": _rows(lambda at, part: f"0x{at:08x}  {_pairs(part):<39}  TEXT"),
    "pretty_hex": _rows(lambda at, part: f"{at:04x}:   {part.hex(' '):<47}   TEXT"),
    "od -A x -t x1z": _rows(lambda at, part: f"{at:06x} {part.hex(' '):<47}  >TEXT<"),
    "od -t x1": _rows(lambda at, part: f"{at:07o} {part.hex(' ')}"),
    "lldb": _rows(lambda at, part: f"0x{0x7FFE0000 + at:x}: {part.hex(' '):<47}  TEXT"),
    "windbg db": _rows(lambda at, part: f"00007ff8`{0x12340000 + at:08x}  {_halves(part, '-'):<47}  TEXT"),
    "zap": lambda text: b" ".join(b"%02x" % c for c in text) + b"\n",
    "plain rows": _rows(lambda at, part: part.hex(" ")),
    "colons": lambda text: text.hex(":").encode() + b"\n",
    "openssl -text": _rows(lambda at, part: "    " + part.hex(":") + ":", 15),
    "BitConverter": lambda text: text.hex("-").upper().encode() + b"\n",
    "strace -xx": lambda text: b'write(3, "' + b"".join(b"\\x%02x" % c for c in text) + b'", 99) = 99\n',
    "strace -xx in JSON": lambda text: b'{"m":"' + b"".join(b"\\\\x%02x" % c for c in text) + b'"}\n',
    "C array": lambda text: b"{ " + b", ".join(b"0x%02x" % c for c in text) + b" };\n",
    "xxd -p": _rows(lambda at, part: part.hex(), 30),
}
WORDS: dict[str, Layout] = {
    "hexdump": _rows(lambda at, part: f"{at:07x} {_words(part, 2)}"),
    "od -x": _rows(lambda at, part: f"{at:07o} {_words(part, 2)}"),
    "xxd -e": _rows(lambda at, part: f"{at:08x}: {_words(part, 4):<35}  TEXT"),
    "gdb x/4xw": _rows(lambda at, part: f"0x{0x7FFE0000 + at:x}:\t{_words(part, 4, '0x', chr(9))}"),
    "gdb x/2xg": _rows(lambda at, part: f"0x{0x7FFE0000 + at:x} <buf+{at}>:\t{_words(part, 8, '0x', chr(9))}"),
    "windbg dd": _rows(lambda at, part: f"00007ff8`{0x12340000 + at:08x}  {_words(part, 4)}"),
}
DECIMALS: dict[str, Layout] = {
    "JSON": lambda text: str(list(text)).replace(" ", "").encode() + b"\n",
    "Python, Java": lambda text: str(list(text)).encode() + b"\n",
    "Go": lambda text: b"[" + b" ".join(b"%d" % c for c in text) + b"]\n",
    "pretty JSON": lambda text: b"[\n" + b",\n".join(b"    %d" % c for c in text) + b"\n]\n",
    "signed": lambda text: str([c if c < 128 else c - 256 for c in text + "é".encode()]).encode() + b"\n",
}

CARRIERS: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "jwt": lambda seed: (b"POST /x\r\nX-Session: " + (t := jwt(seed)) + b"\r\n\r\n", t),
    "bearer": lambda seed: (b"GET / HTTP/1.1\r\nAuthorization: Bearer " + (t := opaque(seed)) + b"\r\nHost: a\r\n", t),
    "refresh": lambda seed: (b'{"expires_in":299,"refresh_token":"' + (t := opaque(seed)) + b'","scope":"a b"}', t),
    "secret": lambda seed: (b"grant_type=client_credentials&client_secret=" + (t := opaque(seed, 32)) + b"&a=b", t),
}  # fmt: skip
LEAD, TAIL = b"10:42:36 DEBUG sending\n", b"10:42:37 DEBUG done\n"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=4)
@given(seed=st.integers(0, 9999), shift=st.integers(0, 31))
def test_both_columns_of_a_dump_show_the_secret(carrier: str, layout: str, seed: int, shift: int) -> None:
    text, secret = CARRIERS[carrier](seed)
    plain = scan(text)
    data = LEAD + LAYOUTS[layout](b"~" * shift + text) + TAIL
    found = scan(data)
    assert [f.fingerprint for f in found] == [plain[0].fingerprint]
    pieces = [data[s.start : s.end] for s in found[0].spans]
    if not all(map(_is_hex, pieces)):  # of each row the hex, then the text
        assert b"".join(pieces[1::2]) == secret
        pieces = pieces[0::2]
    assert bytes.fromhex("".join(map(_digits, pieces))) == secret


@pytest.mark.parametrize("layout", WORDS)
@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=4)
@given(seed=st.integers(0, 9999), shift=st.integers(0, 31))
def test_memory_printed_as_words_shows_the_secret(carrier: str, layout: str, seed: int, shift: int) -> None:
    text, secret = CARRIERS[carrier](seed)
    plain = scan(text)
    data = LEAD + WORDS[layout](b"~" * shift + text) + TAIL
    found = scan(data)
    assert [f.fingerprint for f in found] == [plain[0].fingerprint]
    words = [s for s in found[0].spans if layout != "xxd -e" or not _is_shown_as_text(data, s.start)]
    hexes = [data[s.start : s.end] for s in words]
    digits = sorted(b"".join(bytes.fromhex(piece.decode()) for piece in hexes if _is_hex(piece)))
    assert digits == sorted(secret)


@pytest.mark.parametrize("layout", DECIMALS)
@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=4)
@given(seed=st.integers(0, 9999))
def test_a_list_of_numbers_shows_the_secret(carrier: str, layout: str, seed: int) -> None:
    text, secret = CARRIERS[carrier](seed)
    plain = scan(text)
    data = LEAD + b'{"_PID":"17","MESSAGE":' + DECIMALS[layout](text) + b"}\n" + TAIL
    found = scan(data)
    assert [f.fingerprint for f in found] == [plain[0].fingerprint]
    (span,) = found[0].spans
    assert bytes(map(int, re.findall(rb"\d+", data[span.start : span.end]))) == secret


def _is_shown_as_text(data: bytes, offset: int) -> bool:
    """Whether it stands in xxd's second column, two blanks behind the first: text like `06` looks like a word."""
    return b"  " in data[data.rfind(b"\n", 0, offset) : offset]


def _digits(piece: bytes) -> str:
    return re.sub(rb"0x|\\+x|[^0-9A-Fa-f]", b"", piece).decode()


def _is_hex(piece: bytes) -> bool:
    return re.fullmatch(rb"(?:0x|\\+x)?[0-9A-Fa-f]{2}(?:[\s:,-]*(?:0x|\\+x)?[0-9A-Fa-f]{2})*", piece) is not None
