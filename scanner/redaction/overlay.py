"""A copy of a file with some of its bytes replaced, none of them moved: for dumps, whose offsets are pointers."""

from __future__ import annotations

from collections.abc import Iterable

from scanner.redaction.drafts import Draft, Original, like
from scanner.redaction.mask import Edit


def apply(edits: Iterable[Edit], source: bytes, place: bytes | None = None) -> int:
    """Writes `source` with the edits to `place` (None: over itself), holes kept. Gives back how many bytes changed.

    Offsets are those of the file. The file is there at once and whole, or not at all. Raises ValueError for an edit
    that changes a length or reaches past the end, InputError where the source changed meanwhile, OSError, OutputError.
    """
    with Original(source) as original, Draft(original.path if place is None else place) as draft:
        size = original.status.st_size
        draft.copy(original.descriptor, size)
        changed = 0
        for edit in edits:
            if len(edit.data) != edit.end - edit.start or not 0 <= edit.start <= edit.end <= size:
                raise ValueError(f"{edit!r} does not fit a file of {size} bytes")
            draft.overwrite(edit.start, edit.data)
            changed += len(edit.data)
        like(original.descriptor, draft.descriptor, strictly=place is None)
        original.check()
        if place is None:
            original.check_unwritten()
        draft.place()
        return changed
