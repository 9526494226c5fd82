"""UTF-16 seen in both byte orders: which of the two it is.

Letters in UTF-16 are zeros and letters in turn, so that whatever matches in one byte order matches in the other one
byte off. Where the stretch begins with a letter and ends with a zero it is little-endian, where it begins with a zero
and ends with a letter big-endian. Zeros before it and a zero behind are the rule in memory, where a length stands
before and a terminator behind: then it is little-endian, as nearly all machines are, also where something that looks
like a letter follows at once. Else an even offset decides.
"""

from __future__ import annotations

import re

BACK = 4096  # bytes before a hit in which the stretch is followed; longer ones are text files: even offsets
AHEAD = 8192  # bytes behind it
_LETTER = rb"[\t\n\r -~]"
_ONWARD = re.compile(rb"(?:" + _LETTER + rb"\x00)*" + _LETTER + rb"?")
_BACKWARD = re.compile(rb"(?:\x00" + _LETTER + rb")*\x00?")


def is_big(data: bytes, letter: int, even: bool) -> bool:
    """The byte order around `letter`, an index whose byte is a letter.

    `data` is to reach from BACK bytes before it to AHEAD bytes behind it, less at a stream's ends. `even`: whether
    the letter has an even offset in the stream.
    """
    onward = _ONWARD.match(data, letter)
    backward = _BACKWARD.match(data[:letter][::-1])
    assert onward and backward  # both match nothing at all
    low, high = letter - backward.end(), onward.end()
    cut = (low == 0 and letter >= BACK) or high - letter >= AHEAD
    zero_before, zero_behind = data[low : low + 1] == b"\0", data[high - 1 : high] == b"\0"
    if cut or not (zero_before or zero_behind):
        return not even
    zeros_before = zero_before and data[max(0, low - 1) : low] == b"\0"
    return zero_before and not zeros_before and not zero_behind
