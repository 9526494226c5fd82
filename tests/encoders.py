"""Ways to write a text down, each with where its bytes then stand: what tests of encodings and framings are made of.

An encoder takes plain bytes and gives the encoded ones and a map from plain stretches to the places that show them.
Encoders go into each other (`nested`), as a JSON log line does into base64 and that into a hex dump.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote

Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class Encoded:
    """`places(start, end)`: the [low, high) in `data` that show the plain bytes [start, end)."""

    data: bytes
    places: Callable[[int, int], Ranges]


Encoder = Callable[[bytes], Encoded]


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """In order, touching and overlapping ones joined."""
    out: Ranges = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1]:
            out[-1] = out[-1][0], max(high, out[-1][1])
        elif low < high:
            out.append((low, high))
    return out


def nested(*encoders: Encoder) -> Encoder:
    """The first is the outermost."""

    def encode(text: bytes) -> Encoded:
        layers: list[Encoded] = []
        for encoder in reversed(encoders):
            layers.append(encoder(text))
            text = layers[-1].data

        def places(start: int, end: int) -> Ranges:
            ranges = [(start, end)]
            for layer in layers:
                ranges = merged(place for low, high in ranges for place in layer.places(low, high))
            return ranges

        return Encoded(text, places)

    return encode


def pieces(parts: Iterable[tuple[bytes, int]]) -> Encoded:
    """`parts`: what was written, and for how many plain bytes; 0 for what stands between."""
    data = b""
    places: Ranges = []
    for raw, size in parts:
        places += [(len(data), len(data) + len(raw))] * size
        data += raw
    return Encoded(data, lambda start, end: merged(places[start:end]))


def _chars(escape: Callable[[str], str], before: bytes = b"", after: bytes = b"") -> Encoder:
    def encode(text: bytes) -> Encoded:
        written = ((escape(chr(c)).encode("latin-1"), 1) for c in text)
        return pieces([(before, 0), *written, (after, 0)])

    return encode


def _escaping(table: dict[str, str], before: bytes = b"", after: bytes = b"") -> Encoder:
    return _chars(lambda c: table.get(c, c), before, after)


_CONTROL = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_UNICODE = {c: f"\\u{ord(c):04x}" for c in "\"'&<>+`"}
ESCAPES: dict[str, Encoder] = {
    "json": _chars(lambda c: json.dumps(c)[1:-1], b'{"level":"info","msg":"', b'","n":7}'),
    "json of PHP": _chars(lambda c: json.dumps(c)[1:-1].replace("/", "\\/"), b'{"message":"', b'","level":200}'),
    "json of .NET": _escaping(_CONTROL | _UNICODE, b'{"Message":"', b'"}'),
    "python": _escaping(_CONTROL | {"'": "\\'"}, b"{'body': '", b"', 'n': 7}"),
    "c": _escaping(_CONTROL | {'"': '\\"'}, b'write(1, "', b'", 4096) = 4096'),
    "octal": _escaping({chr(c): f"\\{c:03o}" for c in (*range(32), 34, 39, 92)}, b'recv(7, "', b'", 4096, 0) = 99'),
    "x22": _escaping({chr(c): f"\\x{c:02X}" for c in (*range(32), 34, 92)}, b'10.0.0.1 - - "', b'" 200'),
    "percent": _chars(lambda c: quote(c, safe=""), b"GET /cb?to=", b"&n=7 HTTP/1.1"),
    "html": _chars(lambda c: html.escape(c), b"<pre>", b"</pre>"),
    "html by number": _escaping({c: f"&#{ord(c)};" for c in "\"'&<>"}, b"<td>", b"</td>"),
    "html by hex": _escaping({c: f"&#x{ord(c):x};" for c in "\"'&<>"}, b"<td>", b"</td>"),
    "syslog": _escaping({chr(c): f"#{c:03o}" for c in range(32)}, b"<14>Nov 22 10:00:00 h app: ", b""),
}


def _colour(text: bytes) -> Encoded:
    """Colours of a terminal, which grep and log viewers also put inside a word: here inside long ones."""
    parts: list[tuple[bytes, int]] = []
    run = 0
    for c in text:
        run = run + 1 if bytes([c]).isalnum() else 0
        parts.append((bytes([c]), 1))
        if run and run % 18 == 0:
            parts += [(b"\x1b[01;31m\x1b[K", 0), (b"\x1b[m", 0)]
    return pieces(parts)


def _whole(raw: bytes) -> Iterator[tuple[bytes, int]]:
    yield from ((raw[i : i + 1], 1) for i in range(len(raw)))


def _quoted_printable(text: bytes) -> Encoded:
    """RFC 2045 section 6.7, soft line breaks after 75 characters at the latest."""
    parts: list[tuple[bytes, int]] = [(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", 0)]
    column = 0
    for c in text:
        raw = b"=%02X" % c if c == 61 or not (32 <= c < 127 or c == 10) else bytes([c])
        if column + len(raw) > 75:
            parts.append((b"=\r\n", 0))
            column = 0
        column = 0 if c == 10 else column + len(raw)
        parts.append((raw, 1))
    return pieces([*parts, (b"=20\r\n=3D=3D\r\n", 0)])


def _nul(text: bytes) -> Encoded:
    return pieces([(b"LANG=C\0", 0), *_whole(text), (b"\0HOME=/\0", 0)])


def utf16(codec: str, mark: bytes = b"") -> Encoder:
    """`mark`: a byte order mark, as files of Windows begin with."""

    def encode(text: bytes) -> Encoded:
        start = len(mark)
        return Encoded(
            mark + text.decode("latin-1").encode(codec), lambda low, high: [(start + 2 * low, start + 2 * high)]
        )

    return encode


def _hex(before: bytes, after: bytes, *, upper: bool = False) -> Encoder:
    def encode(text: bytes) -> Encoded:
        run = text.hex().upper() if upper else text.hex()
        start = len(before)
        return Encoded(before + run.encode() + after, lambda low, high: [(start + 2 * low, start + 2 * high)])

    return encode


def _base64(before: bytes, after: bytes, *, url: bool = False, width: int = 0) -> Encoder:
    """`width`: characters of a line, where the run is broken."""

    def encode(text: bytes) -> Encoded:
        run = base64.urlsafe_b64encode(text).rstrip(b"=") if url else base64.b64encode(text)
        rows = [run[i : i + width] for i in range(0, len(run), width)] if width else [run]
        body = b"\n".join(rows)

        def at(index: int) -> int:
            return len(before) + index + (max(index - 1, 0) // width if width else 0)

        def places(start: int, end: int) -> Ranges:
            low, high = start * 4 // 3, -(-end * 4 // 3)
            edges = [low, *(i for i in range(width, len(run), width) if low < i < high)] if width else [low]
            return [(at(a + 1) - 1, at(b)) for a, b in pairwise([*edges, high])]

        return Encoded(before + body + after, places)

    return encode


def base64_in_lines(width: int) -> Encoder:
    """The body of a mail."""
    return _base64(b"Content-Transfer-Encoding: base64\r\n\r\n", b"\n\n--", width=width)


RUNS: dict[str, Encoder] = {
    "hex": _hex(b'UPDATE c SET body = x"', b'" WHERE id = 7'),
    "hex of auditd": _hex(b"type=PROCTITLE msg=audit(1795348800.123:7): proctitle=", b"", upper=True),
    "base64": _base64(b'{"data":"', b'"}'),
    "base64url": _base64(b"state=", b"&n=7", url=True),
    "base64 in lines": base64_in_lines(76),
}
WIDE: dict[str, Encoder] = {
    "utf-16le": utf16("utf-16-le"),
    "utf-16be": utf16("utf-16-be"),
}
MARKED: dict[str, Encoder] = {
    "utf-16le with a mark": utf16("utf-16-le", b"\xff\xfe"),
    "utf-16be with a mark": utf16("utf-16-be", b"\xfe\xff"),
}
OTHER: dict[str, Encoder] = {"colours": _colour, "quoted-printable": _quoted_printable, "nul": _nul}


def _shown(part: bytes) -> bytes:
    return bytes(c if 32 <= c < 127 else 46 for c in part)


Columns = tuple[str, list[int]]  # the row as far as its text column; the index of each byte's two digits in it


def _digits(
    before: str, part: bytes, size: int, between: str = " ", middle: str = "", *, upper: bool = False
) -> Columns:
    """Groups of `size` bytes with `between` them; `middle` stands for it after the eighth byte."""
    row, at = before, []
    for i, c in enumerate(part):
        if i:
            row += middle if middle and i == 8 else between if i % size == 0 else ""
        at.append(len(row))
        row += f"{c:02X}" if upper else f"{c:02x}"
    return row, at


def _words(before: str, part: bytes, size: int, between: str = " ", mark: str = "") -> Columns:
    """Words that show their last byte first; the last one is filled up with zeros."""
    row, at = before, [0] * len(part)
    padded = part + bytes(-len(part) % size)
    for i in range(0, len(padded), size):
        row += (between if i else "") + mark
        for j in reversed(range(i, i + size)):
            if j < len(part):
                at[j] = len(row)
            row += f"{padded[j]:02x}"
    return row, at


def rows(
    columns: Callable[[int, bytes], Columns],
    text: tuple[int, str, str] | None = None,
    *,
    width: int = 16,
    lead: bytes = b"",
    word: int = 1,
) -> Encoder:
    """A dump. `text`: the column the text begins in at the earliest, and what stands before and behind it.

    `word`: what the memory's size is a multiple of, in bytes; behind the text are zeros.
    """

    def encode(plain: bytes) -> Encoded:
        data = lead
        shown: list[Ranges] = []
        for offset in range(0, len(plain), width):
            part = plain[offset : offset + width]
            part += bytes(-len(part) % word)
            row, at = columns(offset, part)
            places = [[(len(data) + i, len(data) + i + 2)] for i in at]
            line = row.encode()
            if text:
                line = line.ljust(text[0]) + text[1].encode()
                for i in range(len(part)):
                    places[i].append((len(data) + len(line) + i, len(data) + len(line) + i + 1))
                line += _shown(part) + text[2].encode()
            data += line + b"\n"
            shown += places

        def covered(start: int, end: int) -> Ranges:
            """What stands between two bytes of one row belongs to the secret; a text column is its own range."""
            out: Ranges = []
            for first in range(start - start % width, end, width):
                here = shown[max(start, first) : min(end, first + width)]
                digits = [places[0] for places in here]
                out += [(digits[0][0], digits[-1][1])] if digits == sorted(digits) else digits
                out += [places[1] for places in here if len(places) > 1]
            return merged(out)

        return Encoded(data, covered)

    return encode


DUMPS: dict[str, Encoder] = {
    "hexdump -C": rows(lambda at, part: _digits(f"{at:08x}  ", part, 1, middle="  "), (60, "|", "|")),
    "xxd": rows(lambda at, part: _digits(f"{at:08x}: ", part, 2), (49, "  ", "")),
    "tcpdump -X": rows(lambda at, part: _digits(f"\t0x{at:04x}:  ", part, 2), (50, "  ", "")),
    "curl --trace": rows(lambda at, part: _digits(f"{at:04x}: ", part, 1), (54, "", "")),
    "javax.net.debug": rows(lambda at, part: _digits(f"  {at:04X}: ", part, 1, middle="  ", upper=True), (58, " ", "")),
    ".NET trace": rows(lambda at, part: _digits(f"{at:08X} : ", part, 1, middle="-", upper=True), (58, " : ", "")),
    "od -t x1": rows(lambda at, part: _digits(f"{at:07o} ", part, 1)),
    "hexdump": rows(lambda at, part: _words(f"{at:07x} ", part, 2)),
    "gdb": rows(lambda at, part: _words(f"0x{0x7FFE0000 + at:x}:\t", part, 8, "\t", "0x")),
    "tombstone": rows(
        lambda at, part: _words(f"    {0x7B2C3F4A10 + at:016x} ", part, 8), (54, "  ", ""),
        lead=b"memory near x0 ([anon:libc_malloc]):\n", word=16,
    ),
}  # fmt: skip


def _listed(between: str, item: str, before: str, after: str) -> Encoder:
    """Byte by byte; what stands between two bytes of a secret belongs to it."""

    def encode(text: bytes) -> Encoded:
        data, places = before, []
        for i, c in enumerate(text):
            data += between if i else ""
            places.append((len(data), len(data) + len(item.format(c))))
            data += item.format(c)
        return Encoded((data + after).encode(), lambda start, end: [(places[start][0], places[end - 1][1])])

    return encode


LISTS: dict[str, Encoder] = {
    "journald's bytes": _listed(",", "{}", '{"_PID":"17","MESSAGE":[', "]}\n"),
    "Java's bytes": _listed(", ", "{}", "body=[", "]\n"),
    "Go's bytes": _listed(" ", "{}", "body=[", "]\n"),
    "Node's buffer": _listed(" ", "{:02x}", "<Buffer ", ">\n"),
    "C array": _listed(", ", "0x{:02x}", "{ ", " };\n"),
    "strace -xx": _listed("", "\\x{:02x}", 'write(3, "', '", 99) = 99\n'),
    "colons": _listed(":", "{:02x}", "data: ", "\n"),
}
