"""What a rule's allowlist lets pass: values, matches, lines or paths that are known to be no secret."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from scanner.rules.expression import Expression


class Target(StrEnum):
    """What `regexes` are looked for in."""

    SECRET = "secret"
    MATCH = "match"
    LINE = "line"


class Seen(Struct, frozen=True):
    """One match of a rule, as an allowlist sees it."""

    secret: bytes
    match: bytes
    line: bytes
    path: bytes


class Allowlist(Struct, frozen=True):
    """Lets a match pass where any of its checks holds, or with `every` where all do. Has one check at least."""

    regexes: tuple[Expression, ...] = ()
    target: Target = Target.SECRET
    paths: tuple[Expression, ...] = ()
    stopwords: tuple[bytes, ...] = ()  # lower case, looked for in the secret in any case
    every: bool = False

    def allows_path(self, path: bytes) -> bool:
        """Whether nothing in the file need be looked at: the path alone decides. Raises TimeoutError."""
        only = not (self.regexes or self.stopwords)
        return bool(self.paths) and (not self.every or only) and self._in_paths(path)

    def allows(self, seen: Seen) -> bool:
        """Raises TimeoutError."""
        held = []
        if self.paths:
            held.append(self._in_paths(seen.path))
        if self.stopwords:
            value = seen.secret.lower()
            held.append(any(word in value for word in self.stopwords))
        if self.regexes:
            held.append(any(one.is_in(getattr(seen, self.target)) for one in self.regexes))
        return all(held) if self.every else any(held)

    def _in_paths(self, path: bytes) -> bool:
        return any(one.is_in(path) for one in self.paths)
