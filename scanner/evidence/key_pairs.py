"""What a private key is the other half of: a key of a set the user named or of a certificate found, and the keys that
signed tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from scanner.evidence.certificates import Certificate, certificate
from scanner.evidence.jose import Jws
from scanner.evidence.jwks import Jwks, PublicKey, algorithms_of
from scanner.evidence.private_keys import public_halves
from scanner.evidence.signature import verify


class Pairs:
    """Tries private keys on published keys, certificates (PEM) and tokens, `most` public key operations in all."""

    def __init__(
        self, tokens: dict[str, Jws], key_sets: Iterable[Jwks], certificates: Iterable[bytes], most: int
    ) -> None:
        self._tokens = tokens
        self._certificates: dict[tuple[object, ...], list[Certificate]] = {}
        for one in filter(None, map(certificate, certificates)):
            self._certificates.setdefault(_identity(one.public), []).append(one)
        self._published = {_identity(key.public): key for keys in key_sets for key in keys.keys}
        self._left = most
        self.exhausted = False  # not all were tried

    def of(self, private: bytes) -> Iterator[tuple[str | None, str | None, bool]]:
        """(name of the token, `kid` of the published key, whether the pair is with that key and no token)."""
        for public in public_halves(private):
            published = self._published.get(_identity(public))
            key_id = published.key_id if published else None
            if published:
                yield None, key_id, True
            fitting = [name for name, jws in self._tokens.items() if jws.algorithm in algorithms_of(public)]
            self._left -= len(fitting)
            if self._left < 0:
                self.exhausted = True
                return
            for name in fitting:
                if verify(self._tokens[name], public):
                    yield name, key_id, False

    def certificates_of(self, private: bytes) -> Iterator[Certificate]:
        """Those of the key's public half."""
        for public in public_halves(private) if self._certificates else ():
            yield from self._certificates.get(_identity(public), ())


def _identity(public: PublicKey) -> tuple[object, ...]:
    """Equal for equal keys."""
    if isinstance(public, rsa.RSAPublicKey):
        return ("RSA", public.public_numbers().n)
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        return (public.curve.name, point.x, point.y)
    return (type(public).__name__, public.public_bytes_raw())
