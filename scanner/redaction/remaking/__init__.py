"""What a file unfolds to, folded up again around what its streams become: compressed layers, tar and zip.

The decoders pull a source apart, stream by stream; the remakers here take their turn and, whenever a stream has been
read, write the piece it stood in. So an archive is rewritten in one pass, its streams in order, whatever stands in
whatever.
"""

from __future__ import annotations

from scanner.redaction.remaking.outputs import Outputs, Refused
from scanner.redaction.remaking.unfolding import remade

__all__ = ["Outputs", "Refused", "remade"]
