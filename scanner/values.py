"""Found values on their way to a second look: copies of them, keys among them, the question to their issuer.

They stay in the memory of this process and of the workers it forked. This is the only place where a secret may be
pickled, which is how a worker hands it back through its pipe; a run on other machines keeps none.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct

from detectors.detector import Match, Secret
from scanner.hygiene import repr_without
from scanner.model import Finding

_OPEN = tuple(name for name in Match.__struct_fields__ if name != "secret")


class Value(Struct, frozen=True):
    """A finding and the match it was made of, which holds the secret."""

    finding: Finding
    match: Match

    def __reduce__(self) -> tuple[object, ...]:
        open_fields = {name: getattr(self.match, name) for name in _OPEN}
        return _arrived, (self.finding, self.match.secret.reveal(), open_fields)


Keep = Callable[[Value], None]
Group = tuple[bytes, str | None, int]


class Role(StrEnum):
    TOKEN = "token"
    SECRET = "secret"
    PRIVATE_KEY = "private_key"
    CERTIFICATE = "certificate"


class Trial(Struct, frozen=True):
    """A value to be tried as a signing key, or a token or certificate to try keys on. `group`: of tokens that one key
    may have signed: header, issuer, quarter of a year.
    """

    fingerprint: str
    role: Role
    secret: Secret
    group: Group = (b"", None, 0)

    def __repr__(self) -> str:
        return repr_without(self, "group")

    def __reduce__(self) -> tuple[object, ...]:
        return _trial, (self.fingerprint, self.role.value, self.secret.reveal(), self.group)


def _trial(fingerprint: str, role: str, secret: bytes, group: Group) -> Trial:
    return Trial(fingerprint, Role(role), Secret(secret), group)


def packed(values: Iterable[Value]) -> bytes:
    """Values as bytes for many units of work: packed once, and unpacked once by each worker."""
    return pickle.dumps(tuple(values))


@lru_cache(maxsize=1)
def unpacked(parcel: bytes) -> tuple[Value, ...]:
    """What `packed` made bytes of, in this process or the one that forked it."""
    values: tuple[Value, ...] = pickle.loads(parcel)  # noqa: S301 - never of anybody else
    return values


def _arrived(finding: Finding, secret: bytes, open_fields: dict[str, Any]) -> Value:
    return Value(finding, Match(secret=Secret(secret), **open_fields))
