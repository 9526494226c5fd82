"""Decompresses in a thread while what was decompressed is matched: both run without the interpreter's lock."""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread

from scanner.decoders.interface import OpenReader

BLOCKS = 4  # blocks made before they are wanted: the thread is not stopped by a busy stretch of matches
BLOCK = 1024 * 1024  # bytes of a block: two of a decoder's longest steps
WORTH = 1 << 20  # bytes after which a thread is started: most members of archives are smaller


class Ahead:
    """A reader read by a thread of its own, at most BLOCKS blocks in advance; errors come in their place."""

    def __init__(self, inner: OpenReader) -> None:
        self._inner = inner
        self._straight = WORTH  # bytes still to be read without a thread
        self._turn = Condition()
        self._free: deque[memoryview] = deque()
        self._made: deque[memoryview] = deque()  # filled, in order; an empty one is the end
        self._at = 0  # bytes of the first of them that were taken
        self._failure: Exception | None = None
        self._closed = False
        self._thread: Thread | None = None

    def _make(self) -> None:
        while True:
            with self._turn:
                while not self._free and not self._closed:
                    self._turn.wait()
                if self._closed:
                    return
                block = self._free.popleft()
            count = 0
            try:
                count = self._inner.readinto(block)
            except Exception as error:  # raised where the bytes before it have been read
                self._failure = error
            with self._turn:
                self._made.append(block[:count])
                self._turn.notify()
            if not count:
                return

    def readinto(self, buffer: memoryview, /) -> int:
        if self._thread is None:
            if self._straight > 0:
                count = self._inner.readinto(buffer)
                self._straight -= count
                return count
            self._free += [memoryview(bytearray(BLOCK)) for _ in range(BLOCKS)]
            self._thread = Thread(target=self._make, daemon=True)
            self._thread.start()
        with self._turn:
            while not self._made:
                self._turn.wait()
            block = self._made[0]
        if not block:
            if self._failure is not None:
                raise self._failure
            return 0
        count = min(len(buffer), len(block) - self._at)
        buffer[:count] = block[self._at : self._at + count]
        self._at += count
        if self._at == len(block):
            with self._turn:
                self._made.popleft()
                self._free.append(memoryview(block.obj))
                self._turn.notify()
            self._at = 0
        return count

    def close(self) -> None:
        """Ends the thread. The inner reader is closed by the one who opened it."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        if self._thread is not None:
            self._thread.join()
