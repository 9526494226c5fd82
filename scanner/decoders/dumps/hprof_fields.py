"""Strings by the names of the fields that hold them: `clientSecret` and its value lie far apart in a heap.

From the fields' names to the classes that declare them, to their instances, to the strings in those fields, to the
strings' arrays: each step is one search of the file for ids as literals, as the search for owners is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from detectors.patterns import pattern
from scanner.decoders.dumps.access import LITERALS_MOST, File, Literals
from scanner.decoders.dumps.hprof_classes import DEPTH_MOST, Classes
from scanner.decoders.dumps.hprof_index import NAME_MOST, Index
from scanner.decoders.dumps.hprof_records import INSTANCE, PRIMITIVES, Record, Records
from scanner.decoders.dumps.pieces import Text, names_a_secret, put_together
from scanner.decoders.interface import Joined

STRING = "java/lang/String"
NAMES_MOST = 20_000  # symbols looked at that hold a telling word
INSTANCES_MOST = 2_000  # of one class: of more sessions that each hold a token these tell enough
VALUES_MOST = LITERALS_MOST // 2  # objects looked for
VALUE_MOST = 16 * 1024  # bytes of an array that is taken for a value
CHANCE = 8  # places where an object's tag and id are seen, one of which is the object
OBJECT, BYTE, CHAR = 2, 8, 5  # types
_NAME = pattern(rb"[A-Za-z_$][A-Za-z0-9_$]{1,63}")
# What a telling name has in it, in each spelling; the names themselves decide.
_WORDS = [
    form
    for word in b"secret token passw pwd passphrase key credential auth jwt assertion bearer".split()
    for form in (word, word.capitalize(), word.upper())
]


class FieldTexts:
    """OSError passes through."""

    def __init__(self, file: File, index: Index) -> None:
        self._file = file
        self._index = index
        self._records = Records(file, index)
        self._classes = Classes(self._records)
        self.left_out = False  # there were more than are looked at

    def joined(self) -> Iterator[Joined]:
        """`name: "value"` of each, many at once."""
        names = self._names() if self._index.segments else {}
        values = self._values(names) if names else {}
        if not values:
            return
        found = list(self._found((INSTANCE, PRIMITIVES), values))
        arrays = {record.id: (values[record.id], 0) for record in found if record.tag == PRIMITIVES}
        self._classes.learn({record.cls for record in found if record.tag == INSTANCE})
        for record in found:
            if record.tag == INSTANCE and self._classes.jvm_name(record.cls) == STRING:
                array, coder = self._string(record)
                arrays[array] = values[record.id], coder
        yield from put_together(self._file, _texts(self._found((PRIMITIVES,), arrays), arrays))

    def _names(self) -> dict[int, bytes]:
        """The names of fields that tell of a secret, by their string ids."""
        offsets = self._index.string_offsets
        if not offsets:
            return {}
        hits = Literals(_WORDS).find(self._file, offsets[0], offsets[-1] + NAME_MOST, NAMES_MOST)
        numbers = sorted({bisect_right(offsets, at) - 1 for places in hits.values() for at in places})
        wanted = {self._index.string_ids[number] for number in numbers if number >= 0}
        texts = {one: text.encode() for one, text in self._index.names(self._file, wanted).items()}
        return {one: text for one, text in texts.items() if _NAME.fullmatch(text) and names_a_secret(text)}

    def _declaring(self, names: dict[int, bytes]) -> tuple[set[int], dict[int, list[tuple[int, bytes]]]]:
        """The classes that have such a field, or inherit one; and of each class where its static ones' values stand."""
        parents: dict[int, int] = {}
        own: set[int] = set()
        static: dict[int, list[tuple[int, bytes]]] = {}
        for one in self._classes.all():
            parents[one.id] = one.parent
            if any(kind == OBJECT and name in names for name, kind in one.fields):
                own.add(one.id)
            if values := [(at, names[name]) for name, kind, at in one.statics if kind == OBJECT and name in names]:
                static[one.id] = values
        return {identity for identity in parents if not own.isdisjoint(_line(identity, parents))}, static

    def _values(self, names: dict[int, bytes]) -> dict[int, bytes]:
        """The objects in telling fields, each with the field's name."""
        having, static = self._declaring(names)
        self._classes.learn(having | static.keys())
        found = {
            self._number(at): name
            for identity, values in static.items()
            if not self._classes.is_runtime(identity)
            for at, name in values
        }
        wide, wanted = self._records.wide, {}
        for identity in sorted(having):
            fields = self._classes.fields(identity)
            size = fields[-1].offset + self._records.sizes[fields[-1].kind] if fields else 0
            if not self._classes.is_runtime(identity):
                literal = identity.to_bytes(wide) + size.to_bytes(4)  # of an instance: its class, and how long it is
                wanted[literal] = [one for one in fields if one.kind == OBJECT and one.name in names]
        for record, literal in self._instances(wanted):
            for one in wanted[literal]:
                if len(found) < VALUES_MOST:
                    found.setdefault(self._number(record.data + one.offset), names[one.name])
                else:
                    self.left_out = True
        found.pop(0, None)
        return found

    def _instances(self, literals: Iterable[bytes]) -> Iterator[tuple[Record, bytes]]:
        before = 1 + self._records.wide + 4  # tag, id, trace
        for literal, places in self._search(literals, INSTANCES_MOST).items():
            for at in places:
                record = self._parsed(at - before)
                if record is not None and record.tag == INSTANCE:
                    yield record, literal

    def _found(self, tags: tuple[int, ...], objects: Iterable[int]) -> Iterator[Record]:
        """The records of these objects, if they are of these kinds."""
        literals = [bytes([tag]) + identity.to_bytes(self._records.wide) for identity in objects for tag in tags]
        for places in self._search(literals, CHANCE).values():
            for at in places:
                record = self._parsed(at)
                if record is not None and record.tag in tags:
                    yield record
                    break

    def _search(self, literals: Iterable[bytes], most: int) -> dict[bytes, list[int]]:
        segments = self._index.segments
        found = Literals(literals).find(self._file, segments[0][0], segments[-1][1], most)
        self.left_out = self.left_out or any(len(places) > most >= INSTANCES_MOST for places in found.values())
        return found

    def _parsed(self, at: int) -> Record | None:
        segment = self._index.segment_of(at)
        return self._records.parse(at, segment[1]) if segment else None

    def _string(self, record: Record) -> tuple[int, int]:
        """(array, coder) of a String: the coder is 1 where the array is UTF-16, and 0 in a JVM that has none."""
        array = coder = 0
        for one in self._classes.fields(record.cls):
            if self._classes.text(one.name) == "value" and one.kind == OBJECT:
                array = self._number(record.data + one.offset)
            elif self._classes.text(one.name) == "coder" and one.kind == BYTE:
                coder = self._file.near(record.data + one.offset, 1)[0:1] == b"\1"
        return array, int(coder)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._file.near(at, self._records.wide))


def _line(identity: int, parents: dict[int, int]) -> Iterator[int]:
    """A class and its superclasses."""
    for _ in range(DEPTH_MOST):
        yield identity
        identity = parents.get(identity, 0)
        if not identity:
            return


def _texts(records: Iterable[Record], arrays: dict[int, tuple[bytes, int]]) -> Iterator[Text]:
    """Each array beside the name of its field."""
    for record in records:
        name, coder = arrays[record.id]
        encoding = "utf-16be" if record.kind == CHAR else "utf-16le" if coder else "latin-1"
        if record.kind in (BYTE, CHAR) and record.end - record.data <= VALUE_MOST:
            yield Text([(record.data, record.end)], name, encoding)
