"""`bearertrap redact -`: stdin to stdout."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from scanner.cli.redaction import Redaction
from scanner.model import USABLE_OR_UNKNOWN, Skipped, StreamId
from scanner.redaction.mask import Style

if TYPE_CHECKING:
    from detectors.detector import Kind
    from scanner.model import State
    from scanner.sinks.interface import Sink


class StreamRedaction(Redaction):
    """stdin to stdout."""

    def run(self) -> int:
        from scanner.context import FileHints
        from scanner.decoders import unplain
        from scanner.redaction.live import LiveInput
        from scanner.redaction.stream import StreamRedactor
        from scanner.redaction.warming import warm
        from scanner.run.work import scanner_for

        live = LiveInput(sys.stdin.fileno())
        out = sys.stdout.buffer
        with ExitStack() as stack:
            self.sink = self._open(stack)

            def until_usable(kind: Kind, state: State) -> None:
                """Where no one reads the findings, the exit code is all that depends on them."""
                self.summary.by_kind[kind] = 1
                if state in USABLE_OR_UNKNOWN:
                    self.usable, redactor.on_state = True, None

            scanner = scanner_for(self.scan)  # built while nothing has come yet
            stack.enter_context(live.stoppable())
            if wait := live.wait:
                warm(scanner, self.style, lambda: not wait(0.0))
            reader, packed, is_dump = unplain(live)
            if packed:
                return self._refused(packed)
            redactor = StreamRedactor(
                scanner,
                Style.DUMP if is_dump else self.style,
                on_finding=self.event if self.sink else None,
                on_state=until_usable,
                stream=StreamId("-"),
                flush=out.flush,
                hints=FileHints(zone=self.scan.zone),
            )
            outcome = redactor.run(reader, out.write)
            if outcome.trouble:
                self.event(outcome.trouble)
            self.failures, self.copies, self.changed = outcome.failures, outcome.copies, outcome.changed
            self.summary.sources, self.summary.bytes = 1, live.count
            self.summary.interrupted = live.stopped is not None
            self.finish()
        if outcome.failures:
            self.say(f"{outcome.failures} lines were replaced by a marker because of a bug of ours")
        return 128 + live.stopped if live.stopped is not None else self.code()

    def _refused(self, packed: str) -> int:
        """Secrets inside of what is compressed would pass unseen: nothing does."""
        self.event(Skipped(StreamId("-"), f"is {packed}: unpack it before, and pack what comes out", 0))
        self.finish()
        return self.code()

    def _open(self, stack: ExitStack) -> Sink | None:
        from scanner.sinks.jsonl import JsonlSink
        from scanner.sinks.output import Output

        target = self.options["findings"]
        if target is None:
            return None
        if target == "-":
            raise click.UsageError("stdout is for what is redacted: name a file for --findings")
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise click.UsageError(f"{target!r} can't be written: {os.strerror(error.errno or 0)}") from None
        file = stack.enter_context(os.fdopen(descriptor, "wb", buffering=0))
        return JsonlSink(stack.enter_context(io.BufferedWriter(Output(file, repr(target)))), live=True)
