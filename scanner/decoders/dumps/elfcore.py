"""ELF core files: of the Linux kernel, gdb's gcore, .NET's createdump, systemd-coredump, crash kernels.

System V ABI, chapter 5 (program headers, notes); core(5), elf(5); notes as in linux/include/uapi/linux/elf.h and
elfcore.h. The kernel and createdump write the notes first, gcore writes them last.
"""

from __future__ import annotations

import struct
from collections.abc import Generator

from msgspec import Struct

from scanner.decoders.dumps.command import masked
from scanner.decoders.dumps.cursor import Cursor
from scanner.decoders.dumps.interface import ASKED, Parsing
from scanner.decoders.dumps.memory import Mapping, Memory, Place, Range

PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xFFFF  # the number of program headers stands in sh_info of section 0 (elf(5))
SEGMENTS = 1 << 18  # program headers read, 50 MB: four times vm.max_map_count's default of 65,530
NOTES = 1 << 20  # notes read: five each of 200,000 threads
LARGEST = 64 << 20  # bytes of one note read: names of a million mapped files
THREADS = 100_000  # whose stacks are labelled
THREAD_STACK = 8 << 20  # bytes above a thread's stack pointer that are labelled: the usual stack limit

PSARGS = 80  # bytes of the command line that NT_PRPSINFO holds, the last one a NUL

NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_FILE = 1, 3, 6, 0x46494C45
AT_ENTRY, AT_EXECFN, AT_SYSINFO_EHDR = 9, 31, 33
# Where the stack pointer stands in NT_PRSTATUS: 112 bytes (72 of 32-bit machines), then the registers as
# user_regs_struct of asm/user.h or ptrace.h has them.
_STACK_POINTER = {62: 112 + 19 * 8, 183: 112 + 31 * 8, 3: 72 + 15 * 4, 40: 72 + 13 * 4, 243: 112 + 2 * 8, 21: 112 + 8}
_HEAP_GAP = 2 << 30  # bytes: the break begins at most 1 GiB behind the program (arch_randomize_brk of arm64)
_HEAP_HOLE = 16 << 20  # bytes of the heap that a dump leaves out between pages it holds
# Bytes below the program's name in which the vector behind environment and arguments is looked for: most programs', and
# the most a system with the usual stack limit grants (execve(2)).
ENVIRONMENT = (256 << 10, 4 << 20)


class _Machine(Struct):
    """How numbers are written."""

    order: str  # "<" or ">"
    wide: bool  # 64-bit
    machine: int

    @property
    def word(self) -> int:
        return 8 if self.wide else 4

    def words(self, data: bytes) -> tuple[int, ...]:
        count = len(data) // self.word
        return struct.unpack(f"{self.order}{count}{'Q' if self.wide else 'I'}", data[: count * self.word])


def recognises(head: bytes) -> bool:
    """An ELF file of type core."""
    if len(head) < 18 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return False
    return head[16:18] == (b"\x04\0" if head[5] == 1 else b"\0\x04")


def undecided(head: bytes) -> bool:
    """Whether it may become one."""
    return len(head) < 18 and (head.startswith(b"\x7fELF") or b"\x7fELF".startswith(head))


class _Told(Struct):
    """What the notes say."""

    files: list[Mapping]
    auxiliary: dict[int, int]
    stacks: list[tuple[int, int]]  # thread id, stack pointer
    auxv: bytes = b""


def parse(memory: Memory) -> Parsing:
    """Fills `memory`. Ends early, with what is known, where the file does."""
    cursor = Cursor()
    head = yield from cursor.take(0, 64)
    if not recognises(head) or len(head) < (64 if head[4] == 2 else 52):
        memory.trouble.append(("the ELF header is cut off", len(head)))
        return
    machine = _Machine("<" if head[5] == 1 else ">", head[4] == 2, 0)
    machine.machine = struct.unpack_from(f"{machine.order}H", head, 18)[0]
    notes = yield from _segments(memory, machine, head, cursor)
    told = _Told([], {}, [])
    for start, end in notes:
        memory.places.append(Place(start, end, "[notes]"))
        yield from _notes(memory, machine, told, start, end)
    memory.mappings += told.files
    memory.mappings += _labels(memory, told)
    yield from _arguments(memory, machine, told)


Pairs = Generator[tuple[int, int], bytes, list[tuple[int, int]]]


def _segments(memory: Memory, machine: _Machine, head: bytes, cursor: Cursor) -> Pairs:
    """The notes' places; loads go to `memory`."""
    form = machine.order + ("QQIHHHHHH" if machine.wide else "IIIHHHHHH")
    table, sections, _flags, _size, entry, count, _shsize, _shnum, _names = struct.unpack_from(
        form, head, 32 if machine.wide else 28
    )
    least = 56 if machine.wide else 32
    if entry < least or entry > 4096:
        memory.trouble.append(("the program headers have an impossible size", 0))
        return []
    if count == PN_XNUM:
        section = yield from Cursor().take(sections, 64)
        at = 44 if machine.wide else 28
        count = struct.unpack_from(f"{machine.order}I", section, at)[0] if len(section) >= at + 4 else PN_XNUM
    if count > SEGMENTS:
        memory.trouble.append((f"more than {SEGMENTS:,} segments: addresses are told of these only", table))
        count = SEGMENTS
    notes: list[tuple[int, int]] = []
    batch = ASKED // entry
    for first in range(0, count, batch):
        wanted = min(batch, count - first)
        data = yield from cursor.take(table + first * entry, wanted * entry)
        for at in range(0, len(data) - least + 1, entry):
            _segment(memory, machine, data, at, notes)
        if len(data) < wanted * entry:
            memory.trouble.append(("the program headers are cut off", table + first * entry + len(data)))
            break
    return notes


def _segment(memory: Memory, machine: _Machine, data: bytes, at: int, notes: list[tuple[int, int]]) -> None:
    if machine.wide:
        kind, flags, offset, virtual, _physical, size = struct.unpack_from(f"{machine.order}IIQQQQ", data, at)
    else:
        kind, offset, virtual, _physical, size = struct.unpack_from(f"{machine.order}IIIII", data, at)
        flags = struct.unpack_from(f"{machine.order}I", data, at + 24)[0]
    if size == 0 or offset + size >= 1 << 63:
        return
    memory.wanted = max(memory.wanted, offset + size)
    if kind == PT_LOAD:
        memory.ranges.append(Range(offset, offset + size, virtual, bool(flags & 2)))
    elif kind == PT_NOTE:
        notes.append((offset, offset + size))


def _notes(memory: Memory, machine: _Machine, told: _Told, start: int, end: int) -> Parsing:
    """Notes [start, end): namesz, descsz, type; name and description, each padded to 4."""
    cursor = Cursor(end)
    position = start
    for _ in range(NOTES):
        if position + 12 > end:
            return
        head = yield from cursor.take(position, 12)
        if len(head) < 12:
            return  # cut off: said with the size of the file
        name_size, size, kind = struct.unpack(f"{machine.order}III", head)
        if not any((name_size, size, kind)):
            return  # padding
        at = position + 12 + (name_size + 3 & ~3)
        position = at + (size + 3 & ~3)
        if position > end + 3:
            memory.trouble.append(("a note reaches past the notes' end", at))
            return
        if kind in (NT_PRSTATUS, NT_PRPSINFO, NT_AUXV) and size <= ASKED:
            data = yield from cursor.take(at, size)
            _note(memory, machine, told, kind, data)
        elif kind == NT_FILE and size <= LARGEST:
            names = yield from cursor.long(at, size)
            told.files += _files(machine, names)
    memory.trouble.append((f"more than {NOTES:,} notes: the rest was not looked at", position))


def _note(memory: Memory, machine: _Machine, told: _Told, kind: int, data: bytes) -> None:
    if kind == NT_PRPSINFO:
        pid_at, name_at = (24, 40) if machine.wide else (12, 28)
        if len(data) >= name_at + 96:
            memory.process["process"] = _text(data[name_at : name_at + 16])
            memory.process["pid"] = struct.unpack_from(f"{machine.order}i", data, pid_at)[0]
            line = data[name_at + 16 : name_at + 96].split(b"\0")[0]
            if line:
                memory.process["command"] = masked(line, cut=len(line) >= PSARGS - 1)
    elif kind == NT_PRSTATUS:
        at = _STACK_POINTER.get(machine.machine)
        pid_at = 32 if machine.wide else 24
        if at and len(data) >= at + machine.word and len(told.stacks) < THREADS:
            pid = struct.unpack_from(f"{machine.order}i", data, pid_at)[0]
            told.stacks.append((pid, machine.words(data[at : at + machine.word])[0]))
    else:
        words = machine.words(data)
        told.auxiliary.update(zip(words[::2], words[1::2], strict=False))
        told.auxv = data


def _text(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data.split(b"\0")[0])


def _files(machine: _Machine, data: bytes) -> list[Mapping]:
    """NT_FILE: count, page size, (start, end, page offset) of each, then the names, each ended by NUL."""
    numbers = machine.words(data[: 2 * machine.word])
    if len(numbers) < 2:
        return []
    count = min(numbers[0], len(data) // (3 * machine.word))
    begin = 2 * machine.word
    names_at = begin + 3 * machine.word * numbers[0]
    words = machine.words(data[begin : begin + 3 * machine.word * count])
    names = data[names_at:].split(b"\0") if names_at < len(data) else []
    return [
        Mapping(start, end, _text(name))
        for start, end, name in zip(words[::3], words[1::3], names, strict=False)
        if start < end
    ]


def _labels(memory: Memory, told: _Told) -> list[Mapping]:
    """[stack], [heap], [vdso] and the stacks of other threads: as /proc/PID/maps calls them."""
    labels: list[Mapping] = []
    main = told.auxiliary.get(AT_EXECFN)
    stack = memory.range_of(main) if main else None
    for thread, pointer in told.stacks:
        load = memory.range_of(pointer)
        if load is not None and load.writable and load is not stack:
            end = min(load.virtual + load.end - load.start, pointer + THREAD_STACK)
            labels.append(Mapping(pointer, end, f"[stack:{thread}]"))
    vdso = memory.range_of(told.auxiliary.get(AT_SYSINFO_EHDR, 0))
    for load, name in ((stack, "[stack]"), (vdso, "[vdso]")):
        if load is not None:
            labels.append(Mapping(load.virtual, load.virtual + load.end - load.start, name))
    heap = _heap(sorted(memory.ranges, key=lambda one: one.virtual), told)
    return [*labels, heap] if heap else labels


def _heap(loads: list[Range], told: _Told) -> Mapping | None:
    """The first anonymous writable mapping above the program; where one touches the program, that is its .bss.

    Without address randomisation the break begins right behind .bss, which then is no mapping of its own.
    """
    entry = told.auxiliary.get(AT_ENTRY, 0)
    program = next((one.name for one in told.files if one.start <= entry < one.end), None)
    if program is None:
        return None
    top = max(one.end for one in told.files if one.name == program)
    above = min((one.start for one in told.files if one.start >= top), default=1 << 64)
    found = [one for one in loads if top <= one.virtual < min(above, top + _HEAP_GAP) and one.writable]
    if found and found[0].virtual == top and len(found) > 1:
        found = found[1:]
    if not found:
        return None
    start, end = found[0].virtual, found[0].virtual
    for one in found:  # createdump writes only pages in use
        if one.virtual - end > _HEAP_HOLE:
            break
        end = max(end, one.virtual + one.end - one.start)
    return Mapping(start, end, "[heap]")


def _arguments(memory: Memory, machine: _Machine, told: _Told) -> Parsing:
    """Environment and arguments, below the program's name at the stack's end, by the pointers that precede auxv.

    System V ABI, "Process Initialization": argc, argv pointers, 0, envp pointers, 0, the auxiliary vector.
    """
    name = told.auxiliary.get(AT_EXECFN)
    place = memory.offset_of(name) if name else None
    load = memory.range_of(name) if name else None
    if name is None or place is None or load is None or len(told.auxv) < 4 * machine.word:
        return
    words: tuple[int, ...] = ()
    for reach in ENVIRONMENT:
        low = max(load.start, place[0] - reach)
        low += (load.start - low) % machine.word
        data = yield from Cursor(load.end).long(low, place[0] - low)
        at = data.rfind(told.auxv.rstrip(b"\0"))
        if at >= 0:
            words = machine.words(data[at % machine.word : at])
            break
    last = _before(words, len(words))  # the end of envp's pointers
    first = _before(words, last)  # the end of argv's
    if first < 0 or last <= first:
        return
    environment = words[first + 1] if first + 1 < last else name
    begin = _begin(words, first)
    if begin is not None and begin < environment <= name:
        memory.mappings.append(Mapping(begin, environment, "[stack]", "arguments"))
    if environment < name:
        memory.mappings.append(Mapping(environment, name, "[stack]", "environment"))


def _before(words: tuple[int, ...], end: int) -> int:
    """The index of the last 0 before `end`, or -1."""
    return next((i for i in range(min(end, len(words)) - 1, -1, -1) if words[i] == 0), -1)


def _begin(words: tuple[int, ...], end: int) -> int | None:
    """The first pointer of argv, whose closing 0 is at `end`: behind the word that counts them."""
    for count in range(1, end):
        if words[end - count - 1] == count:
            return words[end - count]
    return None
