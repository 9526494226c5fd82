"""UTF-16 seen in both byte orders: which of the two it is.

Letters in UTF-16 are zeros and letters in turn, so that whatever matches in one byte order matches in the other one
byte off. Where the stretch begins with a letter and ends with a zero it is little-endian, where it begins with a zero
and ends with a letter big-endian. Zeros before it and a zero behind are the rule in memory, where a length stands
before and a terminator behind: then it is little-endian, as nearly all machines are, also where something that looks
like a letter follows at once. Else an even offset decides.
"""

from __future__ import annotations

BACK = 4096  # bytes before a hit in which the stretch is followed; longer ones are text files: even offsets
AHEAD = 8192  # bytes behind it
SHORT = 128  # bytes followed first: most stretches end there
_ONES, _ZEROS = b"\1" * AHEAD, bytes(AHEAD)
_IS_LETTER = bytes(c in b"\t\n\r\x1b" or 32 <= c < 127 for c in range(256))


def is_big(data: bytes, letter: int, even: bool) -> bool:
    """The byte order around `letter`, an index whose byte is a letter.

    `data` is to reach from BACK bytes before it to AHEAD bytes behind it, less at a stream's ends. `even`: whether
    the letter has an even offset in the stream.
    """
    low = letter - _followed(data[max(0, letter - BACK) : letter][::-1], first=1)
    high = letter + _followed(data[letter : letter + AHEAD], first=0)
    cut = (low == 0 and letter >= BACK) or high - letter >= AHEAD
    zero_before, zero_behind = data[low : low + 1] == b"\0", data[high - 1 : high] == b"\0"
    if cut or not (zero_before or zero_behind):
        return not even
    zeros_before = zero_before and data[max(0, low - 1) : low] == b"\0"
    return zero_before and not zeros_before and not zero_behind


def _followed(data: bytes, first: int) -> int:
    """How many bytes of it are letters and zeros in turn, the letters at `first`, `first` + 2 and so on."""
    for size in (SHORT, len(data)):
        here = data[:size]
        flags, zeros = here[first::2].translate(_IS_LETTER), here[1 - first :: 2]
        if flags == _ONES[: len(flags)] and zeros == _ZEROS[: len(zeros)]:
            continue
        letters = len(flags) - len(flags.lstrip(b"\1"))
        ends = (first + 2 * letters, 1 - first + 2 * (len(zeros) - len(zeros.lstrip(b"\0"))))
        return min(*ends, len(here))
    return len(data)
