"""Events as bytes and back: on their way out of a worker process, and in the state file of a sweep.

JSON arrays in the order of the dataclasses' own fields. Half the size of pickle and as fast, and where pickle would run
what a stranger wrote into a state file, this can make nothing but events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from scanner.model import Finding, Skipped

Change = Callable[[Any], Any]


def pack(events: Iterable[Finding | Skipped]) -> bytes:
    """The events as one JSON array. Raises TypeError where a text is no Unicode, which is a bug of its maker."""
    found, skipped = _form(Finding), _form(Skipped)
    return orjson.dumps([found.row(event) if isinstance(event, Finding) else skipped.row(event) for event in events])


def unpack(data: bytes, lines: int = 0, columns: int = 0) -> Iterator[Finding | Skipped]:
    """The events that were packed, `lines` further down, and those of the first line `columns` further right.

    Raises ValueError, TypeError or KeyError where they were not packed by `pack` of this version.
    """
    found, skipped = _form(Finding), _form(Skipped)
    line, column = found.names.index("line"), found.names.index("column")
    for row in orjson.loads(data):
        if len(row) == len(skipped.names):
            yield skipped.made(row)
            continue
        if row[line] is not None:
            row[column] += columns if row[line] == 1 else 0
            row[line] += lines
        yield found.made(row)


class _Form:
    """A dataclass as a row: its fields in order, and what is to be done with those that JSON has no type for."""

    def __init__(self, kind: type) -> None:
        hints = get_type_hints(kind)
        self._kind = kind
        self.names = [field.name for field in fields(kind)]
        self._get = attrgetter(*self.names)
        self._out: list[tuple[int, Change]] = []
        self._in: list[tuple[int, Change]] = []
        for place, name in enumerate(self.names):
            change_out, change_in = _changes(hints[name])
            if change_out:
                self._out.append((place, change_out))
            if change_in:
                self._in.append((place, change_in))

    def row(self, value: object) -> list[Any]:
        row = list(self._get(value))
        for place, change in self._out:
            row[place] = change(row[place])
        return row

    def made(self, row: list[Any]) -> Any:
        for place, change in self._in:
            if row[place] is not None:
                row[place] = change(row[place])
        return self._kind(*row)


@lru_cache
def _form(kind: type) -> _Form:
    return _Form(kind)


def _changes(hint: Any) -> tuple[Change | None, Change | None]:
    """What makes a value of a type fit for JSON (where orjson does not know it), and what makes it one again."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not NoneType) if NoneType in get_args(hint) else (object,)
    if get_origin(hint) is tuple:
        outward, inward = _changes(get_args(hint)[0])
        out = None if outward is None else lambda values: [outward(value) for value in values]
        return out, tuple if inward is None else lambda values: tuple([inward(value) for value in values])
    if is_dataclass(hint) and isinstance(hint, type):
        form = _form(hint)
        return form.row, form.made
    if isinstance(hint, type) and issubclass(hint, Enum):
        return None, {one.value: one for one in hint}.__getitem__
    return (None, _moment) if hint is datetime else (None, None)


@lru_cache(maxsize=4096)  # many findings of one second, all of one `as_of`
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
