r"""Lines that a format folds: what the continuation begins with, or what stands around it, says that it is one.

A backslash at the line's end (properties, https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html; strings
of YAML in quotes, https://yaml.org/spec/1.2.2/#double-quoted-style): the blanks below it are no part of the value.
LDIF (RFC 2849, note 2) and headers of HTTP and mail (RFC 9112 section 5.2, RFC 5322 section 2.2.3): a line of a record
or of a block of headers that begins with a blank. Where it is a header, a blank belongs to the value, so that no token
should be folded; but clients do.
YAML's block scalars (https://yaml.org/spec/1.2.2/#81-block-scalar-styles): whoever puts a token in one means it whole.
"""

from __future__ import annotations

from itertools import pairwise

from detectors.patterns import pattern

_TOKEN = rb"[A-Za-z0-9_.~+/=%-]"
# A line that begins with blanks and a part of a token, below one that ends with such a part, or that and a backslash.
MARK = rb"\n(?=[ \t])(?:(?<=T\n)|(?<=T\r\n)|(?<=T\\\n)|(?<=T\\\r\n))[ \t]{1,200}T{1,4096}(?=[\r\n\"'&;,\\]|\Z)".replace(
    b"T", _TOKEN
)
_MARK = pattern(MARK)
_SLASH = pattern(rb"(?<=T)\\\r?\n[ \t]{1,200}(?=T)(?!--|[A-Za-z_][\w.-]{0,60}[ ]?[=:][^=])".replace(b"T", _TOKEN))
MOST = 40  # lines above a fold in which its field begins
BLOCK = 4096  # bytes before and behind a fold in which its record or its block of headers is looked at
# What only stands in a record of LDIF, or among headers.
_TELLING = pattern(
    rb"(?m)^(?:dn:{1,2} |[A-Z]{3,8} [!-~]{1,400} HTTP/[0-9.]{1,3}\r?$|HTTP/[0-9.]{1,3} [1-5]\d\d"
    rb"|(?i:host|user-agent|accept(?:-[a-z]{1,12})?|content-(?:type|length|transfer-encoding)|connection|cache-control"
    rb"|date|server|from|to|subject|received|message-id|mime-version|return-path): )"
)
_FIELD = pattern(rb"[A-Za-z][A-Za-z0-9;._-]{0,80}:{1,2}(?![ ]?[>|][-+0-9]{0,2}[ ]*\Z)")  # and no scalar of YAML
_NESTED = pattern(rb"[ \t]{1,200}(?:-[ ]+)?[\"']?[A-Za-z_][\w.-]{0,80}[\"']?:(?:[ \t]|\Z)")  # a key of YAML, no fold
_LINE = pattern(rb"\r?\n")
# The words that a token stands behind: they end a line where a header is folded as it should be.
_SCHEME = pattern(rb"(?i)(?:[: ]|\n[ \t]{1,8})(?:bearer|basic|token|digest|negotiate|apikey|dpop|oauth)\Z")
_NEXT = pattern(rb"\r?\n([ \t]{1,200})(T{1,4096})(?=[\r\n\"'&;,]|\Z)".replace(b"T", _TOKEN))
_SCALAR = pattern(
    rb"(?m)^([ ]{0,100})(?:-[ ]{1,4})?[\"']?[A-Za-z_][\w./-]{0,100}[\"']?:[ ]{1,4}([>|])[-+0-9]{0,2}[ ]{0,4}\r?\n"
    rb"([ ]{1,120})([^\s][^\r\n]{0,8192})"
)
_ROW = pattern(rb"\r?\n([ ]{1,120})(T{1,4096})[ ]{0,4}(?=\r?\n|\Z)".replace(b"T", _TOKEN))
_ENDS_IN_TOKEN = pattern(rb"(?:\A|[\s:])T{1,8192}\Z".replace(b"T", _TOKEN))
_ASSIGNED = pattern(rb"[+-]?[A-Za-z_][\w.-]{2,60}=[^=]")  # a field on a line of its own, as a diff shows it
_OTHER = pattern(rb"--|.*=[^=]")  # an option, a field: no row of a token


def gaps(data: bytes) -> list[tuple[int, int]]:
    """The stretches [start, end) between the parts of folded lines."""
    found = [fold.span() for fold in _SLASH.finditer(data)] if b"\\" in data else []
    if _MARK.search(data):
        found += [*_scalars(data), *_headers(data)]
    return found


def _headers(data: bytes) -> list[tuple[int, int]]:
    """Folds of LDIF and of headers."""
    found: list[tuple[int, int]] = []
    told = (0, 0, False)  # [start, end) of the block looked at last, and whether anything in it is telling
    above = (-1, False)  # where the break looked at last ends, and whether a field stands before it
    for mark in _MARK.finditer(data):
        start = mark.start() - (data[mark.start() - 1 : mark.start()] == b"\r")
        fold = _NEXT.match(data, start)
        line = data.rfind(b"\n", 0, start) + 1
        continued = above[1] if line == above[0] else _is_continued(data, line, start)
        above = mark.start() + 1, continued
        if fold is None or not continued or _ASSIGNED.match(data, *fold.span(2)):
            continue
        if not told[0] <= start < told[1]:
            told = _block(data, start)
        if told[2]:  # behind a scheme the blank parts two words
            is_scheme = _SCHEME.search(data, max(0, start - 24), start)
            found.append((start, fold.start(1) if is_scheme else fold.start(2)))
    return found


def _is_continued(data: bytes, line: int, end: int) -> bool:
    """Whether the line at [line, end) is a field, or folded itself."""
    for _ in range(MOST):
        if data[line : line + 1] not in (b" ", b"\t"):
            return _FIELD.match(data, line, end) is not None
        if _NESTED.match(data, line, end):
            return False
        line, end = data.rfind(b"\n", 0, max(0, line - 1)) + 1, max(0, line - 1)
    return False


def _block(data: bytes, at: int) -> tuple[int, int, bool]:
    """The lines around an index as far as the next empty ones, and whether one is telling."""
    low = max(data.rfind(b"\n\n", max(0, at - BLOCK), at), data.rfind(b"\n\r\n", max(0, at - BLOCK), at))
    ends = [end for end in (data.find(b"\n\n", at, at + BLOCK), data.find(b"\n\r\n", at, at + BLOCK)) if end >= 0]
    low, high = (low if low >= 0 else max(0, at - BLOCK)), min([*ends, at + BLOCK])
    return low, high, _TELLING.search(data, low, high) is not None


def _scalars(data: bytes) -> list[tuple[int, int]]:
    """What stands between the rows of a block scalar that holds nothing but a token."""
    found: list[tuple[int, int]] = []
    for scalar in _SCALAR.finditer(data):
        indent = scalar[3]
        first = scalar[4].rstrip(b" \r")
        if len(indent) <= len(scalar[1]) or not _ENDS_IN_TOKEN.search(first):
            continue
        rows = [(scalar.end(3), scalar.start(4) + len(first))]
        while (row := _ROW.match(data, rows[-1][1])) and row[1] == indent:
            rows.append(row.span(2))
        if len(rows) > 1 and not _goes_on(data, rows[-1][1], indent) and _is_one(data, rows, folded=scalar[2] == b">"):
            found += [(one[1], following[0]) for one, following in pairwise(rows)]
    return found


def _goes_on(data: bytes, end: int, indent: bytes) -> bool:
    """Whether the scalar has another row, which is no part of a token."""
    line = _LINE.match(data, end)
    return line is not None and data.startswith(indent, line.end())


def _is_one(data: bytes, rows: list[tuple[int, int]], *, folded: bool) -> bool:
    """Whether the rows are one token, and not a list, which would not be folded: all but the last of one width."""
    if any(_OTHER.match(data, low, high) for low, high in rows[1 if folded else 0 :]):
        return False
    sizes = [high - low for low, high in rows]
    return folded or (len(set(sizes[:-1])) == 1 and sizes[-1] < sizes[0])
