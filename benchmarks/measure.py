"""Runs one command and writes its wall time and peak memory as JSON: python measure.py RESULT COMMAND...

A process of its own, and a small one: a child's peak as the kernel tells it starts at its parent's size.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

PAUSE = 0.05  # seconds between looks at the process tree: short beside a run, long beside what a look costs
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """Resident bytes of a process and all its descendants; shared pages count once in each."""
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):  # it may end while we look
        with open(f"/proc/{pid}/statm", "rb") as file:
            total = int(file.read().split()[1]) * PAGE
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                total += sum(resident(int(child)) for child in file.read().split())
    return total


def main(result: str, command: list[str]) -> None:
    peak = 0
    done = threading.Event()
    begin = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:

        def watch() -> None:
            nonlocal peak
            while not done.wait(PAUSE):
                peak = max(peak, resident(child.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watcher.join()
    # wait4 knows the largest single process exactly; the watcher knows the sum, but may miss a short peak.
    row = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": max(peak, usage.ru_maxrss * 1024),
        "exit": child.returncode,
    }
    with open(result, "w", encoding="ascii") as file:
        json.dump(row, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
