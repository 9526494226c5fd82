"""Go's regular expressions (RE2 syntax) -> a tree, and the tree -> a pattern of the `regex` module on bytes.

The two dialects look alike and differ in small print: `$`, `\\s`, `{`, flags in mid-pattern, `a++`,
set operators, fuzzy counts. So each expression is parsed by Go's rules and written anew; nothing of the
user's text reaches the other engine as it stands. Go matches characters and we match bytes: a class
is ASCII only, and `.` takes one byte.

Source of the syntax: https://pkg.go.dev/regexp/syntax
"""

from __future__ import annotations

import re
import string

from msgspec import Struct
from msgspec.structs import replace

from detectors.patterns import pattern

MOST_REPEATS = 1000  # Go's own bound on a counted repetition
DEEPEST = 100  # groups inside groups: far more than people write, far less than Python's own recursion allows


class GoSyntaxError(ValueError):
    """The expression is not one of Go's, or uses what bytes can't honour. The message quotes only the construct."""


class Literal(Struct, frozen=True):
    """Bytes that stand for themselves, in either case of ASCII letters with `fold`."""

    data: bytes
    fold: bool = False


class OneOf(Struct, frozen=True):
    """Any one byte of a set."""

    members: frozenset[int]


class Assertion(Struct, frozen=True):
    """Matches no byte; `pattern` is the `regex` module's spelling."""

    pattern: bytes


class Group(Struct, frozen=True):
    inner: Node
    capturing: bool


class Repeat(Struct, frozen=True):
    inner: Node
    least: int
    most: int | None
    lazy: bool


class Sequence(Struct, frozen=True):
    parts: tuple[Node, ...]


class Choice(Struct, frozen=True):
    branches: tuple[Node, ...]


Node = Literal | OneOf | Assertion | Group | Repeat | Sequence | Choice

EVERY = frozenset(range(256))
_WORD = frozenset(f"{string.ascii_letters}{string.digits}_".encode())
_SPACE = frozenset(b"\t\n\f\r ")  # Perl's and Go's \s has no vertical tab
_PERL = {"d": frozenset(b"0123456789"), "s": _SPACE, "w": _WORD}
_POSIX = {
    "alnum": _WORD - {0x5F},
    "alpha": frozenset(string.ascii_letters.encode()),
    "ascii": frozenset(range(128)),
    "blank": frozenset(b"\t "),
    "cntrl": frozenset(range(32)) | {127},
    "digit": _PERL["d"],
    "graph": frozenset(range(0x21, 0x7F)),
    "lower": frozenset(string.ascii_lowercase.encode()),
    "print": frozenset(range(0x20, 0x7F)),
    "punct": frozenset(string.punctuation.encode()),
    "space": _SPACE | {0x0B},
    "upper": frozenset(string.ascii_uppercase.encode()),
    "word": _WORD,
    "xdigit": frozenset(string.hexdigits.encode()),
}
_UNICODE = {  # the ASCII part: a secret's bytes are ASCII
    "L": _POSIX["alpha"],
    "Lu": _POSIX["upper"],
    "Ll": _POSIX["lower"],
    "N": _POSIX["digit"],
    "Nd": _POSIX["digit"],
    "P": frozenset(b"!\"#%&'()*,-./:;?@[\\]_{}"),
    "S": frozenset(b"$+<=>^`|~"),
    "Z": frozenset(b" "),
    "Zs": frozenset(b" "),
    "Latin": _POSIX["alpha"],
}
_SIMPLE = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ASSERTIONS = {"A": rb"\A", "z": rb"\Z", "b": rb"\b", "B": rb"\B"}
_COUNT = pattern(r"\{(\d{1,6})(?:(,)(\d{0,6}))?\}")
_FLAGS = pattern(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED = pattern(r"\(\?P?<([A-Za-z0-9_]+)>")
_HEX = pattern(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_OCTAL = pattern(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_PROPERTY = pattern(r"[pP](?:([A-Z])|\{(\^?)([A-Za-z_]+)\})")
_CLASS_NAME = pattern(r"\[:(\^?)([a-z]+):\]")


class _Flags(Struct, frozen=True):
    i: bool = False
    m: bool = False
    s: bool = False


def parse(pattern: str) -> Node:
    """The tree of an expression. Raises GoSyntaxError."""
    parser = _Parser(pattern)
    node = parser.choice(_Flags(), 0)
    if parser.at < len(pattern):
        raise GoSyntaxError("a `)` too many")
    return node


class _Parser:
    """Recursive descent; `at` is the index of the next character."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0

    def choice(self, flags: _Flags, depth: int) -> Node:
        """Alternatives up to a `)` or the end. A flag set on the way holds to the group's end, across `|`."""
        if depth > DEEPEST:
            raise GoSyntaxError(f"more than {DEEPEST} groups inside each other")
        branches: list[Node] = []
        parts: list[Node] = []
        while self.at < len(self._pattern) and self._pattern[self.at] != ")":
            if self._took("|"):
                branches.append(_sequence(parts))
                parts = []
            elif changed := self._flag_change(flags):
                flags = changed
            elif quoted := self._quoted():
                parts += [Literal(_encoded(char), flags.i) for char in quoted[:-1]]
                parts.append(self._repeated(Literal(_encoded(quoted[-1]), flags.i)))  # `\\Qab\\E+` repeats the b
            else:
                parts.append(self._repeated(self._atom(flags, depth)))
        branches.append(_sequence(parts))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _took(self, text: str) -> bool:
        if not self._pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _flag_change(self, flags: _Flags) -> _Flags | None:
        match = _FLAGS.match(self._pattern, self.at)
        if not match or match[3] != ")":
            return None
        if match[1] == "" and match[2] is None:
            raise GoSyntaxError("`(?)` is empty")
        self.at = match.end()
        return _changed(flags, match)

    def _repeated(self, atom: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return atom
        lazy = self._took("?")
        if self._bounds() is not None:
            raise GoSyntaxError("a repetition of a repetition (`a++`, `a**`): put the inner one in a group")
        return Repeat(atom, *bounds, lazy)

    def _bounds(self) -> tuple[int, int | None] | None:
        for mark, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._took(mark):
                return bounds
        match = _COUNT.match(self._pattern, self.at)
        if match is None:
            return None  # Go takes a `{` that starts no count for itself
        self.at = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise GoSyntaxError(f"the count {match[0]} is out of order or above {MOST_REPEATS}")
        return least, most

    def _atom(self, flags: _Flags, depth: int) -> Node:
        char = self._pattern[self.at]
        if char == "(":
            return self._group(flags, depth)
        if char == "[":
            return self._class(flags)
        if char == "\\":
            return self._escape(flags)
        if char in "*+?":
            raise GoSyntaxError(f"`{char}` with nothing before it to repeat")
        self.at += 1
        if char == ".":
            return OneOf(EVERY if flags.s else EVERY - {10})
        if char == "^":
            return Assertion(b"(?m:^)" if flags.m else rb"\A")
        if char == "$":
            return Assertion(b"(?m:$)" if flags.m else rb"\Z")
        return Literal(_encoded(char), flags.i)

    def _quoted(self) -> str:
        """The characters of a `\\Q…\\E`; nothing if none stands here, or an empty one."""
        if not self._took("\\Q"):
            return ""
        text, _, _ = self._pattern[self.at :].partition("\\E")
        self.at = min(len(self._pattern), self.at + len(text) + 2)
        return text

    def _group(self, flags: _Flags, depth: int) -> Node:
        capturing = True
        if match := _FLAGS.match(self._pattern, self.at):
            capturing, flags = False, _changed(flags, match)
            self.at = match.end()
        elif match := _NAMED.match(self._pattern, self.at):
            self.at = match.end()
        elif self._pattern.startswith("(?", self.at):
            raise GoSyntaxError(f"`{self._pattern[self.at : self.at + 3]}…`: Go has no such group (no look-around)")
        else:
            self.at += 1
        inner = self.choice(flags, depth + 1)
        if not self._took(")"):
            raise GoSyntaxError("a `)` is missing")
        return Group(inner, capturing)

    def _escape(self, flags: _Flags) -> Node:
        name = self._pattern[self.at + 1 : self.at + 2]
        if name in _ASSERTIONS and name:
            self.at += 2
            return Assertion(_ASSERTIONS[name])
        if members := self._named_set():
            return _cased(members, flags)
        return Literal(_encoded(self._escaped_char()), flags.i)

    def _named_set(self) -> frozenset[int] | None:
        """`\\d`, `\\W`, `\\pL`, `\\P{Lu}`; None (and nothing taken) if none stands here."""
        name = self._pattern[self.at + 1 : self.at + 2]
        if name and name.lower() in _PERL:
            self.at += 2
            members = _PERL[name.lower()]
            return EVERY - members if name.isupper() else members
        match = _PROPERTY.match(self._pattern, self.at + 1)
        if match is None:
            return None
        self.at = match.end()
        members_of = _UNICODE.get(match[1] or match[3])
        if members_of is None:
            raise GoSyntaxError(f"`\\{match[0]}` names characters outside ASCII")
        return EVERY - members_of if (match[0][0] == "P") != bool(match[2]) else members_of

    def _escaped_char(self) -> str:
        """The character of `\\n`, `\\x41`, `\\x{2603}`, `\\101`, `\\.`."""
        start = self.at + 1
        name = self._pattern[start : start + 1]
        if match := _HEX.match(self._pattern, start):
            self.at = match.end()
            return _char(int(match[1] or match[2], 16))
        if match := _OCTAL.match(self._pattern, start):
            self.at = match.end()
            return _char(int(match[0], 8))
        self.at = start + 1
        if name in _SIMPLE:
            return chr(_SIMPLE[name])
        if name and not name.isalnum() and name.isascii():
            return name
        raise GoSyntaxError(f"`\\{name}` is no escape of Go's")

    def _class(self, flags: _Flags) -> OneOf:
        self.at += 1
        negated = self._took("^")
        members: set[int] = set()
        first = True
        while first or not self._took("]"):
            first = False
            if self.at >= len(self._pattern):
                raise GoSyntaxError("a `]` is missing")
            members |= self._class_item()
        cased = _cased(frozenset(members), flags)  # before it is negated: `(?i)[^a]` excludes both cases
        return OneOf(EVERY - cased.members) if negated else cased

    def _class_item(self) -> frozenset[int]:
        if match := _CLASS_NAME.match(self._pattern, self.at):
            named = _POSIX.get(match[2])
            if named is None:
                raise GoSyntaxError(f"`{match[0]}` is no class of Go's")
            self.at = match.end()
            return EVERY - named if match[1] else named
        if self._pattern[self.at] == "\\" and (members := self._named_set()):
            return members
        low = self._class_char()
        if self._pattern[self.at : self.at + 1] != "-" or self._pattern[self.at + 1 : self.at + 2] in ("]", ""):
            return frozenset([low])
        self.at += 1
        high = self._class_char()
        if high < low:
            raise GoSyntaxError("a range in a class runs backwards")
        return frozenset(range(low, high + 1))

    def _class_char(self) -> int:
        if self._pattern[self.at : self.at + 1] == "\\":
            char = self._escaped_char()
        else:
            char = self._pattern[self.at]
            self.at += 1
        if not char.isascii():
            raise GoSyntaxError("a class names a character outside ASCII")
        return ord(char)


def _changed(flags: _Flags, match: re.Match[str]) -> _Flags:
    off = match[2] or ""
    if "U" in match[1] or "U" in off:
        raise GoSyntaxError("the flag `U` (ungreedy): write `*?` instead")
    return replace(flags, **dict.fromkeys(match[1], True), **dict.fromkeys(set(off[1:]) - set(match[1]), False))


def _cased(members: frozenset[int], flags: _Flags) -> OneOf:
    """The set, and with the flag `i` the other cases of its letters."""
    if not flags.i:
        return OneOf(members)
    letters = bytes(sorted(members & _POSIX["alpha"]))
    return OneOf(members | frozenset(letters.lower()) | frozenset(letters.upper()))


def _char(code: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise GoSyntaxError("a code point that is none")
    return chr(code)


def _encoded(char: str) -> bytes:
    return char.encode("utf-8", "surrogatepass")


def _sequence(parts: list[Node]) -> Node:
    """The parts in order, neighbouring literals joined."""
    joined: list[Node] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.fold == last.fold:
            joined[-1] = Literal(last.data + part.data, part.fold)
        else:
            joined.append(part)
    return joined[0] if len(joined) == 1 else Sequence(tuple(joined))


def written(node: Node) -> bytes:
    """The expression in the `regex` module's own syntax, for bytes; groups keep their numbers."""
    match node:
        case Literal(data, fold):
            text = re.escape(data)
            return b"(?i:" + text + b")" if fold else text
        case OneOf(members):
            return _written_set(members)
        case Assertion(pattern):
            return pattern
        case Group(inner, capturing):
            return (b"(" if capturing else b"(?:") + written(inner) + b")"
        case Repeat(inner, least, most, lazy):
            bounds = b"{%d,%s}" % (least, b"" if most is None else b"%d" % most)
            return b"(?:" + written(inner) + b")" + bounds + (b"?" if lazy else b"")
        case Sequence(parts):
            return b"".join(written(part) for part in parts)
        case Choice(branches):
            return b"(?:" + b"|".join(written(branch) for branch in branches) + b")"


def _written_set(members: frozenset[int]) -> bytes:
    if members == EVERY:
        return b"(?s:.)"
    if not members:
        return b"(?!)"  # a class that excludes all it could be: matches nothing
    ranges: list[list[int]] = []
    for code in sorted(members):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % (low, high) for low, high in ranges) + b"]"
