"""Asking the issuer whether a token is active: RFC 7662 introspection, or OpenID Connect UserInfo. Only when told to.

The token itself goes to the server, so it goes only to one that may have issued it: to the issuer an endpoint was
named for, and without that name to one whose host is the endpoint's own. What has no issuer, an opaque token, goes to
the endpoint that was named for such, and is taken to be its own. Nothing a token says is ever taken for an address.
"""

from __future__ import annotations

import base64
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from scanner.errors import UsageError
from scanner.evidence.answers import json_answer
from scanner.evidence.endpoint import Endpoint
from scanner.evidence.fetcher import Answer, Fetcher
from scanner.evidence.wire import FetchFailed
from scanner.model import State

LARGEST_TOKEN = 64 * 1024  # bytes; no server takes a longer one
LARGEST_SECRET = 64 * 1024  # bytes of a file that holds the client's secret
REMEMBERED = 300.0  # seconds
NOW = 60.0  # seconds between question and verdict within which "is active" still means "is live"


class Activity(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class IntrospectionEvidence:
    """What the issuer says of a token at `asked_at`. No byte of the token is in it, and of the answer only the times.

    `asked` is the endpoint's host, None where nothing was asked. `expires_at` and `issued_at` are the issuer's own
    `exp` and `iat`, None where it says nothing.
    """

    activity: Activity
    reason: str
    asked: str | None = None
    asked_at: datetime | None = None  # aware, UTC
    expires_at: datetime | None = None
    issued_at: datetime | None = None

    def state_at(self, as_of: datetime) -> State | None:
        """The state this proves for an instant, None where it proves nothing.

        An answer is about the time of asking. What is inactive then stays so (RFC 7009 section 2.1), but may have
        been live before; what is active then was so since it was issued, and will be until it expires or is revoked.
        Where the token's own claims say that it has expired, the judge may prefer `expired` to `revoked`.
        """
        if self.asked_at is None or self.activity is Activity.UNJUDGED:
            return None
        if self.expires_at is not None and as_of >= self.expires_at:
            return State.EXPIRED
        later = (as_of - self.asked_at).total_seconds()
        if self.activity is Activity.INACTIVE:
            return State.REVOKED if later >= -NOW else None
        if later > NOW:
            return State.LIVE if self.expires_at is not None else None
        since = self.issued_at is not None and as_of >= self.issued_at
        return State.LIVE if later >= -NOW or since else None


class Way(StrEnum):
    INTROSPECTION = "introspection"
    USERINFO = "userinfo"


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. The secret is never shown."""

    id: str
    secret: str = field(repr=False)
    in_body: bool = False  # client_secret_post instead of client_secret_basic (RFC 6749 section 2.3.1)


@dataclass(frozen=True, slots=True)
class Asking:
    """An endpoint, for which issuers it speaks, and as whom it is asked."""

    address: Endpoint
    way: Way = Way.INTROSPECTION
    client: Client | None = None
    issuers: frozenset[str] = frozenset()
    opaque: bool = True  # whether tokens that name no issuer are taken to be its own

    def speaks_for(self, issuer: str | None) -> bool:
        """Whether a token of that issuer (its `iss`, None for an opaque one) may be shown to this endpoint."""
        if issuer is None:
            return self.opaque
        if self.issuers:
            return issuer in self.issuers
        try:
            parts = urlsplit(issuer)
            return parts.scheme == "https" and (parts.hostname or "") == self.address.host
        except ValueError:
            return False


class Introspector:
    """Asks once for each token. Without one, nothing here opens a socket."""

    def __init__(self, askings: Iterable[Asking], fetcher: Fetcher, clock: Callable[[], float] = time.time) -> None:
        """Raises UsageError where an introspection endpoint comes without a client (RFC 7662 section 2.1)."""
        self._askings = tuple(askings)
        for asking in self._askings:
            if asking.way is Way.INTROSPECTION and asking.client is None:
                raise UsageError(f"{asking.address.host}: introspection needs a client_id and its secret")
        self._fetcher = fetcher
        self._clock = clock
        self._known: dict[str, IntrospectionEvidence] = {}

    def ask(self, fingerprint: str, token: bytes, issuer: str | None) -> IntrospectionEvidence:
        """The issuer's word on a token, from memory where it was asked before. Never raises on a token or an answer."""
        known = self._known.get(fingerprint)
        if known is not None and not self._is_stale(known):
            return known
        evidence = self._ask(token, issuer)
        if evidence.asked is not None:
            self._known[fingerprint] = evidence
        return evidence

    def _is_stale(self, known: IntrospectionEvidence) -> bool:
        """An inactive token stays so; any other answer is good for a while, which a scan that follows logs outlives."""
        age = self._clock() - (known.asked_at.timestamp() if known.asked_at else 0.0)
        return known.activity is not Activity.INACTIVE and age > REMEMBERED

    def _ask(self, token: bytes, issuer: str | None) -> IntrospectionEvidence:
        asking = next((a for a in self._askings if a.speaks_for(issuer)), None)
        if asking is None:
            return _unjudged("no endpoint was named for its issuer")
        if (
            not 0 < len(token) <= LARGEST_TOKEN
            or not token.isascii()
            or any(byte <= 32 or byte == 127 for byte in token)
        ):
            return _unjudged("the token as it stands cannot be sent: too long, or with blanks or bytes beyond ASCII")
        try:
            judged = _WAYS[asking.way](asking, token.decode("ascii"), self._fetcher)
        except FetchFailed as error:
            return _unjudged(str(error), asking.address.host, self._now())
        return judged.evidence(asking.address.host, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _unjudged(why: str, asked: str | None = None, when: datetime | None = None) -> IntrospectionEvidence:
    return IntrospectionEvidence(Activity.UNJUDGED, f"the issuer's word could not be had because {why}", asked, when)


@dataclass(frozen=True, slots=True)
class _Word:
    """What an answer comes to."""

    active: bool
    expires_at: float | None = None
    issued_at: float | None = None

    def evidence(self, host: str, when: datetime) -> IntrospectionEvidence:
        activity = Activity.ACTIVE if self.active else Activity.INACTIVE
        reason = (
            f"{host} says that it is active"
            if self.active
            else f"{host} says that it is revoked, expired or not its own"
        )
        return IntrospectionEvidence(activity, reason, host, when, _instant(self.expires_at), _instant(self.issued_at))


def _instant(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


class _Way(Protocol):
    def __call__(self, asking: Asking, token: str, fetcher: Fetcher) -> _Word: ...


def _introspect(asking: Asking, token: str, fetcher: Fetcher) -> _Word:
    """RFC 7662 sections 2.1 and 2.2."""
    form = {"token": token}
    headers: dict[str, str] = {}
    client = asking.client
    if client and client.in_body:
        form |= {"client_id": client.id, "client_secret": client.secret}
    elif client:
        # RFC 6749 section 2.3.1; a blank as %20, since some servers undo percents only and leave a plus as it is.
        pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    answer = fetcher.post(asking.address, headers, urlencode(form).encode())
    if answer.status in (401, 403):
        raise FetchFailed(f"{asking.address.host} does not accept the client it was asked as (status {answer.status})")
    value = json_answer(asking.address, answer)
    if not isinstance(value.get("active"), bool):
        raise FetchFailed(f"the answer of {asking.address.host} does not say whether the token is active")
    if not value["active"]:
        return _Word(False)
    return _Word(True, _number(value, "exp"), _number(value, "iat"))


def _number(value: dict[str, Any], name: str) -> float | None:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return float(number)


def _userinfo(asking: Asking, token: str, fetcher: Fetcher) -> _Word:
    """OpenID Connect Core 5.3, with the errors of RFC 6750 section 3.1: a token that lacks scope is active, too."""
    answer = fetcher.get(asking.address, {"Authorization": f"Bearer {token}"}, "application/json, application/jwt")
    challenge = answer.headers.get("www-authenticate", "")
    if answer.status == 401 and "invalid_token" in challenge:
        return _Word(False)
    if answer.status == 403 and "insufficient_scope" in challenge:
        return _Word(True)
    if answer.status == 200 and _is_about_someone(asking, answer):
        return _Word(True)
    raise FetchFailed(f"{asking.address.host} answers with status {answer.status} and no error that RFC 6750 names")


def _is_about_someone(asking: Asking, answer: Answer) -> bool:
    """A page to log in at has status 200, too; an answer that counts has `sub`, or is a signed one."""
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/jwt":
        return True
    if not isinstance(json_answer(asking.address, answer).get("sub"), str):
        raise FetchFailed(f"the answer of {asking.address.host} names no subject")
    return True


_WAYS: dict[Way, _Way] = {Way.INTROSPECTION: _introspect, Way.USERINFO: _userinfo}


def secret_from(*, variable: str | None = None, file: str | Path | None = None) -> str:
    """A client's secret from an environment variable or from the first line of a file. Raises UsageError."""
    if variable is not None:
        value = os.environ.get(variable, "")
        where = f"the environment variable {variable}"
    elif file is not None:
        where = str(file)
        value = _first_line(Path(file))
    else:
        raise UsageError("a client's secret comes from an environment variable or a file, and neither was named")
    if not value:
        raise UsageError(f"{where}: no client secret in it")
    return value


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_SECRET).split(b"\n")[0].strip().decode()
    except OSError as error:
        raise UsageError(f"{file}: the client secret cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{file}: the client secret is no UTF-8") from None
