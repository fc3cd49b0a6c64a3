"""The pictures of the documentation, drawn from what is computed when the documentation is built.

    python docs/pictures.py FOLDER        draws them into a folder, as SVG

Nothing in them is sketched: each point is a value of a cost, a difference, or a figure of a report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clipped
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import fastgrad
from fastgrad.differences.bounds import quantile
from fastgrad.kernels.directions import components

BLUE, ORANGE, GREEN, GREY = "#0b62a4", "#c4500b", "#27753a", "#6b6b6b"
"""Colours that are told apart in print and by most eyes; markers and labels say the same."""

STYLE = {
    "svg.hashsalt": "fastgrad",
    "svg.fonttype": "path",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
"""The same file from the same numbers, and letters as outlines: no font is asked for when it is shown."""


def smooth(x: Any) -> Any:
    """The cost of the first picture: smooth, of size 1."""
    return np.exp(np.sin(3 * x)) + x**2


SLOPE = 3 * np.cos(3 * 0.7) * np.exp(np.sin(3 * 0.7)) + 2 * 0.7
"""Its derivative at 0.7."""


def error_against_step() -> Figure:
    """The error of a central difference for every step, its two branches, and where fastgrad looked."""
    h = 2.0 ** np.arange(-50, 0.0, 0.25)
    error = np.abs((smooth(0.7 + h) - smooth(0.7 - h)) / (2 * h) - SLOPE)
    third = (smooth(0.71) - 2 * smooth(0.705) + 2 * smooth(0.695) - smooth(0.69)) / (2 * 0.005**3)
    sigma = 1e-16 * abs(smooth(0.7))
    asked: list[float] = []
    report = fastgrad.check_gradient(
        lambda x: (asked.append(abs(float(x) - 0.7)), smooth(x))[1], lambda x: SLOPE, 0.7
    )
    steps = np.unique([a for a in asked if a > 0])
    figure = Figure(figsize=(8, 4.4))
    axes = figure.add_subplot()
    axes.loglog(h, np.maximum(error, 1e-17), ".", color=BLUE, label="error of (f(x+h) - f(x-h)) / 2h")
    axes.loglog(h, h**2 * abs(third) / 6, "--", color=ORANGE, label="truncation, h² |f'''| / 6")
    axes.loglog(h, 0.707 * sigma / h, ":", color=GREY, linewidth=2, label="noise, 0.7 sigma / h")
    axes.axhline(report.error_bound[0], color=GREEN, label="bound in the report")
    axes.plot(
        steps, np.full(steps.size, 2e-15), "|", color=GREEN, label="distances at which fastgrad evaluated"
    )
    axes.set(xlabel="step h", ylabel="error", ylim=(1e-15, 1e2), xlim=(h[0], 1))
    axes.legend(loc="upper center", fontsize=9)
    return figure


def bounds() -> Figure:
    """A report's differences |claimed - numeric| beside what each is allowed."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=24) * 10.0 ** rng.uniform(-2, 2, size=24)
    factor = np.ones(24)
    factor[5], factor[17] = 1.01, 1 + 1e-5
    report = fastgrad.check_gradient(
        lambda x: np.sum(np.log1p(x**2)), lambda x: factor * 2 * x / (1 + x**2), x
    )
    wrong = [found.flat_index for found in report.wrong]
    off = np.maximum(np.abs(report.claimed - report.numeric), 1e-17)
    size = np.maximum(np.abs(report.claimed), np.abs(report.numeric))
    allowed = report.error_bound + 1e-6 * size
    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    axes.set_yscale("log")
    axes.vlines(report.indices, 1e-16, allowed, color="#b9cfe0", linewidth=7, label="allowed")
    axes.plot(report.indices, report.error_bound, "_", color=BLUE, markersize=11, label="error bound")
    right = np.setdiff1d(report.indices, wrong)
    axes.plot(right, off[right], "o", color=GREEN, label="|claimed - numeric|, agrees")
    axes.plot(wrong, off[wrong], "X", color=ORANGE, markersize=9, label="|claimed - numeric|, disagrees")
    axes.set(xlabel="coordinate", ylabel="in units of the gradient", ylim=(1e-16, 1e2))
    axes.legend(loc="upper right", fontsize=9, ncols=2)
    return figure


def ladder() -> Figure:
    """Differences at 26 steps of a noisy cost with a kink nearby: intervals that meet, and others."""
    kink, offset = 2e-3, 2.0**22

    def cost(x: Any) -> Any:
        return offset + np.cos(x) + 0.3 * np.maximum(x - 0.5 - kink, 0.0)

    truth = -np.sin(0.5)
    h = 0.125 * 2.0 ** -np.arange(26.0)
    d = (cost(0.5 + h) - cost(0.5 - h)) / (2 * h)
    noise = quantile(1) * 0.71 * np.spacing(offset) / np.sqrt(12) / h
    report = fastgrad.check_gradient(lambda x: float(cost(x)), lambda x: -np.sin(x), 0.5)  # no complex step
    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    axes.errorbar(h, d, noise, fmt="o", color=BLUE, markersize=4, capsize=3, label="D(h) with its noise")
    axes.axvline(kink, color=ORANGE, linestyle="--", label="distance of the kink")
    axes.axhline(truth, color=GREY, linewidth=1, label="the slope here")
    low, high = (report.numeric[0] + sign * report.error_bound[0] for sign in (-1, 1))
    axes.axhspan(low, high, color=GREEN, alpha=0.5, label=f"found: within {report.error_bound[0]:.0e}")
    axes.set_xscale("log")
    axes.set(xlabel="step h", ylabel="slope", ylim=(truth - 0.06, truth + 0.16))
    axes.legend(loc="upper center", fontsize=9)
    return figure


def directions() -> Figure:
    """How often random directions miss an error: 4,000 sequences of them, three kinds of damage."""
    n, most, sequences = 64, 12, 4000
    everywhere = np.arange(n, dtype=np.intp)
    v = np.stack([components(seed, everywhere) for seed in range(1, sequences + most)])
    damage = {
        "two entries, which may cancel": np.eye(n)[7] - np.eye(n)[9],
        "ten entries": np.arange(n) < 10.0,
        "all 64 entries": np.ones(n),
    }
    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    k = np.arange(1, most + 1)
    axes.semilogy(k, 2.0**-k, "--", color=GREY, label="what is promised at most, 1 in $2^K$")
    for (name, error), colour, marker in zip(damage.items(), (BLUE, ORANGE, GREEN), "osX", strict=True):
        seen = np.abs(v @ error) >= 0.5  # a direction that moves each coordinate by 1/2 to 3/2
        runs = np.lib.stride_tricks.sliding_window_view(seen, most)
        missed = 1 - np.maximum.accumulate(runs, axis=1).mean(axis=0)
        axes.semilogy(k, np.maximum(missed, 1e-5), marker, color=colour, label=name)
    axes.set(xlabel="random directions K, all of them clean", ylabel="share that missed it", ylim=(1e-4, 1.2))
    axes.legend(loc="upper right", fontsize=9)
    return figure


def incremental() -> Figure:
    """What changes in a network when one weight is moved: the entries that are not the same afterwards."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 8))
    weights = [rng.normal(size=shape) / 3 for shape in ((8, 12), (12, 9), (9, 4))]

    def values(weights: list[Any]) -> list[Any]:
        out, a = [], X
        for W in weights:
            a = np.tanh(a @ W)
            out.append(a)
        return out

    before = values(weights)
    figure = Figure(figsize=(8, 3.6))
    for row, (layer, i, j) in enumerate(((0, 3, 5), (1, 2, 6), (2, 4, 1))):
        moved = [W.copy() for W in weights]
        moved[layer][i, j] += 1e-3
        changed = [after != b for after, b in zip(values(moved), before, strict=True)]
        for column, entries in enumerate(changed):
            axes = figure.add_subplot(3, 3, 3 * row + column + 1)
            axes.imshow(
                entries, cmap=mpl.colors.ListedColormap(["#edf1f4", ORANGE]), vmin=0, vmax=1, aspect="auto"
            )
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            axes.spines[:].set_visible(True)
            if row == 0:
                axes.set_title(f"values of layer {column + 1}", fontsize=10)
            if column == 0:
                axes.set_ylabel(f"a weight\nof layer {row + 1}", fontsize=9)
            axes.set_xlabel(f"{entries.sum()} of {entries.size} change", fontsize=9)
    return figure


def clipped_block() -> Figure:
    """The map that a report draws of its worst block: a gradient that was clipped."""
    figure = Figure(figsize=(6.4, 4.4))
    axes = clipped.report().plot("map", ax=figure.add_subplot())
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "error_against_step": error_against_step,
    "bounds": bounds,
    "ladder": ladder,
    "directions": directions,
    "incremental": incremental,
    "clipped_block": clipped_block,
}


def draw_all(folder: Path) -> None:
    """Draw every picture into a folder, which is made if it is not there."""
    folder.mkdir(exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, draw in PICTURES.items():
            draw().savefig(folder / f"{name}.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
