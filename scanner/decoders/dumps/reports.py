"""Crash reports that are text: scanned like any text; a finding is told the section it stands in.

Names of sections come from the tables here and never from the file, which might hold a secret anywhere.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.patterns import pattern
from scanner.decoders.interface import OpenReader, Stream
from scanner.model import Finding, Skipped

LARGEST = 256 << 20  # bytes of a report in which sections are told: real ones have at most a few megabytes
SECTIONS = 100_000  # headings kept: a jstack of 10,000 threads has fewer
CARRIED = 256  # bytes of a heading at the most: it may be cut between two reads
END = "end"  # the name of a heading that ends a report
BLOCK = 1 << 18  # bytes read at once


class Kind(Struct, frozen=True):
    """One format. `headings`: an expression with a named group for each section (`_` is a blank, `end` is none).

    `marks`: one of these stands in the first bytes of each such file. They are looked for first, since every file is
    asked; empty where `begins` fails at the first byte of nearly all others.
    """

    name: str
    marks: tuple[bytes, ...]
    begins: re.Pattern[bytes]  # matched against the first bytes of the file
    headings: re.Pattern[bytes]


def _kind(name: str, marks: tuple[bytes, ...], begins: bytes, **headings: bytes) -> Kind:
    text = b"|".join(b"(?P<%s>%s)" % (section.encode(), pattern) for section, pattern in headings.items())
    return Kind(name, marks, pattern(begins, re.DOTALL), pattern(text, re.MULTILINE))


_RECORD = rb"^(?:\d{4}[-/]\d\d[-/]\d\d|\[\d|\{\"|(?:DEBUG|INFO|WARN|ERROR)\b)"  # the log goes on

KINDS: tuple[Kind, ...] = (
    _kind(
        "hs-err",  # https://docs.oracle.com/en/java/javase/17/troubleshoot/fatal-error-log.html
        (),
        rb"#\s+# (?:A fatal error has been detected by the Java|There is insufficient memory for the Java)",
        command_line=rb"^Command Line:",
        vm_arguments=rb"^(?:VM Arguments:|jvm_args:|java_command:|java_class_path|Launcher Type:)",
        environment=rb"^Environment Variables:",
        registers=rb"^Register(?:s|s?[ ]to[ ]memory[ ]mapping):",
        stack=rb"^(?:Top of Stack|Stack slot to memory mapping|Stack: ?\[)",
        instructions=rb"^Instructions:",
        frames=rb"^(?:Native|Java) frames:",
        threads=rb"^(?:Java Threads|Other Threads|Threads class SMR)",
        heap=rb"^(?:Heap:|Metaspace:|Heap address:)",
        libraries=rb"^Dynamic libraries:",
        events=rb"^[A-Z][A-Za-z ]{0,40} \(\d+ events\):",
        system=rb"^-{5,}  ?S Y S T E M  ?-{5,}",
    ),
    _kind(
        "tombstone",  # AOSP, system/core/debuggerd
        (),
        rb"(?:\*\*\* ){8,}",
        command_line=rb"^Cmdline:",
        abort_message=rb"^Abort message:",
        registers=rb"^    (?:x0|r0|rax|eax|zero) ",
        backtrace=rb"^backtrace:",
        stack=rb"^stack:",
        memory=rb"^memory near ",
        memory_map=rb"^memory map",
        open_files=rb"^open files:",
        log=rb"^--------- (?:beginning|tail end|log)",
        thread=rb"^(?:--- ){8,}",
    ),
    _kind(
        "ips",  # https://developer.apple.com/documentation/xcode/interpreting-the-json-format-of-a-crash-report
        (b'"bug_type"',),
        rb'\{[^\n]*"bug_type"[^\n]*\}\s*\n\s*\{',
        application_information=rb'^\s{0,4}"asi"\s*:',
        exception=rb'^\s{0,4}"(?:exception|lastExceptionBacktrace|termination)"\s*:',
        threads=rb'^\s{0,4}"threads"\s*:',
        registers=rb'"threadState"\s*:',
        memory=rb'^\s{0,4}"(?:vmSummary|vmRegionInfo|instructionByteStream)"\s*:',
        images=rb'^\s{0,4}"usedImages"\s*:',
        process=rb'^\s{0,4}"(?:procName|procPath|parentProc)"\s*:',
    ),
    _kind(
        "node-report",  # https://nodejs.org/api/report.html
        (),
        rb'\s*\{\s*"header":\s*\{\s*"reportVersion"',
        header=rb'"(?:header|cwd|release|componentVersions)":',
        command_line=rb'"commandLine":',
        javascript_stack=rb'"javascriptStack":',
        heap=rb'"javascriptHeap":',
        native_stack=rb'"nativeStack":',
        resources=rb'"(?:resourceUsage|uvthreadResourceUsage|userLimits)":',
        handles=rb'"libuv":',
        workers=rb'"workers":',
        environment=rb'"environmentVariables":',
        libraries=rb'"sharedObjects":',
    ),
    # The next three may stand behind the first lines of a log, and the log may go on behind them.
    _kind(
        "faulthandler",  # https://docs.python.org/3/library/faulthandler.html
        (b"Fatal Python error: ", b"Current thread 0x"),
        rb"(?:.*?\n)?(?:Fatal Python error: |Current thread 0x)",
        message=rb"^Fatal Python error:",
        stack=rb"^(?:Current thread|Thread) 0x",
        extension_modules=rb"^Extension modules:",
        end=_RECORD,
    ),
    _kind(
        "go-panic",  # https://pkg.go.dev/runtime
        (b"goroutine ",),
        rb"(?:.*?\n)?(?:panic: |fatal error: |SIG[A-Z]+: )[^\0]{0,4000}?\n\s*goroutine \d+ ",
        message=rb"^(?:panic: |fatal error: |SIG[A-Z]+: )",
        stack=rb"^goroutine \d+ ",
        registers=rb"^(?:rax|r0|x0|eax) +0x",
        end=rb"^exit status \d|" + _RECORD,
    ),
    _kind(
        "rust-panic",  # https://doc.rust-lang.org/std/macro.panic.html
        (b"panicked at ",),
        rb"(?:.*?\n)?thread '[^'\n]{0,100}' (?:\(\d+\) )?panicked at ",
        message=rb"^thread '[^'\n]{0,100}' (?:\(\d+\) )?panicked at ",
        stack=rb"^stack backtrace:",
        end=rb"^note: |" + _RECORD,
    ),
    _kind(
        "thread-dump",  # https://docs.oracle.com/en/java/javase/17/docs/specs/man/jstack.html
        (),
        rb"(?:(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s+)?Full thread dump |\s{0,2}----- pid \d+ at )",  # or an ANR's
        command_line=rb"^Cmd line: ",
        threads=rb'^"',
        heap=rb"^Heap$",
        deadlocks=rb"^Found (?:one|\d+) (?:Java-level )?deadlock",
    ),
)


class Sections(Struct):
    """Where each section begins; filled by bytes in order."""

    kind: Kind
    starts: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _position: int = 0
    _carried: bytes = b""

    def passes(self, chunk: bytes) -> None:
        """The next bytes. Whole lines are looked at, and of a long one its beginning."""
        if self._position >= LARGEST or len(self.starts) >= SECTIONS:
            return
        data = self._carried + chunk
        start = self._position - len(self._carried)
        self._position += len(chunk)
        keep = max(data.rfind(b"\n") + 1, len(data) - CARRIED)
        self._look(data, start, keep)
        self._carried = data[keep:]

    def end(self) -> None:
        """Nothing follows."""
        self._look(self._carried, self._position - len(self._carried), len(self._carried))
        self._carried = b""

    def _look(self, data: bytes, start: int, end: int) -> None:
        for found in self.kind.headings.finditer(data):
            if found.start() < end and found.lastgroup:
                self.starts.append(start + found.start())
                self.names.append(found.lastgroup.replace("_", " "))

    def at(self, offset: int) -> str | None:
        """The section an offset is in; None before the first and behind the report's end."""
        place = bisect_right(self.starts, offset)
        return self.names[place - 1] if place and self.names[place - 1] != END else None


class CrashReport(Struct, frozen=True):
    """A kind as a format of dumps."""

    kind: Kind

    @property
    def name(self) -> str:
        return self.kind.name

    def recognises(self, head: bytes) -> bool:
        kind = self.kind
        return (not kind.marks or any(mark in head for mark in kind.marks)) and kind.begins.match(head) is not None

    def undecided(self, head: bytes) -> bool:
        return False  # text is not held back: what a pipe gives first decides

    def attached(self, stream: Stream) -> Stream:
        sections = Sections(self.kind)
        path = stream.plain_path
        if path is None:
            return replace(stream, reader=_Passing(stream.reader, sections), completed=_completed(sections, None))
        return replace(stream, completed=_completed(sections, path))


class _Passing:
    """A reader that shows the sections what it gives."""

    def __init__(self, inner: OpenReader, sections: Sections) -> None:
        self._inner = inner
        self._sections = sections

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._inner.readinto(buffer)
        if count > 0:
            self._sections.passes(bytes(buffer[:count]))
        else:
            self._sections.end()
        return count

    def close(self) -> None:
        self._inner.close()


Events = Iterable[Finding | Skipped]


def _completed(sections: Sections, path: bytes | None) -> Callable[[Events], Iterator[Finding | Skipped]]:
    """A plain file's sections are read in the file, once there is something to be told of."""

    def completed(events: Events) -> Iterator[Finding | Skipped]:
        unread = path is not None
        for event in events:
            if isinstance(event, Finding):
                if unread:
                    unread = False
                    _read(sections, path or b"")
                section = sections.at(event.spans[0].start)
                if section:
                    event = replace(event, format=sections.kind.name, address={"section": section})
                elif END not in sections.kind.headings.groupindex:  # the whole file is the report
                    event = replace(event, format=sections.kind.name)
            yield event

    return completed


def _read(sections: Sections, path: bytes) -> None:
    """What vanished meanwhile has been said by who scanned it."""
    try:
        with open(path, "rb", buffering=0) as file:
            done = 0
            while done < LARGEST and (chunk := file.read(BLOCK)):
                sections.passes(chunk)
                done += len(chunk)
            sections.end()
    except OSError:
        return
