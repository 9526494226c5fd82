"""One file -> the same file without its secrets, proven before anyone sees it.

Written in rounds: first what a detector finds is replaced, then what is left of the values the run knows; then the
result is looked at again. What a match had hidden shows when that match is gone. Only what nothing is found in is
placed. A file may unfold to many streams, which are told apart by their number.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack

from msgspec import Struct
from msgspec.structs import replace

from scanner.context import FileHints
from scanner.decoders import open_source
from scanner.decoders.interface import Reader, Stream
from scanner.errors import InputError, OutputError
from scanner.model import Skipped, Source, StreamId
from scanner.pipeline import Scanner
from scanner.redaction.copying import Cuts, Write
from scanner.redaction.drafts import Draft, Original, like
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Style, Target
from scanner.redaction.remaking import Outputs, Refused, remade
from scanner.redaction.rewriting import rewrite
from scanner.redaction.stream import Outcome, StreamRedactor
from scanner.run import Options
from scanner.run.work import scanner_for

ROUNDS = 5  # looks at a result before it is given up: each round removes what the one before had hidden


class Settings(Struct, frozen=True):
    """How files are redacted. Picklable."""

    options: Options
    style: Style = Style.LABEL
    verify: bool = True


class Done(Struct):
    """What became of one file."""

    path: str
    changed: int = 0  # bytes of its (decoded) content that were replaced
    copies: int = 0  # of known values, and fragments, beside the findings
    placed: bool = False  # a file was written
    failures: int = 0  # lines replaced by a marker because of a bug of ours
    trouble: Skipped | None = None  # why nothing was written, or what there is to say of what was
    note: str | None = None  # for people
    inode: tuple[int, int, int] | None = None  # of a file replaced: device, number, and how many names it had


def redact_file(
    source: Source,
    place: bytes | None,
    known: Known,
    settings: Settings,
    *,
    found: bool = True,
    recorded: Mapping[int, Iterable[Target]] | None = None,
) -> Done:
    """Writes the redacted file to `place`, or in its own place for None. Errors become `Done.trouble`.

    `found`: whether a detector is to look for more than the known values. `recorded`: what to replace in the first
    round instead, in order, by the number of the stream.
    """
    done = Done(source.path)
    try:
        with ExitStack() as stack:
            original = stack.enter_context(Original(source.os_path))
            if not stat.S_ISREG(original.status.st_mode):
                raise Refused("is no regular file; pipe it in")
            job = _Job(source, original, place, known, settings, stack, done)
            job.run(found, recorded)
    except Refused as error:
        done.trouble = Skipped(StreamId(source.path, error.layers), f"not redacted: {error}")
    except (InputError, OutputError) as error:
        done.trouble = Skipped(StreamId(source.path), f"not redacted: {error}")
    except OSError as error:
        done.trouble = Skipped(StreamId(source.path), f"not redacted: {os.strerror(error.errno or 0)}")
    return done


class _Job:
    """One file in work. `_at` is what the next round reads: the original, then draft after draft."""

    def __init__(
        self,
        source: Source,
        original: Original,
        place: bytes | None,
        known: Known,
        settings: Settings,
        stack: ExitStack,
        done: Done,
    ) -> None:
        self._original = original
        self._in_place = place is None
        self._linked = os.path.islink(source.os_path)
        self._place = original.path if place is None else place
        self._known = known
        self._settings = settings
        self._id = StreamId(source.path)
        self._stack = stack
        self._done = done
        self._at = replace(source, os_path=b"/proc/self/fd/%d" % original.descriptor, size=original.status.st_size)
        self._hints = FileHints(source.mtime, settings.options.zone)
        self._draft: Draft | None = None
        self._unfolded: bytes | None = None  # hash of what it unfolds to: that stays

    def run(self, found: bool, recorded: Mapping[int, Iterable[Target]] | None) -> None:
        """All rounds, then the file is placed. Raises InputError, OSError, OutputError."""
        if recorded is not None:
            self._rewritten(recorded)
        elif found or (len(self._known) and self._is_archive()):
            self._detected()
        self._until_nothing_is_left(exact=recorded is not None)
        if self._draft is None and not self._in_place:
            self._copied()
        if self._draft is not None:
            self._placed(self._draft)

    def _is_archive(self) -> bool:
        """Whether it has members, whose names and comments are to be looked at too."""
        for _, stream in whole(open_source(self._at, self._settings.options.limits)):
            return any(":" in layer for layer in stream.id.layers)
        return True

    def _until_nothing_is_left(self, exact: bool) -> None:
        """Raises Refused where something is, round after round."""
        for _ in range(ROUNDS):
            left = self._known.left(self._readers)
            if left:
                self._done.copies += sum(map(len, left.values()))
                self._rewritten(left)
            elif self._settings.verify and (exact or self._draft is not None) and self._shows():
                if exact:
                    raise Refused("a scan of the result finds secrets that the report does not have")
                self._detected()
            else:
                return
            if not self._settings.verify:
                return
        raise Refused(f"something was found in it even after {ROUNDS} rounds")

    def _shows(self) -> bool:
        """Whether a detector finds something to replace in what was written."""
        return any(
            self._redact(stream, lambda data: None, self._style(stream)).changed for _, stream in self._streams()
        )

    def _detected(self) -> None:
        def change(_number: int, stream: Stream, outputs: Outputs) -> int:
            outcome = self._redact(stream, outputs.write, self._style(stream, outputs.fixed), outputs.cuts)
            self._done.failures += outcome.failures
            if outcome.failures and self._in_place:
                raise Refused("a bug of ours: some lines would have been replaced by a marker")
            return outcome.changed

        self._remake(change)

    def _rewritten(self, targets: Mapping[int, Iterable[Target]]) -> None:
        def change(number: int, stream: Stream, outputs: Outputs) -> int:
            style = self._style(stream, outputs.fixed)
            return rewrite(stream.reader, outputs.write, targets.get(number, ()), style, cuts=outputs.cuts)

        self._remake(change)

    def _redact(self, stream: Stream, write: Write, style: Style, cuts: Cuts | None = None) -> Outcome:
        redactor = StreamRedactor(self._scanner, style, stream=stream.id, hints=self._hints)
        outcome = redactor.run(stream.reader, write, cuts)
        if outcome.trouble:
            raise Refused(outcome.trouble.reason)
        return outcome

    def _style(self, stream: Stream, fixed: bool = False) -> Style:
        if stream.completed is not None:
            return Style.DUMP  # a format whose offsets depend on every length
        return self._settings.style.in_place if fixed else self._settings.style

    @property
    def _scanner(self) -> Scanner:
        return scanner_for(self._settings.options)

    def _remake(self, change: Callable[[int, Stream, Outputs], int]) -> None:
        """A draft in which each stream is what `change` writes; it counts if it differs from what was read."""
        draft = self._stack.enter_context(Draft(self._place, sparse=self._original.sparse))
        outputs = Outputs(draft.write, os.path.dirname(self._place) or b".", self._said)
        for number, stream in self._whole(remade(self._at, self._settings.options.limits, outputs)):
            outputs.changed += change(number, stream, outputs)
        draft.flush()
        if outputs.changed:
            self._done.changed += outputs.changed
            self._draft = draft
            self._at = replace(self._at, os_path=draft.os_path, size=draft.size)

    def _said(self, text: bytes) -> None:
        """Names and comments of an archive stay as they are. Raises Refused where they hold a secret."""
        stream = Stream(self._id, io.BytesIO(text))
        shown = self._redact(stream, lambda data: None, self._settings.style).changed
        if shown or self._known.left(lambda: iter(((0, io.BytesIO(text)),))):
            raise Refused("a name or a comment inside of it holds a secret")

    def _copied(self) -> None:
        """Nothing to replace: the copy is the file itself, to the byte."""
        draft = self._stack.enter_context(Draft(self._place))
        draft.copy(self._original.descriptor, self._original.status.st_size)
        self._draft = draft

    def _placed(self, draft: Draft) -> None:
        like(self._original.descriptor, draft.descriptor, strictly=self._in_place)
        self._original.check()
        if self._in_place:
            self._original.check_unwritten()
        draft.place()
        self._done.placed = True
        if self._in_place:
            status = self._original.status
            self._done.inode = status.st_dev, status.st_ino, status.st_nlink
            if self._linked:
                self._done.note = "is a link; the file it leads to was rewritten"

    def _readers(self) -> Iterator[tuple[int, Reader]]:
        """What the next round reads, decoded."""
        return ((number, stream.reader) for number, stream in self._streams())

    def _streams(self) -> Iterator[tuple[int, Stream]]:
        return self._whole(open_source(self._at, self._settings.options.limits))

    def _whole(self, streams: Iterator[Stream | Skipped]) -> Iterator[tuple[int, Stream]]:
        """The streams, numbered; at their end all have to have been the same as ever. Raises Refused."""
        digest = hashlib.sha256()
        for number, stream in whole(streams):
            digest.update(repr(stream.id.layers).encode("utf-8", "surrogateescape"))
            yield number, stream
        if (self._unfolded or digest.digest()) != digest.digest():
            raise Refused("what was written is not what it was to be")
        self._unfolded = digest.digest()


def whole(streams: Iterator[Stream | Skipped]) -> Iterator[tuple[int, Stream]]:
    """All streams of a source, numbered. Raises Refused where something can't be read."""
    with ExitStack() as stack:
        if close := getattr(streams, "close", None):
            stack.callback(close)
        for number, stream in enumerate(streams):
            if isinstance(stream, Skipped):
                raise Refused(stream.reason, stream.stream.layers)
            yield number, stream
