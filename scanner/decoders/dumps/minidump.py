"""Minidumps: of Windows (MiniDumpWriteDump, WER, ProcDump, .NET), Breakpad and Crashpad.

https://learn.microsoft.com/windows/win32/api/minidumpapiset/; Linux streams: Breakpad's minidump_format.h. A stream of
unknown type is passed over; all bytes are scanned anyway.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator

from msgspec import Struct, field

from scanner.decoders.dumps.command import masked
from scanner.decoders.dumps.cursor import Cursor
from scanner.decoders.dumps.interface import ASKED, Parsing
from scanner.decoders.dumps.memory import Mapping, Memory, Place, Range
from scanner.decoders.dumps.proc_maps import mappings_of

MAGIC = b"MDMP"
VERSION = 0xA793  # the low half of the version; the high half is the writer's own
STREAMS = 4096  # of the directory: writers have a few dozen
ENTRIES = 1 << 18  # of one list, 50 MB: a process has at most a few hundred thousand regions
NAME = 2048  # bytes of a module's name read: twice MAX_PATH in UTF-16
MODULES = 16_384  # modules whose names are read

THREADS, MODULE_LIST, MEMORY, SYSTEM, MEMORY64, MISC, REGIONS = 3, 4, 5, 7, 9, 15, 16
STATUS, COMMAND, ENVIRONMENT, MAPS = 0x47670004, 0x47670006, 0x47670007, 0x47670009
_PLACES = {ENVIRONMENT: "[environment]", COMMAND: "[command line]", MAPS: "[maps]", STATUS: "[status]"}
_PRIVATE, _MAPPED = 0x20000, 0x40000  # MEM_PRIVATE, MEM_MAPPED of MINIDUMP_MEMORY_INFO.Type
_WIDE = (9, 12)  # PROCESSOR_ARCHITECTURE_AMD64, _ARM64
_NT = 2  # VER_PLATFORM_WIN32_NT
# Places in the structures of 64-bit Windows (winternl.h and the public symbols of ntdll): TEB.ProcessEnvironmentBlock,
# PEB.ProcessParameters, RTL_USER_PROCESS_PARAMETERS.CommandLine, .Environment, .EnvironmentSize.
_PEB, _PARAMETERS, _COMMAND_LINE, _BLOCK, _BLOCK_SIZE = 0x60, 0x20, 0x70, 0x80, 0x3F0


def recognises(head: bytes) -> bool:
    """Signature and version of MINIDUMP_HEADER."""
    return head[:4] == MAGIC and len(head) >= 6 and head[4] | head[5] << 8 == VERSION


def undecided(head: bytes) -> bool:
    """Whether it may become one."""
    return len(head) < 6 and (MAGIC.startswith(head) or head[:4] == MAGIC)


class _Told(Struct):
    """What is kept from one stream for later."""

    memory: Memory
    cursor: Cursor = field(default_factory=Cursor)
    names: list[tuple[int, int, int]] = field(default_factory=list)  # start, end, where the name stands
    first_teb: int = 0
    windows: bool = False  # 64-bit Windows
    stacks: list[Mapping] = field(default_factory=list)


def parse(memory: Memory) -> Parsing:
    """Fills `memory`. Streams are read in the order they stand in, names after them."""
    told = _Told(memory)
    head = yield from told.cursor.take(0, 32)
    if len(head) < 32:
        memory.trouble.append(("the header is cut off", len(head)))
        return
    count, directory = struct.unpack_from("<II", head, 8)
    if count > STREAMS:
        memory.trouble.append((f"more than {STREAMS:,} streams: only these are looked at", directory))
        count = STREAMS
    entries = yield from told.cursor.take(directory, 12 * count)
    if len(entries) < 12 * count:
        memory.trouble.append(("the directory is cut off", directory + len(entries)))
    streams = sorted(struct.iter_unpack("<III", entries[: len(entries) // 12 * 12]), key=lambda one: one[2])
    for kind, size, at in streams:
        if kind and size:
            memory.wanted = max(memory.wanted, at + size)
            yield from _stream(told, kind, at, size)
    yield from _names(told)
    memory.mappings += told.stacks
    if told.windows and told.first_teb:
        yield from _windows(told)


def _stream(told: _Told, kind: int, at: int, size: int) -> Parsing:
    memory = told.memory
    if kind in _PLACES:
        memory.places.append(Place(at, at + size, _PLACES[kind]))
        text = yield from told.cursor.take(at, min(size, ASKED))
        _linux(memory, kind, text)
    elif kind == MEMORY64:
        yield from _memory64(told, at, size)
    elif kind in (SYSTEM, MISC):
        data = yield from told.cursor.take(at, min(size, 64))
        _system(told, kind, data)
    elif kind in _LISTS:
        entry, take = _LISTS[kind]
        yield from _list(told, at, size, entry, take)
    elif kind == REGIONS:
        head = yield from told.cursor.take(at, 16)
        if len(head) == 16:
            begin, entry, _count = struct.unpack("<IIQ", head)
            if 48 <= entry <= 4096 and begin <= size:
                yield from _rows(told, at + begin, size - begin, entry, _region)


def _list(told: _Told, at: int, size: int, entry: int, take: Take) -> Parsing:
    """A count of 4 bytes, maybe 4 bytes of padding, and entries."""
    head = yield from told.cursor.take(at, 4)
    if len(head) < 4:
        return
    count = struct.unpack("<I", head)[0]
    fitting = (size - 4) // entry
    if count > fitting:
        told.memory.trouble.append((f"a list says it has {count:,} entries, and has room for {fitting:,}", at))
        count = fitting
    padding = 4 if size - 4 - count * entry == 4 else 0
    yield from _rows(told, at + 4 + padding, count * entry, entry, take)


def _rows(told: _Told, at: int, size: int, entry: int, take: Take) -> Parsing:
    count = size // entry
    if count > ENTRIES:
        told.memory.trouble.append((f"more than {ENTRIES:,} entries: only these are looked at", at))
        count = ENTRIES
    batch = max(1, ASKED // entry)
    for first in range(0, count, batch):
        wanted = min(batch, count - first) * entry
        data = yield from told.cursor.take(at + first * entry, wanted)
        for place in range(0, len(data) - entry + 1, entry):
            take(told, data, place)
        if len(data) < wanted:
            return  # cut off: said with the size of the file


def _thread(told: _Told, data: bytes, at: int) -> None:
    """MINIDUMP_THREAD: id, three numbers, TEB, stack (address, size, place), context."""
    thread, _suspended, _class, _priority, teb, virtual, size, place = struct.unpack_from("<IIIIQQII", data, at)
    told.first_teb = told.first_teb or teb
    if size:
        told.memory.ranges.append(Range(place, place + size, virtual))
        told.stacks.append(Mapping(virtual, virtual + size, f"[stack:{thread}]"))


def _module(told: _Told, data: bytes, at: int) -> None:
    base, size = struct.unpack_from("<QI", data, at)
    if size and len(told.names) < MODULES:
        told.names.append((base, base + size, struct.unpack_from("<I", data, at + 20)[0]))


def _memory(told: _Told, data: bytes, at: int) -> None:
    virtual, size, place = struct.unpack_from("<QII", data, at)
    if size:
        told.memory.ranges.append(Range(place, place + size, virtual))
        told.memory.wanted = max(told.memory.wanted, place + size)


def _region(told: _Told, data: bytes, at: int) -> None:
    """MINIDUMP_MEMORY_INFO. Those of images are named by their modules."""
    base, size, kind = struct.unpack_from("<Q16xQ8xI", data, at)
    name = {_PRIVATE: "[private]", _MAPPED: "[mapped]"}.get(kind)
    if name and size:
        told.memory.mappings.append(Mapping(base, base + size, name))


Take = Callable[[_Told, bytes, int], None]
_LISTS: dict[int, tuple[int, Take]] = {THREADS: (48, _thread), MODULE_LIST: (108, _module), MEMORY: (16, _memory)}


def _memory64(told: _Told, at: int, size: int) -> Parsing:
    """A count and a place of 8 bytes each, then (address, size): the data of one follows that of the other."""
    head = yield from told.cursor.take(at, 16)
    if len(head) < 16:
        return
    count, place = struct.unpack("<QQ", head)
    fitting = (size - 16) // 16
    if count > fitting:
        told.memory.trouble.append((f"a list says it has {count:,} entries, and has room for {fitting:,}", at))

    def take(told: _Told, data: bytes, row: int) -> None:
        nonlocal place
        virtual, held = struct.unpack_from("<QQ", data, row)
        if held and place + held < 1 << 63:
            told.memory.ranges.append(Range(place, place + held, virtual))
            place += held
            told.memory.wanted = max(told.memory.wanted, place)

    yield from _rows(told, at + 16, min(count, fitting) * 16, 16, take)


def _system(told: _Told, kind: int, data: bytes) -> None:
    if kind == SYSTEM and len(data) >= 24:
        told.windows = struct.unpack_from("<H", data)[0] in _WIDE and struct.unpack_from("<I", data, 20)[0] == _NT
    elif kind == MISC and len(data) >= 12:
        _size, flags, pid = struct.unpack_from("<III", data)
        if flags & 1:  # MINIDUMP_MISC1_PROCESS_ID
            told.memory.process["pid"] = pid


def _linux(memory: Memory, kind: int, text: bytes) -> None:
    """What Breakpad copies from /proc/PID."""
    if kind == MAPS:
        memory.mappings += mappings_of(text)
    elif kind == COMMAND and (command := masked(text)):
        memory.process["command"] = command
    elif kind == STATUS:
        for line in text.splitlines()[:100]:
            name, _, value = line.partition(b":")
            if name == b"Name":
                memory.process["process"] = _shown(value.strip().decode("latin-1"))[:64]
            elif name == b"Pid" and value.strip().isdigit():
                memory.process["pid"] = int(value[:20])


def _names(told: _Told) -> Parsing:
    """MINIDUMP_STRING: length in bytes, UTF-16LE."""
    named: dict[int, str] = {}
    for place in sorted({place for _start, _end, place in told.names}):
        size = yield from told.cursor.take(place, 4)
        if len(size) == 4:
            text = yield from told.cursor.take(place + 4, min(struct.unpack("<I", size)[0], NAME))
            named[place] = _shown(text.decode("utf-16-le", "replace"))
    memory = told.memory
    memory.mappings += [Mapping(start, end, named.get(place) or "[module]") for start, end, place in told.names]
    if told.names and (first := named.get(told.names[0][2])):
        memory.process.setdefault("process", first.replace("\\", "/").rpartition("/")[2])


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text.rstrip("\0"))


def _windows(told: _Told) -> Parsing:
    """Command line and environment block of a 64-bit process, where its memory is in the dump."""
    peb = yield from _pointer(told, told.first_teb + _PEB)
    parameters = yield from _pointer(told, peb + _PARAMETERS)
    if not parameters:
        return
    size = (yield from _pointer(told, parameters + _COMMAND_LINE)) & 0xFFFF
    text = yield from _pointer(told, parameters + _COMMAND_LINE + 8)
    line = yield from _virtual(told, text, min(size, 65534))
    if line:
        told.memory.process["command"] = masked(line.decode("utf-16-le", "replace").encode("ascii", "replace"))
        told.memory.mappings.append(Mapping(text, text + size, "[private]", "arguments"))
    block = yield from _pointer(told, parameters + _BLOCK)
    size = yield from _pointer(told, parameters + _BLOCK_SIZE)
    if block and 0 < size < 1 << 24:
        told.memory.mappings.append(Mapping(block, block + size, "[private]", "environment"))


def _virtual(told: _Told, address: int, size: int) -> Generator[tuple[int, int], bytes, bytes]:
    place = told.memory.offset_of(address) if address else None
    if place is None or place[1] < size:
        return b""
    return (yield from Cursor().take(place[0], size))


def _pointer(told: _Told, address: int) -> Generator[tuple[int, int], bytes, int]:
    """8 bytes at an address; 0 where the dump has not got them."""
    data = yield from _virtual(told, address, 8)
    return int.from_bytes(data, "little") if len(data) == 8 else 0
