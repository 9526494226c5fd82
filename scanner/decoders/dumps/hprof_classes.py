"""The classes of an HPROF: their names, the places of their fields, and which of them only hold for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from scanner.decoders.dumps.access import Literals
from scanner.decoders.dumps.hprof_records import CLASS, ROOTS, ClassRecord, Records
from scanner.names import printable

DEPTH_MOST = 64  # superclasses: Java code has ten at the most, a damaged dump may go in circles
# Runtimes and general containers: what they hold, they hold for somebody else, so the search for an owner goes on.
_RUNTIME = (
    "java/", "javax/", "jdk/", "sun/", "com/sun/", "kotlin/", "scala/", "clojure/lang/", "groovy/lang/",
    "android/", "androidx/collection/", "com/android/internal/", "dalvik/", "libcore/",
    "com/google/common/cache/", "com/google/common/collect/", "com/github/benmanes/caffeine/cache/",
    "io/netty/buffer/", "io/netty/util/", "it/unimi/dsi/fastutil/", "org/eclipse/collections/",
)  # fmt: skip
_PRIMITIVES = {
    "B": "byte", "C": "char", "D": "double", "F": "float", "I": "int", "J": "long", "S": "short", "Z": "boolean",
}  # fmt: skip


class Field(Struct, frozen=True):
    """One field of an instance. `offset` is in its values; `owner` is the class that declares it."""

    offset: int
    kind: int
    name: int  # string id
    owner: int


class Classes:
    """What is known of the classes met so far. Ask `learn` before the rest."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._places: dict[int, int] = {}  # class id -> offset of its record
        self._known: dict[int, ClassRecord] = {}
        self._texts: dict[int, str] = {}  # string id -> text
        self._layouts: dict[int, tuple[Field, ...]] = {}
        self._lost: set[int] = set()  # classes whose record was searched for in vain
        self._read_first()

    def _read_first(self) -> None:
        """Where the classes stand that a JVM writes first of all. Android strews them over the heap."""
        for start, end in self._records.index.segments:
            at = start
            while at < end:
                record = self._records.parse(at, end)
                if record is None or (record.tag != CLASS and record.tag not in ROOTS):
                    return
                if record.tag == CLASS:
                    self._places.setdefault(record.id, at)
                at = record.end

    def all(self) -> Iterator[ClassRecord]:
        """The records of all classes that a JVM wrote first; they are not kept."""
        for at in self._places.values():
            found = self._records.class_at(at)
            if found is not None:
                yield found

    def learn(self, ids: Iterable[int]) -> None:
        """Reads these classes, their superclasses, and all their names."""
        index = self._records.index
        fresh = [identity for identity in ids if identity not in self._layouts and identity in index.classes]
        if not fresh:
            return
        lines = {identity: self._line(identity) for identity in fresh}
        wanted = {index.classes[identity] for identity in fresh}
        for line in lines.values():
            wanted |= {index.classes[one.id] for one in line}
            wanted |= {name for one in line for name, _ in one.fields}
            wanted |= {name for one in line for name, _, _ in one.statics}
        wanted -= self._texts.keys()
        self._texts |= {one: printable(text.encode()) for one, text in index.names(self._records.file, wanted).items()}
        for identity, line in lines.items():
            self._layouts[identity] = tuple(self._fields(line))

    def _line(self, identity: int) -> list[ClassRecord]:
        """A class and its superclasses, as far as they are told."""
        line: list[ClassRecord] = []
        while identity and len(line) < DEPTH_MOST:
            found = self._record(identity)
            if found is None:
                break
            line.append(found)
            identity = found.parent
        return line

    def _record(self, identity: int) -> ClassRecord | None:
        if identity not in self._known and identity not in self._lost:
            if identity not in self._places:
                self._search(identity)
            at = self._places.get(identity)
            found = self._records.class_at(at) if at is not None else None
            if found is None:
                self._lost.add(identity)
            else:
                self._known[identity] = found
        return self._known.get(identity)

    def _search(self, identity: int) -> None:
        file, wide = self._records.file, self._records.wide
        literal = bytes([CLASS]) + identity.to_bytes(wide)
        segments = self._records.index.segments
        start, end = segments[0][0], segments[-1][1]
        for places in Literals([literal]).find(file, start, end, 8).values():
            for at in places:
                segment = self._records.index.segment_of(at)
                if segment and self._records.parse(at, segment[1]):
                    self._places.setdefault(identity, at)

    def _fields(self, line: list[ClassRecord]) -> Iterable[Field]:
        offset = 0
        for one in line:
            for name, kind in one.fields:
                yield Field(offset, kind, name, one.id)
                offset += self._records.sizes[kind]

    def fields(self, identity: int) -> tuple[Field, ...]:
        """Of an instance's values, in their order."""
        return self._layouts.get(identity, ())

    def static_at(self, identity: int, place: int) -> int | None:
        """The string id of the static field whose value stands at a place of the file."""
        found = self._known.get(identity)
        return next((name for name, _, at in found.statics if at == place), None) if found else None

    def text(self, name: int) -> str:
        """A field's name; `?` where the dump does not tell."""
        return self._texts.get(name, "?")

    def jvm_name(self, identity: int) -> str:
        """As in a class file, `java/lang/String`; Android writes dots, which become slashes."""
        return self.text(self._records.index.classes.get(identity, -1)).replace(".", "/")

    def ancestors(self, identity: int) -> list[str]:
        """The names of a class and its superclasses."""
        return [self.jvm_name(one.id) for one in self._line(identity)] if identity in self._layouts else []

    def is_runtime(self, identity: int) -> bool:
        """Whether its instances hold things for somebody else."""
        name = self.jvm_name(identity).lstrip("[")
        if name[:1] == "L" and name.endswith(";"):
            name = name[1:]
        return name in _PRIMITIVES or name.startswith(_RUNTIME) or name == "?"

    def name(self, identity: int) -> str:
        """As people write it: `com.example.Cache$Entry`, `byte[]`. What a JVM added to a hidden class is left out."""
        return readable(self.jvm_name(identity))


def readable(name: str) -> str:
    """A class's JVM name (JVMS 4.2.1, 4.3.2) as source code has it."""
    depth = len(name) - len(name.lstrip("["))
    name = name[depth:]
    if depth:
        name = _PRIMITIVES.get(name, name[1:-1] if name[:1] == "L" and name.endswith(";") else name)
    plain = name.partition("+0x")[0].partition("/0x")[0]  # lambdas: Cache$$Lambda$14/0x0000000840066c40
    return plain.replace("/", ".") + "[]" * depth
