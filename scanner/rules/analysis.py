"""What an expression says of its matches before it is run: bytes each must hold, the widest, a lead without effect."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from scanner.rules.gosyntax import Assertion, Choice, Group, Literal, Node, OneOf, Repeat, Sequence

SHORTEST = 3  # bytes: shorter ones stand everywhere, and each place costs a search
MOST_BRANCHES = 32  # alternatives followed; each becomes an anchor, in some ten forms


class Needed(Struct, frozen=True):
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


def widest(node: Node) -> int | None:
    """The most bytes a match can take; None where nothing bounds it."""
    match node:
        case Literal(data, _):
            return len(data)
        case OneOf():
            return 1
        case Assertion():
            return 0
        case Group(inner, _):
            return widest(inner)
        case Repeat(inner, _, most, _):
            width = widest(inner)
            return None if most is None or width is None else most * width
        case Sequence(parts) | Choice(parts):
            widths = [widest(part) for part in parts]
            known = [width for width in widths if width is not None]
            if len(known) < len(widths):
                return None
            return sum(known) if isinstance(node, Sequence) else max(known, default=0)


def without_lead(node: Node) -> Node:
    """Without a lazy run of context at the start (`[\\w.-]{0,50}?`), where a group after it always holds something.

    The groups of each match are the same: a lazy lead reaches the same first place where the rest
    matches. Found without it, that place costs one comparison a byte and not fifty.
    """
    if not isinstance(node, Sequence) or len(node.parts) < 2:
        return node
    lead, *rest = node.parts
    plain = isinstance(lead, Repeat) and lead.lazy and lead.least == 0 and isinstance(lead.inner, OneOf)
    held = any(isinstance(part, Group) and part.capturing and _never_empty(part) for part in rest)
    return Sequence(tuple(rest)) if plain and held else node


def _never_empty(node: Node) -> bool:
    match node:
        case Literal(data, _):
            return bool(data)
        case OneOf():
            return True
        case Group(inner, _):
            return _never_empty(inner)
        case Repeat(inner, least, _, _):
            return least > 0 and _never_empty(inner)
        case Sequence(parts):
            return any(_never_empty(part) for part in parts)
        case Choice(branches):
            return all(_never_empty(branch) for branch in branches)
        case _:
            return False
