"""Texts that a V8 heap snapshot keeps in pieces: concatenated strings, and strings beside the name of their property.

`a + b` makes a node with the edges `first` and `second`, and copies no character until the text is used. A property's
name and its value are an edge and a node, so that what gives a secret away may stand anywhere else in the document.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.decoders.dumps.access import File
from scanner.decoders.dumps.heapsnapshot_graph import Columns, array_after, strings_start
from scanner.decoders.dumps.json_arrays import Numbers, Strings
from scanner.decoders.dumps.pieces import Place, Text, names_a_secret, put_together
from scanner.decoders.interface import Joined

CONCATENATED = "concatenated string"
NODES_MOST = 100_000  # concatenations, and as many properties, that are looked at: 30 MB, some ten seconds
PIECES_MOST = 4_096  # of one text: a token has a handful
EDGES_MOST = 16  # of a concatenation; two and its map are usual
CUT = 1024  # characters: V8's default limit of a string in a snapshot (--heap-snapshot-string-limit)
_HALVES = (b"first", b"second")  # edges


class Texts:
    """Raises Broken where nodes and edges are not what `meta` says, OSError as it comes."""

    def __init__(self, file: File, columns: Columns, nodes_start: int) -> None:
        self._file = file
        self._columns = columns
        self._nodes = Numbers(file, nodes_start, columns.node_width, columns.edge_count)
        self._strings = Strings(file, strings_start(file))
        self.left_out = False  # there were more than are looked at

    def joined(self) -> Iterator[Joined]:
        """The texts, many at once."""
        columns = self._columns
        kind = columns.node_kinds.index(CONCATENATED) if CONCATENATED in columns.node_kinds else -1
        both = self._some(self._nodes.read(columns.node_kind, kind.__eq__))
        _, names = self._strings.read(wanted=_is_wanted)
        order = {number: _HALVES.index(names.pop(number)) for number in [*names] if names[number] in _HALVES}
        if not both and not names:
            return
        edges = Numbers(self._file, array_after(self._file, self._nodes.end, b'"edges"'), columns.edge_width)
        rows = self._some(edges.read(columns.edge_name, names.__contains__) if names else edges.count_only())
        halves = {node: self._halves(edges, node, order) for node in both}
        inner = {half for pair in halves.values() for half in pair}
        properties = list(dict.fromkeys(self._properties(edges, rows)))
        leaves = (inner | {node for _, node in properties}) - halves.keys()
        places = self._places(leaves)
        texts = (*((-1, node) for node in both if node not in inner), *properties)
        yield from put_together(
            self._file,
            (Text(_pieces(root, halves, places), names[name] if name >= 0 else b"") for name, root in texts),
        )

    def _some(self, rows: list[int]) -> list[int]:
        self.left_out = self.left_out or len(rows) > NODES_MOST
        return rows[:NODES_MOST]

    def _halves(self, edges: Numbers, node: int, order: dict[int, int]) -> tuple[int, int]:
        """The nodes of a concatenation; -1 where one is not told. `order`: of the numbers of edges' names."""
        found = [-1, -1]
        whole = self._nodes.row(node)
        if not whole:
            return -1, -1  # the last one, cut off
        first = self._nodes.total_before(node)
        for row in range(first, first + min(EDGES_MOST, whole[self._columns.edge_count])):
            edge = edges.row(row)
            half = order.get(edge[self._columns.edge_name]) if edge else None
            if half is not None and self._columns.kind_of_edge(edge) == "internal":
                found[half] = edge[self._columns.to_node] // self._columns.node_width
        return found[0], found[1]

    def _properties(self, edges: Numbers, rows: list[int]) -> Iterator[tuple[int, int]]:
        """(string number of the name, node) of each of these edges that is a property."""
        for row in rows:
            edge = edges.row(row)
            if edge and self._columns.kind_of_edge(edge) == "property":
                yield edge[self._columns.edge_name], edge[self._columns.to_node] // self._columns.node_width

    def _places(self, leaves: set[int]) -> dict[int, Place]:
        """Of the nodes that are strings. Of a sliced one no one tells where in its parent it begins."""
        numbers: dict[int, int] = {}
        for node in sorted(leaves):
            row = self._nodes.row(node)
            if row and self._columns.kind_of_node(row) == "string":
                numbers[node] = row[self._columns.node_name]
        told = {number: self._strings.place(number) for number in sorted(set(numbers.values()))}
        return {node: place for node, number in numbers.items() if (place := told[number])}


def _pieces(root: int, halves: dict[int, tuple[int, int]], places: dict[int, Place]) -> Iterator[Place | None]:
    """The places of a text's pieces in order; None where what follows is not known."""
    left = [root]
    for _ in range(PIECES_MOST):
        if not left:
            return
        node = left.pop()
        if node in halves:
            left += reversed(halves[node])
            continue
        place = places.get(node)
        yield place
        if place is not None and place[1] - place[0] >= CUT:
            yield None
    yield None


def _is_wanted(text: bytes) -> bool:
    return text in _HALVES or names_a_secret(text)
