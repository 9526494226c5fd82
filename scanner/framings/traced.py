"""What one program wrote or read in several calls, as strace and ltrace print them: one stream cut in parts.

    write(5, "GET / HTTP/1.1\\r\\nAuthorization: Bea"..., 64) = 64
    [pid  71] 10:00:00.123 sendto(5<TCP:[1->2]>, "…", 40, MSG_NOSIGNAL, NULL, 0) = 40 <0.000021>
    writev(5, [{iov_base="…", iov_len=40}, {iov_base="…", iov_len=17}], 2) = 57

A string is a part if it is whole (strace(1), -s: else three dots follow it) and as long as the call says that went
through, and if the next call of that name on the same descriptor goes on in the midst of a word.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.patterns import pattern

MARKS = (rb"\) = ", b"   = ", b"iov_base=")  # the second where strace aligns its results
BETWEEN = 20  # other calls between two parts
_TOKEN = rb"[A-Za-z0-9_.~+/=%-]"
_CALL = pattern(
    rb"""(?m)^[ ]{0,12}(?:\[pid[ ]{1,6}(\d{1,9})\][ ]|(\d{1,9})[ ]{1,6}(?=[^ ]))?(?:[\d:.]{4,26}[ ])?"""
    rb"""([A-Za-z_]\w{2,40})\((\d{1,9}|0x[0-9a-f]{1,16})(?:<[^"\n]{0,200}>)?,[ ]\""""
)
_END = pattern(rb"""(?<!\\)((?:\\\\)*)"(\.\.\.)?((?:,[ ][^"\n]{0,200})?)\)[ ]{1,40}=[ ](\d{1,9})(?=[ \r\n]|\Z)""")
_ESCAPE = pattern(rb"\\(?:x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)")
_VECTOR = pattern(
    rb"""(?<=T)",[ ]iov_len=(\d{1,9})\},[ ]\{iov_base="(?=T)(?![A-Za-z_][\w.-]{0,60}[=:][^="])""".replace(b"T", _TOKEN)
)
_IOV = b'iov_base="'
_GOES_ON = pattern(rb"(?=T)(?![A-Za-z_][\w.-]{0,60}[=:][^=\"])".replace(b"T", _TOKEN))  # and no key of its own
_IN_TOKEN = pattern(_TOKEN)


def is_near(data: bytes) -> bool:
    """Whether the end of such a call stands in it, or a vector's."""
    return (b'", ' in data and b") " in data and b" = " in data and _END.search(data) is not None) or _IOV in data


def gaps(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """The stretches to take out: start, end, and whether other calls stand in it. Not in order."""
    if _IOV in data:
        yield from _vectors(data)
    yield from _calls(data)


def _calls(data: bytes) -> Iterator[tuple[int, int, bool]]:
    open_parts: dict[tuple[bytes, ...], tuple[int, int]] = {}  # of whom -> number of the line and end of the part
    for number, line in enumerate(_lines(data)):
        call = _CALL.match(data, *line)
        if call is None:
            continue
        of = (call[1] or call[2] or b"", call[3], call[4])
        start = call.end()
        end = _END.search(data, start, line[1])
        if end is None:
            continue
        stop = end.end(1)
        before = open_parts.pop(of, None)
        if before and number - before[0] <= BETWEEN and _GOES_ON.match(data, start, stop):
            yield before[1], start, number - before[0] > 1
        whole = not end[2] and len(_ESCAPE.sub(b".", data[start:stop])) == int(end[4])
        if whole and _IN_TOKEN.match(data, stop - 1, stop):
            open_parts[of] = (number, stop)


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    position = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        yield position, end
        position = end + 1


def _vectors(data: bytes) -> Iterator[tuple[int, int, bool]]:
    for joint in _VECTOR.finditer(data):
        start = data.rfind(_IOV, 0, joint.start()) + len(_IOV)
        if len(_ESCAPE.sub(b".", data[start : joint.start()])) == int(joint[1]):
            yield joint.start(), joint.end(), False
