"""A key set on its way to those who check with it; alone here, since a scan that names none imports nothing more."""

from __future__ import annotations

import hashlib

from msgspec import Struct


class KeySet(Struct, frozen=True):
    """A key set as it was read or fetched: bytes, which unlike keys can be handed to a worker process. `issuers`: whose
    it is, where the user said so.
    """

    data: bytes
    issuers: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Equal for equal sets, in any process."""
        return f"KeySet({hashlib.sha256(self.data).hexdigest()}, {sorted(self.issuers)})"
