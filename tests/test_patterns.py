"""Expressions that wait for their first use are as good as compiled ones, and none of ours is wrong."""

from __future__ import annotations

import gc
import pkgutil
import re
from importlib import import_module

import pytest

from detectors import patterns
from detectors.patterns import pattern


def test_it_answers_as_a_compiled_one() -> None:
    waiting, compiled = pattern(rb"(?P<k>[a-z]+)=(\d+)", re.IGNORECASE), re.compile(rb"(?P<k>[a-z]+)=(\d+)", re.I)
    text = b"x A=1 b=22"
    found = waiting.search(text, 2)
    assert found is not None and found.groups() == (b"A", b"1") and found.re == compiled
    assert waiting.match(text) is None and waiting.fullmatch(text, 2, 5) is not None
    assert [m.span() for m in waiting.finditer(text)] == [m.span() for m in compiled.finditer(text)]
    assert waiting.findall(text) == compiled.findall(text)
    assert (waiting.sub(b"-", text), waiting.subn(b"-", text)) == (compiled.sub(b"-", text), compiled.subn(b"-", text))
    assert waiting.split(text) == compiled.split(text)
    assert (waiting.pattern, waiting.flags, waiting.groups) == (compiled.pattern, compiled.flags, compiled.groups)
    assert waiting.groupindex == compiled.groupindex


def test_a_wrong_one_says_so_when_it_is_used() -> None:
    with pytest.raises(re.error):
        pattern("(").match("")


def test_all_expressions_of_the_packages_compile() -> None:
    for package in ("detectors", "scanner"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    waiting = [one for one in gc.get_objects() if type(one) is patterns._Pattern]
    assert len(waiting) > 200
    for one in waiting:
        assert one.pattern is not None
