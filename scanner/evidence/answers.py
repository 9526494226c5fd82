"""JSON answers of issuers, judged before anything in them is believed."""

from __future__ import annotations

from typing import Any

import orjson

from scanner.errors import UsageError
from scanner.evidence.endpoint import Endpoint
from scanner.evidence.fetcher import Answer, Fetcher
from scanner.evidence.jwks import Jwks, compact
from scanner.evidence.key_set import KeySet
from scanner.evidence.wire import FetchFailed

JSON = frozenset({"application/json"})
_KEY_SET = frozenset({"application/json", "application/jwk-set+json"})  # RFC 7517 section 8.5.2


def json_answer(to: Endpoint, answer: Answer, types: frozenset[str] = JSON) -> dict[str, Any]:
    """The object of an answer with status 200. Raises FetchFailed.

    The parser itself refuses what is nested more than 1,024 deep, and no other code of ours walks down an answer.
    """
    if answer.status != 200:
        raise FetchFailed(f"{to.host} answers with status {answer.status}")
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() not in types:
        raise FetchFailed(f"the answer of {to.host} is not marked as JSON")
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise FetchFailed(f"the answer of {to.host} is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise FetchFailed(f"the answer of {to.host} is no JSON object")
    return value


def fetch_key_set(address: Endpoint, fetcher: Fetcher, issuers: frozenset[str] = frozenset()) -> KeySet:
    """The key set at an address the user named, checked; `issuers` says whose it is. Raises FetchFailed."""
    answer = fetcher.get(address, {}, "application/jwk-set+json, application/json")
    json_answer(address, answer, _KEY_SET)
    try:
        Jwks.load(answer.body, issuers)
        return KeySet(compact(answer.body), issuers)
    except UsageError as error:
        raise FetchFailed(f"{address.host}: {error}") from None
