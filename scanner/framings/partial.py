"""Records that a container runtime cut in parts: Docker's json-file (16 KiB) and CRI's P and F lines.

Joining removes what stands between two parts, so that a secret cut there is whole again.
Docker: a record whose `log` does not end in an escaped newline is continued by the next of its stream.
CRI: `TIME STREAM P TEXT` is continued by the next line of its stream, up to one with F
(https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
"""

from __future__ import annotations

import re

_DOCKER = re.compile(
    rb"""(?<!\\n)","stream":"(stdout|stderr)"(?:,"attrs":\{[^{}\n]{0,2000}\})?,"time":"[^"\n]{10,40}"\}\r?\n\{"log":"(?=[^\n]*?"stream":"\1")"""
)
_CRI = re.compile(rb"(?:(?<=\n)|^)[0-9T:.+Z-]{20,40} (stdout|stderr) P ")
_CRI_NEXT = re.compile(rb"\r?\n[0-9T:.+Z-]{20,40} (stdout|stderr) [PF] ")


def gaps(data: bytes) -> list[tuple[int, int]]:
    """The stretches [start, end) to take out, in order."""
    found: list[tuple[int, int]] = []
    if b'{"log":"' in data and b'"stream":"' in data:
        found += [match.span() for match in _DOCKER.finditer(data)]
    if b" P " in data:
        found += _cri_gaps(data)
    return found


def _cri_gaps(data: bytes) -> list[tuple[int, int]]:
    found = []
    for part in _CRI.finditer(data):
        end = data.find(b"\n", part.end())
        if end < 0:
            break
        end -= data[end - 1 : end] == b"\r"
        following = _CRI_NEXT.match(data, end)
        if following and following[1] == part[1]:
            found.append(following.span())
    return found
