"""An expression for bytes -> the expression for the same text in UTF-16: each byte with its NUL beside it."""

from __future__ import annotations

from functools import lru_cache

from scanner.rules.gosyntax import Choice, Group, Literal, Node, OneOf, Repeat, Sequence, parse, written


def widened(pattern: bytes, *, big: bool) -> bytes:
    """`pattern` over code units of UTF-16, big-endian or little-endian. Raises GoSyntaxError for what Go has not."""
    # Vectorscan takes a NUL for the end of an expression.
    return written(_wide(_parsed(pattern), big)).replace(b"\0", rb"\x00")


@lru_cache(maxsize=1)  # each is asked for in both orders
def _parsed(pattern: bytes) -> Node:
    return parse(pattern.decode("ascii"))


def _wide(node: Node, big: bool) -> Node:
    match node:
        case Literal(data, fold):
            return Sequence(tuple(part for byte in data for part in _unit(Literal(bytes([byte]), fold), big)))
        case OneOf():
            return Sequence(_unit(node, big))
        case Group(inner, capturing):
            return Group(_wide(inner, big), capturing)
        case Repeat(inner, least, most, lazy):
            return Repeat(_wide(inner, big), least, most, lazy)
        case Sequence(parts):
            return Sequence(tuple(_wide(part, big) for part in parts))
        case Choice(branches):
            return Choice(tuple(_wide(branch, big) for branch in branches))
    return node  # an assertion takes no byte


def _unit(byte: Node, big: bool) -> tuple[Node, Node]:
    nul = OneOf(frozenset([0]))
    return (nul, byte) if big else (byte, nul)
