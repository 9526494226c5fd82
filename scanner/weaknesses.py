"""What is wrong with a token whoever holds it, by its claims alone (RFC 8725, RFC 9068)."""

from __future__ import annotations

from detectors.detector import Match

BROAD = frozenset({"*", "admin", "root", "superuser", "full_access", "all", "write:all", "cloud-platform", ".default"})


def weaknesses(match: Match, max_lifetime: float) -> tuple[str, ...]:
    """Ids, sorted. `max_lifetime`: seconds an access token should live at most."""
    facts = match.facts
    if match.family != "jwt" or match.flaw is not None or facts.token_type == "JWE":
        return ()
    found = []
    if facts.expires_at is None:
        found.append("no_exp")
    elif facts.issued_at is not None and facts.expires_at - facts.issued_at > max_lifetime:
        found.append("lifetime_over_policy")
    if facts.algorithm is not None and facts.algorithm.lower() == "none":
        found.append("alg_none")
    if not facts.audience:
        found.append("no_audience")
    if any(scope in BROAD or scope.endswith((":*", "/*", ".*", "/.default")) for scope in facts.scope):
        found.append("broad_scope")
    if facts.token_id is None:
        found.append("no_jti")
    return tuple(sorted(found))
