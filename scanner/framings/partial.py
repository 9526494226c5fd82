"""Records that a container runtime cut in parts: Docker's json-file (16 KiB) and CRI's P and F lines.

Joining removes what stands between two parts, so that a secret cut there is whole again. Parts of one stream may have
records of the other between them.
Docker: a record whose `log` does not end in an escaped newline is continued by the next of its stream.
CRI: `TIME STREAM P TEXT` is continued by the next line of its stream, up to one with F
(https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

HEAD = 17 * 1024  # bytes before a view in which the line it begins in may have begun: a part has at most 16 KiB
BETWEEN = 20  # records of the other stream between two parts
_DOCKER = re.compile(
    rb"""(\\n)?","stream":"(stdout|stderr)"(?:,"attrs":\{[^{}\n]{0,2000}\})?,"time":"[^"\n]{10,40}"\}\r?(?:\n|\Z)"""
)
_DOCKER_TEXT = b'{"log":"'
_CRI = re.compile(rb"[0-9T:.+Z-]{20,40} (stdout|stderr) ([PF]) ")
_MARK = re.compile(rb"\n[0-9T:.+Z-]{20,40} std(?:out|err) [PF] ")

Record = tuple[bytes, bool, int, int]  # stream, whether it goes on, [start, end) of its text


def gaps(data: bytes, head: bytes = b"", *, across: bool = True) -> list[tuple[int, int, bool]]:
    """The stretches to take out, in order: start, end, and whether records of the other stream stand in it.

    `head`: what stands before the data, as far back as its first line may have begun. `across`: join parts with
    records of the other stream between them; where parts of both streams cross, those that began first.
    """
    if b"std" not in data:
        return []
    if _DOCKER_TEXT in data and b'"stream":"' in data:
        found = _between(_docker(data))
    elif b"\n" in data and _MARK.search(data):
        found = _between(_cri(data, head))
    else:
        return []
    chosen: list[tuple[int, int, bool]] = []
    for gap in sorted(gap for gap in found if across or not gap[2]):
        if not chosen or gap[0] >= chosen[-1][1]:
            chosen.append(gap)
    return chosen


def _between(records: Iterator[Record]) -> Iterator[tuple[int, int, bool]]:
    """From each part to the next of its stream."""
    open_parts: dict[bytes, tuple[int, int]] = {}  # stream -> number and end of its part
    for number, (stream, goes_on, start, end) in enumerate(records):
        before = open_parts.pop(stream, None)
        if before and number - before[0] <= BETWEEN:
            yield before[1], start, number - before[0] > 1
        if goes_on:
            open_parts[stream] = (number, end)


def _docker(data: bytes) -> Iterator[Record]:
    position = 0
    for tail in _DOCKER.finditer(data):
        start = position + len(_DOCKER_TEXT) if data.startswith(_DOCKER_TEXT, position) else position
        yield tail[2], tail[1] is None, start, tail.start()
        position = tail.end()


def _cri(data: bytes, head: bytes) -> Iterator[Record]:
    first = _CRI.match(head, head.rfind(b"\n") + 1) if head else None
    position = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        line = first or _CRI.match(data, position, end)
        if line:
            start = position if first else line.end()
            yield line[1], line[2] == b"P", start, end - (data[end - 1 : end] == b"\r")
        first = None
        position = end + 1
