"""What a certificate as it stands in a log says: whose key it is, and how long it is valid."""

from __future__ import annotations

import warnings
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from msgspec import Struct

from scanner.evidence.jwks import PublicKey
from scanner.evidence.private_keys import KINDS, bodies

LARGEST = 16 * 1024  # bytes: what the detector takes for one certificate
LONGEST_NAME = 64  # characters of a common name (ub-common-name, RFC 5280 appendix A.1)
_BROKEN = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError)


class Certificate(Struct, frozen=True):
    """`name` is the common name of its subject, where it has a printable one."""

    public: PublicKey
    until: datetime
    name: str | None = None

    @property
    def said(self) -> str:
        """In words, whose it is and until when; begins with a blank."""
        whose = f" of {self.name}" if self.name else ""
        return f"{whose}, valid until {self.until:%Y-%m-%d}"


def certificate(value: bytes) -> Certificate | None:
    """The certificate in a PEM block, whatever a logger put between its lines; None where it can't be read. Never
    raises.
    """
    begin, end = value.find(b"CERTIFICATE"), value.rfind(b"END ")
    if len(value) > LARGEST or begin < 0 or end < begin:
        return None
    for der in bodies(value[begin + len(b"CERTIFICATE") : end].strip(b"- ")):
        try:
            with warnings.catch_warnings():  # of a serial number that is not positive: old ones are used all the same
                warnings.simplefilter("ignore")
                found = x509.load_der_x509_certificate(der)
            public = found.public_key()
            if isinstance(public, KINDS):
                return Certificate(public, found.not_valid_after_utc, _name(found))
        except _BROKEN:
            continue
    return None


def _name(found: x509.Certificate) -> str | None:
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    return name if name and len(name) <= LONGEST_NAME and name.isprintable() else None
