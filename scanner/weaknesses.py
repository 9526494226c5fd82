"""What is wrong with a credential whoever holds it, apart from having leaked, each with where that is said.

RFC 8725 (JWT best practices), RFC 9068 (JWT access tokens), RFC 9700 (OAuth security), and the OWASP Non-Human
Identities Top 10 of 2025 (https://owasp.org/www-project-non-human-identities-top-10/2025/).
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from detectors.detector import Kind, Match

BROAD = frozenset({"*", "admin", "root", "superuser", "full_access", "all", "write:all", "cloud-platform", ".default"})
REFRESH_DAYS = 30  # a refresh token that says it lives longer outlasts most rotations


class Weakness(Struct, frozen=True):
    """In words for a person, the rule that asks for better, and its item of the OWASP list."""

    says: str
    rule: str
    owasp: str


EXPLAINED = {
    "no_exp": Weakness("has no expiry: it can be used until its key is rotated", "RFC 9068 2.2", "NHI7:2025"),
    "lifetime_over_policy": Weakness(
        "lives longer than the policy allows (--max-lifetime)", "RFC 6750 5.3", "NHI7:2025"
    ),
    "alg_none": Weakness("is not signed: anyone can write another", "RFC 8725 3.2", "NHI4:2025"),
    "hmac_despite_public_keys": Weakness(
        "is signed with a shared secret although its issuer publishes public keys", "RFC 8725 2.1", "NHI4:2025"
    ),
    "no_audience": Weakness(
        "names no audience: any service of the issuer's may accept it", "RFC 8725 3.9", "NHI4:2025"
    ),
    "broad_scope": Weakness("has a wildcard or administrative scope", "RFC 9700 2.3", "NHI5:2025"),
    "no_jti": Weakness("has no id: it can't be revoked or told from others by one", "RFC 9068 2.2", "NHI1:2025"),
    "long_lived_refresh_token": Weakness(
        f"is a refresh token that lives longer than {REFRESH_DAYS} days", "RFC 9700 4.14.2", "NHI7:2025"
    ),
    "signs_found_token": Weakness(
        "signed a token found in the same scan: who holds it makes tokens of their own", "RFC 8725 3.5", "NHI2:2025"
    ),
    "known_key_pair": Weakness("its public half is in use: in a key set or a certificate", "RFC 7517 9.2", "NHI2:2025"),
    "weak_signing_key": Weakness("is signed with a notorious key that everyone knows", "RFC 8725 3.5", "NHI4:2025"),
    "shared_secret": Weakness("several client ids use one secret", "RFC 6749 2.3.1", "NHI9:2025"),
    "several_secrets": Weakness("one client id leaked several secrets", "RFC 6749 2.3.1", "NHI2:2025"),
    "not_registered": Weakness("is not in the inventory: nobody is known to own it", "inventory", "NHI1:2025"),
    "rotation_overdue": Weakness("its secret should have been rotated by now", "inventory", "NHI7:2025"),
}

IN_LOG = ("CWE-532",)  # insertion of sensitive information into log file
IN_DUMP = ("CWE-528", "CWE-316")  # exposure of core dump file; cleartext storage in memory
_DUMPS = ("core", "hprof", "minidump", "heapsnapshot", "lime", "avml", "jfr", "memory")


@lru_cache
def exposure(format_: str) -> tuple[str, ...]:
    """The weaknesses (https://cwe.mitre.org) of having written a secret there, by the finding's format."""
    return IN_DUMP if any(word in format_ for word in _DUMPS) else IN_LOG


def weaknesses(match: Match, max_lifetime: float, refresh_lifetime: float | None = None) -> tuple[str, ...]:
    """Ids, sorted. In seconds: how long an access token should live at most, how long a refresh token says it does."""
    facts = match.facts
    if match.kind is Kind.REFRESH_TOKEN and (refresh_lifetime or 0) > REFRESH_DAYS * 86400:
        return ("long_lived_refresh_token",)
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
