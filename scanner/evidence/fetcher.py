"""HTTP to hosts the user named, and to no other: no redirect, no proxy, everything bounded and at a bounded rate."""

from __future__ import annotations

import http.client
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, cast

from scanner.evidence.endpoint import Endpoint
from scanner.evidence.wire import FetchFailed, Wire, connect


@dataclass(frozen=True, slots=True)
class NetLimits:
    """How long and how much. Times in seconds."""

    connect: float = 5.0  # look-up and connection, together with the handshake
    total: float = 15.0  # one request from its start to the last byte of its answer
    body: int = 1024 * 1024  # bytes of an answer
    tries: int = 3  # requests for one answer where the server says 429 or 503
    longest_wait: float = 30.0  # the most that is waited for one Retry-After
    rate: float = 5.0  # requests a second to one host, in the long run
    burst: int = 5  # requests at once before `rate` holds
    failures: int = 3  # in a row, after which a host is asked no more in this run
    requests: int = 10_000  # in one run


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer whose status is not one of a server in trouble. Never shown."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Fetcher:
    """Asks endpoints, at a bounded rate. One for a run; not for several threads at once."""

    def __init__(
        self,
        limits: NetLimits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`tls` must verify names and certificates; by default the system's authorities are trusted."""
        self.limits = limits or NetLimits()
        self._tls = tls
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}
        self._failures: dict[str, int] = {}
        self._requests = 0

    def get(self, to: Endpoint, headers: Mapping[str, str], accept: str = "application/json") -> Answer:
        """GET. Raises FetchFailed."""
        return self._ask(to, "GET", {**headers, "Accept": accept}, None)

    def post(self, to: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST of a form (RFC 7662 section 2.1). Raises FetchFailed."""
        more = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask(to, "POST", {**headers, **more}, body)

    def _ask(self, to: Endpoint, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self._failures.get(to.authority, 0) >= self.limits.failures:
            raise FetchFailed(
                f"{to.host} failed {self.limits.failures} times in a row and is asked no more in this run"
            )
        try:
            answer = self._patiently(to, method, headers, body)
        except FetchFailed:
            self._failures[to.authority] = self._failures.get(to.authority, 0) + 1
            raise
        self._failures[to.authority] = 0
        return answer

    def _patiently(self, to: Endpoint, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Again after 429 and 503 (RFC 6585 section 4, RFC 9110 section 15.6.4), as late as the server asks."""
        for attempt in range(self.limits.tries):
            self._wait_for_turn(to)
            answer = self._once(to, method, headers, body)
            if answer.status not in (429, 503):
                return self._checked(to, answer)
            if attempt + 1 < self.limits.tries:
                self._sleep(self._pause(to, answer, attempt))
        raise FetchFailed(f"{to.host} is overloaded or limits requests (tried {self.limits.tries} times)")

    def _pause(self, to: Endpoint, answer: Answer, attempt: int) -> float:
        asked = _retry_after(answer.headers.get("retry-after", ""))
        if asked is None:
            return min(self.limits.longest_wait, 2.0**attempt) * random.uniform(0.5, 1.0)
        if asked > self.limits.longest_wait:
            raise FetchFailed(f"{to.host} asks to wait longer than {self.limits.longest_wait:g} seconds")
        return asked

    def _checked(self, to: Endpoint, answer: Answer) -> Answer:
        if 300 <= answer.status < 400:
            raise FetchFailed(f"{to.host} redirects; no redirect is followed")
        if answer.status >= 500 or answer.status < 200:
            raise FetchFailed(f"{to.host} answers with status {answer.status}")
        return answer

    def _wait_for_turn(self, to: Endpoint) -> None:
        if self._requests >= self.limits.requests:
            raise FetchFailed(f"{self.limits.requests} requests were made, the most of one run")
        self._requests += 1
        bucket = self._buckets.setdefault(to.authority, _Bucket(self.limits.rate, self.limits.burst, self._clock()))
        pause = bucket.take(self._clock())
        if pause > 0:
            self._sleep(pause)

    def _once(self, to: Endpoint, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        now = time.monotonic()
        deadline = now + self.limits.total
        connection = http.client.HTTPConnection(to.host, to.port)
        wire: Wire | None = None
        try:
            wire = connect(to, min(deadline, now + self.limits.connect), deadline, self._context)
            connection.sock = cast(Any, wire)
            connection.request(method, to.target, body, {**headers, **_OURS, "Host": to.authority})
            with connection.getresponse() as response:
                return self._read(to, response)
        except TimeoutError:
            raise FetchFailed(f"{to.host} did not answer whole within {self.limits.total:g} seconds") from None
        except ssl.SSLCertVerificationError:
            raise FetchFailed(f"the certificate of {to.host} is not one to trust") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(f"talking to {to.host} failed ({type(error).__name__})") from None
        finally:
            connection.close()
            if wire:
                wire.release()

    def _read(self, to: Endpoint, response: http.client.HTTPResponse) -> Answer:
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise FetchFailed(f"{to.host} sends a compressed answer, which was not asked for")
        body = bytearray()
        while chunk := response.read(min(65536, self.limits.body + 1 - len(body))):
            body += chunk
            if len(body) > self.limits.body:
                raise FetchFailed(f"the answer of {to.host} is larger than {self.limits.body} bytes")
        if response.length:
            raise FetchFailed(f"the answer of {to.host} ends too early")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, bytes(body))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


_OURS = {"User-Agent": "bearertrap", "Accept-Encoding": "identity", "Connection": "close"}


def _retry_after(value: str) -> float | None:
    """Seconds (RFC 9110 section 10.2.3), None where it says nothing that can be read."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


class _Bucket:
    """A token bucket: `burst` at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), now

    def take(self, now: float) -> float:
        """Takes one, and tells how many seconds from now it may be used."""
        self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)
