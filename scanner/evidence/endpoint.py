"""Addresses of issuers: only those the user named; https, or http to this machine; private ones only when said so."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from scanner.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Endpoint(Struct, frozen=True):
    """An address the user named, checked when it was named. `private`: it may lie in a private network."""

    url: str
    scheme: str
    host: str
    port: int
    target: str  # path and query
    private: bool = False

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def endpoint(url: str, *, private: bool = False) -> Endpoint:
    """Checks an address of the user's. Raises UsageError for all but https, and http to a loopback address.

    A literal address is named by being written; a name that may lead to a private network needs `private`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("an address of an issuer is no URL") from None
    host = (parts.hostname or "").lower()
    _refuse_odd(url, parts, host)
    literal = literal_address(host)
    local = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise UsageError(f"{host}: only https is used, or http to this machine (localhost)")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = 443 if parts.scheme == "https" else 80
    return Endpoint(url, parts.scheme, host, port or default, target, private or local or literal is not None)


def _refuse_odd(url: str, parts: SplitResult, host: str) -> None:
    if not host or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise UsageError("an address of an issuer has no host or holds blanks or characters beyond ASCII")
    if "@" in parts.netloc:
        raise UsageError(f"{host}: credentials in an address end up in logs; give them by environment or file")
    if parts.fragment:
        raise UsageError(f"{host}: an address with a fragment (#) cannot be asked")


def literal_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether the address, and the one of IPv4 it may carry inside, is reachable from anywhere."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
