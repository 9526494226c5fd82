"""Users' own rules: a file in the gitleaks format becomes detectors beside ours."""

from __future__ import annotations

from scanner.rules.loading import PREFIX, load_rules
from scanner.rules.rule import RuleTimeout

__all__ = ["PREFIX", "RuleTimeout", "load_rules"]
