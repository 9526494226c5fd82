"""What dumps can begin with. Nearly all files begin otherwise, and for those no format is asked, or even imported.

Each test here is wider than the format's own, which has the last word.
"""

from __future__ import annotations

# The first bytes of those that are no text, and of Android's tombstones.
_MAGICS = (
    b"JAVA PROFILE 1.0.", b"FLR\0", b"\x7fELF", b"MDMP", b"EMiL", b"PAGEDU", b"AVML", b"KDUMP   ", b"DISKDUMP",
    b"makedumpfile\0", b"HIBR", b"hibr", b"WAKE", b"wake", b"RSTR",
    *(bytes((low, 0xBE, 0xD2, 0xBE)) for low in range(0xD0, 0xD4)), b"*** *** ",
)  # fmt: skip
_SWAP, _SWAP_AT = (b"SWAPSPACE2", b"SWAP-SPACE"), 4096 - 10
# Of JSON documents, behind the brace that opens them.
_SNAPSHOT = b'"snapshot"'
_REPORTS = (b'"reportVersion"', b'"bug_type"')
# Of what the JVM writes, behind a time or a line's end; looked for in the first bytes.
_SOON = (
    b"Full thread dump ", b"----- pid ", b"# A fatal error has been detected by the Java",
    b"# There is insufficient memory for the Java",
)  # fmt: skip
_SOON_IN = 128
# Of crashes, which the first lines of a log may stand before.
_ANYWHERE = (b"Fatal Python error: ", b"Current thread 0x", b"goroutine ", b"panicked at ")


def may_have_structure(head: bytes) -> bool:
    """Whether a stream with these first bytes may be a dump of which more is told than where its findings stand."""
    if head.startswith(_MAGICS) or head.startswith(_SWAP, _SWAP_AT):
        return True
    return head[:1] in _BEFORE_JSON and _SNAPSHOT in head


def may_be_dump(head: bytes) -> bool:
    """Whether a stream with these first bytes may be a dump, reports of crashes among them."""
    if may_have_structure(head):
        return True
    if head[:1] in _BEFORE_JSON and any(mark in head for mark in _REPORTS):
        return True
    soon = head[:_SOON_IN]
    return any(mark in soon for mark in _SOON) or any(mark in head for mark in _ANYWHERE)


def may_become_dump(head: bytes) -> bool:
    """Whether these bytes, of which there are too few to tell, may be a dump that is known by its magic."""
    if len(head) >= SHORT:
        return False
    return head.startswith(_MAGICS) or any(magic.startswith(head) for magic in _MAGICS) or head.lstrip()[:1] in b"{"


_BEFORE_JSON = b"{ \t\r\n"
SHORT = 256  # bytes from which on no format is undecided
