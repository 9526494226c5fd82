"""Values that stand apart from their names: columns of an SQL INSERT, arguments of a Redis command."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field
from detectors.keyed import of_value
from detectors.keys import meaning

BACK = 4096  # bytes before a column's name in which its INSERT, and parameters of the statement, may begin
_COLUMNS = re.compile(
    rb"""(?i)insert\s+(?:ignore\s+)?into\s+[^\s(]{1,200}\s*\(([^()]{1,4000})\)\s*(?:output[^()]{1,200})?values\s*"""
)
_TUPLE_OPEN = re.compile(rb"\s*,?\s*\(")
_ITEM = re.compile(
    rb"""\s*(?:[NnEe_]?[a-z0-9]{0,8}'((?:[^'\\]|\\.|''){0,16384})'|"((?:[^"\\]|\\.){0,16384})"|([^,()'"]{0,400}))\s*([,)])"""
)
_COMMAND = re.compile(rb""""(?i:set|setex|psetex|setnx|getset|hset|hmset|mset)"((?: "(?:[^"\\]|\\.){0,4096}"){2,8})""")
_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"')
MOST = 2000  # rows of one statement looked at


def confirm_insert(text: Text) -> Iterator[Match]:
    """The values in the column an anchor named, in each row of the statement."""
    low = max(0, text.hit - BACK)
    start = max(text.data.rfind(b"INSERT", low, text.hit), text.data.rfind(b"insert", low, text.hit))
    statement = _COLUMNS.match(text.data, start) if start >= 0 else None
    if statement is None:
        if start >= 0 and text.cut and text.data.find(b")", text.hit) < 0:
            raise NeedMore
        return
    if not statement.start(1) <= text.hit <= statement.end(1) + 1:
        return
    before = statement[1][: text.hit - statement.start(1)].rstrip(b"\"`'],) \t=")
    column = before.count(b",")
    name = before[before.rfind(b",") + 1 :].strip(b" \t\r\n\"`'[]")
    said = meaning(name)
    if said is None:
        return
    for value_start, value_end in _column_values(text, statement.end(), column):
        place = _parameter(text, start, value_start, value_end)
        match = of_value(text, Field(name, start, *place, quoted=True, closed=True, flag=False), said)
        if match:
            yield match


def _column_values(text: Text, position: int, column: int) -> Iterator[tuple[int, int]]:
    """[start, end) of the given column's value in each row of VALUES."""
    for _ in range(MOST):
        opened = _TUPLE_OPEN.match(text.data, position)
        if opened is None:
            return
        position = opened.end()
        for index in range(400):
            item = _ITEM.match(text.data, position)
            if item is None:
                if text.cut:
                    raise NeedMore
                return
            if index == column:
                yield next(item.span(group) for group in (1, 2, 3) if item.start(group) >= 0)
            position = item.end()
            if item[4] == b")":
                break


def _parameter(text: Text, statement: int, start: int, end: int) -> tuple[int, int]:
    """Where the value of a parameter marker (`@p1`, `:name`) was logged before the statement; else the place itself."""
    marker = text.data[start:end].strip()
    if marker[:1] not in (b"@", b":") or len(marker) > 64:
        return start, end
    at = text.data.rfind(marker + b"='", max(0, statement - BACK), statement)
    if at < 0:
        return start, end
    begin = at + len(marker) + 2
    return begin, max(begin, text.data.find(b"'", begin, statement))


def confirm_command(text: Text) -> Iterator[Match]:
    """The last argument of a command that stores a value under a key which names a credential."""
    at = text.data.rfind(b'"', 0, text.data.rfind(b'" "', max(0, text.hit - 64), text.hit))
    command = _COMMAND.match(text.data, at) if at >= 0 else None
    if command is None:
        return
    arguments = list(_ARGUMENT.finditer(text.data, command.start(1), command.end(1)))
    name = arguments[0][1][:120]
    said = meaning(name) or meaning(name.split(b":")[0]) or next((m for m in map(meaning, name.split(b":")) if m), None)
    if said is None:
        return
    match = of_value(text, Field(name.split(b":")[0], at, *arguments[-1].span(1), True, True, False), said)
    if match:
        yield match


_V = b"Rk7nV2pQ9xTm4bL8sWc1Yd3h"

DETECTORS = (
    Detector(
        id="sql-insert",
        kind=Kind.CLIENT_SECRET,
        title="Credential in a column of an INSERT",
        anchors=(
            Anchor(b"token", caseless=True, keyed=True),
            Anchor(b"secret", caseless=True, keyed=True),
            Anchor(b"apikey", caseless=True, keyed=True),
            Anchor(b"api_key", caseless=True, keyed=True),
        ),
        confirm=confirm_insert,
        reference="https://dev.mysql.com/doc/refman/8.4/en/insert.html",
        examples=((b"INSERT INTO `c` (`id`,`client_secret`,`n`) VALUES (1,'" + _V + b"',0);", _V),),
        counterexamples=(b"INSERT INTO t (a, token_type) VALUES (1, 'Bearer')", b"select token, secret from t"),
    ),
    Detector(
        id="store-command",
        kind=Kind.BEARER_TOKEN,
        title="Credential stored by a command",
        anchors=(Anchor(pattern=rb'"(?:set|setex|psetex|setnx|getset|hset|hmset|mset)" "', caseless=True),),
        confirm=confirm_command,
        reference="https://redis.io/docs/latest/commands/setex/",
        examples=((b'"SETEX" "oauth:token:job" "3600" "' + _V + b'"', _V),),
        counterexamples=(b'"SET" "lock:orders" "7f1c"', b'"SETEX" "token:count" "60" "12"'),
    ),
)
