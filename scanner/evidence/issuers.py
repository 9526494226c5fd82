"""The map of issuers: a TOML file that says where an issuer's keys are and how it is asked.

    [[issuer]]
    issuer = "https://id.example"            # `iss` of its tokens, or a list; compared byte by byte
    jwks = "https://id.example/keys"         # or a file, relative to this one
    introspection = "https://id.example/introspect"
    userinfo = "https://id.example/userinfo" # where there is no introspection
    client_id = "auditor"
    client_secret_env = "AUDITOR_SECRET"     # or client_secret_file; never the secret itself
    client_auth = "basic"                    # or "post"
    opaque = true                            # tokens that name no issuer are taken to be its own, and shown to it
    private = true                           # its host may lie in a private network

A name that is not among these is an error, so that a misspelt one is not passed over.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from scanner.errors import UsageError
from scanner.evidence.answers import fetch_key_set
from scanner.evidence.endpoint import Endpoint, endpoint
from scanner.evidence.fetcher import Fetcher
from scanner.evidence.introspection import Asking, Client, Way, secret_from
from scanner.evidence.jwks import read_key_set
from scanner.evidence.key_set import KeySet
from scanner.evidence.wire import FetchFailed
from scanner.model import Skipped, StreamId

LARGEST_FILE = 1024 * 1024  # bytes
MOST_ISSUERS = 500
_TEXTS = ("jwks", "introspection", "userinfo", "client_id", "client_secret_env", "client_secret_file", "client_auth")
_FLAGS = ("opaque", "private")


class Issuer(Struct, frozen=True):
    """One entry. Of `jwks_url` and `jwks_file` at most one is given."""

    issuers: frozenset[str]
    jwks_url: Endpoint | None = None
    jwks_file: Path | None = None
    askings: tuple[Asking, ...] = ()


def load_issuers(path: str | Path) -> tuple[Issuer, ...]:
    """Reads the map; touches no network. Raises UsageError, with the entry's number, for what is not as it must be."""
    file = Path(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise UsageError(f"{path}: the map of issuers cannot be read: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path}: larger than {LARGEST_FILE // 1024 // 1024} MB")
    entries = _entries(data, file)
    return tuple(_issuer(entry, file, f"{path}: issuer {number}") for number, entry in enumerate(entries, 1))


def _entries(data: bytes, file: Path) -> list[Any]:
    try:
        value = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        raise UsageError(f"{file}: no TOML") from None  # its own message may quote the file
    unknown = sorted(set(value) - {"issuer"})
    if unknown:
        raise UsageError(f"{file}: only [[issuer]] tables are known, not {unknown[0]!r}")
    entries = value.get("issuer", [])
    if not isinstance(entries, list) or not entries or len(entries) > MOST_ISSUERS:
        raise UsageError(f"{file}: between 1 and {MOST_ISSUERS} tables [[issuer]] are needed")
    return entries


def _issuer(entry: Any, file: Path, where: str) -> Issuer:
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: no table")
    if "client_secret" in entry:
        raise UsageError(
            f"{where}: a secret in this file would leak with it; use client_secret_env or client_secret_file"
        )
    unknown = sorted(set(entry) - {"issuer", *_TEXTS, *_FLAGS})
    if unknown:
        raise UsageError(f"{where}: {unknown[0]!r} is not known")
    for names, kind, called in ((_TEXTS, str, "a text"), (_FLAGS, bool, "true or false")):
        for name in names:
            if name in entry and not isinstance(entry[name], kind):
                raise UsageError(f"{where}: {name} must be {called}")
    names_of = _names(entry.get("issuer"), where)
    keys = entry.get("jwks", "")
    is_url = "://" in keys
    return Issuer(
        issuers=names_of,
        jwks_url=_endpoint(keys, entry, where) if is_url else None,
        jwks_file=file.parent / keys if keys and not is_url else None,
        askings=tuple(_askings(entry, file, where, names_of)),
    )


def _names(value: Any, where: str) -> frozenset[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"{where}: issuer must be a text or a list of texts")
    return frozenset(names)


def _endpoint(url: str, entry: dict[str, Any], where: str) -> Endpoint:
    try:
        return endpoint(url, private=entry.get("private", False))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _askings(entry: dict[str, Any], file: Path, where: str, issuers: frozenset[str]) -> list[Asking]:
    """Introspection where there is one, since it tells more; else UserInfo."""
    opaque = entry.get("opaque", False)
    if "introspection" in entry:
        client = _client(entry, file, where)
        address = _endpoint(entry["introspection"], entry, where)
        return [Asking(address, Way.INTROSPECTION, client, issuers, opaque)]
    if "userinfo" in entry:
        return [Asking(_endpoint(entry["userinfo"], entry, where), Way.USERINFO, None, issuers, opaque)]
    return []


def _client(entry: dict[str, Any], file: Path, where: str) -> Client:
    how = entry.get("client_auth", "basic")
    if how not in ("basic", "post"):
        raise UsageError(f"{where}: client_auth must be basic or post")
    if not entry.get("client_id"):
        raise UsageError(f"{where}: introspection needs a client_id")
    secret_file = entry.get("client_secret_file")
    try:
        secret = secret_from(
            variable=entry.get("client_secret_env"), file=file.parent / secret_file if secret_file else None
        )
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    return Client(entry["client_id"], secret, how == "post")


def key_sets(issuers: tuple[Issuer, ...], fetcher: Fetcher) -> tuple[list[KeySet], list[Skipped]]:
    """The key sets of the map, each bound to its issuers, and those that could not be had.

    Raises UsageError for a file that is no key set.
    """
    found: list[KeySet] = []
    missing: list[Skipped] = []
    for issuer in issuers:
        if issuer.jwks_file is not None:
            found.append(read_key_set(issuer.jwks_file, issuer.issuers))
        elif issuer.jwks_url is not None:
            try:
                found.append(fetch_key_set(issuer.jwks_url, fetcher, issuer.issuers))
            except FetchFailed as error:
                missing.append(not_fetched(issuer.jwks_url, error))
    return found, missing


def not_fetched(keys: Endpoint, error: FetchFailed) -> Skipped:
    """Keys the user named are input too: signatures were not checked with these."""
    return Skipped(StreamId(keys.url.partition("?")[0]), f"the keys could not be fetched: {error}")
