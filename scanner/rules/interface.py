"""What the rest knows of users' rules: the file they came in, and the error that one of them took too long."""

from __future__ import annotations

import hashlib

from msgspec import Struct

PREFIX = "rule:"  # before a rule's id in findings, so that it is never taken for a detector of ours


class RulesFile(Struct, frozen=True):
    """A rules file as it was read; picklable, so that each worker process makes the same detectors of it.

    `without`: ids of rules that the user wants left out; those of other files may be among them.
    """

    name: str
    data: bytes
    without: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Short, and another one for other rules."""
        digest = hashlib.sha256(self.data).hexdigest()
        return f"RulesFile({self.name!r}, sha256={digest}, without={sorted(self.without)})"


class RuleTimeout(Exception):
    """A user's rule took too long at one place, which therefore was not searched for it.

    `given_up`: the rule is not tried in the rest of this stream.
    """

    def __init__(self, rule: str, given_up: bool) -> None:
        super().__init__(f"rule {rule} timed out" + (" too often and is not tried any further" if given_up else ""))
        self.rule = rule
        self.given_up = given_up
