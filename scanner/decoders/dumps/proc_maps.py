"""/proc/PID/maps as text, which crash reporters copy (proc_pid_maps(5))."""

from __future__ import annotations

from detectors.patterns import pattern
from scanner.decoders.dumps.memory import Mapping

_LINE = pattern(
    rb"([0-9a-f]{1,16})-([0-9a-f]{1,16}) [rwxsp-]{4} [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ \d+[ \t]*([^\n]{0,4096})"
)


def mappings_of(text: bytes) -> list[Mapping]:
    """The mappings that have a name."""
    return [
        Mapping(int(line[1], 16), int(line[2], 16), "".join(chr(c) if 32 <= c < 127 else "?" for c in line[3]))
        for line in _LINE.finditer(text)
        if line[3]
    ]
