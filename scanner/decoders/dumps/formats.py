"""The formats of dumps. Imported when a stream may be of one: `openings.py` has what each of them can begin with."""

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
