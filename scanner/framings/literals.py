"""String literals that a program, a printer or a configuration goes on with on the next line.

With an operator between them, behind the first or before the second, two literals are one. Without one they are in
C, Python and Ruby, where a value is assigned or handed over; not in a list (Nix, Clojure), nor in a shell's arguments.
"""

from __future__ import annotations

from detectors.patterns import pattern

_IN_TOKEN = rb"[A-Za-z0-9_.+/=-]"
_OPERATOR = rb"(?:\+|\.\.?|<>|&(?:[ ]_)?|\|\|)"
# Where the second of two parts may begin: few lines do.
OPENS = rb"""\n[ \t]{0,200}(?:[+.&|<>]{1,2}[ \t]{0,4})?[bru]?["']"""
MARK = (
    rb"""["'][ \t]{0,4}[+.<>&|\\]{0,2}(?:[ ]_)?[ \t]{0,4}\r?\n"""
    rb"""[ \t]{0,200}(?:[+.&|<>]{1,2}[ \t]{0,4})?[bru]?["']"""
)
_JOINED = pattern(
    rb"""(?P<q>["'])(?:[ \t]{0,4}OPERATOR[ \t]{0,4}\r?\n[ \t]{0,200}|[ \t]{0,4}\r?\n[ \t]{1,200}OPERATOR[ \t]{0,4})"""
    rb"""[bru]?(?P=q)""".replace(b"OPERATOR", _OPERATOR)
)
# Side by side: two parts of a token, the second whole.
_BESIDE = pattern(
    rb"""(?<=TOKEN)(?P<q>["'])[ \t]{0,4}(?P<slash>\\)?\r?\n[ \t]{1,200}[bru]?(?P=q)"""
    rb"""(?=TOKEN{1,4096}(?:(?:\\[rn]|[&;, ])[^"'\r\n]{0,400})?(?P=q)[ \t]{0,4}(?:[,)}\];+\\]|\r?\n|\Z))""".replace(
        b"TOKEN", _IN_TOKEN
    )
)
# What stands before the first of them. A shell's option has no blank behind `=`.
_ASSIGNED = pattern(rb"""(?:[=:(,{>]\s{0,200}|\breturn[ ])[bru]?\Z""")
_ASSIGNED_APART = pattern(rb"""(?:[=:>]\s{1,200}|\(\s{0,200}|\breturn[ ])[bru]?\Z""")
LONG = 40  # characters of a token's part that is no other argument or item
_LONG_PART = pattern(rb"[A-Za-z0-9_.+/=-]{40}\Z")


def gaps(data: bytes) -> list[tuple[int, int]]:
    """The stretches [start, end) between the parts of continued literals, in order."""
    found = [part.span() for part in _JOINED.finditer(data)]
    joined = -1  # where the literal begins that was joined to the one before it
    for part in _BESIDE.finditer(data):
        start = part.start()
        opened = data.rfind(part["q"], data.rfind(b"\n", 0, start) + 1, start)
        if opened >= 0 and (opened + 1 == joined or _is_value(data, opened, start, slash=bool(part["slash"]))):
            found.append(part.span())
            joined = part.end()
    return sorted(found)


def _is_value(data: bytes, opened: int, end: int, *, slash: bool) -> bool:
    """Whether the literal that opens at an index is what is assigned or handed over, or too long for anything else."""
    before = data[max(0, opened - 220) : opened]
    if slash:
        return _ASSIGNED_APART.search(before) is not None
    long = _LONG_PART.search(data, max(opened, end - LONG), end) is not None
    return _ASSIGNED.search(before) is not None or (long and not before.rstrip().endswith(b"["))
