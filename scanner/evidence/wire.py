"""A connection that ends at its deadline.

The address is looked up once, judged, and then connected to, so that a second look-up can't answer differently. Every
wait counts against one deadline, since a timeout per read lets a server drip a byte at a time for ever.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable

from scanner.evidence.endpoint import Address, Endpoint, is_public, literal_address


class FetchFailed(Exception):
    """No usable answer. The message is a reason for a person and holds no byte of request or answer."""


class Wire:
    """A connected socket, in as much of a socket's clothes as http.client needs."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Sends, until the deadline. Raises TimeoutError then."""
        self._socket.settimeout(_left(self._deadline))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What is received, until the deadline."""
        return io.BufferedReader(_Received(self._socket, self._deadline))

    def close(self) -> None:
        """Nothing yet: http.client closes its connection before the answer is read."""

    def release(self) -> None:
        """Closes the connection."""
        self._socket.close()


class _Received(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv_into(buffer)


def connect(to: Endpoint, until: float, deadline: float, tls: Callable[[], ssl.SSLContext]) -> Wire:
    """Connects by `until`, for talk until `deadline` (both of time.monotonic).

    Raises FetchFailed for an address that may not be asked, OSError (TimeoutError, ssl.SSLError) for what goes wrong.
    """
    addresses = _looked_up(to, until)
    for address in addresses:
        if not to.private and not is_public(address):
            raise FetchFailed(f"{to.host} lies in a private network, which was not allowed for it")
        if to.scheme == "http" and not address.is_loopback:
            raise FetchFailed(f"{to.host} is not this machine; only https goes elsewhere")
    plain = _first_connection(addresses, to.port, until)
    try:
        plain.settimeout(_left(until))
        return Wire(tls().wrap_socket(plain, server_hostname=to.host) if to.scheme == "https" else plain, deadline)
    except BaseException:
        plain.close()
        raise


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _looked_up(to: Endpoint, until: float) -> list[Address]:
    """The addresses of a host. The look-up has no timeout of its own, so it is left alone when time is up."""
    literal = literal_address(to.host)
    if literal is not None:
        return [literal]
    found: list[Address] = []
    failed: list[OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(_left(until))
    if thread.is_alive():
        raise TimeoutError
    if failed or not found:
        raise FetchFailed(f"the name {to.host} is not known")
    return found


def _first_connection(addresses: list[Address], port: int, until: float) -> socket.socket:
    """To the first address that answers. They share the time there is, so that one that is dead leaves some."""
    last: OSError = TimeoutError()
    for number, address in enumerate(addresses):
        try:
            return socket.create_connection((str(address), port), _left(until) / (len(addresses) - number))
        except OSError as error:
            last = error
    raise last
