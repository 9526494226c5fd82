"""A rules file in the gitleaks TOML format -> detectors. What can't be honoured is an error that names the rule.

The format: https://github.com/gitleaks/gitleaks#configuration
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from detectors.detector import Anchor, Detector, Kind
from detectors.patterns import pattern
from scanner.errors import RuleError, UsageError
from scanner.rules.allowlist import Allowlist, Target
from scanner.rules.analysis import needed
from scanner.rules.expression import LONGEST, Expression
from scanner.rules.gosyntax import GoSyntaxError
from scanner.rules.interface import PREFIX, RulesFile
from scanner.rules.rule import Rule

MOST_BYTES = 8 << 20  # of a rules file; the public rule sets have 0.1 MiB
LONGEST_KEYWORD = 48  # bytes of a keyword looked for: twice that, in UTF-16, is still within a matcher's overlap

_FILE_KEYS = {"title", "description", "minversion", "rules", "allowlist", "allowlists"}
_RULE_KEYS = {
    "id", "description", "regex", "secretgroup", "entropy", "keywords", "path", "tags", "allowlist", "allowlists",
}  # fmt: skip
_ALLOWLIST_KEYS = {"description", "regexes", "regextarget", "paths", "stopwords", "condition", "targetrules"}
_CONDITIONS = {"or": False, "||": False, "and": True, "&&": True}
_KINDS = (
    ("private", Kind.PRIVATE_KEY),
    ("refresh", Kind.REFRESH_TOKEN),
    ("cookie", Kind.SESSION_COOKIE),
    ("session", Kind.SESSION_COOKIE),
    ("token", Kind.BEARER_TOKEN),
    ("bearer", Kind.BEARER_TOKEN),
    ("pat", Kind.BEARER_TOKEN),
    ("secret", Kind.CLIENT_SECRET),
    ("key", Kind.API_KEY),
)
_ID = pattern(r"[!-~]{1,100}")

Table = dict[str, Any]


def _rules(file: RulesFile) -> list[Rule]:
    """Its rules, in order. Raises RuleError, which names every rule that can't be honoured."""
    try:
        return rules_of(_table(file), file.without)
    except RuleError as error:
        raise RuleError(f"{file.name}: {error}") from None


def _ids(file: RulesFile) -> set[str]:
    """The ids that stand in it, also of rules that are left out. Its rules were read without error before."""
    return {entry["id"] for entry in _lowered(_table(file))["rules"]}


def _table(file: RulesFile) -> Table:
    try:
        return tomllib.loads(file.data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"not TOML: {error}") from None


def read_rules(paths: Iterable[str | os.PathLike[str]], without: Iterable[str] = ()) -> tuple[RulesFile, ...]:
    """The files, read and checked. Raises UsageError where one can't be read or an id of `without` is no rule's,
    RuleError where a file or one of its rules can't be honoured, or two files use one id.
    """
    left_out = frozenset(without)
    files = tuple(_read(path, left_out) for path in paths)
    detectors_of(files)
    if unknown := sorted(left_out.difference(*(_ids(file) for file in files))):
        raise UsageError(f"{unknown[0]!r} is no rule's id and cannot be left out")
    return files


def _read(path: str | os.PathLike[str], without: frozenset[str]) -> RulesFile:
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {os.strerror(error.errno or 0)}") from None
    if len(data) > MOST_BYTES:
        raise RuleError(f"{name}: larger than {MOST_BYTES >> 20} MiB")
    return RulesFile(name, data, without)


@lru_cache(maxsize=2)
def detectors_of(files: tuple[RulesFile, ...]) -> tuple[Detector, ...]:
    """The rules of the files as detectors, in order, their ids with `rule:` before them. Raises RuleError."""
    owner: dict[str, str] = {}
    found: list[Detector] = []
    for file in files:
        for rule in _rules(file):
            if rule.id in owner:
                raise RuleError(f"rule {rule.id.removeprefix(PREFIX)!r} stands in {owner[rule.id]} and in {file.name}")
            owner[rule.id] = file.name
            found.append(rule.detector(file.name))
    return tuple(found)


def rules_of(table: Table, without: Collection[str] = ()) -> list[Rule]:
    """The rules of a file's table, but those left out. Raises RuleError."""
    table = _lowered(table)
    if "extend" in table:
        raise RuleError("[extend] is not supported: the detectors here are always on; put all rules into one file")
    _only(table, _FILE_KEYS, "the file")
    entries = _tables(table.get("rules", []), "[[rules]]")
    if not entries:
        raise RuleError("no [[rules]] in it")
    ids = [_id(entry, number) for number, entry in enumerate(entries, 1)]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise RuleError(f"rule {min(twice)!r}: its id is used twice")
    shared = _shared(table, ids)
    wanted = [(one, entry) for one, entry in zip(ids, entries, strict=True) if one not in without]
    return _honoured(wanted, shared)


def _honoured(entries: list[tuple[str, Table]], shared: dict[str, list[Allowlist]]) -> list[Rule]:
    """All of them, or one RuleError that says of each refused one why, so that a file is mended in one go."""
    rules, refused = [], []
    for one, entry in entries:
        try:
            rules.append(_rule(one, entry, shared[one]))
        except RuleError as error:
            refused.append(str(error))
    if refused:
        raise RuleError("; ".join(refused))
    return rules


def _shared(table: Table, ids: list[str]) -> dict[str, list[Allowlist]]:
    """The allowlists of the file for each rule: those with targetRules for these, others for all."""
    shared: dict[str, list[Allowlist]] = {one: [] for one in ids}
    for entry in _allowlist_tables(table, "the file"):
        targets = _texts(entry, "targetrules", "a global allowlist") or ids
        for target in targets:
            if target not in shared:
                raise RuleError(f"a global allowlist: targetRules names {target!r}, which is no rule of the file")
        allowlist = _allowlist(entry, "a global allowlist")
        for target in dict.fromkeys(targets):
            shared[target].append(allowlist)
    return shared


def _id(entry: Table, number: int) -> str:
    value = entry.get("id")
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise RuleError(f"rule number {number}: needs an id of 1 to 100 visible ASCII characters")
    return value


def _rule(name: str, entry: Table, shared: list[Allowlist]) -> Rule:
    where = f"rule {name!r}"
    _only(entry, _RULE_KEYS, where)
    source = entry.get("regex")
    if not source:
        raise RuleError(f"{where}: has no regex; a rule on paths alone is not supported")
    allowlists = (*_own(entry, where), *shared)
    by_groups = all(one.target != Target.MATCH for one in allowlists)
    expression = _expression(source, where, "regex", groups_only=by_groups)
    group = entry.get("secretgroup", 0)
    if not _is_count(group) or group > expression.groups:
        raise RuleError(f"{where}: secretGroup must be a group of the regex, which has {expression.groups}")
    entropy = entry.get("entropy", 0)
    if isinstance(entropy, bool) or not isinstance(entropy, int | float) or not 0 <= entropy <= 8:
        raise RuleError(f"{where}: entropy must be a number of bits per character, 0 to 8")
    path = entry.get("path")
    return Rule(
        id=PREFIX + name,
        title=str(entry.get("description") or name),
        kind=_kind([name, *_texts(entry, "tags", where)]),
        regex=expression,
        anchors=_anchors(_texts(entry, "keywords", where), expression, where),
        secret_group=group,
        entropy=float(entropy) or None,
        path=_expression(path, where, "path") if path else None,
        allowlists=allowlists,
    )


def _own(entry: Table, where: str) -> list[Allowlist]:
    tables = _allowlist_tables(entry, where)
    if any("targetrules" in table for table in tables):
        raise RuleError(f"{where}: targetRules belongs to an allowlist of the file, not of a rule")
    return [_allowlist(table, f"{where}: its allowlist") for table in tables]


def _anchors(keywords: list[str], expression: Expression, where: str) -> tuple[Anchor, ...]:
    """Keywords are looked for in any case, as gitleaks does; else what each match must hold."""
    if keywords:
        if any(len(word.strip()) < 2 for word in keywords):
            raise RuleError(f"{where}: a keyword needs two characters at least: shorter ones stand everywhere")
        words = [word.encode().lower()[:LONGEST_KEYWORD] for word in keywords]
        return tuple(Anchor(word, caseless=True) for word in dict.fromkeys(words))
    literals = needed(expression.node)
    if not literals:
        raise RuleError(f"{where}: no text of three bytes or more is part of each match; add keywords")
    ordered = sorted((one.data[:LONGEST_KEYWORD], one.fold) for one in literals)
    return tuple(Anchor(data, caseless=fold) for data, fold in dict.fromkeys(ordered))


def _kind(names: list[str]) -> Kind:
    """What the id's words say, else the tags'."""
    for name in names:
        words = set(re.split(r"[^a-z]+", name.lower()))
        for word, kind in _KINDS:
            if word in words or word + "s" in words:
                return kind
    return Kind.API_KEY


def _allowlist_tables(table: Table, where: str) -> list[Table]:
    """Those of the list and the older single one."""
    single = table.get("allowlist", [])
    single = [single] if isinstance(single, dict) else single
    return [*_tables(table.get("allowlists", []), f"{where}: allowlists"), *_tables(single, f"{where}: allowlist")]


def _allowlist(entry: Table, where: str) -> Allowlist:
    if "commits" in entry:
        raise RuleError(f"{where}: commits: there are none in logs")
    _only(entry, _ALLOWLIST_KEYS, where)
    target = str(entry.get("regextarget") or "secret").lower()
    if target not in set(Target):
        raise RuleError(f"{where}: regexTarget must be secret, match or line")
    condition = str(entry.get("condition") or "or").lower()
    if condition not in _CONDITIONS:
        raise RuleError(f"{where}: condition must be OR or AND")
    allowlist = Allowlist(
        regexes=tuple(_expression(one, where, "regexes") for one in _texts(entry, "regexes", where)),
        target=Target(target),
        paths=tuple(_expression(one, where, "paths") for one in _texts(entry, "paths", where)),
        stopwords=tuple(one.lower().encode() for one in _texts(entry, "stopwords", where)),
        every=_CONDITIONS[condition],
    )
    if not (allowlist.regexes or allowlist.paths or allowlist.stopwords):
        raise RuleError(f"{where}: has neither regexes nor paths nor stopwords, and would let nothing pass")
    if b"" in allowlist.stopwords:
        raise RuleError(f"{where}: an empty stopword would let everything pass")
    return allowlist


def _expression(source: object, where: str, key: str, *, groups_only: bool = False) -> Expression:
    if not isinstance(source, str) or len(source) > LONGEST:
        raise RuleError(f"{where}: {key} must be text of at most {LONGEST:,} characters")
    try:
        return Expression(source, groups_only=groups_only)
    except GoSyntaxError as error:
        raise RuleError(f"{where}: {key}: {error}") from None


def _lowered(table: Table) -> Table:
    """Keys in lower case, all the way down: gitleaks reads them in any case."""
    return {key.lower(): _lowered_value(value) for key, value in table.items()}


def _lowered_value(value: object) -> object:
    if isinstance(value, dict):
        return _lowered(value)
    return [_lowered_value(one) for one in value] if isinstance(value, list) else value


def _only(table: Table, known: Iterable[str], where: str) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise RuleError(f"{where}: {', '.join(unknown)} is not supported")


def _tables(value: object, where: str) -> list[Table]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RuleError(f"{where}: must be a list of tables")
    return value


def _texts(table: Table, key: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RuleError(f"{where}: {key} must be a list of texts")
    return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
