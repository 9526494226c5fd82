"""Key and value around an anchor, in whatever notation a logger, a serialiser or a person wrote them.

JSON, form bodies, query strings, header lines, reprs and toStrings of a dozen languages, XML,
YAML, .ini, environment, command line flags, name/value pairs. Escapes are gone already (a Text is
plain); how deep each delimiter stood is known, and only one that stood no deeper than the one that
opened a value ends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from detectors.detector import NeedMore, Text

KEY_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
LONGEST_KEY = 120  # bytes; dotted configuration keys with a host name in them are the longest seen
LONGEST_VALUE = 16384  # bytes; larger values are blocks, which have detectors of their own
_BACK = 10  # bytes between a key and the end of its anchor: blanks and the escape of one separator

_LINE = rb"[ \t]{0,40}"
_WRAP = rb"[ \t\r\n]{0,60}"
# On the next line only where a quote or bracket opens there.
_NEXT = rb"""(?:[ \t\r\n]{0,60}(?=["'`\[(<{]|string\()|[ \t]{0,40})"""
_QUOTE = rb"""["'`]"""
_OPEN = (
    rb"""(?:Some\(|Optional\[|Secret\(|List\(|\[|\(|\{|<<|[bur](?=["'])|string\(\d{1,6}\)\ """
    rb"""|\$(?=')|@(?=")){0,3}"""
)
# After a key: its closing quote or bracket, a separator, what opens the value.
_SEPARATORS = tuple(
    re.compile(expression)
    for expression in (
        # name/value pairs: "name": "KEY", "value": "V"; <add key="KEY" value="V"/>; Key: KEY, Value: V
        _QUOTE
        + rb"?"
        + _WRAP
        + rb"[,;]?"
        + _WRAP
        + rb"(?:string_?)?"
        + _QUOTE
        + rb"?[vV]alue"
        + _QUOTE
        + rb"?"
        + _LINE
        + rb"(?:=>|[:=])"
        + _NEXT
        + _OPEN
        + rb"(?P<q>[\"'`])?",
        # KEY: V   "KEY": "V"   KEY=V   KEY => V   KEY := V   [KEY]=V   KEY -> V
        rb"""["'`]{0,2}[\])}]{0,2}(?:>>)?"""
        + _LINE
        + rb"(?:=>|->|:=|==|::|[:=])(?!=)"
        + _NEXT
        + _OPEN
        + rb"""(?P<q>["'`]{1,3})?""",
        # ('KEY', 'V')   "KEY" "V"   <<"KEY">>,longstr,<<"V">>
        rb"""["'`](?:>>)?""" + _LINE + rb"(?:,(?:[a-z]{1,12},)?)?" + _LINE + _OPEN + rb"""(?P<q>["'`])""",
        # :KEY "V"
        rb"""[ \t]{1,4}(?P<q>")""",
        # variable=KEY;issecret=true]V  (logging commands of build agents)
        rb"(?:;[A-Za-z]{1,16}=[A-Za-z]{1,8}){0,4}\](?P<q>)(?=[A-Za-z0-9])",
        # <KEY>V</KEY>
        rb">(?:<!\[CDATA\[)?\s{0,20}(?P<q>)",
    )
)
_COMMA, _ELEMENT = _SEPARATORS[2], _SEPARATORS[5]
_NAMES_ON = re.compile(rb"""["'`]?[ \t]{0,4}(?::|=>)""")  # behind what is itself a key
_PAIR = re.compile(rb"""["'`],""" + _WRAP + rb"""(?P<q>["'`])""")  # ["KEY",\n "V"]: only where the key opens the list
_LIST_OPENS = re.compile(rb"""[\[(]\s{0,60}["'`]$""")
_NAMESPACED = re.compile(rb"(?:::|(?:arn|urn):[^\s\"']{0,150}:)$")  # a type's name, a resource's name: no key
_FLAG = re.compile(rb"[ ]{1,4}(?P<q>[\"'`])?(?![-])")
_COLUMN = re.compile(rb"[ \t]{2,40}(?P<q>)(?=[^ \t\r\n=:-])")
_BARE_END = re.compile(rb"""[\s"'`<>\x00-\x1f\x7f-\xff]|[,;)}\]|&\\]""")
_LINE_END = re.compile(rb"""[\s"'`\x00-\x1f\x7f-\xff]""")
_ASSIGNMENT = re.compile(rb"(?:^|[\n\0])[+\-> ]{0,4}(?:export |set |setx |Environment=|env )?[\"']?$")


@dataclass(frozen=True, slots=True)
class Field:
    """A key and its value: [start, end) of the value in Text.data."""

    key: bytes
    key_start: int
    start: int
    end: int
    quoted: bool
    closed: bool  # the value ended at a delimiter, not where the data ends
    flag: bool  # the key is a command line option

    def value(self, text: Text) -> bytes:
        return text.data[self.start : self.end]


def key_at(text: Text) -> tuple[int, int]:
    """[start, end) of the key whose telling word an anchor marked; empty where there is none."""
    data, end = text.data, min(text.hit, len(text.data))
    if data[end - 1 : end] and data[end - 1] in KEY_BYTES:
        rest = data[end : end + LONGEST_KEY]
        end += len(rest) - len(rest.lstrip(KEY_BYTES))
    else:
        low = max(0, end - _BACK)
        while end > low and data[end - 1] not in KEY_BYTES:
            end -= 1
    before = data[max(0, end - LONGEST_KEY) : end]
    return end - (len(before) - len(before.rstrip(KEY_BYTES))), end


def field_at(text: Text) -> Field | None:
    """The field whose key an anchor marked, or None where no value follows.

    Raises NeedMore where the value runs to the end of a Text that was cut.
    """
    key_start, key_end = key_at(text)
    if key_end <= key_start:
        return None
    data = text.data
    if _NAMESPACED.search(data[max(0, key_start - 160) : key_start]):
        return None
    flag = data[key_start : key_start + 1] == b"-"
    for separator in _SEPARATORS:
        found = separator.match(data, key_end)
        if found and (separator is not _COMMA or data[key_start - 1 : key_start] == data[key_end : key_end + 1]):
            field = _value(text, key_start, key_end, found, flag)
            names_on = field and separator in (_COMMA, _ELEMENT) and _NAMES_ON.match(data, field.end)
            return None if names_on else field
    if _LIST_OPENS.search(data[max(0, key_start - 64) : key_start]):
        found = _PAIR.match(data, key_end)
        if found:
            return _value(text, key_start, key_end, found, flag)
    found = (_FLAG if flag else _COLUMN).match(data, key_end)
    if found:
        return _value(text, key_start, key_end, found, flag)
    if text.cut and key_end + 128 > len(data):
        raise NeedMore
    return None


def _value(text: Text, key_start: int, key_end: int, separator: re.Match[bytes], flag: bool) -> Field | None:
    start = separator.end()
    quote = separator["q"]
    key = text.data[key_start:key_end].lstrip(b"-.")
    if text.data[key_start - 1 : key_start] in (b"{", b"[") and quote is None and separator.end() == key_end:
        return None
    if quote:
        end, closed = _quoted_end(text, start, quote[:1])
    else:
        end, closed = _bare_end(text, key_start, separator)
    if end <= start:
        return None
    if not closed and text.cut:
        raise NeedMore
    return Field(key, key_start, start, end, bool(quote), closed, flag)


def _depth(text: Text, index: int) -> int:
    return text.depth[index] if text.depth is not None and index < len(text.depth) else 0


def _quoted_end(text: Text, start: int, quote: bytes) -> tuple[int, bool]:
    """Where the closing quote stands: the next one that is no deeper than the one that opened."""
    data, limit = text.data, min(len(text.data), start + LONGEST_VALUE)
    depth = _depth(text, start - 1)
    end = data.find(quote, start, limit)
    while end >= 0 and _depth(text, end) > depth:
        end = data.find(quote, end + 1, limit)
    line = data.find(b"\n", start, end if end >= 0 else limit)
    while line >= 0 and _depth(text, line) > depth:
        line = data.find(b"\n", line + 1, end if end >= 0 else limit)
    if line >= 0:
        return line, True
    return (end, True) if end >= 0 else (limit, limit < len(data))


def _bare_end(text: Text, key_start: int, separator: re.Match[bytes]) -> tuple[int, bool]:
    """Where a value without quotes ends: at a blank or a delimiter; on a line of its own, at a blank."""
    data, start = text.data, separator.end()
    limit = min(len(data), start + LONGEST_VALUE)
    head = data[max(0, key_start - 24) : key_start]
    pattern = _LINE_END if _ASSIGNMENT.search(head) or (not head and key_start == 0) else _BARE_END
    depth = _depth(text, start - 1)
    for delimiter in pattern.finditer(data, start, limit):
        if _depth(text, delimiter.start()) <= depth or data[delimiter.start()] <= 32:
            return _trimmed(data, start, delimiter.start()), True
    return _trimmed(data, start, limit), limit < len(data)


def _trimmed(data: bytes, start: int, end: int) -> int:
    """Without the punctuation of the sentence around it."""
    return start + len(data[start:end].rstrip(b".,:;!?"))


def siblings(text: Text, field: Field, reach: int = 400) -> Iterator[bytes]:
    """The lowered stretches before and after a field, within `reach` bytes, for tests on what stands beside it."""
    yield text.data[max(0, field.key_start - reach) : field.key_start].lower()
    yield text.data[field.end : field.end + reach].lower()
