"""`bearertrap redact`: the same text without its secrets."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.options import (
    LIMITS,
    OWN_RULES,
    SETTINGS,
    VERDICT,
    WALK,
    WORK_ANEW,
    Sectioned,
    limits_of,
    option,
    section,
)  # fmt: skip
from scanner.errors import InputError, OutputError, UsageError
from scanner.model import USABLE_OR_UNKNOWN, Finding, Skipped, Source, StreamId, Summary
from scanner.redaction.mask import Style

if TYPE_CHECKING:
    from detectors.detector import Kind
    from scanner.model import State
    from scanner.redaction.batch import Task
    from scanner.redaction.files import Done
    from scanner.redaction.leftovers import Known
    from scanner.redaction.mask import Target
    from scanner.redaction.recorded import Report
    from scanner.sinks.interface import Sink

NOTHING, BUG, UNUSABLE, USABLE, INCOMPLETE, INTERRUPTED = 0, 1, 10, 11, 12, 130

TARGET = section(
    "Output",
    option("-o", "--output", metavar="DIR", help="Write redacted copies below DIR, which mirrors the tree."),
    option("--in-place", is_flag=True, help="Replace each file by its redacted copy, at once and whole."),
    option(
        "--from", "from_", metavar="FINDINGS",
        help="Apply what an earlier scan found (its JSON Lines), to files that still are what it scanned.",
    ),
    option("--findings", metavar="FILE", help="Write what was found as JSON Lines, live for a stream."),
    option(
        "--verify/--no-verify", default=True, show_default=True,
        help="Scan each result once more before it is placed; what holds a secret is not.",
    ),
    option("--exit-zero", is_flag=True, help="Exit 0 even with findings."),
)  # fmt: skip

STYLE = section(
    "Replacement",
    option(
        "--mask", type=click.Choice(["label", "equal-length"]), default="label", show_default=True,
        help="[REDACTED:kind:fingerprint], or stars of the same length.",
    ),
    option("--keep-claims", is_flag=True, help="Of a JWT take the signature only: its claims can still be read."),
    option("--pseudonym", is_flag=True, help="REDACTED-fingerprint: the same secret, the same placeholder."),
)  # fmt: skip


@click.command("redact", cls=Sectioned, context_settings=SETTINGS)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@TARGET
@STYLE
@VERDICT
@OWN_RULES
@WALK
@LIMITS
@WORK_ANEW
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Rewrite PATHs, or stdin to stdout, without bearer tokens, JWTs, client secrets and their kin.

    Line in, line out: what is no secret stays as it was, JSON stays JSON, compressed files come back
    compressed in kind. On a failure of ours a line is replaced by a marker, never passed in clear.

    \b
    app | bearertrap redact - | shipper
    bearertrap redact logs/ -o /safe/copy
    bearertrap redact --in-place --mask equal-length app.log.1.gz
    """
    style = _style(options)
    if options["from_"]:
        if "-" in paths:
            raise click.UsageError("--from is for files")
    elif not paths and sys.stdin.isatty():
        raise click.UsageError("nothing to redact: name a file or a folder, or pipe something in")
    if not options["from_"] and (not paths or "-" in paths):
        if len(paths) > 1 or options["output"] or options["in_place"]:
            raise click.UsageError("stdin goes to stdout: name no other PATH, and neither -o nor --in-place")
        ctx.exit(_Stream(options, style).run())
    if bool(options["output"]) == options["in_place"]:
        raise click.UsageError("say where the result goes: -o DIR or --in-place")
    ctx.exit(_Files(paths, options, style).run())


def _style(options: dict[str, Any]) -> Style:
    equal_length, claims, pseudonym = options["mask"] == "equal-length", options["keep_claims"], options["pseudonym"]
    if equal_length and pseudonym:
        raise click.UsageError("only one of --mask equal-length and --pseudonym")
    if equal_length:
        return Style.CLAIMS_EQUAL_LENGTH if claims else Style.EQUAL_LENGTH
    if pseudonym:
        return Style.CLAIMS_PSEUDONYM if claims else Style.PSEUDONYM
    return Style.KEEP_CLAIMS if claims else Style.LABEL


class _Redaction:
    """What both ways share: totals, the report, the last word."""

    def __init__(self, options: dict[str, Any], style: Style) -> None:
        from scanner.fingerprint import key_id, load_key
        from scanner.rules import read_rules
        from scanner.run import Options

        self._options = options
        self._style = style
        self._usable = False
        self._failures = 0
        self._values: set[str] = set()
        self._changed = self._copies = self._files = 0
        try:
            key = load_key(options["key_file"])
            rules = read_rules(options["rules"], options["skip_rule"])
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        self._scan = Options(
            options["as_of"], key, options["leeway"], options["max_lifetime"], options["zone"],
            limits=limits_of(options), rules=rules, entropy=options["entropy"],
        )  # fmt: skip
        self._summary = Summary(key_id=key_id(key))
        self._sink: Sink | None = None
        self._began = time.monotonic()

    def _event(self, event: Finding | Skipped) -> None:
        self._summary.add(event)
        if isinstance(event, Finding):
            self._values.add(event.fingerprint[:16])
            self._usable = self._usable or event.verdict.state in USABLE_OR_UNKNOWN
        elif not self._options["quiet"]:
            where = "/".join((event.stream.path, *event.stream.layers))
            sys.stderr.write(f"bearertrap: {where}: {event.reason}\n")
        if self._sink:
            if isinstance(event, Finding):
                self._sink.finding(event)
            else:
                self._sink.skipped(event)

    def _finish(self) -> None:
        self._summary.seconds = time.monotonic() - self._began
        self._summary.redaction = {
            "files": self._files,
            "values": len(self._values),
            "copies": self._copies,
            "bytes_changed": self._changed,
        }
        if self._sink:
            self._sink.finish(self._summary)

    def _say(self, text: str) -> None:
        if not self._options["quiet"]:
            sys.stderr.write(f"bearertrap: {text}\n")

    def _code(self) -> int:
        if self._failures:
            return BUG
        if self._summary.skipped:
            return INCOMPLETE
        if self._options["exit_zero"] or not self._summary.by_kind:
            return NOTHING
        return USABLE if self._usable else UNUSABLE


class _Stream(_Redaction):
    """stdin to stdout."""

    def run(self) -> int:
        from scanner.context import FileHints
        from scanner.decoders import unplain
        from scanner.redaction.live import LiveInput
        from scanner.redaction.stream import StreamRedactor
        from scanner.run.work import scanner_for

        live = LiveInput(sys.stdin.fileno())
        out = sys.stdout.buffer
        with ExitStack() as stack:
            self._sink = self._open(stack)

            def until_usable(kind: Kind, state: State) -> None:
                """Where no one reads the findings, the exit code is all that depends on them."""
                self._summary.by_kind[kind] = 1
                if state in USABLE_OR_UNKNOWN:
                    self._usable, redactor.on_state = True, None

            scanner = scanner_for(self._scan)  # built while nothing has come yet
            stack.enter_context(live.stoppable())
            reader, packed, is_dump = unplain(live)
            if packed:
                return self._refused(packed)
            redactor = StreamRedactor(
                scanner,
                Style.DUMP if is_dump else self._style,
                on_finding=self._event if self._sink else None,
                on_state=until_usable,
                stream=StreamId("-"),
                flush=out.flush,
                hints=FileHints(zone=self._scan.zone),
            )
            try:
                outcome = redactor.run(reader, out.write)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise OutputError(f"stdout can't be written: {os.strerror(error.errno or 0)}") from None
            if outcome.trouble:
                self._event(outcome.trouble)
            self._failures, self._copies, self._changed = outcome.failures, outcome.copies, outcome.changed
            self._summary.sources, self._summary.bytes = 1, live.count
            self._summary.interrupted = live.stopped is not None
            self._finish()
        if outcome.failures:
            self._say(f"{outcome.failures} lines were replaced by a marker because of a bug of ours")
        return 128 + live.stopped if live.stopped is not None else self._code()

    def _refused(self, packed: str) -> int:
        """Secrets inside of what is compressed would pass unseen: nothing does."""
        self._event(Skipped(StreamId("-"), f"is {packed}: unpack it before, and pack what comes out", 0))
        self._finish()
        return self._code()

    def _open(self, stack: ExitStack) -> Sink | None:
        from scanner.sinks.jsonl import JsonlSink

        target = self._options["findings"]
        if target is None:
            return None
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise click.UsageError(f"{target!r} can't be written: {os.strerror(error.errno or 0)}") from None
        return JsonlSink(stack.enter_context(open(descriptor, "wb")), live=True)


class _Files(_Redaction):
    """PATHs to copies or in their place: all are scanned, then each is rewritten."""

    def __init__(self, paths: tuple[str, ...], options: dict[str, Any], style: Style) -> None:
        super().__init__(options, style)
        self._paths = paths
        self._report = self._loaded()
        if self._report and not paths:
            self._paths = tuple(self._report.files)
        self._found: set[str] = set()
        self._broken: set[str] = set()
        self._targets: dict[str, dict[int, list[Target]]] = {}  # what a report says of each file, by stream
        self._names: dict[tuple[int, int], list[tuple[int, str]]] = {}  # of files replaced: names they had, paths

    def run(self) -> int:
        from scanner.cli.progress import Meter
        from scanner.redaction.leftovers import Known

        sources, places = self._walked()
        known = Known()
        with ExitStack() as stack:
            self._sink = self._open(stack)
            meter = stack.enter_context(Meter(self._options["progress"], self._options["quiet"], self._summary))
            try:
                if self._report:
                    self._compare(sources, known, self._report)
                else:
                    self._look(sources, known, meter.progress)
                self._rewrite(self._tasks(sources, places), known)
            except KeyboardInterrupt:
                self._summary.interrupted = True
            self._finish()
        self._say(self._told())
        return INTERRUPTED if self._summary.interrupted else self._code()

    def _walked(self) -> tuple[list[Source], list[bytes | None]]:
        from scanner.redaction.mirror import mirrored
        from scanner.sources import walk

        self._early: list[Skipped] = []
        sources: list[Source] = []
        try:
            for item in walk(self._paths, _rules(self._options)):
                if isinstance(item, Source):
                    sources.append(item)
                else:
                    self._early.append(item)
            if self._options["in_place"]:
                return sources, [None] * len(sources)
            return sources, [*mirrored(self._paths, sources, self._options["output"])]
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _loaded(self) -> Report | None:
        from scanner.redaction.recorded import load

        if not self._options["from_"]:
            return None
        try:
            return load(self._options["from_"], self._scan.key)
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _compare(self, sources: list[Source], known: Known, report: Report) -> None:
        """Instead of a scan: that each file is the one the report tells of. What is not is left alone."""
        from scanner.redaction.recorded import Recorded, checked

        self._begin(sources)
        self._summary.by_kind, self._summary.by_state = dict(report.by_kind), dict(report.by_state)
        self._usable = report.usable
        for source in sources:
            recorded = report.files.get(source.path, Recorded(incomplete=not self._options["verify"]))
            self._values.update(mark[:16] for mark in recorded.fingerprints())
            try:
                self._targets[source.path] = checked(source, recorded, known, self._scan)
            except (InputError, OSError) as error:
                reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
                self._broken.add(source.path)
                self._event(Skipped(StreamId(source.path), f"not redacted: {reason}"))

    def _begin(self, sources: list[Source]) -> None:
        if self._sink:
            self._sink.begin()
        self._summary.sources = len(sources)
        for skipped in self._early:
            self._event(skipped)

    def _look(self, sources: list[Source], known: Known, progress: Any) -> None:
        """Finds all there is, before anything is written."""
        from scanner.run import run

        self._begin(sources)
        for event in run(sources, self._scan, jobs=self._options["jobs"], progress=progress, keep=known.add):
            self._event(event)
            self._found.add(event.stream.path)  # or it was skipped: its own job will see whether it can be read whole
        if known.refused:
            reason = f"copies of {known.refused} more values were not looked for: there was no room for them"
            self._event(Skipped(StreamId(sources[0].path), reason))

    def _tasks(self, sources: list[Source], places: list[bytes | None]) -> list[Task]:
        from scanner.redaction.batch import Task

        tasks = []
        for source, place in zip(sources, places, strict=True):
            if source.path in self._broken:
                continue  # said already
            if place is None and source.path not in self._paths and os.path.islink(source.os_path):
                self._event(Skipped(StreamId(source.path), "is a link to a file elsewhere; name that to rewrite it"))
                continue
            tasks.append(Task(source, place, source.path in self._found, self._targets.get(source.path)))
        return tasks

    def _rewrite(self, tasks: list[Task], known: Known) -> None:
        from scanner.redaction.batch import redact_all
        from scanner.redaction.files import Settings

        for task in tasks:
            if task.place is not None:
                os.makedirs(os.path.dirname(task.place) or b".", exist_ok=True)
        settings = Settings(self._scan, self._style, self._options["verify"])
        for done in redact_all(tasks, known, settings, self._options["jobs"]):
            self._done(done)
        if known.unsplit and tasks:
            reason = f"not all fragments of {known.unsplit} values were looked for: there was no room for them"
            self._event(Skipped(StreamId(tasks[0].source.path), reason))
        for replaced in self._names.values():
            left = max(names for names, _ in replaced) - len(replaced)
            if left:
                reason = f"was rewritten; {left} more names of the old file (hard links) still hold what it held"
                self._event(Skipped(StreamId(replaced[0][1]), reason))

    def _done(self, done: Done) -> None:
        self._failures += done.failures
        if done.trouble:
            self._event(done.trouble)
        if done.note:
            self._say(f"{done.path}: {done.note}")
        if done.inode:
            device, number, names = done.inode
            self._names.setdefault((device, number), []).append((names, done.path))
        if done.placed:
            self._files += 1
            self._changed += done.changed
            self._copies += done.copies

    def _open(self, stack: ExitStack) -> Sink | None:
        from scanner.sinks.registry import open_sink

        target = self._options["findings"]
        if target is None:
            return None
        try:
            return stack.enter_context(open_sink(target, "jsonl", live=False, color="never"))
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _told(self) -> str:
        found = sum(self._summary.by_kind.values())
        return (
            f"{found} findings of {len(self._values)} values; {self._files} of {self._summary.sources} files written, "
            f"{self._copies} further copies replaced, {self._changed} bytes changed"
        )


def _rules(options: dict[str, Any]) -> Any:
    from scanner.sources import WalkRules

    return WalkRules(
        include=options["include"],
        exclude=options["exclude"],
        newer=None if options["newer"] is None else options["newer"].timestamp(),
        max_size=options["max_size"],
        one_file_system=options["one_file_system"],
    )
