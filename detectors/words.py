"""Whether letters are those of words: the pairs of English and of identifiers, or a random draw's.

A random string of 16 letters and digits counts as words once in 300, one of 20 once in 15,000, one of 32 less than
once in 200,000; a name that a programmer gave counts so in 95 of 100.
"""

from __future__ import annotations

from functools import lru_cache

from detectors.patterns import pattern

# How much likelier a letter follows another in words than in a random draw, in bits plus 5, from the words and names in
# free software's documentation and Python sources, each word weighed by the root of its count. Row: the first letter.
_PAIRS = (
    "25652351504767050767443241", "74547331642733640564710342", "62437317516532730546521330",
    "64358332712533631553522130", "53664542322557343776243531", "63446622800623731655602140",
    "62438346610546540664521033", "71238111702443730536502030", "55655450112658640566140304",
    "73447321623333742373613010", "63348344713535541464414031", "62357321722622630255531151",
    "75238210712452670253511030", "62666472514324631267441031", "34562441313567550755645221",
    "71337224502622650756512040", "23233000300433212453821000", "72448341704454630566432050",
    "51527325603433551367622041", "61437316701433640665413151", "56545540502667350767110211",
    "72318231700343520233211110", "72347226702436630652203210", "53646413601452470367210640",
    "54436332501566670576324123", "73118304702545520343302044",
)  # fmt: skip
_BITS = {bytes((97 + a, 97 + b)): int(_PAIRS[a][b]) - 5 for a in range(26) for b in range(26)}

_HUMP = pattern(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # camelCase, taken apart
_CASE = rb"(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)"
_JOINED = pattern(rb"_{0,2}" + _CASE + rb"(?:[_.\-/: ]{1,2}" + _CASE + rb")+_{0,2}")  # snake_case, a-b, a.b, prose
# snake_case with a number here and there: gnutls_pkcs11_obj_get_ptr
_SNAKE = pattern(
    rb"_{0,2}(?:[a-z]{1,16}\d{0,5}(?:_[a-z]{1,16}\d{0,3}){2,}|[A-Z]{1,16}\d{0,5}(?:_[A-Z]{1,16}\d{0,3}){2,})_{0,2}"
)
_RUN = pattern(rb"[0-9]+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # camelCase and its numbers, taken apart
_SEPARATOR = pattern(rb"[_.\-]")
_CONSONANTS = pattern(rb"(?i)[bcdfghjklmnpqrstvwxz]{5}")
_VOWEL = pattern(rb"(?i)[aeiouy]")

DIGITS = 0.15  # the share of digits that names have at most
COVER = 0.5  # the share of a value that stands in words of three letters or more
MEAN, LEAST = 0.2, 3  # bits a pair, and in all, by which the pairs are those of words
LONG, RUN = 20, 3  # characters from which runs of fewer than that many on average are none of words
SHORT = 12  # letters: a single word of that many may have rare pairs


def made_of_words(value: bytes) -> bool:
    """Whether a value is an identifier, a phrase or a word. Linear in its length."""
    digits = sum(48 <= c <= 57 for c in value)
    if digits <= 2 * DIGITS * len(value) and _SNAKE.fullmatch(value):
        return True
    if digits > DIGITS * len(value):
        return False
    bits = pairs = letters = 0
    for hump in _HUMP.findall(value):
        if len(hump) < 3:
            continue
        letters += len(hump)
        hump = hump.lower()
        pairs += len(hump) - 1
        bits += sum(_BITS[hump[i : i + 2]] for i in range(len(hump) - 1))
    if pairs and bits >= 0 and _JOINED.fullmatch(value):
        return True
    if letters >= COVER * len(value) and bits >= max(LEAST, MEAN * pairs) and not _choppy(value):
        return True
    return len(value) <= SHORT and value.isalpha() and _one_word(value)


def is_drawn(value: bytes) -> bool:
    """Whether letters and digits change as they do in a random draw, and hardly ever in names, numbers and source code.

    Punctuation says little: a password may hold whatever code holds. Linear in its length.
    """
    bits = sum(map(_change, value, value[1:])) - RARE_BITS * len(_RARE.intersection(value))
    return bits <= min(DRAWN, DRAWN_EACH * len(value))


@lru_cache(maxsize=1 << 13)
def _change(first: int, second: int) -> float:
    """Bits by which one character after another speaks for words, negative for a draw."""
    pair = _CLASSES[first] + _CLASSES[second]
    if pair in _CHANGES:
        return _CHANGES[pair]
    likely = _BITS.get(bytes((first, second)).lower(), 0)
    return min(0, likely) if pair == "Aa" else likely


def _class(byte: int) -> str:
    one = bytes((byte,))
    return "0" if one.isdigit() else "a" if one.islower() else "A" if one.isupper() else "."


_CLASSES = tuple(map(_class, range(256)))
_CHANGES = {"aA": -1.5, "a0": -1.5, "A0": -1.5, "0a": -2.5, "0A": -2.5, "00": 0.0}
_RARE = frozenset(b"@#%^~!?*$\\&|;`")
RARE_BITS = 0.7  # what each different character counts that source code has seldom between letters
# Of source code, stretches without a blank pass both once in 100; draws of 16 characters 9 in 10 times.
DRAWN, DRAWN_EACH = -6, -0.3


def _choppy(value: bytes) -> bool:
    """Whether letters and digits change case and kind too often for names, and of one case no separator explains it."""
    if len(value) < LONG or (_SEPARATOR.search(value) and (value.islower() or value.isupper())):
        return False
    runs = _RUN.findall(value)
    return sum(map(len, runs)) < RUN * len(runs)


def _one_word(value: bytes) -> bool:
    """Letters of one case with a vowel and no run of five consonants: too short for its pairs to tell."""
    plain = value.islower() or value.isupper() or value.istitle()
    return plain and _VOWEL.search(value) is not None and _CONSONANTS.search(value) is None
