"""A source -> the streams in it, every compression and container peeled off. Raw bytes come last."""

from __future__ import annotations

from scanner.decoders.ahead import Ahead
from scanner.decoders.chain import attached, is_plain, is_plain_file, open_source, unplain
from scanner.decoders.extents import data_of
from scanner.decoders.interface import Limits, Reader, Stream

__all__ = [
    "Ahead",
    "Limits",
    "Reader",
    "Stream",
    "attached",
    "data_of",
    "is_plain",
    "is_plain_file",
    "open_source",
    "unplain",
]
