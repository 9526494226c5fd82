"""Real dumps of real processes, and what a search over all encodings finds in them."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scanner.model import Finding, Skipped
from scanner.run import Options, run
from tests.scanning import AS_OF, KEY
from tests.streams import source_of

CACHING = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
#include <signal.h>
static pthread_barrier_t both;
static void *work(void *token) {
    char here[4096];
    strcpy(here, token);
    pthread_barrier_wait(&both);
    pause();
    return here;
}
char kept[4096];
static void *hold(const char *text, size_t size) { return memcpy(malloc(size), text, size); }
int main(int argc, char **argv) {
    char local[4096], old[600];
    const char *token = getenv("TOKEN");
    size_t size = strlen(token) + 1;
    strcpy(local, token);
    strcpy(kept, token);
    char *live = hold(token, size);
    unsigned short *wide = malloc(2 * size);
    for (size_t i = 0; i < size; i++) wide[i] = token[i];
    FILE *file = fopen(argv[1], "r");              /* a token that stands nowhere else, and is freed */
    size_t got = fread(old, 1, sizeof old, file);
    fclose(file);
    char *freed = hold(old, got), *guard = malloc(64);
    memset(old, 0, sizeof old);
    free(freed);
    pthread_t thread;
    pthread_barrier_init(&both, 0, 2);
    pthread_create(&thread, 0, work, live);
    pthread_barrier_wait(&both);
    if (write(1, "ready\n", 6) == 6) pause();
    return local[0] + live[0] + wide[0] + guard[0];
}
"""


def needs(*tools: str) -> None:
    """Skips the test, and says why, where a tool is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def compiled(folder: Path, text: str = CACHING) -> Path:
    needs("gcc")
    source, program = folder / "caching.c", folder / "caching"
    source.write_text(text)
    subprocess.run(["gcc", "-g", "-O0", "-pthread", "-w", "-o", program, source], check=True, timeout=60)
    return program


@contextmanager
def running(*command: str | Path, folder: Path | None = None, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has written `ready`, in `folder`; it is killed at the end."""
    clean = {"PATH": os.environ["PATH"], **environment}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=clean, cwd=folder)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def gcore(process: subprocess.Popen[bytes], folder: Path) -> Path:
    """A core of a live process, as gdb writes it. Skips where the system forbids to look into one."""
    needs("gdb", "gcore")
    made = subprocess.run(["gcore", "-o", folder / "core", str(process.pid)], capture_output=True, timeout=300)
    core = folder / f"core.{process.pid}"
    if not core.exists():
        pytest.skip(f"no core could be taken: {made.stderr.decode(errors='replace').strip().splitlines()[-1:]}")
    return core


def kernel_core(process: subprocess.Popen[bytes], folder: Path) -> Path:
    """The core the kernel writes of a process that aborts in `folder`. Skips where it is sent elsewhere."""
    with contextlib.suppress(OSError, ValueError):
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    process.send_signal(signal.SIGABRT)
    process.wait(timeout=60)
    core = next(folder.glob("core*"), None)
    if core is None:
        pytest.skip(f"the kernel wrote no core here (core_pattern {Path('/proc/sys/kernel/core_pattern').read_text()})")
    return core


def mappings(pid: int) -> list[tuple[int, int, str]]:
    """(start, end, name) as the kernel tells them."""
    rows = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)", line)
        assert match
        rows.append((int(match[1], 16), int(match[2], 16), match[3]))
    return rows


def found_in(path: Path, jobs: int = 1) -> tuple[list[Finding], list[Skipped]]:
    """What a scan of the file finds, and what it skips."""
    events = list(run([source_of(path)], Options(AS_OF, KEY), jobs=jobs))
    return [e for e in events if isinstance(e, Finding)], [e for e in events if isinstance(e, Skipped)]


def occurrences(data: bytes, value: bytes) -> dict[tuple[int, int], tuple[str, ...]]:
    """Every complete copy, by plain search: (start, end) and the encoding."""
    forms = {
        (): value,
        ("utf-16le",): value.decode().encode("utf-16-le"),
        ("utf-16be",): value.decode().encode("utf-16-be"),
        ("hex",): value.hex().encode(),
        ("base64",): base64.b64encode(value).rstrip(b"="),
    }
    places: dict[tuple[int, int], tuple[str, ...]] = {}
    for encoding, form in forms.items():
        at = data.find(form)
        while at >= 0:
            places[(at, at + len(form))] = encoding
            at = data.find(form, at + 1)
    # a string in UTF-16 between zeros reads as the other byte order as well: here, all are of a little-endian machine
    return {
        place: encoding
        for place, encoding in places.items()
        if encoding != ("utf-16be",) or places.get((place[0] + 1, place[1] + 1)) != ("utf-16le",)
    }


def places(found: list[Finding]) -> dict[tuple[int, int], tuple[str, ...]]:
    """Where findings stand, and in which encoding of whole strings; escapes nearby give a finding their names too."""
    forms = ("utf-16le", "utf-16be", "hex", "base64")
    return {
        (one.spans[0].start, one.spans[-1].end): tuple(name for name in one.encoding if name in forms) for one in found
    }
