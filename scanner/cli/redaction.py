"""What a redaction of a stream or of files tells while it runs and at its end: the report, the totals, the code."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.options import limits_of
from scanner.errors import UsageError
from scanner.model import USABLE_OR_UNKNOWN, Finding, Skipped, Summary
from scanner.redaction.mask import Style

if TYPE_CHECKING:
    from scanner.sinks.interface import Sink

NOTHING, BUG, UNUSABLE, USABLE, INCOMPLETE = 0, 1, 10, 11, 12


class Redaction:
    """What both ways share: totals, the report, the last word."""

    def __init__(self, options: dict[str, Any], style: Style) -> None:
        from scanner.fingerprint import key_id, load_key
        from scanner.rules import read_rules
        from scanner.run import Options

        self.options = options
        self.style = style
        self.usable = False
        self.failures = 0
        self.values: set[str] = set()
        self.changed = self.copies = self.files = 0
        try:
            key = load_key(options["key_file"])
            rules = read_rules(options["rules"], options["skip_rule"])
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        self.scan = Options(
            options["as_of"], key, options["leeway"], options["max_lifetime"], options["zone"],
            limits=limits_of(options), rules=rules, entropy=options["entropy"],
        )  # fmt: skip
        self.summary = Summary(key_id=key_id(key))
        self.sink: Sink | None = None
        self.began = time.monotonic()

    def event(self, event: Finding | Skipped) -> None:
        self.summary.add(event)
        if isinstance(event, Finding):
            self.values.add(event.fingerprint[:16])
            self.usable = self.usable or event.verdict.state in USABLE_OR_UNKNOWN
        elif not self.options["quiet"]:
            sys.stderr.write(f"bearertrap: {event.stream.shown}: {event.reason}\n")
        if self.sink:
            if isinstance(event, Finding):
                self.sink.finding(event)
            else:
                self.sink.skipped(event)

    def finish(self) -> None:
        self.summary.seconds = time.monotonic() - self.began
        self.summary.redaction = {
            "files": self.files,
            "values": len(self.values),
            "copies": self.copies,
            "bytes_changed": self.changed,
        }
        if self.sink:
            self.sink.finish(self.summary)

    def say(self, text: str) -> None:
        if not self.options["quiet"]:
            sys.stderr.write(f"bearertrap: {text}\n")

    def code(self) -> int:
        if self.failures:
            return BUG
        if self.summary.skipped:
            return INCOMPLETE
        if self.options["exit_zero"] or not self.summary.by_kind:
            return NOTHING
        return USABLE if self.usable else UNUSABLE
