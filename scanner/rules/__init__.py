"""Users' own rules: a file in the gitleaks format becomes detectors beside ours.

What reads and runs them is imported only where there are rules: compiling its expressions would double a start.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from detectors.detector import Detector
from scanner.rules.interface import PREFIX, RulesFile, RuleTimeout

__all__ = ["PREFIX", "RuleTimeout", "RulesFile", "detectors_of", "load_rules", "read_rules"]


def read_rules(paths: Sequence[str | os.PathLike[str]], without: Iterable[str] = ()) -> tuple[RulesFile, ...]:
    """The files, read and checked. Raises UsageError where one can't be read or an id of `without` is no rule's,
    RuleError where a file or one of its rules can't be honoured, or two files use one id.
    """
    left_out = frozenset(without)
    if not paths and not left_out:
        return ()
    from scanner.rules import loading

    return loading.read_rules(paths, left_out)


def detectors_of(files: tuple[RulesFile, ...]) -> tuple[Detector, ...]:
    """The rules of the files as detectors, in order, their ids with `rule:` before them. Raises RuleError."""
    if not files:
        return ()
    from scanner.rules import loading

    return loading.detectors_of(files)


def load_rules(path: str | os.PathLike[str]) -> tuple[Detector, ...]:
    """The rules of one file as detectors. Raises UsageError and RuleError as `read_rules` does."""
    return detectors_of(read_rules([path]))
