"""A pipe that is read while it is written: what the stream redactor needs to know when to wait no longer."""

from __future__ import annotations

import os
import select
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# What was held back is written, then the end is as if the input had ended.
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LiveInput:
    """Reads a descriptor. `wait` tells whether a read would give something at once (or the end)."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self.stopped: int | None = None  # the signal that ended it
        self.count = 0  # bytes read
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}
        # Waits for input, at most so many seconds; True also where it was stopped. A file never pauses, and has none.
        self.wait = None if stat.S_ISREG(os.fstat(descriptor).st_mode) else self._wait

    def _wait(self, seconds: float) -> bool:
        return self.stopped is not None or bool(self._poll.poll(max(0.0, seconds) * 1000))

    def readinto(self, buffer: memoryview, /) -> int:
        """As of a Reader; 0 also once it was stopped. Raises OSError."""
        while not self._wait(3600.0):
            pass
        if self.stopped is not None:
            return 0
        try:
            count = os.readv(self._descriptor, [buffer])
        except BlockingIOError:  # another process made the pipe non-blocking and took what was there
            return self.readinto(buffer)
        self.count += count
        return count

    def close(self) -> None:
        """Nothing: the descriptor is the caller's."""

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within, STOPS end the input instead of the process; a second one does what it always does. What is ignored
        (SIGHUP under nohup, SIGINT in a background job) stays so.
        """
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        self._poll.register(wake, select.POLLIN)
        heeded = (number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN)
        self._before = {int(number): signal.signal(number, self._stop) for number in heeded}
        woken_before = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken_before)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._poll.unregister(wake)
            os.close(wake)
            os.close(woken)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.stopped = number
        signal.signal(number, self._before[number])
