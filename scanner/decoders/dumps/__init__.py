"""Dumps: scanned as they lie, in ranges where the file is plain. Then each finding is told its place in memory.

One file a format. A dump never loads more of the file than it says in its named bounds.
"""

from __future__ import annotations

from scanner.decoders.dumps import elfcore, minidump, physical
from scanner.decoders.dumps.heapsnapshot import HeapSnapshot
from scanner.decoders.dumps.hprof import Hprof
from scanner.decoders.dumps.jfr import Jfr
from scanner.decoders.dumps.reading import MemoryDump, begins
from scanner.decoders.dumps.reports import KINDS, CrashReport
from scanner.decoders.interface import Dump

DUMPS: tuple[Dump, ...] = (
    Hprof(),
    HeapSnapshot(),
    Jfr(),
    MemoryDump("elf-core", elfcore.recognises, elfcore.undecided, elfcore.parse),
    MemoryDump("minidump", minidump.recognises, minidump.undecided, minidump.parse),
    MemoryDump("lime", physical.is_lime, begins(physical.LIME), physical.parse_lime),
    MemoryDump("windows-kernel", physical.is_windows, begins(b"PAGEDU"), physical.parse_windows),
    *map(CrashReport, KINDS),
    *(MemoryDump(name, one.recognises, one.undecided, one.parse) for name, one in physical.KNOWN.items()),
)


def dump_of(head: bytes) -> Dump | None:
    """The format a stream with these first bytes is a dump of."""
    return next((dump for dump in DUMPS if dump.recognises(head)), None)
