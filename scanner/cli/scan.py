"""`bearertrap scan`: find and judge."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.issuers import ISSUERS, Named
from scanner.cli.options import (
    LIMITS,
    REPORT,
    RULES,
    SECOND,
    SETTINGS,
    VERDICT,
    WALK,
    WORK,
    Sectioned,
    limits_of,
    walk_rules_of,
)  # fmt: skip
from scanner.cli.progress import Meter
from scanner.errors import UsageError
from scanner.model import USABLE_OR_UNKNOWN, Finding, Skipped, Source, Summary
from scanner.sinks.interface import Sink

if TYPE_CHECKING:
    from scanner.allow import Tally
    from scanner.identities import Roll
    from scanner.run import Options
    from scanner.run.state import State
    from scanner.signing import SigningKeys

NOTHING, UNUSABLE, USABLE, INCOMPLETE, INTERRUPTED = 0, 10, 11, 12, 130


@click.command("scan", cls=Sectioned, context_settings=SETTINGS)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str, readable=False))
@REPORT
@VERDICT
@ISSUERS
@RULES
@SECOND
@WALK
@LIMITS
@WORK
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Find bearer tokens, JWTs, client secrets and their kin in PATHs, and judge each.

    PATH is a file, a folder (walked, hidden and binary files included) or - for stdin, which is also
    read when no PATH is given and stdin is a pipe. Compressed files are read as what they hold.

    \b
    bearertrap scan /var/log
    journalctl -o cat -f | bearertrap scan -
    bearertrap scan logs/ --at 2026-11-22T12:00:00Z -o report.sarif -o found.jsonl
    """
    ctx.exit(_Scan(paths, options).run())


class _Scan:
    """One run of the command."""

    def __init__(self, paths: tuple[str, ...], options: dict[str, Any]) -> None:
        self._paths = paths or _stdin_or_usage()
        self._options = options
        self._summary = Summary()
        self._usable = False
        self._roll: Roll

    def run(self) -> int:
        from scanner.fingerprint import key_id, load_key

        try:
            key = load_key(self._options["key_file"])
            sources = self._walked()
            named = Named(self._options)
            options = self._run_options(key, named)
            tally = self._tally(options)
            signing = self._signing(named)
            self._roll = self._empty_roll()
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        self._summary.key_id = key_id(key)
        began = time.monotonic()
        with ExitStack() as stack:
            state = self._state(options, stack)
            sinks = self._sinks(stack)
            meter = stack.enter_context(Meter(self._options["progress"], self._options["quiet"], self._summary))
            try:
                self._report(sources, options, sinks, meter, tally, state, named, signing)
            except KeyboardInterrupt:
                self._summary.interrupted = True
            self._summary.seconds = time.monotonic() - began
            self._summary.suppressed = tally.counted()
            self._summary.identities = self._roll.identities(options.as_of)
            self._summary.more_identities = self._roll.more
            for sink in sinks:
                sink.finish(self._summary)
        self._last_word(meter)
        return self._code()

    def _last_word(self, meter: Meter) -> None:
        """What was found, where no report goes to stdout: else the run ends in silence."""
        from scanner.sinks.grouped import totals

        output = self._options["output"]
        if output and "-" not in output and not self._options["format_"]:
            meter.say(f"{totals(self._summary)}; written to {', '.join(output)}")

    def _run_options(self, key: bytes, named: Named) -> Options:
        """Raises UsageError."""
        from scanner.rules import read_rules
        from scanner.run import Options
        from scanner.secondlook import Copies

        rules = read_rules(self._options["rules"], self._options["skip_rule"])
        limits = limits_of(self._options)
        given = self._options
        return Options(
            given["as_of"], key, given["leeway"], given["max_lifetime"], given["zone"], named.key_sets, limits, rules,
            copies=Copies(given["copies"]), entropy=given["entropy"], read=max(given["as_of"], datetime.now(UTC)),
        )  # fmt: skip

    def _state(self, options: Options, stack: ExitStack) -> State | None:
        if self._options["state"] is None:
            return None
        from scanner.run.state import State

        try:
            return stack.enter_context(State(self._options["state"], options))
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _tally(self, options: Options) -> Tally:
        """Raises UsageError."""
        from detectors.registry import all_detectors, on_demand
        from scanner.allow import AllowList, Tally, load_allow
        from scanner.rules import detectors_of
        from scanner.signing import DETECTOR

        path = self._options["allow"]
        if path is None:
            return Tally(AllowList(""), options.as_of)
        known = {DETECTOR, *(one.id for one in (*all_detectors(), *on_demand(), *detectors_of(options.rules)))}
        return Tally(load_allow(path, known), options.as_of)

    def _signing(self, named: Named) -> SigningKeys:
        """Raises UsageError."""
        from scanner.signing import SigningKeys

        path = self._options["weak_secrets"]
        if path is None:
            return SigningKeys(key_sets=named.key_sets)
        from scanner.evidence.weak_secrets import load

        return SigningKeys(load(path), named.key_sets)

    def _empty_roll(self) -> Roll:
        """Raises UsageError."""
        from scanner.identities import Roll
        from scanner.inventory import load_inventory

        path = self._options["inventory"]
        return Roll(None if path is None else load_inventory(path))

    def _report(
        self,
        sources: list[Source | Skipped],
        options: Options,
        sinks: list[Sink],
        meter: Meter,
        tally: Tally,
        state: State | None,
        named: Named,
        signing: SigningKeys,
    ) -> None:
        from scanner.run import run

        for sink in sinks:
            sink.begin()
        for line in tally.expired():
            meter.say(line)
        wanted = [source for source in sources if isinstance(source, Source)]
        self._summary.sources = len(wanted)
        skipped = (*named.missing, *(event for event in sources if isinstance(event, Skipped)))
        asker = named.asker
        keep = asker.keep if asker else None
        jobs = self._options["jobs"]

        def notice(text: str) -> None:
            self._summary.notices.append(text)
            meter.say(text)

        trials = signing.trial()
        found = run(
            wanted, options, jobs=jobs, progress=meter.progress, keep=keep, state=state, notice=notice, trials=trials
        )
        for event in chain(skipped, signing.watched(found, trials)):
            if isinstance(event, Finding) and tally.takes(event):
                continue
            if isinstance(event, Finding) and asker:
                event = asker.asked(event)
            self._summary.add(event)
            meter.event(event)
            for sink in sinks:
                if isinstance(event, Finding):
                    sink.finding(event)
                else:
                    sink.skipped(event)
            if isinstance(event, Finding):
                self._roll.add(event)
                self._usable = self._usable or event.verdict.state in USABLE_OR_UNKNOWN
        for text in signing.left_out:
            notice(f"signing keys: {text} were not tried")

    def _walked(self) -> list[Source | Skipped]:
        from scanner.sources import walk

        return list(walk(self._paths, walk_rules_of(self._options)))

    def _sinks(self, stack: ExitStack) -> list[Sink]:
        from scanner.sinks.registry import VIEWS, format_of, open_sink

        targets = self._targets()
        live, by = self._paths == ("-",), self._options["by"]
        try:
            if by and not any(format_of(*target, by) in VIEWS[by] for target in targets):
                raise UsageError(f"--by {by} is for reports as {' or '.join(VIEWS[by])}, and none is asked for")
            return [
                stack.enter_context(open_sink(path, format_, live=live, color=self._options["color"], by=by))
                for path, format_ in targets
            ]
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _targets(self) -> list[tuple[str, str | None]]:
        """Where reports go, each with its format, or None where the target tells it."""
        given, format_ = self._options["output"], self._options["format_"]
        twice = next((path for at, path in enumerate(given) if path in given[:at]), None)
        if twice is not None:
            raise click.UsageError(f"-o {twice} is given twice: a report would overwrite or mingle with the other")
        stdout = format_ or not given
        return [(path, None) for path in given if path != "-" or not stdout] + ([("-", format_)] if stdout else [])

    def _code(self) -> int:
        if self._summary.interrupted:
            return INTERRUPTED
        if self._summary.skipped:
            return INCOMPLETE
        if self._options["exit_zero"] or not self._summary.by_kind:
            return NOTHING
        return USABLE if self._usable else UNUSABLE


def _stdin_or_usage() -> tuple[str, ...]:
    if sys.stdin.isatty():
        raise click.UsageError("nothing to scan: name a file or a folder, or pipe something in")
    return ("-",)
