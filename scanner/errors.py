"""The whole tree of errors. No message ever holds scanned bytes.

BearertrapError
├── OutputError           a report or a copy can't be written              exit 2
│   └── OutputClosed      its reader went away (`| head`)                 exit 141
├── UsageError            the caller asked for something impossible        exit 2
│   └── RuleError         a user's rule can't be honoured; names the rule
└── InputError            an input can't be read whole; becomes a Skipped  exit 12
    ├── TruncatedInput    a compressed or structured input ends too early
    ├── CorruptInput      a checksum or a structure is wrong
    └── LimitExceeded     a bound on ratio, depth, members or bytes was met
"""

from __future__ import annotations


class BearertrapError(Exception):
    """Base of all errors raised on purpose."""


class UsageError(BearertrapError):
    """The caller asked for something impossible."""


class RuleError(UsageError):
    """A user's rule can't be honoured; the message names the rule."""


class OutputError(BearertrapError):
    """A report or a copy can't be written: a full disk, a missing folder."""


class OutputClosed(OutputError):
    """Whoever read the report went away: nothing is wrong, and nothing more is to be done."""


class InputError(BearertrapError):
    """An input can't be read whole. The message is the `reason` of a skipped line."""


class TruncatedInput(InputError):
    """A compressed or structured input ends before its end."""


class CorruptInput(InputError):
    """A checksum or a structure is wrong."""


class LimitExceeded(InputError):
    """A bound on ratio, depth, members or bytes was met."""
