"""For Python's `logging`: a filter that takes the secrets out of records before a handler sees them."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

from scanner.fingerprint import load_key
from scanner.redaction.copying import MARKER
from scanner.redaction.library import redacted_text
from scanner.redaction.mask import Style

_OWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None)))  # what each record has; all else is the caller's
_NAMES = frozenset({"name", "threadName", "processName", "taskName"})  # of these, what a caller may have made up
_KEPT = (_OWN | {"taskName"}) - _NAMES
_BETWEEN = "\n\x1e\n"  # the record separator of ASCII, alone on its line, stands between the texts of a record
_PLAIN = logging.LogRecord.getMessage


class RedactingFilter(logging.Filter):
    """Takes the secrets out of log records, before a handler sees them. Add it to each handler.

    The message is formatted here (args included), then redacted; so are the texts of exception and stack, and what
    `extra` or a subclass added, in whatever depth. A value that one of them names is masked also where it stands
    bare behind it. A message that is a mapping stays one. Fails closed: a record that can't be worked on is replaced by
    a marker.
    """

    def __init__(self, *, style: Style = Style.LABEL, key: bytes | None = None) -> None:
        super().__init__()
        self._style = style
        self._key = load_key() if key is None else key

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: records are changed, never dropped."""
        try:
            self._take(record)
        except Exception:
            _blank(record)
        return True

    def _take(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _KEPT}
        if isinstance(record.msg, Mapping) and not record.args:
            fields["msg"] = dict(record.msg)
            message = ""
        else:
            message = record.getMessage()
        exception = record.exc_text or ""
        if record.exc_info and not exception:
            exception = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        said = _json(fields)
        texts = [message, exception, record.stack_info or "", said]
        message, exception, stack, told = self._clean(texts)
        if type(record).getMessage is not _PLAIN:
            record.__class__ = logging.LogRecord  # its own way to make a message of args was gone already
        record.msg, record.args = message, ()
        record.exc_text, record.stack_info, record.exc_info = exception or None, stack or None, None
        vars(record).update(_changed(fields, said, told))

    def _clean(self, texts: list[str]) -> list[str]:
        if any(_BETWEEN in text for text in texts):
            return [redacted_text(text, self._style, self._key) for text in texts]
        clean = redacted_text(_BETWEEN.join(texts), self._style, self._key).split(_BETWEEN)
        if len(clean) != len(texts):
            raise ValueError("the texts of the record can't be told apart any more")
        return clean


def _json(fields: Mapping[str, Any]) -> str:
    """One line a field, so that no field's value is taken for another's. Raises what the values' `str` raises."""
    return "\n".join(_line(name, value) for name, value in fields.items())


def _line(name: str, value: Any) -> str:
    try:
        return json.dumps({name: value}, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, an object that holds itself
        return json.dumps({name: str(value)}, ensure_ascii=False)


def _changed(fields: Mapping[str, Any], said: str, told: str) -> dict[str, Any]:
    """The fields that are to be replaced; a message that is a mapping is one of them in any case."""
    before, after = said.split("\n"), told.split("\n")
    if said and len(before) != len(after):
        raise ValueError("the fields of the record can't be told apart any more")
    made = {"msg": fields["msg"]} if "msg" in fields else {}
    for name, old, new in zip(fields, before, after, strict=False):
        if old != new:
            made[name] = json.loads(new)[name]
    return made


def _blank(record: logging.LogRecord) -> None:
    """Nothing of it stays but where and when it was logged."""
    if type(record).getMessage is not _PLAIN:
        record.__class__ = logging.LogRecord
    record.msg, record.args = MARKER.decode(), ()
    record.exc_info = record.exc_text = record.stack_info = None
    for name in vars(record).keys() - _KEPT:
        setattr(record, name, MARKER.decode())
