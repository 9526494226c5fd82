"""Which sink writes what, by the suffix of a file or the name of a format."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from scanner.errors import OutputError, UsageError
from scanner.sinks.interface import Sink
from scanner.sinks.jsonl import JsonlSink
from scanner.sinks.output import Output


def _jsonl(stream: BinaryIO, live: bool, _color: str) -> Sink:
    return JsonlSink(stream, live=live)


def _json(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.json import JsonSink

    return JsonSink(stream)


def _text(stream: BinaryIO, _live: bool, color: str) -> Sink:
    from scanner.sinks.text import TextSink

    return TextSink(stream, color=color == "always" or (color == "auto" and _colourful(stream)))


def _csv(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.csv import CsvSink

    return CsvSink(stream)


def _sarif(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.sarif import SarifSink

    return SarifSink(stream)


def _html(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.html import HtmlSink

    return HtmlSink(stream)


def _owners_text(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.owners import OwnersText

    return OwnersText(stream)


def _owners_json(stream: BinaryIO, _live: bool, _color: str) -> Sink:
    from scanner.sinks.owners import OwnersJson

    return OwnersJson(stream)


FORMATS: dict[str, Callable[[BinaryIO, bool, str], Sink]] = {
    "text": _text, "jsonl": _jsonl, "json": _json, "csv": _csv, "sarif": _sarif, "html": _html,
}  # fmt: skip
# By what else findings can be grouped, and the formats that show it so; other reports of the same run stay as they are.
VIEWS: dict[str, dict[str, Callable[[BinaryIO, bool, str], Sink]]] = {
    "owner": {"text": _owners_text, "json": _owners_json},
}
_ALL = f"(formats: {', '.join(FORMATS)})"
_SUFFIXES = {
    ".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv",
    ".sarif": "sarif", ".html": "html", ".htm": "html",
}  # fmt: skip


@contextmanager
def open_sink(target: str, format_: str | None, *, live: bool, color: str, by: str | None = None) -> Iterator[Sink]:
    """A sink on a file or, for `-`, on stdout. A file appears under its name only when the report is whole.

    `by`: how text and json group the findings, a key of VIEWS. Raises UsageError for an unknown format, OutputError
    where the report can't be written.
    """
    name = format_of(target, format_, by)
    made = (VIEWS[by] if by else {}).get(name, FORMATS[name])
    if target == "-":
        yield made(_output(sys.stdout.buffer, "stdout"), live, color)
        return
    with _file(target) as stream:
        yield made(stream, False, "never" if color == "auto" else color)


def format_of(target: str, format_: str | None, by: str | None = None) -> str:
    """The name of the format a report is written in. Raises UsageError where there is none."""
    name = format_ or (_of_stdout(by) if target == "-" else _of_suffix(target))
    if name not in FORMATS:
        raise UsageError(f"unknown format {name!r} {_ALL}")
    return name


def _of_stdout(by: str | None) -> str:
    return "text" if by or sys.stdout.isatty() else "jsonl"


def _of_suffix(target: str) -> str:
    suffix = os.path.splitext(target)[1].lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"the suffix of {target!r} names no format {_ALL}")
    return _SUFFIXES[suffix]


@contextmanager
def _file(target: str) -> Iterator[BinaryIO]:
    """A file that is only its owner's to read, and not there at all unless everything was written."""
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb", buffering=0) as device:  # /dev/full, /dev/fd/3: nothing to rename
            yield _output(device, repr(target))
        return
    temporary = f"{target}.{os.urandom(4).hex()}.partial"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"{target!r} can't be written: {error.strerror}") from None
    try:
        with open(descriptor, "wb") as stream:
            yield _output(stream, repr(target))
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except OSError as error:  # also where closing writes what a failure left in the buffer
        raise OutputError(f"{target!r} could not be written: {error.strerror}") from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _output(stream: BinaryIO, name: str) -> BinaryIO:
    return cast(BinaryIO, Output(stream, name))  # all of it that a sink uses


def _colourful(stream: BinaryIO) -> bool:
    """Colour where a person reads, unless they said no (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
