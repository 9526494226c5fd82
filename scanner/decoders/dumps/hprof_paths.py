"""What a chain of holders is called: `com.example.TokenCache.byUser["alice"]`, and each step on the way there."""

from __future__ import annotations

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.hprof_classes import Classes, readable
from scanner.decoders.dumps.hprof_index import Index
from scanner.decoders.dumps.hprof_labels import Labels
from scanner.decoders.dumps.hprof_owners import Chain, Kind, Link, Owners
from scanner.names import printable

STACK_FRAME = 0x03
UNREAD = "…"  # stands for a key that was not read
# What a root is, by its tag (hprof_binary_format)
_ROOTS = {
    0x01: "JNI global", 0x02: "JNI local", STACK_FRAME: "stack", 0x04: "native stack", 0x05: "class",
    0x06: "thread block", 0x07: "monitor", 0x08: "thread", 0x89: "interned string", 0x8A: "finalizer",
    0x8B: "debugger", 0x8D: "VM internal", 0x8E: "JNI monitor",
}  # fmt: skip


class Paths:
    """Puts names on what the search found."""

    def __init__(self, file: File, index: Index, classes: Classes, labels: Labels, owners: Owners) -> None:
        self._file = file
        self._index = index
        self._classes = classes
        self._labels = labels
        self._owners = owners

    def owner(self, chain: Chain, depth: int = 0) -> str | None:
        """Who holds the start of the chain; None where nobody does."""
        if not chain.links or chain.reachable is False:
            return None
        last = chain.links[-1]
        keys = [self._key(chain.links, i, depth) for i in range(len(chain.links))]
        text = "".join(f"[{key}]" for key in reversed(keys) if key)
        if self._owners.is_thread(last):
            name = self._labels.text(last.holder)
            return f"thread {name}.{self._classes.text(last.name)}{text}" if name else self._step(last) + text
        if keys[-1]:  # an entry whose map was not found: `java.util.HashMap["token"]`
            return self._classes.name(last.declared).partition("$")[0] + text
        return self._step(last) + text

    def path(self, start: str, chain: Chain) -> list[str]:
        """Each step from an object, which is called `start`, outwards."""
        steps = [start]
        for i, link in enumerate(chain.links):
            key = self._key(chain.links, i, 0)
            steps.append(self._step(link) + (f"[{key}]" if key else ""))
        return steps

    def step(self, link: Link) -> str:
        """One holder by itself."""
        return self._step(link)

    def _step(self, link: Link) -> str:
        if link.kind is Kind.ROOT:
            return self._root(link)
        if link.kind is Kind.ELEMENT:
            return self._classes.name(link.cls)
        return f"{self._classes.name(link.cls)}.{self._classes.text(link.name)}"

    def _key(self, links: list[Link], i: int, depth: int) -> str | None:
        """The key under which a map holds what the link refers to."""
        link = links[i]
        if not link.key or link.kind not in (Kind.FIELD, Kind.ELEMENT):
            return None
        if link.kind is Kind.ELEMENT and not (i + 1 < len(links) and self._owners.is_table(links[i + 1])):
            return None
        if link.key in self._labels.thread_locals:
            return self.owner(self._owners.chain(link.key), depth + 1) or UNREAD if depth == 0 else None
        return self._labels.text(link.key) or UNREAD

    def _root(self, link: Link) -> str:
        name = _ROOTS.get(link.cls, "root")
        method = self._method(link) if link.cls == STACK_FRAME else None
        return f"{name} of {method}" if method else name

    def _method(self, link: Link) -> str | None:
        """The method of a stack frame: FRAME records hold id, method, signature, source file, class serial, line."""
        wide = self._index.idsize
        trace = self._index.traces.get(int.from_bytes(self._file.near(link.place + wide, 4)))
        if trace is None or link.name >= int.from_bytes(self._file.near(trace - 4, 4)):
            return None
        frame = self._index.frames.get(int.from_bytes(self._file.near(trace + link.name * wide, wide)))
        if frame is None:
            return None
        method = int.from_bytes(self._file.near(frame + wide, wide))
        serial = int.from_bytes(self._file.near(frame + 4 * wide, 4))
        cls = self._index.serials.get(serial, -1)
        names = self._index.names(self._file, (method, cls))
        if method not in names:
            return None
        return f"{readable(printable(names.get(cls, '?').encode()))}.{printable(names[method].encode())}"
