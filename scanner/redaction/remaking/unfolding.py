"""Opens a source as the decoders do, each container and each compressed layer being written anew behind its streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scanner.decoders import Limits, open_source
from scanner.decoders.interface import Decoder, Stream
from scanner.model import Skipped, Source
from scanner.redaction.packing import PACKERS
from scanner.redaction.remaking.outputs import Outputs
from scanner.redaction.remaking.packed import repacked
from scanner.redaction.remaking.tar import remade_tar
from scanner.redaction.remaking.zip import remade_zip

_CONTAINERS: dict[str, Callable[[Stream, Outputs], Iterator[Stream | Skipped]]] = {
    "tar": remade_tar,
    "zip": remade_zip,
}


def remade(source: Source, limits: Limits, outputs: Outputs) -> Iterator[Stream | Skipped]:
    """The raw streams of a source, the same as `open_source` gives. Of each, before the next is asked for, all is
    written to `outputs.write` that it is to become; when they are exhausted, the whole is made.

    A Skipped means that it can't be. Raises Refused, OutputError.
    """

    def unfold(decoder: Decoder, stream: Stream, _head: bytes) -> Iterator[Stream | Skipped]:
        if decoder.name in PACKERS:
            return repacked(decoder, stream, outputs)
        if decoder.name in _CONTAINERS:
            return _CONTAINERS[decoder.name](stream, outputs)
        return iter((Skipped(stream.id, f"what is inside of {decoder.name} can't be rewritten"),))

    return open_source(source, limits, unfold)
