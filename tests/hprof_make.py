"""Writes small heap dumps as JVMs and Android do, for the layouts no JVM at hand writes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

OBJECT, BYTE = 2, 8


@dataclass
class Heap:
    """Records are collected, and written by `data`. Ids are handed out as addresses are: multiples of 8."""

    wide: int = 8
    android: bool = False
    names: dict[str, int] = field(default_factory=dict)
    top: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    last: int = 0x1000

    def number(self, value: int) -> bytes:
        return value.to_bytes(self.wide)

    def fresh(self) -> int:
        self.last += 8
        return self.last

    def name(self, text: str) -> int:
        if text not in self.names:
            self.names[text] = self.fresh()
            body = self.number(self.names[text]) + text.encode()
            self.top.append(b"\x01" + bytes(4) + len(body).to_bytes(4) + body)
        return self.names[text]

    def cls(
        self, name: str, parent: int = 0, fields: str = "", statics: dict[str, int] | None = None, layout: bool = True
    ) -> int:
        """A class with fields, each `name:` an object or `name=` a byte, and its LOAD_CLASS."""
        identity = self.classes[name] = self.fresh()
        shown = name.replace("/", ".") if self.android else name
        body = len(self.classes).to_bytes(4) + self.number(identity) + bytes(4) + self.number(self.name(shown))
        self.top.append(b"\x02" + bytes(4) + len(body).to_bytes(4) + body)
        if not layout:
            return identity
        record = b"\x20" + self.number(identity) + bytes(4) + self.number(parent) + bytes(5 * self.wide + 4 + 2)
        record += len(statics or {}).to_bytes(2)
        for static, value in (statics or {}).items():
            record += self.number(self.name(static)) + bytes([OBJECT]) + self.number(value)
        listed = fields.split()
        record += len(listed).to_bytes(2)
        for one in listed:
            record += self.number(self.name(one[:-1])) + bytes([OBJECT if one[-1] == ":" else BYTE])
        self.records.append(record)
        return identity

    def instance(self, cls: int, *values: int | bytes) -> int:
        identity = self.fresh()
        body = b"".join(value if isinstance(value, bytes) else self.number(value) for value in values)
        size = len(body).to_bytes(4)
        self.records.append(b"\x21" + self.number(identity) + bytes(3) + b"\1" + self.number(cls) + size + body)
        return identity

    def array(self, cls: int, *ids: int) -> int:
        identity = self.fresh()
        head = b"\x22" + self.number(identity) + bytes(3) + b"\1" + len(ids).to_bytes(4) + self.number(cls)
        self.records.append(head + b"".join(map(self.number, ids)))
        return identity

    def bytes_(self, data: bytes, kind: int = BYTE) -> int:
        identity = self.fresh()
        count = len(data) // (2 if kind == 5 else 1)
        head = b"\x23" + self.number(identity) + bytes(3) + b"\1" + count.to_bytes(4) + bytes([kind])
        self.records.append(head + data)
        return identity

    def filler(self, cls: int, size: int, seed: int = 0) -> None:
        """About so many bytes of instances and arrays with random content."""
        draw = random.Random(seed)
        made = 0
        while made < size:
            count = draw.randrange(4, 200)
            if draw.random() < 0.3:
                self.bytes_(draw.randbytes(count))
            else:
                self.instance(cls, draw.randbytes(count))
            made += count + 30

    def data(self, segment: int | None = None) -> bytes:
        """The dump: the heap in one record of the first format, or in segments of about so many bytes."""
        out = [b"JAVA PROFILE 1.0.%d\0" % (3 if self.android else 2), self.wide.to_bytes(4), bytes(8), *self.top]
        if self.android:  # each heap is announced by its number and its name
            self.records.insert(0, b"\xfe" + (1).to_bytes(4) + self.number(self.names["app"]))
        parts: list[list[bytes]] = [[]]
        for record in self.records:
            if segment and sum(map(len, parts[-1])) > segment:
                parts.append([])
            parts[-1].append(record)
        for part in parts:
            body = b"".join(part)
            out += [b"\x0c" if segment is None else b"\x1c", bytes(4), len(body).to_bytes(4), body]
        return b"".join([*out, b"\x2c" + bytes(8)])


def cache(
    tokens: list[bytes], *, wide: int = 8, android: bool = False, filler: int = 20_000, key: bytes = b"alice"
) -> Heap:
    """`com.example.Cache`: a static token, one in a field, and one in the static map `BY_USER` under `key`."""
    heap = Heap(wide, android)
    heap.name("app")
    root = heap.cls("java/lang/Object")
    string = heap.cls("java/lang/String", root, "value: coder=")
    node = heap.cls("java/util/HashMap$Node", root, "key: value: next:")
    nodes = heap.cls("[Ljava/util/HashMap$Node;", layout=False)
    table = heap.cls("java/util/HashMap", root, "table:")
    filling = heap.cls("com/example/Filling", root)
    if android:  # classes are strewn among the objects
        heap.filler(filling, filler, 1)

    def text(data: bytes) -> int:
        return heap.instance(string, heap.bytes_(data), b"\0")

    first = text(tokens[0])
    heap.filler(filling, filler, 2)
    entry = heap.instance(node, text(key), text(tokens[1]), 0)
    heap.filler(filling, filler, 3)
    by_user = heap.instance(table, heap.array(nodes, 0, entry, 0))
    held = text(tokens[2])
    cls = heap.cls("com/example/Cache", root, "accessToken:", {"current": first, "BY_USER": by_user})
    heap.filler(filling, filler, 4)
    heap.instance(cls, held)
    if not android:  # a JVM writes its classes first
        heap.records.sort(key=lambda record: record[0] != 0x20)
    root_tag = b"\x89" if android else b"\x05"
    heap.records.append(root_tag + heap.number(cls))
    return heap
