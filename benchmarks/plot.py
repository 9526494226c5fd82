"""Throughput against hit density, one line a tool."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "bearertrap"  # the same picture for the same numbers

from matplotlib import pyplot as plt  # noqa: E402  (the backend comes first)


def plot(points: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """`points`: for each tool (tokens for each MB, MB a second). Raises OSError."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, some in points.items():
        there = [(x, y) for x, y in some if y > 0]
        axes.plot([x for x, _ in there], [y for _, y in there], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="tokens for each MB", ylabel="MB/s, whole process, 64 MB")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
