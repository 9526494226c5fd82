"""Redaction by a report: the spans an earlier scan wrote down, applied to files that still are what was scanned."""

from __future__ import annotations

import base64
import binascii
import html
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

from detectors.detector import Kind, Secret
from scanner.decoders import open_source
from scanner.errors import UsageError
from scanner.fingerprint import fingerprint, key_id, surroundings
from scanner.model import USABLE_OR_UNKNOWN, Source, Span, State
from scanner.redaction.files import whole
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Slice, Style, Target
from scanner.redaction.remaking import Refused
from scanner.redaction.rewriting import rewrite
from scanner.run import Options

SCHEMA = "bearertrap/1"


Targets = dict[Target, str | None]  # and the hash of what stood there
Name = tuple[tuple[str, ...], int]  # the layers of a stream, and which of those with the same it is


class Recorded(Struct):
    """What a report says of one file."""

    size: int | None = None  # bytes on disk; None where the report does not tell
    streams: dict[Name, Targets] = field(default_factory=dict)
    incomplete: bool = False  # a part of it was not scanned

    def fingerprints(self) -> set[str]:
        """Of all values."""
        return {target.fingerprint for targets in self.streams.values() for target in targets}


class Report(Struct):
    """A report as far as a redaction needs it."""

    files: dict[str, Recorded] = field(default_factory=dict)  # by path as the scan wrote it
    by_kind: dict[str, int] = field(default_factory=dict)
    by_state: dict[str, int] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether a finding could still be used, as of the scan's time."""
        return any(State(state) in USABLE_OR_UNKNOWN for state in self.by_state)


def load(path: str, key: bytes) -> Report:
    """Reads JSON Lines of a scan. Raises UsageError where it is none, or its fingerprints are of another key."""
    report = Report()
    whole = False
    for row in _rows(path):
        if row["type"] == "finding":
            _take(report, row)
        elif row["type"] == "skipped":
            report.files.setdefault(row["source"]["path"], Recorded()).incomplete = True
        elif row["type"] == "summary":
            whole = not row.get("interrupted")
            if row.get("key_id") not in (None, "", key_id(key)):
                raise UsageError("the report's fingerprints were made with another key: give that with --key-file")
    if not whole:
        raise UsageError(f"{path!r} has no summary, or that of an interrupted scan: findings may be missing")
    return report


def _rows(path: str) -> Iterator[dict[str, Any]]:
    try:
        with open(path, "rb") as file:
            for line in file:
                row = orjson.loads(line)
                if row["schema"] != SCHEMA:
                    raise UsageError(f"{path!r} is of another schema than {SCHEMA}")
                yield row
    except OSError as error:
        raise UsageError(f"{path!r} can't be read: {os.strerror(error.errno or 0)}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path!r} is no report of a scan in JSON Lines") from None


def _take(report: Report, row: dict[str, Any]) -> None:
    """One finding. Raises KeyError, TypeError or ValueError where it is none."""
    source = row["source"]
    stream = tuple(source["layers"]), int(source.get("occurrence", 1))
    entry = report.files.setdefault(source["path"], Recorded(source.get("size")))
    if source.get("size") != entry.size:
        entry.incomplete = True
    spans = tuple(Span(int(span["start"]), int(span["end"])) for span in row["spans"])
    if not spans or any(not 0 <= span.start < span.end for span in spans):
        raise ValueError("no spans")
    target = Target(spans, Kind(row["kind"]), str(row["fingerprint"]), tuple(row["encoding"]))
    entry.streams.setdefault(stream, {})[target] = row.get("surroundings")
    for counts, name in ((report.by_kind, row["kind"]), (report.by_state, State(row["verdict"]["state"]).value)):
        counts[name] = counts.get(name, 0) + 1


def checked(source: Source, recorded: Recorded, known: Known, options: Options) -> dict[int, list[Target]]:
    """The targets of a file, in order, by the number of the stream, once it is certain that it is what was scanned.
    Their values become known.

    Raises Refused, InputError, OSError.
    """
    if recorded.incomplete:
        raise Refused("the report says that not all of it was scanned")
    size = os.stat(source.os_path).st_size
    if recorded.size is not None and recorded.size != size:
        raise Refused(f"is not what was scanned: it has {size} bytes and had {recorded.size}")
    found: dict[int, list[Target]] = {}
    seen = 0
    for number, stream in whole(open_source(replace(source, size=size), options.limits)):
        targets = recorded.streams.get((stream.id.layers, stream.id.occurrence), {})
        seen += bool(targets)
        found[number] = sorted(targets, key=lambda target: target.spans)

        def check(target: Target, read: Slice, targets: Targets = targets) -> None:
            _check(target, targets[target], read, known, options.key)

        rewrite(stream.reader, lambda data: None, found[number], Style.EQUAL_LENGTH, check)
    if seen < len(recorded.streams):
        raise Refused("is not what was scanned: it unfolds in another way")
    return {number: targets for number, targets in found.items() if targets}


def _check(target: Target, digest: str | None, read: Slice, known: Known, key: bytes) -> None:
    value = next((v for v in _values(target, read) if fingerprint(key, v) == target.fingerprint), None)
    if value is not None:
        known.take(Secret(value), target.kind, target.fingerprint)
    same = value is not None if digest is None else surroundings(key, target.spans, read) == digest
    if not same:
        raise Refused(f"is not what was scanned: something else stands at byte {target.spans[0].start}")


def _values(target: Target, read: Slice) -> Iterator[bytes]:
    """What the spans may decode to, by the encodings the finding names. Not all can be undone from the spans alone."""
    data = b"".join(read(span.start, span.end) for span in target.spans)
    stages = [data]
    yield data
    for name in target.encoding:
        stages = [made for stage in stages for made in _decoded(stage, name)]
        yield from stages


def _decoded(data: bytes, encoding: str) -> list[bytes]:
    try:
        match encoding:
            case "utf-16le" | "utf-16be":
                return [data.decode(encoding).encode("latin-1")]
            case "hex":
                return [bytes.fromhex(data.decode("ascii"))]
            case "percent":
                return [unquote_to_bytes(data)]
            case "html":
                return [html.unescape(data.decode()).encode()]
            case "json":
                value = json.loads(b'"' + data + b'"', strict=False)
                return [value.encode()] if isinstance(value, str) else []
            case "base64":
                return [*_from_base64(data)]
    except (ValueError, binascii.Error):
        return []
    return [data]  # joined or unframed: the spans leave out what was between


def _from_base64(data: bytes) -> Iterator[bytes]:
    """What a stretch may hold, for each place in a group of four that its first character may have."""
    plain = data.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    for lead in (0, 1, 2):
        group = b"A" * lead + plain
        yield base64.b64decode(group + b"A" * (-len(group) % 4))[lead : len(group) * 6 // 8]
