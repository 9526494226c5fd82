"""Key and value around an anchor, in whatever notation a logger, a serialiser or a person wrote them.

JSON, form bodies, query strings, header lines, reprs and toStrings of a dozen languages, XML,
YAML, .ini, environment, command line flags, name/value pairs. Escapes are gone already (a Text is
plain); how deep each delimiter stood is known, and only one that stood no deeper than the one that
opened a value ends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from detectors import lengths
from detectors.detector import NeedMore, Text
from detectors.notations import BLANK, COLUMN, FLAG, LATER_PAIR, NOTATIONS, PAIR, Notation
from detectors.patterns import pattern

KEY_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
LONGEST_KEY = 120  # bytes; dotted configuration keys with a host name in them are the longest seen
LONGEST_VALUE = 16384  # bytes; larger values are blocks, which have detectors of their own
URL = 400  # bytes between the `?` of a URL and a key in its query
LONGEST_TAG = 512  # bytes from a tag's beginning to a key in it
_BACK = 48  # bytes between a key and the end of its anchor: blanks and the escape of one separator

_NAMES_ON = pattern(rb"""["'`]?[ \t]{0,4}(?::|=>)""")  # behind what is itself a key
_LIST_OPENS = pattern(rb"""[\[(]\s{0,60}["'`]$""")
_RESOURCE = pattern(rb"(?:arn|urn):[^\s\"']{0,150}[:/]$")  # a resource's name: no key
_CLOSING = pattern(rb"</(?:[\w.-]{1,40}:)?$")  # the end of an element: what follows is another's
_WIRE = rb"""\[(?:\\[rn]|[\r\n])\]"""  # a line's end in the wire log of Apache's HttpClient
_CLOSES = (b"</", b'"</', b"'</", b"]</", b")</")  # after which another element holds the value
_ALONE = pattern(rb"""[>\["'(]\s{0,60}\Z|\A\Z""")  # a name that is all an element holds
_TAG = pattern(rb"<(?:[\w:.-]{0,60}|[A-Za-z_][\w:.-]{0,60}\s[^<>]*)")  # as far as a key in it
_CONTROL = pattern(rb"[\x00-\x08\x0e-\x1f\x7f]")
_NO_TEXT = pattern(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_BARE_END = pattern(rb"""[\s"'`<>\x00-\x1f\x7f-\xff]|[,;)}\]|&\\]|[\^~](?=[A-Za-z_]{2,20}=)|""" + _WIRE)
_IN_QUERY = pattern(rb"""\?(?:[^\s"'<>#?]*&)?\Z""")
_OPAQUE = pattern(rb"[A-Za-z0-9._~+/=-]+")
_LIKE = pattern(rb"(?i)like '$")
_TEXT_END = pattern(rb"<(?:[/!?]|[A-Za-z][\w:.-]{0,40}[\s/>])|[\r\n]|\]\]>")
# Of a value alone on its line: a blank, or the next field of a form, a tag.
_LINE_END = pattern(rb"""[\s"'`\x00-\x1f\x7f-\xff]|&(?=[A-Za-z][A-Za-z_]{1,40}=)|<(?=/?[a-z]{1,10}[ />])|""" + _WIRE)
_ASSIGNMENT = pattern(rb"(?:^|[\n\0])[+\-> ]{0,4}(?:export |set |setx |Environment=|env )?[\"']?$")


class Field(Struct, frozen=True):
    """A key and its value: [start, end) of the value in Text.data."""

    key: bytes
    key_start: int
    start: int
    end: int
    quoted: bool
    closed: bool  # the value ended at a delimiter, not where the data ends
    flag: bool  # the key is a command line option
    doubtful: bool = False  # key and value may be neither: the value must look random

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
        end -= 2 if data[end - 2 : end] == b"->" else 0  # whose first character might be of a key
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
    counted = lengths.value_after(data, key_start, key_end)
    if counted:
        key, doubtful = data[key_start : counted[0]], lengths.are_constants(data, *counted)
        if doubtful and not _OPAQUE.fullmatch(data, *counted[1:]):
            return None
        return Field(key, key_start, *counted[1:], quoted=True, closed=True, flag=False, doubtful=doubtful)
    head = data[max(0, key_start - 160) : key_start]
    if _RESOURCE.search(head) or _CLOSING.search(head):
        return None
    flag = data[key_start : key_start + 1] == b"-" or (head[-1:] == b"/" and head[-2:-1] in (b" ", b'"'))
    if first := _value_before(data, key_start, key_end):
        return first
    for notation, between in _notations(data, head, key_end, flag):
        found = _value(text, key_start, key_end, notation, between, flag)
        if found:
            if notation.element and between[0].startswith(_CLOSES) and not _ALONE.search(head):
                continue
            paired = notation.listed or notation.element or b"," in between[0]
            names_on = paired and _NAMES_ON.match(data, found.end)
            return None if names_on else found
    if text.cut and key_end + 128 > len(data):
        raise NeedMore
    return None


def _value_before(data: bytes, key_start: int, key_end: int) -> Field | None:
    """`value="V" name="KEY"`: of an object whose members say which they are, in the other order."""
    if _NAMED_SO.search(data, max(0, key_start - 20), key_start) is None:
        return None
    found = _VALUE_FIRST.search(data, max(0, key_start - LONGEST_FIRST), key_start)
    if found is None:
        return None
    return Field(data[key_start:key_end], key_start, *found.span("v"), bool(found["q"]), closed=True, flag=False)


LONGEST_FIRST = 300  # bytes before a key in which the object begins whose value stands first
_NAMED_SO = pattern(rb"""(?:[nN]ame|[kK]ey|[iI]d)["']?\s{0,4}[:=]\s{0,4}["']?\Z""")
_ATTRIBUTES = rb"""(?:[\w:-]{1,24}=["'][^"'<>\r\n]{0,80}["']\s{1,20}){0,3}"""
_VALUE_FIRST = pattern(
    rb"(?:[{(]\s{0,20}|[\n ]-[ ]{1,4}|<[\w:.-]{1,40}\s{1,20}" + _ATTRIBUTES + rb")"
    rb"""["']?[vV]alue["']?\s{0,4}[:=]\s{0,4}(?P<q>["'])?(?P<v>[^\s"'<>]{8,400})["']?(?:[,;]\s{0,60}|\s{1,60})"""
    + _ATTRIBUTES
    + rb"""["']?\w{0,16}(?:[nN]ame|[kK]ey|[iI]d)["']?\s{0,4}[:=]\s{0,4}["']?\Z"""
)


def _notations(data: bytes, head: bytes, key_end: int, flag: bool) -> Iterator[tuple[Notation, re.Match[bytes]]]:
    """The notations that fit behind a key, the likeliest first."""
    likely = FLAG if flag else PAIR if _LIST_OPENS.search(head) else None
    for notation in (*NOTATIONS, *((likely,) if likely else ()), COLUMN, BLANK, LATER_PAIR):
        between = notation.between.match(data, key_end)
        if between and between[0][:1] in (b"\r", b"\n") and (head[-1:] in (b";", b",") or head[-2:] == b" $"):
            continue  # the last name of a list, a variable: below it stands something else
        if between and not (notation.listed and head[-1:] != data[key_end : key_end + 1]):
            yield notation, between


def _value(
    text: Text, key_start: int, key_end: int, notation: Notation, between: re.Match[bytes], flag: bool
) -> Field | None:
    start = between.end()
    quote = between["q"]
    key = text.data[key_start:key_end].lstrip(b"-.")
    if "n" in between.groupdict():
        end = start + int(between["n"])
        closed = end <= len(text.data)
    elif notation.element:
        if b"</" not in between[0] and not _in_tag(text.data, key_start):
            return None
        end, closed = _element_end(text, start)
    elif quote:
        end, closed = _quoted_end(text, start, between.start("q"))
        if _LIKE.search(between[0]):
            end = start + len(text.data[start:end].rstrip(b"%"))  # of a pattern in SQL
    else:
        end, closed = _bare_end(text, key_start, start)
    if end <= start:
        return None
    if not closed and text.cut:
        raise NeedMore
    doubtful = notation.doubtful or text.data[max(0, key_start - 2) : key_start] == b"::"
    whole = bool(quote) or (notation.element and text.data.startswith(b"</", end))
    return Field(key, key_start, start, end, whole, closed, flag, doubtful)


def _depth(text: Text, index: int) -> int:
    return text.depth[index] if text.depth is not None and index < len(text.depth) else 0


def _quoted_end(text: Text, start: int, opened: int) -> tuple[int, bool]:
    """Where the closing quote stands: the next one that is no deeper than the one that opened."""
    data, limit = text.data, min(len(text.data), start + LONGEST_VALUE)
    depth, quote = _depth(text, opened), data[opened : opened + 1]
    end = data.find(quote, start, limit)
    while end >= 0 and _depth(text, end) > depth:
        end = data.find(quote, end + 1, limit)
    line = data.find(b"\n", start, end if end >= 0 else limit)
    while line >= 0 and _depth(text, line) > depth:
        line = data.find(b"\n", line + 1, end if end >= 0 else limit)
    until = line if line >= 0 else end if end >= 0 else limit
    if broken := (_NO_TEXT if text.binary else _CONTROL).search(data, start, until):
        return broken.start(), True  # the end of a packet, or what overwrote a string
    if line >= 0:
        return line, True
    return (end, True) if end >= 0 else (limit, limit < len(data))


def _in_tag(data: bytes, key_start: int) -> bool:
    """Whether a tag is open where a key begins: else the `>` behind it is another's."""
    opened = data.rfind(b"<", max(0, key_start - LONGEST_TAG), key_start)
    return opened >= 0 and _TAG.fullmatch(data, opened, key_start) is not None


def _element_end(text: Text, start: int) -> tuple[int, bool]:
    """Where the text of an XML element ends: at the next tag, or with the line."""
    limit = min(len(text.data), start + LONGEST_VALUE)
    end = _TEXT_END.search(text.data, start, limit)
    while end and _depth(text, end.start()) > _depth(text, start - 1):
        end = _TEXT_END.search(text.data, end.end(), limit)
    return (end.start(), True) if end else (limit, limit < len(text.data))


def _bare_end(text: Text, key_start: int, start: int) -> tuple[int, bool]:
    """Where a value without quotes ends: at a blank or a delimiter; on a line of its own, at a blank."""
    data = text.data
    limit = min(len(data), start + LONGEST_VALUE)
    head = data[max(0, key_start - 24) : key_start]
    pattern = _LINE_END if _ASSIGNMENT.search(head) or (not head and key_start == 0) else _BARE_END
    depth = _depth(text, start - 1)
    for delimiter in pattern.finditer(data, start, limit):
        if _depth(text, delimiter.start()) <= depth or data[delimiter.start()] <= 32:
            return _trimmed(data, start, _fragment(text, key_start, start, delimiter.start())), True
    return _trimmed(data, start, _fragment(text, key_start, start, limit)), limit < len(data)


def _fragment(text: Text, key_start: int, start: int, end: int) -> int:
    """Where the fragment of a URL begins in whose query the key stands (RFC 3986 section 3.5), else `end`."""
    found = text.data.find(b"#", start, end)
    if found < 0 or _depth(text, found) > _depth(text, start - 1):
        return end
    return found if _IN_QUERY.search(text.data, max(0, key_start - URL), key_start) else end


def _trimmed(data: bytes, start: int, end: int) -> int:
    """Without the punctuation of the sentence around it."""
    return start + len(data[start:end].rstrip(b".,:;!?"))


def siblings(text: Text, field: Field, reach: int = 400) -> Iterator[bytes]:
    """The lowered stretches before and after a field, within `reach` bytes, for tests on what stands beside it."""
    yield text.data[max(0, field.key_start - reach) : field.key_start].lower()
    yield text.data[field.end : field.end + reach].lower()
