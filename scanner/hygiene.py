"""No trace of scanned bytes outside the report: no core dump of ours, no debugger, no talkative traceback."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Struct

PR_SET_PDEATHSIG = 1  # prctl(2): the signal a process gets when the thread that made it ends
PR_SET_DUMPABLE = 4  # prctl(2): 0 keeps core dumps from being made and other processes from attaching


def seal() -> None:
    """Called by the command first of all, and inherited by its workers. Never fails."""
    with contextlib.suppress(OSError, ValueError):  # a lower limit is in force already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    sys.excepthook = _on_exception
    threading.excepthook = lambda args: _say(args.exc_type, args.exc_traceback)
    sys.unraisablehook = lambda args: _say(args.exc_type, args.exc_traceback)


def repr_without(struct: Struct, *hidden: str) -> str:
    """The repr of a struct some of whose fields are not to be shown."""
    told = [f"{name}={getattr(struct, name)!r}" for name in struct.__struct_fields__ if name not in hidden]
    return f"{type(struct).__name__}({', '.join(told)})"


def die_with_parent() -> None:
    """Called by a worker process: when the one who started it is killed, it is too. Never fails."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def described(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """A bug in words: the type and the places, never the message or a line of code, which may hold scanned bytes."""
    frames = [f"{os.path.basename(f.filename)}:{f.lineno} in {f.name}" for f in traceback.extract_tb(trace)]
    shown = frames if os.environ.get("BEARERTRAP_DEBUG") else frames[-1:]
    return f"internal error: {kind.__name__ if kind else 'unknown'} at {' < '.join(reversed(shown))}"


def _on_exception(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    _say(kind, trace)


def _say(kind: type[BaseException] | None, trace: TracebackType | None) -> None:
    sys.stderr.write(f"bearertrap: {described(kind, trace)}\n")
