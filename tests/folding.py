"""Fields printed so that the secret in them is cut by the layout: folded lines, literals over lines, traced calls.

A layout is given a field and where its secret is cut, and gives what is written: what stands around, and the secret's
parts, which are the spans of the finding.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

from tests.scanning import jwt, opaque


@dataclass(frozen=True)
class Field:
    """A key, and its value: what stands before the secret (`Bearer `) and the secret."""

    key: str
    before: str
    secret: bytes

    def parts(self, cuts: tuple[int, ...]) -> list[bytes]:
        """The secret, cut at these indexes."""
        return [self.secret[low:high] for low, high in pairwise((0, *cuts, len(self.secret)))]


def _pair(seed: int) -> bytes:
    return base64.b64encode(b"billing-batch:" + opaque(seed, 16))


# A field of each kind, from a seed. Tokens of some issuers are a thousand characters long.
FIELDS: dict[str, Callable[[int], Field]] = {
    "jwt": lambda seed: Field("access_token", "", jwt(seed)),
    "bearer_token": lambda seed: Field("Authorization", "Bearer ", opaque(seed, 40)),
    "long bearer_token": lambda seed: Field("Authorization", "Bearer ", opaque(seed, 700)),
    "refresh_token": lambda seed: Field("refresh_token", "", opaque(seed, 48)),
    "client_secret": lambda seed: Field("client_secret", "", opaque(seed, 32)),
    "basic_credentials": lambda seed: Field("Authorization", "Basic ", _pair(seed)),
    "api_key": lambda seed: Field("apiKey", "", opaque(seed, 32)),
}

Pieces = list[tuple[str | bytes, bool]]  # what is written, and whether it is of the secret
Layout = Callable[[Field, tuple[int, ...]], Pieces]


def written(pieces: Pieces) -> tuple[bytes, list[tuple[int, int]]]:
    """The bytes, and the [start, end) of the secret's parts."""
    data = b""
    places = []
    for text, secret in pieces:
        raw = text.encode() if isinstance(text, str) else text
        if secret and raw:
            places.append((len(data), len(data) + len(raw)))
        data += raw
    return data, places


def between(head: str, joint: str, tail: str) -> Layout:
    """`head` and `tail` name the field's key and what stands before its secret: {key}, {before}."""

    def lay(field: Field, cuts: tuple[int, ...]) -> Pieces:
        names = {"key": field.key, "before": field.before}
        out: Pieces = [(head.format(**names), False)]
        for number, part in enumerate(field.parts(cuts)):
            out += [(joint, False)] if number else []
            out.append((part, True))
        return [*out, (tail.format(**names), False)]

    return lay


LITERALS = {
    "JavaScript, + behind": between("const {key} = '{before}", "' +\n  '", "';\n"),
    "Java, + before": between('String {key} = "{before}', '"\n        + "', '";\n'),
    "Java, + before and no blank": between('String {key} = "{before}', '"\n        +"', '";\n'),
    "Node's inspect, older": between("{{ host: 'a',\n  {key}:\n   '{before}", "' +\n   '", "' }}\n"),
    "PHP, . behind": between("${key} = '{before}", "' .\n    '", "';\n"),
    "PHP, . before": between("${key} = '{before}", "'\n    . '", "';\n"),
    "Python": between('{key} = (\n    "{before}', '"\n    "', '"\n)\n'),
    "Python's dict": between("d = {{\n    '{key}': '{before}", "'\n            '", "',\n    'n': 1}}\n"),
    "Python's pprint": between("{{'host': 'a',\n '{key}': '{before}", "'\n            '", "'}}\n"),
    "Python's bytes": between('{key} = (\n    b"{before}', '"\n    b"', '"\n)\n'),
    "C": between('static const char *{key} =\n    "{before}', '"\n    "', '";\n'),
    "C, on its line": between('const char *{key} = "{before}', '"\n                   "', '";\n'),
    "Ruby": between("{key} = '{before}", "' \\\n  '", "'\n"),
    "Lua": between('{key} = "{before}', '" ..\n  "', '"\n'),
    "Visual Basic": between('{key} = "{before}', '" & _\n    "', '"\n'),
    "SQL": between("SET {key} = '{before}", "' ||\n  '", "';\n"),
    "shell": between('export {key}="{before}', "\\\n", '"\n'),
    "shell, CRLF": between('export {key}="{before}', "\\\r\n", '"\r\n'),
    "YAML in quotes": between('a: 1\n{key}: "{before}', "\\\n  ", '"\nb: 2\n'),
    "properties": between("a=1\n{key}={before}", "\\\n    ", "\nb=2\n"),
    "properties, CRLF": between("a=1\r\n{key} = {before}", "\\\r\n  ", "\r\nb=2\r\n"),
}
FOLDS = {
    "LDIF": between("dn: cn=a,dc=example\n{key}: {before}", "\n ", "\ncn: a\n\n"),
    "LDIF CRLF": between("dn: cn=a,dc=example\r\nobjectClass: top\r\n{key}: {before}", "\r\n ", "\r\ncn: a\r\n\r\n"),
    "header": between("POST /a HTTP/1.1\r\nHost: a.example\r\n{key}: {before}", "\r\n ", "\r\nAccept: */*\r\n\r\n"),
    "header, tab": between("Host: a.example\r\n{key}: {before}", "\r\n\t", "\r\nAccept: */*\r\n\r\n"),
    "mail": between("From: a@b.example\nSubject: hello you\n{key}: {before}", "\n ", "\nMIME-Version: 1.0\n\nhi\n"),
    "YAML folded": between("a: 1\n{key}: >-\n  {before}", "\n  ", "\nb: 2\n"),
    "YAML folded deep": between("a:\n  b:\n    {key}: >\n      {before}", "\n      ", "\n    c: 2\n"),
}
# Rows of a YAML scalar that keeps its breaks.
SCALARS = {
    "literal": between("a: 1\n{key}: |\n  {before}", "\n  ", "\nb: 2\n"),
    "literal, deep": between("a:\n  b:\n    {key}: |-\n      {before}", "\n      ", "\n    c: 2\n"),
    "literal, CRLF": between("a: 1\r\n{key}: |\r\n  {before}", "\r\n  ", "\r\nb: 2\r\n"),
}


def rows(field: Field, width: int) -> tuple[int, ...]:
    """Where rows of a width end, what stands before the secret in the first; none where the last is as wide, too."""
    room = width - len(field.before)
    cuts = range(room, len(field.secret), width)
    return () if room < 1 or not cuts or len(field.secret) - cuts[-1] == width else tuple(cuts)


def calls(head: str, *others: str, tail: str, end: str = "") -> Layout:
    """Calls with a part each, of which `head` and `tail` stand before and behind the string; {n}: its length."""

    def lay(field: Field, cuts: tuple[int, ...]) -> Pieces:
        out: Pieces = []
        parts = field.parts(cuts)
        before, after = f"{field.key}: {field.before}", "\\r\\n"
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            size = len(part) + (0 if number else len(before)) + (2 if last else 0)
            out.append((head.format(n=size) + ("" if number else before), False))
            out.append((part, True))
            out.append(((after if last else "") + tail.format(n=size) + (end if last else "".join(others)), False))
        return out

    return lay


CALLS = {
    "write": calls('write(5, "', tail='", {n}) = {n}\n'),
    "write, aligned": calls('write(5, "', tail='", {n})               = {n}\n'),
    "send": calls('send(5, "', tail='", {n}, 0) = {n}\n'),
    "sendto": calls('sendto(5, "', tail='", {n}, MSG_NOSIGNAL, NULL, 0) = {n}\n'),
    "read": calls('[pid  71] read(7, "', tail='", 4096) = {n}\n'),
    "recvfrom": calls(
        '1234 10:00:00.123456 recvfrom(7<TCP:[10.0.0.1:5->10.0.0.2:443]>, "',
        tail='", 4096, 0, NULL, NULL) = {n} <0.000021>\n',
    ),
    "other calls between": calls(
        'write(5, "', 'write(1, "sent\\n", 5) = 5\n', "futex(0x7f, FUTEX_WAKE, 1) = 0\n", tail='", {n}) = {n}\n'
    ),
    "writev": lambda field, cuts: [
        ("writev(5, [", False),
        *calls('{{iov_base="', ", ", tail='", iov_len={n}}}')(field, cuts),
        ("], 2) = 57\n", False),
    ],
    "ltrace": calls('SSL_write(0x55d0, "', tail='", {n}) = {n}\n'),
}


PROSE = "the settlement of all open orders took longer than it should have, so that the next run begins later; "


def terminal(width: int, lead: str = "", end: str = "\n", quote: str = "", tail: str = "") -> Layout:
    """A long line cut at a width, `lead` before each row: the secret where it is told, and once a row behind that."""

    def lay(field: Field, cuts: tuple[int, ...]) -> Pieces:
        before = f"{field.key}: {quote}{field.before}"
        room = width - len(lead)
        size = 4 * room - (len(before) + cuts[0]) % room  # so that a row ends there, and three above it
        filler = (PROSE * 10)[: size - 1] + " "
        out: Pieces = [(lead, False)]
        column = 0
        for text, secret in ((filler + before, False), (field.secret.decode(), True), (quote + tail, False)):
            for c in text:
                if column == room:
                    out.append((end + lead, False))
                    column = 0
                out.append((c, secret))
                column += 1
        return [*_merged(out), (end, False)]

    return lay


def _merged(pieces: Pieces) -> Pieces:
    return [("".join(str(text) for text, _ in run), secret) for secret, run in groupby(pieces, key=lambda one: one[1])]


def fits(field: Field, width: int, lead: str = "", end: str = "", quote: str = "", tail: str = "") -> range:
    """Where the secret may be cut so that its key stands on the same row."""
    return range(1, min(len(field.secret), width - len(lead) - len(f"{field.key}: {quote}{field.before}")))


TERMINALS: dict[str, tuple[int, tuple[str, ...]]] = {
    f"{width} columns, {name}": (width, how)
    for width in (76, 80, 93, 120)
    for name, how in {
        "no lead": (),
        "indented": ("    ",),
        "CRLF": ("", "\r\n"),
        "quoted mail": ("> ",),
        "in quotes": ("", "\n", '"', ', "n": 7}'),
        "in a form": ("", "\n", "", "&state=af0ifjsldkj"),
    }.items()
}


# Maps printed so that a key's value stands on a line below it.
MAPS = {
    "Node's inspect": between("{{\n  host: 'a',\n  {key}:\n   '{before}", "", "',\n  n: 1 }}\n"),
    "Node's inspect, a key in quotes": between("{{\n  host: 'a',\n  '{key}':\n    '{before}", "", "',\n  n: 1\n}}\n"),
    "Node's inspect, a list": between("{{\n  '{key}': [\n    '{before}", "", "'\n  ]\n}}\n"),
    "Node's rawHeaders": between(
        "  rawHeaders: [\n    'Host',\n    'a',\n    '{key}',\n    '{before}", "", "'\n  ],\n"
    ),
    "JSON": between('{{\n  "host": "a",\n  "{key}":\n    "{before}', "", '",\n  "n": 1\n}}\n'),
    "JSON, a list": between('{{\n  "{key}": [\n    "{before}', "", '"\n  ],\n  "n": 1\n}}\n'),
    "JSON, name and value": between('{{\n  "name": "{key}",\n  "value": "{before}', "", '"\n}}\n'),
    "Ruby's pp": between('{{"host"=>"a",\n "{key}"=>\n  "{before}', "", '"}}\n'),
    "Ruby's pp, a list": between('{{"host"=>"a",\n "{key}"=>\n  ["{before}', "", '"]}}\n'),
    "Ruby's pp, 3.4": between('{{"host" => "a",\n "{key}" =>\n  "{before}', "", '"}}\n'),
    "Go's map": between("map[Accept:[*/*] {key}:[{before}", "", "] Host:[a]]\n"),
    "Go's %#v": between('http.Header{{"{key}":[]string{{"{before}', "", '"}}, "N":[]string{{"1"}}}}\n'),
    "Go's spew": lambda field, _: [
        (f' (string) (len={len(field.key)}) "{field.key}": ([]string) (len=1 cap=1) {{\n', False),
        (f'  (string) (len={len(field.before) + len(field.secret)}) "{field.before}', False),
        (field.secret, True),
        ('"\n },\n', False),
    ],
    "PHP's print_r": between("Array\n(\n    [{key}] => {before}", "", "\n    [n] => 1\n)\n"),
    "PHP's print_r, a list": between(
        "Array\n(\n    [{key}] => Array\n        (\n            [0] => {before}", "", "\n        )\n\n)\n"
    ),
    "PHP's var_dump": lambda field, _: [
        (f'array(1) {{\n  ["{field.key}"]=>\n', False),
        (f'  string({len(field.before) + len(field.secret)}) "{field.before}', False),
        (field.secret, True),
        ('"\n}\n', False),
    ],
    "PHP's var_dump, a list": lambda field, _: [
        (f'array(1) {{\n  ["{field.key}"]=>\n  array(1) {{\n    [0]=>\n', False),
        (f'    string({len(field.before) + len(field.secret)}) "{field.before}', False),
        (field.secret, True),
        ('"\n  }\n}\n', False),
    ],
    "PHP's var_export, a list": between("array (\n  '{key}' => \n  array (\n    0 => '{before}", "", "',\n  ),\n)\n"),
    "Rust's {:#?}": between('{{\n    "host": "a",\n    "{key}": "{before}', "", '",\n}}\n'),
    "Rust's {:#?}, an option": between('    {key}: Some(\n        "{before}', "", '",\n    ),\n'),
    "Rust's {:#?}, a list": between('    "{key}": [\n        "{before}', "", '",\n    ],\n'),
    "Perl's Data::Dumper": between("$VAR1 = {{\n    '{key}' => [\n        '{before}", "", "'\n    ]\n}};\n"),
    "Elixir's inspect": between('[\n  {{"host", "a"}},\n  {{"{key}",\n   "{before}', "", '"}}\n]\n'),
    "Elixir's inspect, a map": between('%{{\n  "{key}" =>\n    "{before}', "", '"\n}}\n'),
    "Erlang's terms": between('[{{<<"{key}">>,\n  <<"{before}', "", '">>}}]\n'),
    "Swift's dump": between('  \u25bf (2 elements)\n    - key: "{key}"\n    - value: "{before}', "", '"\n'),
    "YAML, a list": between("a: 1\n{key}:\n  - {before}", "", "\nb: 2\n"),
    "YAML, below": between("a: 1\n{key}:\n  {before}", "", "\nb: 2\n"),
    "XML": between("<header>\n  <name>{key}</name>\n  <value>{before}", "", "</value>\n</header>\n"),
    "a property list": between("\t<key>{key}</key>\n\t<string>{before}", "", "</string>\n"),
}
