"""`bearertrap redact PATH…`: to copies or in their place. All are scanned, then each is rewritten."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.options import walk_rules_of
from scanner.cli.redaction import Redaction
from scanner.errors import InputError, OutputError, UsageError
from scanner.model import Skipped, Source, StreamId
from scanner.redaction.mask import Style

if TYPE_CHECKING:
    from scanner.redaction.batch import Task
    from scanner.redaction.files import Done
    from scanner.redaction.leftovers import Known
    from scanner.redaction.mask import Target
    from scanner.redaction.recorded import Report
    from scanner.sinks.interface import Sink


class _Stopped(KeyboardInterrupt):
    """The process is to end: what is in the making is cleared away first."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def _stoppable() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP end the work as SIGINT does, where they are not ignored."""

    mine = os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == mine:
            raise _Stopped(number)
        signal.signal(number, signal.SIG_DFL)  # a worker of a scan, which has nothing to clear away
        os.kill(os.getpid(), number)

    heeded = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, stop)) for number in heeded]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class FilesRedaction(Redaction):
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
        known, code = Known(), 0
        with ExitStack() as stack:
            self.sink = self._open(stack)
            stack.enter_context(_stoppable())
            meter = stack.enter_context(Meter(self.options["progress"], self.options["quiet"], self.summary))
            try:
                if self._report:
                    self._compare(sources, known, self._report)
                else:
                    self._look(sources, known, meter.progress)
                self._rewrite(self._tasks(sources, places), known)
            except KeyboardInterrupt as stop:
                self.summary.interrupted = True
                code = 128 + (stop.number if isinstance(stop, _Stopped) else signal.SIGINT)
            self.finish()
        self.say(self._told())
        return code if self.summary.interrupted else self.code()

    def _walked(self) -> tuple[list[Source], list[bytes | None]]:
        from scanner.redaction.mirror import mirrored
        from scanner.sources import walk

        self._early: list[Skipped] = []
        sources: list[Source] = []
        try:
            for item in walk(self._paths, walk_rules_of(self.options)):
                if isinstance(item, Skipped):
                    self._early.append(item)
                elif item.size is None:  # a pipe or a device: reading it would take from it, or wait for ever
                    self._early.append(Skipped(StreamId(item.path), "not redacted: is no regular file; pipe it in"))
                else:
                    sources.append(item)
            if self.options["in_place"]:
                return sources, [None] * len(sources)
            return sources, [*mirrored(self._paths, sources, self.options["output"])]
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _loaded(self) -> Report | None:
        from scanner.redaction.recorded import load

        if not self.options["from_"]:
            return None
        try:
            return load(self.options["from_"], self.scan.key)
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _compare(self, sources: list[Source], known: Known, report: Report) -> None:
        """Instead of a scan: that each file is the one the report tells of. What is not is left alone."""
        from scanner.redaction.recorded import Recorded, checked

        self._begin(sources)
        self.summary.by_kind, self.summary.by_state = dict(report.by_kind), dict(report.by_state)
        self.usable = report.usable
        for source in sources:
            recorded = report.files.get(source.path, Recorded(incomplete=not self.options["verify"]))
            self.values.update(mark[:16] for mark in recorded.fingerprints())
            try:
                self._targets[source.path] = checked(source, recorded, known, self.scan)
            except (InputError, OSError) as error:
                reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
                self._broken.add(source.path)
                self.event(Skipped(StreamId(source.path), f"not redacted: {reason}"))

    def _begin(self, sources: list[Source]) -> None:
        if self.sink:
            self.sink.begin()
        self.summary.sources = len(sources)
        for skipped in self._early:
            self.event(skipped)

    def _look(self, sources: list[Source], known: Known, progress: Any) -> None:
        """Finds all there is, before anything is written."""
        from scanner.run import run

        self._begin(sources)
        for event in run(sources, self.scan, jobs=self.options["jobs"], progress=progress, keep=known.add):
            self.event(event)
            self._found.add(event.stream.path)  # or it was skipped: its own job will see whether it can be read whole
        if known.refused:
            reason = f"copies of {known.refused} more values were not looked for: there was no room for them"
            self.event(Skipped(StreamId(sources[0].path), reason))

    def _tasks(self, sources: list[Source], places: list[bytes | None]) -> list[Task]:
        from scanner.redaction.batch import Task

        tasks = []
        for source, place in zip(sources, places, strict=True):
            if source.path in self._broken:
                continue  # said already
            if place is None and source.path not in self._paths and os.path.islink(source.os_path):
                self.event(Skipped(StreamId(source.path), "is a link to a file elsewhere; name that to rewrite it"))
                continue
            tasks.append(Task(source, place, source.path in self._found, self._targets.get(source.path)))
        return tasks

    def _rewrite(self, tasks: list[Task], known: Known) -> None:
        from scanner.redaction.batch import redact_all
        from scanner.redaction.files import Settings

        for folder in {os.path.dirname(task.place) or b"." for task in tasks if task.place is not None}:
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                said = f"{os.fsdecode(folder)!r} can't be made: {os.strerror(error.errno or 0)}"
                raise OutputError(said) from None
        settings = Settings(self.scan, self.style, self.options["verify"])
        for done in redact_all(tasks, known, settings, self.options["jobs"]):
            self._done(done)
        if known.unsplit and tasks:
            reason = f"not all fragments of {known.unsplit} values were looked for: there was no room for them"
            self.event(Skipped(StreamId(tasks[0].source.path), reason))
        for replaced in self._names.values():
            left = max(names for names, _ in replaced) - len(replaced)
            if left:
                reason = f"was rewritten; {left} more names of the old file (hard links) still hold what it held"
                self.event(Skipped(StreamId(replaced[0][1]), reason))

    def _done(self, done: Done) -> None:
        self.failures += done.failures
        if done.trouble:
            self.event(done.trouble)
        if done.note:
            self.say(f"{done.path}: {done.note}")
        if done.inode:
            device, number, names = done.inode
            self._names.setdefault((device, number), []).append((names, done.path))
        if done.placed:
            self.files += 1
            self.changed += done.changed
            self.copies += done.copies

    def _open(self, stack: ExitStack) -> Sink | None:
        from scanner.sinks.registry import open_sink

        target = self.options["findings"]
        if target is None:
            return None
        try:
            return stack.enter_context(open_sink(target, "jsonl", live=False, color="never"))
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    def _told(self) -> str:
        found = sum(self.summary.by_kind.values())
        return (
            f"{found} findings of {len(self.values)} values; {self.files} of {self.summary.sources} files written, "
            f"{self.copies} further copies replaced, {self.changed} bytes changed"
        )
