"""Expressions that are compiled when they are first used.

There are some hundred, a scan needs few of them, and compiling all took a sixth of the time a command takes to start.
"""

from __future__ import annotations

import re
from typing import AnyStr, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "split", "sub", "subn")


class _Pattern:
    """Stands for a `re.Pattern`. Its methods are put into the slots at first use, and then cost what theirs cost."""

    __slots__ = ("_flags", "_source", *_METHODS)

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        """Called where a slot is empty still, and for what is asked seldom (`pattern`, `groups`). Raises re.error."""
        compiled = re.compile(self._source, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The expression, for the top of a module. One that is wrong says so at first use, as `re.error`."""
    return cast("re.Pattern[AnyStr]", _Pattern(source, flags))
