"""A user's expression, compiled, every use of it under a time limit."""

from __future__ import annotations

from typing import Any

import regex

from scanner.rules.analysis import widest, without_lead
from scanner.rules.gosyntax import Node, parse, written
from scanner.rules.prefilter import Prefilter

TIMEOUT = 0.2  # seconds one search may take: a hundred times what an honest rule needs on the slice it is given
LONGEST = 20_000  # characters of an expression: ten times the longest of the public rule sets


class Expression:
    """A Go expression as the `regex` module runs it on bytes."""

    __slots__ = ("_pattern", "_prefilter", "groups", "node", "widest")

    def __init__(self, source: str, *, groups_only: bool = False) -> None:
        """`groups_only`: where the groups always say all, the match may begin at any place before them.

        Raises GoSyntaxError.
        """
        node = parse(source)
        self.node: Node = without_lead(node) if groups_only else node
        self.widest = widest(self.node)  # bytes of a match; None: not bounded
        self._prefilter = Prefilter(self.node)
        self._pattern: Any = regex.compile(written(self.node), regex.V0)
        self.groups: int = self._pattern.groups

    def is_in(self, data: bytes) -> bool:
        """Raises TimeoutError."""
        return self._pattern.search(data, timeout=TIMEOUT) is not None

    def all_in(self, data: bytes) -> list[tuple[tuple[int, int], ...]]:
        """The spans of each match, in order: the whole, then each group, (-1, -1) for one that took no part.

        Raises TimeoutError; the limit is for all of them together.
        """
        if not self._prefilter.may_be_in(data):
            return []
        return [m.regs for m in self._pattern.finditer(data, timeout=TIMEOUT)]
