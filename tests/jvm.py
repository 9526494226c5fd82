"""Real heap dumps: tests/programs/TokenCache.java run by the JDK at hand, dumped as an operator would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ("javac", "java", "jcmd", "jfr")
SOURCE = Path(__file__).parent / "programs" / "TokenCache.java"
needs_jdk = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="no JDK (javac, java, jcmd, jfr): install default-jdk-headless"
)


def compiled(folder: Path) -> Path:
    """The folder of the classes."""
    classes = folder / "classes"
    if not classes.exists():
        subprocess.run(["javac", "-d", classes, SOURCE], check=True, timeout=120)
    return classes


class Jvm:
    """The program, running until the block ends. Each line of `tokens` is held in its own way."""

    def __init__(
        self, folder: Path, tokens: list[bytes], *options: str, environment: dict[str, str] | None = None
    ) -> None:
        self._folder = folder
        command = ["java", "-Xmx64m", "-Xshare:auto", *options, "-cp", str(compiled(folder)), "com.example.TokenCache"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n".join(tokens) + b"\n")
        self.process.stdin.flush()
        assert b"ready\n" in iter(self.process.stdout.readline, b"")  # a recorder says a word before

    def __enter__(self) -> Jvm:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def jcmd(self, *arguments: str) -> str:
        command = ["jcmd", str(self.process.pid), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def dump(self, name: str, *options: str) -> Path:
        """A heap dump: of the objects that are reachable, with `-all` of the others too."""
        path = self._folder / name
        self.jcmd("GC.heap_dump", *options, str(path))
        return path
