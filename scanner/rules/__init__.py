"""Users' own rules: a file in the gitleaks format becomes detectors beside ours."""

from __future__ import annotations

from scanner.rules.loading import PREFIX, RulesFile, detectors_of, load_rules, read_rules
from scanner.rules.rule import RuleTimeout

__all__ = ["PREFIX", "RuleTimeout", "RulesFile", "detectors_of", "load_rules", "read_rules"]
