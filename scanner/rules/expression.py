"""A user's expression, compiled, every use of it under a time limit."""

from __future__ import annotations

from typing import Any

import regex

from scanner.rules.gosyntax import Node, parse, written

TIMEOUT = 0.2  # seconds one search may take: a hundred times what an honest rule needs on the slice it is given
LONGEST = 20_000  # characters of an expression: ten times the longest of the public rule sets


class Expression:
    """A Go expression as the `regex` module runs it on bytes."""

    __slots__ = ("_pattern", "groups", "node")

    def __init__(self, source: str) -> None:
        """Raises GoSyntaxError."""
        self.node: Node = parse(source)
        self._pattern: Any = regex.compile(written(self.node), regex.V0)
        self.groups: int = self._pattern.groups

    def is_in(self, data: bytes) -> bool:
        """Raises TimeoutError."""
        return self._pattern.search(data, timeout=TIMEOUT) is not None

    def all_in(self, data: bytes) -> list[tuple[tuple[int, int], ...]]:
        """The spans of each match, in order: the whole, then each group, (-1, -1) for one that took no part.

        Raises TimeoutError; the limit is for all of them together.
        """
        return [m.regs for m in self._pattern.finditer(data, timeout=TIMEOUT)]

    def open_at(self, data: bytes, start: int) -> int | None:
        """Where from `start` on a match begins that more data might complete. Raises TimeoutError."""
        match = self._pattern.search(data, start, partial=True, timeout=TIMEOUT)
        return match.start() if match is not None and match.partial and match.start() < len(data) else None
