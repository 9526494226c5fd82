"""Who holds an object: the file is searched for the ids of objects as literals, level by level, upwards.

Of the records a level's hits stand in, the next level's ids are taken. A search is a pass of Vectorscan over the
file; only the records hit are ever parsed. A branch ends at the first class that is not of the runtime.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct

from scanner.decoders.dumps.access import LITERALS_MOST, Literals
from scanner.decoders.dumps.hprof_classes import Classes
from scanner.decoders.dumps.hprof_labels import NODES, TABLES, THREAD, Labels
from scanner.decoders.dumps.hprof_records import ARRAY, CLASS, INSTANCE, ROOTS, Record, Records

PASSES = 12  # searches of the file: a token in a map of maps is eight levels deep
HOLDERS_MOST = 16  # holders looked at of one object: an interned string may have thousands
SEEN_MOST = 50_000  # objects looked for in all
# From a map's entry to its neighbours, never to the map: what refers back or sideways is not followed.
_SIDEWAYS = frozenset(("prev", "before", "after", "parent", "previous", "discovered", "previousInAccessOrder"))


class Kind(IntEnum):
    """How a reference is held."""

    STATIC = 0
    FIELD = 1
    ELEMENT = 2
    ROOT = 3


class Link(Struct, frozen=True):
    """A reference to an object. `holder`: id of the object (or class) that has it; `key`: of a map's entry."""

    kind: Kind
    holder: int
    cls: int  # the holder's class; of a root its tag
    name: int  # string id of the field; of an element its index; of a stack frame its number
    place: int  # offset of the reference
    declared: int = 0  # the class that declares the field
    key: int = 0  # id of the key object


class Chain(Struct):
    """From an object outwards. `complete`: no bound was met on the way."""

    links: list[Link]
    owned: bool  # the last link is of a class that is not of the runtime
    ended: bool  # it leads to an owner, a thread or a root; else nothing holds the last link
    complete: bool
    others: list[Link]  # further owners as near as the last link

    @property
    def reachable(self) -> bool | None:
        """Whether it is a live object: False is garbage that was not collected yet. None where that was not told."""
        if any(link.kind in (Kind.STATIC, Kind.ROOT) for link in (*self.links[-1:], *self.others)):
            return True
        return False if self.complete and not self.ended else None


class Owners:
    """Searches for the holders of objects, and keeps what it found. OSError passes through."""

    def __init__(self, records: Records, classes: Classes, labels: Labels) -> None:
        self._records = records
        self._classes = classes
        self._labels = labels
        self._links: dict[int, list[Link]] = {}
        self._pairs: dict[int, list[int]] = {}  # array -> keys beside the values looked for, if it is a map's
        self._more: set[int] = set()  # objects that have more holders than were looked at
        self.unasked: set[int] = set()  # objects that were not looked for: a bound was met

    def search(self, objects: Iterable[int]) -> None:
        """Looks for all holders of these objects, their holders, and so on."""
        wanted = set(objects)
        for _ in range(PASSES):
            fresh = sorted(wanted - self._links.keys())
            room = max(0, min(LITERALS_MOST // 2, SEEN_MOST - len(self._links)))
            self.unasked |= set(fresh[room:])
            fresh = fresh[:room]
            labels = self._labels.literals(LITERALS_MOST - len(fresh))
            if not fresh and not labels:
                return
            wanted = self._pass(fresh, labels)
        self.unasked |= wanted - self._links.keys()

    def _pass(self, fresh: list[int], labels: list[bytes]) -> set[int]:
        """One search of the file; returns the ids of the next level."""
        wide = self._records.wide
        literals = {identity.to_bytes(wide): identity for identity in fresh}
        segments = self._records.index.segments
        found = Literals([*literals, *labels]).find(
            self._records.file, segments[0][0], segments[-1][1], HOLDERS_MOST + 1
        )
        self._labels.take(found)
        self._labels.drop(labels)
        hits = sorted((at, literals[text]) for text, places in found.items() if text in literals for at in places)
        placed = [(at, target, self._records.at(at)) for at, target in hits]
        self._classes.learn({record.cls if record.tag != CLASS else record.id for _, _, record in placed if record})
        for identity in fresh:
            self._links[identity] = []
        for at, target, record in placed:
            link = self._link(at, record) if record else None
            if link is None or link.holder == target:
                continue
            if len(self._links[target]) >= HOLDERS_MOST:
                self._more.add(target)
            else:
                self._links[target].append(link)
        return self._next(fresh)

    def _next(self, fresh: list[int]) -> set[int]:
        wanted: set[int] = set()
        for identity in fresh:
            links = self._links[identity]
            for link in links:
                self._ask(identity, link)
            if not any(self.is_owner(link) for link in links):
                wanted |= {link.holder for link in links if not self.is_end(link)}
        return wanted | self._labels.thread_locals

    def _ask(self, target: int, link: Link) -> None:
        """The labels that will be wanted of a link: an entry's key, a thread's name."""
        if link.kind is Kind.ELEMENT and link.key:
            self._pairs.setdefault(link.holder, []).append(link.key)
        elif link.kind is Kind.FIELD:
            self._labels.ask(link.key)
            if self.is_thread(link):
                self._labels.ask(link.holder)
            if self.is_table(link):
                for key in self._pairs.get(target, ()):
                    self._labels.ask(key)

    def _link(self, at: int, record: Record) -> Link | None:
        """The reference whose eight (or four) bytes stand at a place; None where these are no reference."""
        if record.tag == INSTANCE:
            return self._field(at, record)
        if record.tag == ARRAY and at >= record.data and (at - record.data) % self._records.wide == 0:
            number = (at - record.data) // self._records.wide
            beside = self._number(at - self._records.wide) if number % 2 else 0
            return Link(Kind.ELEMENT, record.id, record.cls, number, at, key=beside)
        if record.tag == CLASS:
            name = self._classes.static_at(record.id, at)
            return Link(Kind.STATIC, record.id, record.id, name, at, record.id) if name is not None else None
        if record.tag in ROOTS and at == record.start + 1:
            frame = int.from_bytes(self._records.file.near(record.data + 4, 4)) if record.tag == 0x03 else 0
            return Link(Kind.ROOT, 0, record.tag, frame, at)
        return None

    def _field(self, at: int, record: Record) -> Link | None:
        fields = self._classes.fields(record.cls)
        offset = at - record.data
        here = next((one for one in fields if one.offset == offset and one.kind == 2), None)
        if here is None:
            return None
        declared, name = self._classes.jvm_name(here.owner), self._classes.text(here.name)
        if name in _SIDEWAYS and self._classes.is_runtime(here.owner):
            return None
        key = NODES.get(declared, {}).get(name)
        beside = next((one for one in fields if key and self._classes.text(one.name) == key), None)
        identity = self._number(record.data + beside.offset) if beside else 0
        return Link(Kind.FIELD, record.id, record.cls, here.name, at, here.owner, identity)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._records.file.near(at, self._records.wide))

    def is_owner(self, link: Link) -> bool:
        """Whether it is what was looked for: held by a class that is not of the runtime."""
        return link.kind in (Kind.STATIC, Kind.FIELD) and not self._classes.is_runtime(link.cls)

    def is_thread(self, link: Link) -> bool:
        """Whether a thread holds it."""
        return link.kind is Kind.FIELD and THREAD in self._classes.ancestors(link.cls)

    def is_table(self, link: Link) -> bool:
        """Whether it leads from an array of keys and values to their map."""
        name = TABLES.get(self._classes.jvm_name(link.declared)) if link.kind is Kind.FIELD else None
        return name is not None and name == self._classes.text(link.name)

    def is_end(self, link: Link) -> bool:
        """Whether nothing further up could say more."""
        return link.kind in (Kind.STATIC, Kind.ROOT) or self.is_owner(link) or self.is_thread(link)

    def chain(self, start: int) -> Chain:
        """From an object to its nearest owner; where it has none, to what comes closest to one."""
        came: dict[int, tuple[int, Link] | None] = {start: None}
        level, complete = [start], True
        lesser: list[tuple[int, Link]] = []  # ends that are no owners
        last: tuple[int, Link] | None = None
        while level:
            steps = [(target, link) for target in level for link in self._links.get(target, ())]
            complete = complete and not any(one in self.unasked or one in self._more for one in level)
            owners = sorted((step for step in steps if self.is_owner(step[1])), key=_nearest)
            if owners:
                others = [link for _, link in owners[1:] if link.place != owners[0][1].place]
                return Chain(_back(came, *owners[0]), True, True, complete, others)
            lesser += [step for step in steps if self.is_end(step[1])]
            following = [step for step in steps if not self.is_end(step[1]) and step[1].holder not in came]
            last = min(following, key=_nearest) if following else last
            level = []
            for target, link in following:
                if link.holder not in came:
                    came[link.holder] = (target, link)
                    level.append(link.holder)
        best = min(lesser, key=_nearest) if lesser else last
        return Chain(_back(came, *best) if best else [], False, bool(lesser), complete, [])


def _nearest(step: tuple[int, Link]) -> tuple[int, int]:
    return step[1].kind, step[1].place


def _back(came: dict[int, tuple[int, Link] | None], target: int, link: Link) -> list[Link]:
    """The links from the start to this one."""
    links = [link]
    while (step := came[target]) is not None:
        target, link = step
        links.append(link)
    return links[::-1]
