"""The graph of a V8 heap snapshot, walked from strings to what holds them, level by level.

The edges that lead to a node are found by searching the file for its number; only those rows are read.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from detectors.patterns import pattern
from detectors.shapes import is_wordy
from scanner.decoders.dumps.access import File, Literals
from scanner.decoders.dumps.json_arrays import Broken, Numbers, Strings
from scanner.model import Address
from scanner.names import printable

LEVELS = 10  # edges followed from a string outwards
NODES_MOST = 5_000  # nodes looked for on a level
HOLDERS_MOST = 16  # edges looked at that lead to one node
STEPS_MOST = 20_000  # edges looked at in one snapshot: about a millisecond each
HITS_MOST = 256  # places where a node's number is seen, most of which are other numbers
GAP_MOST = 64 * 1024  # bytes between two arrays: the small ones that stand there are stepped over piece by piece
NAME_MOST = 80  # characters of a name that are shown
KEY_MOST = 40
# Classes of the language and its runtime: what they hold, they hold for somebody else.
_PLAIN = frozenset((
    "Object", "Array", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Promise", "Arguments", "Proxy", "Generator",
    "Iterator", "Error", "String", "Symbol", "Date", "RegExp", "Function", "AsyncFunction", "Module", "", "?",
))  # fmt: skip
_RUN = pattern(rb"[A-Za-z0-9+/=_.-]{12,}")


class Step(Struct, frozen=True):
    """An edge seen from the node it leads to. `row`: its number in the array of edges."""

    row: int
    kind: str  # context, element, property, internal, hidden
    name: str
    holder: int  # node
    holder_kind: str
    holder_name: str

    @property
    def is_owner(self) -> bool:
        """Whether it says who keeps what it leads to, so that nothing further up could say more."""
        if self.kind == "context":
            return True
        return self.kind == "property" and self.holder_kind in ("object", "closure") and self.holder_name not in _PLAIN

    @property
    def rank(self) -> tuple[int, int]:
        return (("property", "context", "element", "internal", "hidden").index(self.kind), self.row)


class Columns(Struct, frozen=True):
    """What `meta` says of the rows: the columns, and the names of kinds by their number."""

    node_width: int
    edge_width: int
    node_kind: int
    node_name: int
    edge_count: int
    edge_kind: int
    edge_name: int
    to_node: int
    node_kinds: tuple[str, ...]
    edge_kinds: tuple[str, ...]

    @classmethod
    def of(cls, meta: dict[str, Any]) -> Columns:
        """Raises Broken where it makes no sense."""
        try:
            nodes, edges = list(meta["node_fields"]), list(meta["edge_fields"])
            return cls(
                node_width=len(nodes),
                edge_width=len(edges),
                node_kind=nodes.index("type"),
                node_name=nodes.index("name"),
                edge_count=nodes.index("edge_count"),
                edge_kind=edges.index("type"),
                edge_name=edges.index("name_or_index"),
                to_node=edges.index("to_node"),
                node_kinds=tuple(map(str, meta["node_types"][0])),
                edge_kinds=tuple(map(str, meta["edge_types"][0])),
            )
        except (KeyError, ValueError, TypeError, IndexError):
            raise Broken from None

    def kind_of_node(self, node: list[int]) -> str:
        """`?` where the number is of none."""
        kind = node[self.node_kind]
        return self.node_kinds[kind] if kind < len(self.node_kinds) else "?"

    def kind_of_edge(self, edge: list[int]) -> str:
        """`?` where the number is of none."""
        kind = edge[self.edge_kind]
        return self.edge_kinds[kind] if kind < len(self.edge_kinds) else "?"


def array_after(file: File, at: int, name: bytes) -> int:
    """The offset of an array's first number, the array's name standing a little behind `at`. Raises Broken."""
    found = re.search(re.escape(name) + rb"\s*:\s*\[", file.read(at, GAP_MOST))
    if found is None:
        raise Broken
    return at + found.end()


def strings_start(file: File) -> int:
    """The offset just past `"strings":[`. Raises Broken."""
    # The arrays before it hold numbers only, so that the first of its kind is the right one.
    places = Literals([b'"strings":[', b'"strings": [']).find(file, 0, file.size, 1)
    found = sorted((places_of[0], len(text)) for text, places_of in places.items())
    if not found:
        raise Broken
    return sum(found[0])


class Graph:
    """Nodes and edges of one snapshot. Raises Broken where they are not what `meta` says, OSError as it comes."""

    def __init__(self, file: File, columns: Columns, nodes_start: int) -> None:
        self._file = file
        self._columns = columns
        self._nodes = Numbers(file, nodes_start, columns.node_width, columns.edge_count)
        self._edges = Numbers(file, 0, columns.edge_width)
        self._steps = 0  # edges looked at

    def owners(self, texts: set[int], strings: Strings) -> dict[int, Address]:
        """The addresses of the strings with these numbers."""
        rows = self._nodes.read(self._columns.node_name, texts.__contains__)
        self._edges = Numbers(self._file, array_after(self._file, self._nodes.end, b'"edges"'), self._edges.width)
        self._edges.count_only()
        starts: dict[int, list[int]] = {}
        for row in rows:
            node = self._nodes.row(row)
            if node and self._is_text(node):
                starts.setdefault(node[self._columns.node_name], []).append(row)
        steps = self._searched({row for found in starts.values() for row in found}, strings)
        return {text: self._address(found, steps, strings) for text, found in starts.items()}

    def _is_text(self, node: list[int]) -> bool:
        return "string" in self._columns.kind_of_node(node)

    def _searched(self, level: set[int], strings: Strings) -> dict[int, list[Step]]:
        """All edges that lead to these nodes, to their holders, and so on until there are owners."""
        steps: dict[int, list[Step]] = {}
        for _ in range(LEVELS):
            fresh = sorted(level - steps.keys())[:NODES_MOST]
            if not fresh:
                break
            found = self._leading_to(fresh, strings)
            level = set()
            for node in fresh:
                steps[node] = found.get(node, [])
                if not any(step.is_owner for step in steps[node]):
                    level |= {step.holder for step in steps[node] if step.holder_kind != "synthetic"}
        return steps

    def _leading_to(self, nodes: list[int], strings: Strings) -> dict[int, list[Step]]:
        literals = {b",%d%s" % (node * self._nodes.width, end): node for node in nodes for end in (b"\n", b",", b"]")}
        seen = Literals(literals).find(self._file, self._edges.start - 1, self._edges.end + 1, HITS_MOST)
        found: dict[int, list[Step]] = {}
        for text, places in seen.items():
            node = literals[text]
            for at in places:
                ordinal = self._edges.ordinal(at + 1)
                full = self._steps >= STEPS_MOST or len(found.get(node, ())) >= HOLDERS_MOST
                if ordinal % self._edges.width != self._columns.to_node or full:
                    continue
                self._steps += 1
                step = self._step(ordinal // self._edges.width, strings)
                if step is not None:
                    found.setdefault(node, []).append(step)
        return found

    def _step(self, row: int, strings: Strings) -> Step | None:
        edge = self._edges.row(row)
        holder = self._nodes.row_of_total(row)
        node = self._nodes.row(holder) if holder is not None else []
        if not edge or not node or holder is None:
            return None
        kind = self._columns.kind_of_edge(edge)
        holder_kind = self._columns.kind_of_node(node)
        name = _or_unknown(strings.text(node[self._columns.node_name]))
        # shortcuts and weak edges keep nothing; hidden classes and cells stand beside the edge that does
        if kind not in ("context", "element", "property", "internal", "hidden"):
            return None
        if holder_kind in ("object shape", "hidden") and name != b"system / Context":
            return None
        number = edge[self._columns.edge_name]
        label = str(number) if kind in ("element", "hidden") else shown(_or_unknown(strings.text(number)), NAME_MOST)
        return Step(row, kind, label, holder, holder_kind, shown(name, NAME_MOST))

    def _address(self, nodes: list[int], steps: dict[int, list[Step]], strings: Strings) -> Address:
        best: tuple[bool, int, list[Step]] | None = None
        for node in nodes:
            path = _path(node, steps)
            order = (not (path and path[-1].is_owner), len(path), path)
            if best is None or order[:2] < best[:2]:
                best = order
        path = best[2] if best else []
        capped: Address = {}
        if self._steps >= STEPS_MOST and not (path and path[-1].is_owner):
            capped = {"note": "owner not told for certain: more holds it than was looked at"}
        if not path:
            return {"owner": None, "path": [], "reachable": None, **capped}
        return {
            **capped,
            "owner": self._owner(path, strings),
            "path": [f"{step.holder_name or step.holder_kind}.{step.name}" for step in path],
            "reachable": True,  # a snapshot is taken after a collection of garbage
        }

    def _owner(self, path: list[Step], strings: Strings) -> str:
        """`TokenCache.byUser["alice"]`, from the outermost step inwards."""
        last = path[-1]
        if last.kind == "context":
            text = f"closure variable {last.name}"
        elif last.kind == "property":
            text = f"{last.holder_name or last.holder_kind}.{last.name}"
        else:
            text = last.holder_name or last.holder_kind
        for i in range(len(path) - 2, -1, -1):
            step = path[i]
            if step.kind == "property":
                text += f".{step.name}"
            elif step.kind == "element" and step.holder_kind == "object":
                text += f"[{step.name}]"
            elif step.kind == "internal" and path[i + 1].name == "table":
                text += f"[{self._key(step, strings) or '…'}]"
        return text

    def _key(self, step: Step, strings: Strings) -> str | None:
        """The key of a Map's entry: a table's elements are key, value, link, key, value, link …"""
        before = self._edges.row(step.row - 1) if step.row else []
        if not before or self._nodes.row_of_total(step.row - 1) != step.holder or not step.name.isdigit():
            return None
        label = strings.text(before[self._columns.edge_name])
        node = self._nodes.row(before[self._columns.to_node] // self._nodes.width)
        if label is None or label != b"%d" % (int(step.name) - 1) or not node or not self._is_text(node):
            return None
        text = strings.text(node[self._columns.node_name])
        return None if text is None else f'"{shown(text, KEY_MOST)}"'


def _path(start: int, steps: dict[int, list[Step]]) -> list[Step]:
    """From a node outwards to its nearest owner; where it has none, as far as it goes."""
    came: dict[int, tuple[int, Step] | None] = {start: None}
    level = [start]
    last: tuple[int, Step] | None = None
    while level:
        seen = sorted(((node, step) for node in level for step in steps.get(node, ())), key=lambda one: one[1].rank)
        owner = next((one for one in seen if one[1].is_owner), None)
        following = [one for one in seen if one[1].holder not in came]
        last = owner or (following[0] if following else last)
        if owner:
            break
        level = []
        for node, step in following:
            if step.holder not in came:
                came[step.holder] = (node, step)
                level.append(step.holder)
    path: list[Step] = []
    while last is not None:
        path.append(last[1])
        last = came[last[0]]
    return path[::-1]


def _or_unknown(written: bytes | None) -> bytes:
    return b"?" if written is None else written


def shown(written: bytes, most: int) -> str:
    """A name as it may be shown: one that is long or looks random shows its length only."""
    if len(written) > most or any(not is_wordy(run) for run in _RUN.findall(written)):
        return f"({len(written)} characters)"
    return printable(written)
