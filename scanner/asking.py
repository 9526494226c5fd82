"""Puts what was found to its issuer, one finding after the other, in the process that reports them. Only when told to.

What is shown to an endpoint: JWTs, to the one that speaks for their issuer, and tokens nobody can tell the maker of, to
the one that takes such. A vendor's own token, a secret, a cookie or a key is shown to nobody, and neither is what is
known to be of no use.
"""

from __future__ import annotations

from msgspec.structs import replace

from detectors.detector import Kind
from scanner.evidence.introspection import Introspector
from scanner.judge import with_issuers_word
from scanner.model import Finding, State
from scanner.values import Value

_ASKED = frozenset({Kind.JWT, Kind.BEARER_TOKEN, Kind.REFRESH_TOKEN})
_SETTLED = frozenset({State.EXPIRED, State.UNUSABLE})


class Asker:
    """Given each value as `keep` of a run, and then its finding."""

    def __init__(self, introspector: Introspector) -> None:
        self._introspector = introspector
        self._value: Value | None = None

    def keep(self, value: Value) -> None:
        """The value of the finding that comes next."""
        self._value = value

    def asked(self, finding: Finding) -> Finding:
        """The finding with its issuer's word on it, where there is one to be had."""
        value, self._value = self._value, None
        if value is None or value.finding.id != finding.id or not _is_to_be_asked(value):
            return finding
        token = value.match.secret.reveal()
        word = self._introspector.ask(finding.fingerprint, token, value.match.facts.issuer)
        return replace(finding, verdict=with_issuers_word(finding.verdict, word))


def _is_to_be_asked(value: Value) -> bool:
    match = value.match
    if match.kind not in _ASKED or match.family not in (None, "jwt") or match.flaw is not None:
        return False
    return value.finding.verdict.state not in _SETTLED
