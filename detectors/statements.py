"""Values that stand apart from their names: columns of an SQL INSERT, arguments of a Redis command."""

from __future__ import annotations

from collections.abc import Iterator

from detectors import parameters
from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field, key_at
from detectors.keyed import of_value
from detectors.keys import meaning
from detectors.patterns import pattern

BACK = 4096  # bytes before a column's name in which its INSERT, and parameters of the statement, may begin
_COLUMNS = pattern(
    rb"""(?i)insert\s+(?:ignore\s+)?into\s+[^\s(]{1,200}\s*\(([^()]{1,4000})\)\s*(?:output[^()]{1,200})?values\s*"""
)
_TUPLE_OPEN = pattern(rb"\s*,?\s*\(")
_ITEM = pattern(
    rb"""\s*(?:[NnEe_]?[a-z0-9]{0,8}'((?:[^'\\]|\\.|''){0,16384})'|"((?:[^"\\]|\\.){0,16384})"|([^,()'"]{0,400}))\s*([,)])"""
)
# As MONITOR shows it, and as SLOWLOG GET does: an argument a line, numbered.
_COMMAND = pattern(
    rb""""(?i:set|setex|psetex|setnx|getset|hset|hmset|mset|auth)\""""
    rb"""((?:(?:[ ]|\r?\n[ ]{1,12}\d{1,2}\)[ ])"(?:[^"\\]|\\.){0,4096}"){1,8})"""
)
LONGEST_ARGUMENT = 4096  # bytes of an argument of a command
_COMMAND_NAME = pattern(rb'"[A-Za-z]{3,6}"(?=[ \r\n])')
_ARGUMENT = pattern(rb'"((?:[^"\\]|\\.)*)"')
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


def row_at(data: bytes, start: int, end: int) -> list[tuple[bytes, int, int]] | None:
    """(column, start, end of its value) of the row of an INSERT that holds [start, end); None if none does."""
    opened = next(reversed(list(_COLUMNS.finditer(data, max(0, start - BACK), start))), None)
    if opened is None:
        return None
    names, position = opened[1].split(b","), opened.end()
    for _ in range(MOST):
        row = _TUPLE_OPEN.match(data, position)
        if row is None or row.start() > start:
            return None
        values: list[tuple[int, int]] = []
        position = row.end()
        while len(values) < len(names) and (item := _ITEM.match(data, position)):
            values.append(next(item.span(group) for group in (1, 2, 3) if item.start(group) >= 0))
            position = item.end()
            if item[4] == b")":
                break
        if any(low <= start and end <= high for low, high in values):
            matching = len(values) == len(names)
            return [(name, *place) for name, place in zip(names, values, strict=True)] if matching else None
    return None


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
    numbered = parameters.MARKER.fullmatch(marker)
    if numbered:
        number = numbered["number"] or _markers_before(text.data, statement, start) + 1
        return parameters.value_of(text, end, int(number), named=bool(numbered["number"])) or (start, end)
    if marker[:1] not in (b"@", b":") or len(marker) > 64:
        return start, end
    at = text.data.rfind(marker + b"='", max(0, statement - BACK), statement)
    if at < 0:
        behind = (given for given in _GIVEN.finditer(text.data, end, end + BACK) if given[1] == marker)
        return next((given.span(2) for given in behind), (start, end))
    begin = at + len(marker) + 2
    return begin, max(begin, text.data.find(b"'", begin, statement))


_GIVEN = pattern(rb"""(@\w{1,60}) ?= ?N?'([^']{0,16384})'""")  # sp_executesql's values, behind its statement


def _markers_before(data: bytes, statement: int, position: int) -> int:
    return len(parameters.MARKER.findall(data, statement, position))


def confirm_parameter(text: Text) -> Iterator[Match]:
    """`… SET client_secret = ?`: the value logged behind the statement for the marker."""
    key_start, key_end = key_at(text)
    compared = _COMPARED.match(text.data, key_end)
    said = meaning(text.data[key_start:key_end]) if compared else None
    if compared is None or said is None:
        return
    opened = next(reversed(list(_STATEMENT.finditer(text.data, max(0, key_start - BACK), key_start))), None)
    if opened is None:
        return
    number = compared["number"] or _markers_before(text.data, opened.start(), compared.start(1)) + 1
    place = parameters.value_of(text, compared.end(), int(number), named=bool(compared["number"]))
    if place:
        name = text.data[key_start:key_end].rpartition(b".")[2]
        match = of_value(text, Field(name, key_start, *place, quoted=True, closed=True, flag=False), said)
        if match:
            yield match


def _glance(before: bytes, after: bytes) -> bool:
    """Whether a comparison with a marker may follow."""
    return _MARKER.search(before[-6:] + after[:64]) is not None


# In any escape: an operator's last character, blanks, the marker.
_MARKER = pattern(
    rb"(?i)(?:[=>]|3[de]|6[12];|gt;|like|in)(?:[\s+(\\nrt]|%(?:25)?(?:2[08]|0[9ad])|u00[02][089ad]|x[02][089ad]){0,8}"
    rb"(?:\?|%s|\$\d|%(?:25)?(?:24|3f))"
)


def confirm_named(text: Text) -> Iterator[Match]:
    """`--name /orders/client_secret … --value V`: the name's last part says what the value is."""
    line = text.data.rfind(b"\n", max(0, text.hit - BACK), text.hit) + 1
    named = next(reversed(list(_NAMED.finditer(text.data, line, text.hit))), None)
    value = _ARGUMENT_VALUE.match(text.data, text.hit)
    said = meaning(named[1]) if named else None
    if named is None or value is None or said is None:
        return
    if value.end() == len(text.data) and text.cut:
        raise NeedMore
    match = of_value(text, Field(named[1], named.start(1), *value.span(2), True, True, False), said)
    if match:
        yield match


_COMPARED = pattern(rb"""["`\]]?\s{0,4}(?:=|<>|!=|(?i:like|in \())\s{0,4}(\?|%s|\$(?P<number>\d{1,3}))(?![\w?])""")
_STATEMENT = pattern(rb"(?i)\b(?:select|update|delete|insert)\b")
_NAMED = pattern(rb"--name[ =]\"?(?:[\w.-]*/)*([\w.-]{1,100})")
_ARGUMENT_VALUE = pattern(rb"""(["']?)([^\s"']{8,4096})""")


def confirm_command(text: Text) -> Iterator[Match]:
    """The last argument of a command that stores a value under a key which names a credential."""
    named = next(reversed(list(_COMMAND_NAME.finditer(text.data, max(0, text.hit - 64), text.hit))), None)
    at = named.start() if named else -1
    command = _COMMAND.match(text.data, at) if named else None
    rest = text.data[command.end() if command else text.hit :]
    if text.cut and len(rest) < LONGEST_ARGUMENT and (not command or not rest or rest[:1] in (b" ", b"\r", b"\n")):
        raise NeedMore
    if command is None:
        return
    arguments = list(_ARGUMENT.finditer(text.data, command.start(1), command.end(1)))
    name = b"client_secret" if command[0][1:5].lower() == b"auth" else arguments[0][1][:120]
    if len(arguments) < 2 and name != b"client_secret":
        return
    said = meaning(name) or meaning(name.split(b":")[0]) or next((m for m in map(meaning, name.split(b":")) if m), None)
    if said is None:
        return
    match = of_value(text, Field(name.split(b":")[0], at, *arguments[-1].span(1), True, True, False), said)
    if match:
        yield match


def confirm_typed_command(text: Text) -> Iterator[Match]:
    """`SET token:user:1 V EX 3600`, as typed or logged; memcached's `set token:1 0 3600 40`, a line's end and V."""
    low = max(0, text.hit - TYPED)
    command = next((one for one in _TYPED.finditer(text.data, low, text.hit + TYPED) if one.end() >= text.hit), None)
    if command is None or command.start(2) > text.hit:
        return
    said = next((m for m in map(meaning, command[2].split(b":")) if m), None)
    if text.cut and command.end() + LONGEST_ARGUMENT > len(text.data) and text.data.find(b"\n", command.end()) < 0:
        raise NeedMore
    if command[4]:
        start, end = command.end(), command.end() + int(command[4])
        whole = _LINE_END.match(text.data, end) is not None
    else:
        value = _TYPED_VALUE.match(text.data, command.end())
        start, end = value.span(2) if value else (0, 0)
        whole = value is not None
    if text.cut and end + 2 > len(text.data):
        raise NeedMore
    if said is None or not whole or (not text.data[start:end].isascii()):
        return
    match = of_value(text, Field(command[2].split(b":")[0], command.start(2), start, end, True, True, False), said)
    if match:
        yield match


TYPED = 160  # bytes of a command before its value
_TYPED = pattern(
    rb"""(?i)(?<![\w-])(set|setex|psetex|setnx|getset|hset|get)[ ]([a-z][\w:.@-]{2,120})[ ]?"""
    rb"""(?:((?<=[ ])\d{1,9}[ ](?:\d{1,9}[ ](\d{1,5})\r?\n)?|(?<=[ ])[\w:.-]{1,60}[ ](?=["'])|\r?\n(?="))|(?<=[ ]))"""
)
_TYPED_VALUE = pattern(rb"""(["']?)([^\s"']{8,4096})\1(?=[\s"']|\Z)""")
_LINE_END = pattern(rb"""\r?\n|["']|\Z""")


def confirm_duplicate(text: Text) -> Iterator[Match]:
    """`Duplicate entry 'V' for key 'tokens.access_token'`: the index is named after its column, mostly."""
    entry = _DUPLICATE.match(text.data, text.hit)
    if entry is None:
        if text.cut:
            raise NeedMore
        return
    name = entry[2].rpartition(b".")[2]
    said = meaning(name)
    match = of_value(text, Field(name, entry.start(2), *entry.span(1), True, True, False), said) if said else None
    if match:
        yield match


_DUPLICATE = pattern(rb"""'([^'\n]{1,4096})' for key '([\w.$-]{1,130})'""")

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
        before=BACK + 8,
        follows=(b"INSERT", b"insert"),
    ),
    Detector(
        id="sql-parameter",
        kind=Kind.CLIENT_SECRET,
        title="Credential among a statement's parameters",
        anchors=(
            Anchor(b"token", caseless=True, keyed=True),
            Anchor(b"secret", caseless=True, keyed=True),
            Anchor(b"apikey", caseless=True, keyed=True),
            Anchor(b"api_key", caseless=True, keyed=True),
            Anchor(b"passw", caseless=True, keyed=True),
        ),
        confirm=confirm_parameter,
        reference="https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-PARAMETER-MAX-LENGTH",
        examples=(
            (b"UPDATE c SET client_secret = $1 WHERE id = $2\nDETAIL:  parameters: $1 = '" + _V + b"', $2 = '1'", _V),
        ),
        counterexamples=(b"SELECT a FROM t WHERE token = ? AND b = ? [17, 3]", b"where is client_secret = ?"),
        before=BACK + 128,
        glance=_glance,
    ),
    Detector(
        id="named-value",
        kind=Kind.CLIENT_SECRET,
        title="Credential as the value of a named entry",
        anchors=(Anchor(b" --value "), Anchor(b" --secret-string ")),
        confirm=confirm_named,
        before=BACK,
        reference="https://docs.aws.amazon.com/cli/latest/reference/ssm/put-parameter.html",
        examples=((b"aws ssm put-parameter --name /orders/client_secret --value " + _V + b"\n", _V),),
        counterexamples=(b"aws ssm put-parameter --name /orders/region --value eu-west-1-region",),
    ),
    Detector(
        id="duplicate-entry",
        kind=Kind.BEARER_TOKEN,
        title="Credential that an index holds already",
        anchors=(Anchor(b"Duplicate entry "),),
        confirm=confirm_duplicate,
        reference="https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html#error_er_dup_entry",
        examples=((b"ERROR 1062 (23000): Duplicate entry '" + _V + b"' for key 'tokens.access_token'\n", _V),),
        counterexamples=(b"Duplicate entry 'orders-17' for key 'tokens.PRIMARY'", b"Duplicate entry in the log"),
    ),
    Detector(
        id="store-command",
        kind=Kind.BEARER_TOKEN,
        title="Credential stored by a command",
        anchors=(
            Anchor(pattern=rb'"(?:set|setex|psetex|setnx|getset|hset|hmset|mset|auth)" "', caseless=True),
            Anchor(
                pattern=rb'"(?:set|setex|psetex|setnx|getset|hset|hmset|mset)\\{0,3}"'
                rb'(?:\r?\n|\\{1,3}n) {1,12}2\) \\{0,3}"',
                caseless=True,
            ),
        ),
        confirm=confirm_command,
        reference="https://redis.io/docs/latest/commands/setex/",
        examples=((b'"SETEX" "oauth:token:job" "3600" "' + _V + b'"', _V),),
        counterexamples=(b'"SET" "lock:orders" "7f1c"', b'"SETEX" "token:count" "60" "12"'),
    ),
    Detector(
        id="typed-store-command",
        kind=Kind.BEARER_TOKEN,
        title="Credential stored by a command as it was typed",
        anchors=(
            Anchor(
                pattern=rb"[sg]et(?:ex|nx|set)? (?:[a-z]{1,16}[:_.-]){0,3}(?:[a-z]{1,12}_)?tokens?[: ]", caseless=True
            ),
            Anchor(
                pattern=rb"[sg]et(?:ex|nx|set)? (?:[a-z]{1,16}[:_.-]){0,3}(?:[a-z]{1,12}_)?secrets?[: ]", caseless=True
            ),
        ),
        confirm=confirm_typed_command,
        reference="https://redis.io/docs/latest/commands/set/",
        examples=(
            (b"127.0.0.1:6379> SET token:user:1 " + _V + b" EX 3600\n", _V),
            (b"set session:token:1 0 3600 24\r\n" + _V + b"\r\n", _V),
            (b'> GET access_token:1\n"' + _V + b'"\n', _V),
        ),
        counterexamples=(
            b"set token:count 12345678",
            b"Set token expiry in seconds",
            b"get token from the-identity-provider",
            b"SET token:lock:orders acquired-by-worker-17",
        ),
    ),
)
