"""The public API, and nothing else. Each name is imported when it is first used: `import scanner` costs nothing.

scanner.redact(data)                 bytes without their secrets, and the findings
scanner.redact(stream, write)        a stream, likewise
scanner.RedactingFilter()            for handlers of `logging`
scanner.Style                        what replaces a secret
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.redaction import Redacted, RedactingFilter, Style, redact, redact_stream

_HOME = dict.fromkeys(("Redacted", "RedactingFilter", "Style", "redact", "redact_stream"), "scanner.redaction")

__all__ = ["Redacted", "RedactingFilter", "Style", "redact", "redact_stream"]


def __getattr__(name: str) -> object:
    """The name's value, kept for the next time. Raises AttributeError."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
