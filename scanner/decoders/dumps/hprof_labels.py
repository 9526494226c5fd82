"""What the entries of a map and the threads of a dump are called: keys and names, read by the object's id.

A key can be as secret as a value. One that a finding overlaps shows that finding's replacement, and one that
is long or looks random shows its length only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from detectors.patterns import pattern
from detectors.shapes import is_wordy
from scanner.decoders.dumps.hprof_classes import Classes, Field
from scanner.decoders.dumps.hprof_records import INSTANCE, PRIMITIVES, Record, Records
from scanner.names import printable

LABELS_MOST = 2_000  # keys and names read of one dump
SHOWN = 40  # characters of a key; a longer one is no name
RUN = pattern(r"[A-Za-z0-9+/=_.-]{12,}")  # characters that could be (part of) a secret

# The fields of a map's entry by the class that declares them: value -> key
NODES: dict[str, dict[str, str]] = {
    "java/util/HashMap$Node": {"value": "key"},
    "java/util/HashMap$HashMapEntry": {"value": "key"},
    "java/util/HashMap$Entry": {"value": "key"},
    "java/util/Hashtable$Entry": {"value": "key"},
    "java/util/Hashtable$HashtableEntry": {"value": "key"},
    "java/util/TreeMap$Entry": {"value": "key"},
    "java/util/TreeMap$TreeMapEntry": {"value": "key"},
    "java/util/AbstractMap$SimpleEntry": {"value": "key"},
    "java/util/AbstractMap$SimpleImmutableEntry": {"value": "key"},
    "java/util/KeyValueHolder": {"value": "key"},
    "java/util/concurrent/ConcurrentHashMap$Node": {"val": "key"},
    "java/util/concurrent/ConcurrentHashMap$HashEntry": {"value": "key"},
    "java/util/concurrent/ConcurrentSkipListMap$Node": {"val": "key", "value": "key"},
    "java/util/ImmutableCollections$Map1": {"v0": "k0"},
    "java/util/WeakHashMap$Entry": {"value": "referent"},
    "java/lang/ThreadLocal$ThreadLocalMap$Entry": {"value": "referent"},
    "com/google/common/collect/ImmutableMapEntry": {"value": "key"},
    "com/google/common/collect/ImmutableEntry": {"value": "key"},
}  # fmt: skip
# Maps whose entries are an array of key, value, key, value …
TABLES = {"java/util/ImmutableCollections$MapN": "table", "java/util/IdentityHashMap": "table"}
THREAD, THREAD_LOCAL, STRING, ENUM = "java/lang/Thread", "java/lang/ThreadLocal", "java/lang/String", "java/lang/Enum"
_BOXES = {"java/lang/Integer", "java/lang/Long", "java/lang/Short", "java/lang/Byte"}

Covered = Callable[[int, int], str | None]  # what stands for a finding that overlaps [start, end) of the file


class Labels:
    """Texts of objects. Asked for first, found by the passes over the file, read at last."""

    def __init__(self, records: Records, classes: Classes, covered: Covered) -> None:
        self._records = records
        self._classes = classes
        self._covered = covered
        self._asked: set[int] = set()
        self._instances: dict[bytes, int] = {}  # literal to be searched for -> object
        self._arrays: dict[bytes, list[tuple[int, int]]] = {}  # literal -> (string, coder); strings may share an array
        self._texts: dict[int, str] = {}
        self._named_by: dict[int, int] = {}  # thread or enum constant -> its name's string
        self.thread_locals: set[int] = set()  # keys known by who holds them

    def ask(self, identity: int) -> None:
        """The label of this object is wanted."""
        if identity and identity not in self._asked and len(self._asked) < LABELS_MOST:
            self._asked.add(identity)
            self._instances[bytes([INSTANCE]) + identity.to_bytes(self._records.wide)] = identity

    def text(self, identity: int) -> str | None:
        """What is known of it; strings in quotes."""
        return self._texts.get(self._named_by.get(identity, identity))

    def literals(self, most: int) -> list[bytes]:
        """What the next pass should search for."""
        return [*self._instances, *self._arrays][:most]

    def take(self, found: dict[bytes, list[int]]) -> None:
        """What the pass found of it."""
        seen = [(self._instances.pop(text), at) for text, at in found.items() if text in self._instances]
        arrays = [(self._arrays.pop(text), at) for text, at in found.items() if text in self._arrays]
        located = [(identity, self._first(places, INSTANCE)) for identity, places in seen]
        self._classes.learn({record.cls for _, record in located if record})
        for identity, record in located:
            if record:
                self._instance(identity, record)
        for strings, places in arrays:
            array = self._first(places, PRIMITIVES)
            if array:
                self._texts |= {identity: self._string(array, coder) for identity, coder in strings}

    def drop(self, literals: Iterable[bytes]) -> None:
        """What a pass over the whole file did not find is not there."""
        for text in literals:
            self._instances.pop(text, None)
            self._arrays.pop(text, None)

    def _first(self, places: list[int], tag: int) -> Record | None:
        """Of places where a record's first bytes stand, the one where it is a record."""
        for at in places:
            record = self._records.at(at)
            if record and record.start == at and record.tag == tag:
                return record
        return None

    def _instance(self, identity: int, record: Record) -> None:
        lines = self._classes.ancestors(record.cls)
        name = lines[0] if lines else "?"
        if name == STRING:
            self._value(identity, record)
        elif name in _BOXES:
            here = self._field(record, "value")
            if here:
                data = self._records.file.near(record.data + here.offset, self._records.sizes[here.kind])
                self._texts[identity] = str(int.from_bytes(data, signed=True))
        elif THREAD_LOCAL in lines:
            self.thread_locals.add(identity)
        elif THREAD in lines or ENUM in lines:
            here = self._field(record, "name")
            if here:
                self._named_by[identity] = self._number(record, here)
                self.ask(self._named_by[identity])
        else:
            self._texts[identity] = self._classes.name(record.cls)

    def _value(self, identity: int, record: Record) -> None:
        value, coder = self._field(record, "value"), self._field(record, "coder")
        if value:
            array = self._number(record, value)
            wide = self._records.file.near(record.data + coder.offset, 1) == b"\x01" if coder else False
            literal = bytes([PRIMITIVES]) + array.to_bytes(self._records.wide)
            self._arrays.setdefault(literal, []).append((identity, int(wide)))

    def _field(self, record: Record, name: str) -> Field | None:
        fields = self._classes.fields(record.cls)
        return next((one for one in reversed(fields) if self._classes.text(one.name) == name), None)

    def _number(self, record: Record, here: Field) -> int:
        return int.from_bytes(self._records.file.near(record.data + here.offset, self._records.sizes[here.kind]))

    def _string(self, array: Record, coder: int) -> str:
        """`"token"`, or what may be said of it. UTF-16 in `byte[]` is in the order of the machine: little-endian."""
        width = 2 if coder or array.kind == 5 else 1
        count = (array.end - array.data) // width
        if said := self._covered(array.data, array.end):
            return said
        encoding = ("utf-16be" if array.kind == 5 else "utf-16le") if width == 2 else "latin-1"
        data = self._records.file.near(array.data, min(count, SHOWN) * width)
        text = data.decode(encoding, "replace")
        if count > SHOWN or any(not is_wordy(run.encode()) for run in RUN.findall(text)):
            return f"({count} characters)"
        return f'"{printable(text.encode("utf-8", "surrogateescape"))}"'
