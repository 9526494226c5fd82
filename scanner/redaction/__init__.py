"""Copies without the secrets: what replaces one, and where it is applied (bytes, streams, files)."""

from scanner.redaction.library import Redacted, redact, redact_stream
from scanner.redaction.log_records import RedactingFilter
from scanner.redaction.mask import Style

__all__ = ["Redacted", "RedactingFilter", "Style", "redact", "redact_stream"]
