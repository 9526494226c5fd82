"""Records that were cut in parts by container runtimes, journald and auditd.

Joining removes what stands between two parts, so that a secret cut there is whole again. Parts of one stream may have
records of the other between them.
Docker: a record of at most 16 KiB whose `log` ends in no escaped newline goes on in the next of its stream.
CRI: `TIME STREAM P TEXT` is continued by the next line of its stream, up to one with F
(https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
journald: a line of over 48 KiB (LineMax= of journald.conf(5)) becomes entries with `_LINE_BREAK=line-max`
(systemd.journal-fields(7)) and a last one without. Each is a line in JSON, a stanza in the export format. The field may
stand before the message, out of sight: then a message of which nothing but its end is seen counts as cut.
strace, ltrace: see traced.py.
auditd: `a3[0]=… a3[1]=…` of one argument, the parts in one record or several (audit_log_execve_info of the kernel).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from detectors.patterns import pattern
from scanner.framings import traced

# Where a part ends that goes on: in Docker's record; in CRI's line, which ends some way further on.
TRIGGERS = (rb'(?:[^n]|[^\\]n|\\\\n)","stream":"std(?:out|err)"', rb" std(?:out|err) P ")
HEAD = 17 * 1024  # bytes before a view in which the line it begins in may have begun: a part has at most 16 KiB
BETWEEN = 20  # records of the other stream between two parts
_DOCKER = pattern(
    rb"""((?<!\\)(?:\\\\)*\\n)?","stream":"(stdout|stderr)"(?:,"attrs":\{[^{}\n]{0,2000}\})?,"time":"[^"\n]{10,40}"\}\r?(?:\n|\Z)"""
)
_DOCKER_TEXT = b'{"log":"'
_CRI = pattern(rb"[0-9T:.+Z-]{20,40} (stdout|stderr) ([PF]) ")
_MARK = pattern(rb"\n[0-9T:.+Z-]{20,40} std(?:out|err) [PF] ")

MARKS = (b"stdout", b"stderr", b"_BOOT_ID", rb"\]=", *traced.MARKS)  # without one of these `gaps` finds nothing


def joint_after(data: bytes) -> int:
    """How far behind a TRIGGERS' match the part ends, whose text or what follows it is given."""
    return 0 if data[:1] == b"," else data.find(b"\n") + 1


Record = tuple[bytes, bool, int, int]  # stream, whether it goes on, [start, end) of its text


_BESIDE = pattern(rb"""["\n]_{1,2}[A-Z]{2}|[" ]a\d{1,5}\[\d{1,5}\]=""")


def is_near(data: bytes) -> bool:
    """Whether fields of the journal, parts of an argument or traced calls stand in it."""
    if (b'"_' in data or b"\n_" in data or b"]=" in data) and _BESIDE.search(data):
        return True
    return traced.is_near(data)


def may_go_on(data: bytes) -> bool:
    """Whether it may hold a part that began before it, for which `gaps` wants a head."""
    return b" std" in data or b"_BOOT_ID" in data or b"]=" in data


def gaps(data: bytes, head: bytes = b"", *, across: bool = True) -> list[tuple[int, int, bool]]:
    """The stretches to take out, in order: start, end, and whether records of the other stream stand in it.

    `head`: what stands before the data, as far back as its first line may have begun. `across`: join parts with
    records of the other stream between them; where parts of both streams cross, those that began first.
    """
    found = _found(data, head)
    if found is None:
        return []
    chosen: list[tuple[int, int, bool]] = []
    for gap in sorted(gap for gap in found if across or not gap[2]):
        if not chosen or gap[0] >= chosen[-1][1]:
            chosen.append(gap)
    return chosen


def _found(data: bytes, head: bytes) -> Iterator[tuple[int, int, bool]] | None:
    if b"std" in data and _DOCKER_TEXT in data and b'"stream":"' in data:
        return _between(_docker(data))
    if b"std" in data and b"\n" in data and _MARK.search(data):
        return _between(_cri(data, head))
    if b"MESSAGE" in data and b"_BOOT_ID" in data:
        return _journal(data, head)
    if b"]=" in data and b"EXECVE" in head + data:
        return _arguments(data)
    if traced.is_near(data):
        return traced.gaps(data)
    return None


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


_ENTRY = pattern(rb"""\n(?:\n(?=__CURSOR=)|(?=\{[ \t\n]{0,4}"[A-Z_]))""")
_MESSAGE = pattern(rb"""\nMESSAGE=|[{,][ \t\n]{0,4}"MESSAGE"[ ]?:[ ]?\"""")
_STRING_END = pattern(rb"""(?<!\\)(?:\\\\){0,40}"(?=[ \t\n]{0,4}(?:,[ \t\n]{0,4}"[A-Z0-9_]{1,64}"[ ]?:|\}))""")
_LINE_END = pattern(rb"\n")
_CUT = pattern(rb"""_LINE_BREAK(?:=|"[ ]?:[ ]?")line-max""")


def _journal(data: bytes, head: bytes) -> Iterator[tuple[int, int, bool]]:
    """From each message that was cut to that of the next entry; other fields stand between."""
    for begin, following in pairwise([0, *(entry.end() for entry in _ENTRY.finditer(data))]):
        message = _MESSAGE.search(data, max(0, begin - 1), following)
        out_of_sight = begin == 0 and message is None and len(head) >= HEAD - 1024 and b"\n" not in head
        if not (out_of_sight or (message and _CUT.search(data, begin, following))):
            continue
        ends = _STRING_END if data[following : following + 1] == b"{" else _LINE_END
        end = ends.search(data, message.end() if message else 0, following)
        rest = _MESSAGE.search(data, following)
        if end and rest:
            yield end.end() - 1, rest.end(), True


_ARGUMENT = pattern(
    rb"""("?)(?:[ ]|[ ]?\r?\n[^\n]{0,300}?type=EXECVE msg=audit\([0-9.:]+\):[ ]{1,2})a\d{1,5}\[[1-9]\d{0,4}\]=("?)"""
)


def _arguments(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """What stands between two parts of an argument. The quotes of text go with it; hex has none."""
    for between in _ARGUMENT.finditer(data):
        if between[1] == between[2]:
            yield between.start(), between.end(), False
