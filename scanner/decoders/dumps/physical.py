"""The memory of a whole machine: formats that tell physical addresses, and those that are only known by name.

A token of more than a page may be in pieces here, since neighbours in a process are no neighbours in a machine.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from msgspec import Struct

from scanner.decoders.dumps.cursor import Cursor
from scanner.decoders.dumps.interface import Parsing
from scanner.decoders.dumps.memory import Memory, Range

LIME = b"EMiL"  # 0x4C694D45, little-endian; AVML writes the same where it does not compress
LIME_HEAD = struct.Struct("<4sIQQQ")  # magic, version, first and last address, reserved (LiME's doc, "LiME format")
RANGES = 100_000  # of a LiME image: machines have a few dozen
RUNS = 1024  # of a Windows kernel dump: what fits its header is less
PAGE = 4096


def parse_lime(memory: Memory) -> Parsing:
    """A header before each range of addresses."""
    memory.kind = "physical"
    cursor = Cursor()
    position = 0
    for _ in range(RANGES):
        head = yield from cursor.take(position, LIME_HEAD.size)
        if not head:
            return
        if len(head) < LIME_HEAD.size:
            memory.trouble.append(("a range's header is cut off", position + len(head)))
            return
        magic, _version, first, last, _ = LIME_HEAD.unpack(head)
        size = last + 1 - first
        if magic != LIME or size <= 0 or position + size >= 1 << 62:
            memory.trouble.append(("what follows a range is no range: addresses are not told from here on", position))
            return
        position += LIME_HEAD.size
        memory.ranges.append(Range(position, position + size, first))
        position += size
        memory.wanted = position
    memory.trouble.append((f"more than {RANGES:,} ranges: addresses are not told from here on", position))


def is_lime(head: bytes) -> bool:
    return head.startswith(LIME) and head[4:8] == b"\1\0\0\0"


def parse_windows(memory: Memory) -> Parsing:
    """DUMP_HEADER64 or 32: in a full dump, runs of pages in the order they have in the file.

    https://learn.microsoft.com/windows-hardware/drivers/debugger/varieties-of-kernel-mode-dump-files
    """
    memory.kind = "physical"
    head = yield from Cursor().take(0, 2 * PAGE)
    wide = head[4:8] == b"DU64"
    block, kind_at, size, form = (0x88, 0xF98, 2 * PAGE, "Q") if wide else (0x64, 0xF88, PAGE, "I")
    if len(head) < size:
        memory.trouble.append(("the header is cut off", len(head)))
        return
    if struct.unpack_from("<I", head, kind_at)[0] != 1:  # no full dump: which pages it holds, a bitmap tells
        return
    step = struct.calcsize("<" + form)
    count = min(struct.unpack_from("<I", head, block)[0], (kind_at - block) // (2 * step), RUNS)
    position = size
    for run in range(count):
        base, pages = struct.unpack_from(f"<2{form}", head, block + 2 * step * (run + 1))
        if not 0 < pages < 1 << 48 or base >= 1 << 48:
            memory.trouble.append(("a run of pages is impossible: addresses are not told from there on", position))
            return
        memory.ranges.append(Range(position, position + pages * PAGE, base * PAGE))
        position += pages * PAGE
    memory.wanted = position


def is_windows(head: bytes) -> bool:
    return head.startswith((b"PAGEDU64", b"PAGEDUMP"))


class Known(Struct, frozen=True):
    """A format known by its magic alone. `packed` tells by its first bytes whether pages may be compressed in it."""

    magic: tuple[bytes, ...]
    packed: Callable[[bytes], bool] = lambda head: True
    at: int = 0
    sure: Callable[[bytes], bool] = lambda head: True  # what else must hold, where the magic is a word

    def recognises(self, head: bytes) -> bool:
        return head.startswith(self.magic, self.at) and self.sure(head)

    def undecided(self, head: bytes) -> bool:
        return self.at == 0 and any(len(head) < len(one) and one.startswith(head) for one in self.magic)

    def parse(self, memory: Memory) -> Parsing:
        memory.kind = "physical"
        head = yield 0, PAGE
        if self.packed(head):
            memory.trouble.append(("its pages may be compressed: only what stands plain in it was seen", None))


def _never(_head: bytes) -> bool:
    return False


def _kdump_is_packed(head: bytes) -> bool:
    """disk_dump_header.status (makedumpfile's IMPLEMENTATION): zlib 1, lzo 2, snappy 4, zstd 0x20."""
    return len(head) < 428 or bool(struct.unpack_from("<I", head, 424)[0] & 0x27)


KNOWN: dict[str, Known] = {
    "avml": Known((b"AVML\2\0\0\0",)),  # https://github.com/microsoft/avml: snappy frames behind a LiME header
    "kdump": Known((b"KDUMP   ", b"DISKDUMP"), _kdump_is_packed),
    "makedumpfile": Known((b"makedumpfile\0\0\0\0",)),  # its flattened format
    # PO_MEMORY_IMAGE: the magic, and the size of a page a few words behind
    "hiberfil": Known((b"HIBR", b"hibr", b"WAKE", b"wake", b"RSTR"), sure=lambda head: b"\0\x10\0\0" in head[4:64]),
    "vmware-snapshot": Known(tuple(bytes((n, 0xBE, 0xD2, 0xBE)) for n in range(0xD0, 0xD4)), _never),
    "swap": Known((b"SWAPSPACE2", b"SWAP-SPACE"), _never, at=PAGE - 10),  # mkswap(8): the end of the first page
}
