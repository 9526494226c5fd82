"""One file -> the same file without its secrets, proven before anyone sees it.

Written in rounds: first what a detector finds is replaced, then what is left of the values the run knows; then the
result is looked at again. What a match had hidden shows when that match is gone. Only what nothing is found in is
placed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from scanner.context import FileHints
from scanner.decoders import open_source
from scanner.decoders.interface import OpenReader, Stream
from scanner.errors import InputError, OutputError
from scanner.model import Skipped, Source, StreamId
from scanner.pipeline import Scanner
from scanner.redaction.drafts import Draft, Original, like
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Style, Target
from scanner.redaction.packing import PACKERS, Packed
from scanner.redaction.rewriting import rewrite
from scanner.redaction.stream import Outcome, StreamRedactor
from scanner.run import Options
from scanner.run.work import scanner_for

ROUNDS = 5  # looks at a result before it is given up: each round removes what the one before had hidden
HEAD = 4096  # bytes of a compressed file that tell how it was made


@dataclass(frozen=True, slots=True)
class Settings:
    """How files are redacted. Picklable."""

    options: Options
    style: Style = Style.LABEL
    verify: bool = True


@dataclass(slots=True)
class Done:
    """What became of one file."""

    path: str
    changed: int = 0  # bytes of its (decoded) content that were replaced
    copies: int = 0  # of known values, and fragments, beside the findings
    placed: bool = False  # a file was written
    failures: int = 0  # lines replaced by a marker because of a bug of ours
    trouble: Skipped | None = None  # why nothing was written, or what there is to say of what was
    note: str | None = None  # for people
    inode: tuple[int, int, int] | None = None  # of a file replaced: device, number, and how many names it had


class Refused(InputError):
    """A file that is not to be written; the message says why."""


def redact_file(
    source: Source,
    place: bytes | None,
    known: Known,
    settings: Settings,
    *,
    found: bool = True,
    recorded: Iterable[Target] | None = None,
) -> Done:
    """Writes the redacted file to `place`, or in its own place for None. Errors become `Done.trouble`.

    `found`: whether a detector is to look for more than the known values. `recorded`: what to replace in the first
    round instead, in order.
    """
    done = Done(source.path)
    try:
        with ExitStack() as stack:
            original = stack.enter_context(Original(source.os_path))
            if not stat.S_ISREG(original.status.st_mode):
                raise Refused("is no regular file; pipe it in")
            job = _Job(source, original, place, known, settings, stack, done)
            job.run(found, recorded)
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
        self._stack = stack
        self._done = done
        self._style = settings.style
        self._at = replace(source, os_path=b"/proc/self/fd/%d" % original.descriptor, size=original.status.st_size)
        self._hints = FileHints(source.mtime, settings.options.zone)
        self._draft: Draft | None = None
        self._layers = self._examine()

    def run(self, found: bool, recorded: Iterable[Target] | None) -> None:
        """All rounds, then the file is placed. Raises InputError, OSError, OutputError."""
        if recorded is not None:
            self._rewritten(recorded)
        elif found:
            self._detected()
        self._until_nothing_is_left(exact=recorded is not None)
        if self._draft is None and not self._in_place:
            self._copied()
        if self._draft is not None:
            self._placed(self._draft)

    def _examine(self) -> tuple[str, ...]:
        """The layers of the file. Raises Refused where they can't be written anew."""
        with closing(self._stream(self._at)) as stream:
            if any(layer not in PACKERS for layer in stream.id.layers):
                raise Refused(f"what is inside of {stream.id.layers[0]} can't be rewritten yet")
            if stream.completed is not None:
                self._style = Style.DUMP  # a format whose offsets depend on every length
            return stream.id.layers

    def _until_nothing_is_left(self, exact: bool) -> None:
        """Raises Refused where something is, round after round."""
        for _ in range(ROUNDS):
            left = self._known.left(self._opened)
            if left:
                self._done.copies += len(left)
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
        return self._redact(lambda data: None).changed > 0

    def _detected(self) -> None:
        draft, packed = self._new_draft()
        outcome = self._redact(packed.write)
        self._done.failures += outcome.failures
        if outcome.failures and self._in_place:
            raise Refused("a bug of ours: some lines would have been replaced by a marker")
        self._finish(draft, packed, outcome.changed)

    def _redact(self, write: Callable[[bytes], object]) -> Outcome:
        with closing(self._opened()) as reader:
            outcome = StreamRedactor(self._scanner, self._style, hints=self._hints).run(reader, write)
        if outcome.trouble:
            raise Refused(outcome.trouble.reason)
        return outcome

    @property
    def _scanner(self) -> Scanner:
        return scanner_for(self._settings.options)

    def _rewritten(self, targets: Iterable[Target]) -> None:
        draft, packed = self._new_draft()
        with closing(self._opened()) as reader:
            changed = rewrite(reader, packed.write, targets, self._style)
        self._finish(draft, packed, changed)

    def _new_draft(self) -> tuple[Draft, Packed]:
        draft = self._stack.enter_context(Draft(self._place, sparse=self._original.sparse))
        head = os.pread(self._original.descriptor, HEAD, 0)
        return draft, Packed(self._layers, head, draft.write)

    def _finish(self, draft: Draft, packed: Packed, changed: int) -> None:
        """The draft is whole; it counts if it differs from what was read."""
        packed.close()
        draft.flush()
        if changed:
            self._done.changed += changed
            self._draft = draft
            self._at = replace(self._at, os_path=draft.os_path, size=draft.size)

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

    def _opened(self) -> OpenReader:
        """What the next round reads, decoded."""
        stream = self._stream(self._at)
        if stream.id.layers != self._layers:
            stream.close()
            raise Refused("what was written is not what it was to be")
        return stream

    def _stream(self, source: Source) -> Only:
        return Only(source, self._settings.options)


class Only:
    """The one stream of a source, read to its end and no further."""

    def __init__(self, source: Source, options: Options) -> None:
        """Raises InputError where there is none."""
        self._streams = open_source(source, options.limits)
        first = next(self._streams, None)
        if not isinstance(first, Stream):
            self.close()
            raise Refused(first.reason if first else "holds nothing that can be read")
        self.id = first.id
        self.completed = first.completed
        self._reader = first.reader

    def readinto(self, buffer: memoryview, /) -> int:
        """Raises InputError where a second stream or anything unread follows."""
        count = self._reader.readinto(buffer)
        if count == 0 and (more := next(self._streams, None)) is not None:
            raise Refused(
                more.reason if isinstance(more, Skipped) else "holds several files, which can't be rewritten yet"
            )
        return count

    def close(self) -> None:
        close = getattr(self._streams, "close", None)
        if close:
            close()
