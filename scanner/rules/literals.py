"""Which byte strings each match of an expression must hold: what to look for where a rule names no keywords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.rules.gosyntax import Choice, Group, Literal, Node, OneOf, Repeat, Sequence

SHORTEST = 3  # bytes: shorter ones stand everywhere, and each place costs a search
MOST_BRANCHES = 32  # alternatives followed; each becomes an anchor, in some ten forms


@dataclass(frozen=True, slots=True)
class Needed:
    """A match holds these bytes, in any case of ASCII letters with `fold`."""

    data: bytes
    fold: bool


Alternatives = frozenset[Needed]


def needed(node: Node) -> Alternatives | None:
    """A set of which each match holds at least one, each SHORTEST bytes or longer; None where there is none.

    Of several such sets the one whose shortest member is longest.
    """
    return max(_sets(node), key=_worth, default=None)


def _worth(alternatives: Alternatives) -> tuple[int, int, list[bytes]]:
    return min(len(one.data) for one in alternatives), -len(alternatives), sorted(one.data for one in alternatives)


def _sets(node: Node) -> Iterator[Alternatives]:
    match node:
        case Choice(branches):
            best = [needed(branch) for branch in branches]
            if all(best) and sum(len(one or ()) for one in best) <= MOST_BRANCHES:
                yield frozenset().union(*(one for one in best if one))
        case Repeat(inner, least, _, _) if least >= 1:
            yield from _sets(inner)
        case Group(inner, _):
            yield from _sets(inner)
        case Sequence() | Literal() | OneOf():
            yield from _runs(node)
        case _:
            pass  # an assertion, or what may be left out


def _runs(node: Node) -> Iterator[Alternatives]:
    """Those of a sequence: its literal stretches, and what its parts need by themselves."""
    data, fold = b"", False
    for part in _flat(node):
        piece = _literal(part)
        if piece is not None:
            data, fold = data + piece.data, fold or piece.fold
            continue
        if len(data) >= SHORTEST:
            yield frozenset({Needed(data, fold)})
        data, fold = b"", False
        if isinstance(part, Choice | Group | Repeat):
            yield from _sets(part)
    if len(data) >= SHORTEST:
        yield frozenset({Needed(data, fold)})


def _flat(node: Node) -> Iterator[Node]:
    """The parts of a sequence with groups opened, since a group takes no byte of its own."""
    match node:
        case Sequence(parts):
            for part in parts:
                yield from _flat(part)
        case Group(inner, _) if not isinstance(inner, Choice):
            yield from _flat(inner)
        case Repeat(inner, least, most, _) if least == most and 1 <= least <= 8:
            for _ in range(least):
                yield from _flat(inner)
        case _:
            yield node


def _literal(node: Node) -> Needed | None:
    """The bytes of a part that can be no other; a class of both cases of one letter counts, caseless."""
    if isinstance(node, Literal):
        return Needed(node.data, node.fold)
    if isinstance(node, OneOf) and node.members:
        lower = {bytes([member]).lower() for member in node.members}
        if len(lower) == 1:
            return Needed(lower.pop() if len(node.members) > 1 else bytes(node.members), len(node.members) > 1)
    return None
