"""Whether a user's expression may match at all, asked of Vectorscan before the slower engine that tells where.

Keywords of broad rules (`api`, `key`) stand in every line of some logs, and hardly ever with what the rule wants.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from scanner.rules.gosyntax import Assertion, Choice, Group, Literal, Node, Repeat, Sequence, written

if TYPE_CHECKING:
    import hyperscan

COUNTED = 16  # repetitions that are counted; the rest is left open, which keeps the automaton small


class Prefilter:
    """Compiled when it is first asked, since most rules of a large file never see their keyword."""

    __slots__ = ("_database", "_lock", "_node")

    def __init__(self, node: Node) -> None:
        self._node: Node | None = node
        self._database: hyperscan.Database | None = None
        self._lock = Lock()  # what Vectorscan works in is for one scan at a time

    def may_be_in(self, data: bytes) -> bool:
        """False only where the expression matches nowhere in the data."""
        with self._lock:
            if self._node is not None:
                self._database, self._node = _compiled(self._node), None
            if self._database is None:
                return True
            found: list[bool] = []
            self._database.scan(data, match_event_handler=lambda *_: found.append(True))
        return bool(found)


def _compiled(node: Node) -> hyperscan.Database | None:
    """None for what Vectorscan can't do, which is then always searched."""
    import hyperscan

    try:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_DOTALL
        database.compile(expressions=[written(loosened(node)).replace(b"\0", rb"\x00")], ids=[0], flags=[flags])
    except hyperscan.error:
        return None
    return database


def loosened(node: Node) -> Node:
    """What matches wherever the node does, and maybe elsewhere: with fewer counts, and without places."""
    match node:
        case Group(inner, _):
            return Group(loosened(inner), False)
        case Repeat(inner, least, most, _):
            return Repeat(loosened(inner), min(least, COUNTED), most if most and most <= COUNTED else None, False)
        case Sequence(parts):
            return Sequence(tuple(loosened(part) for part in parts))
        case Choice(branches):
            return Choice(tuple(loosened(branch) for branch in branches))
        case Assertion():
            return Literal(b"")
    return node
