"""The pictures of a report by matplotlib (extra `plot`), for notebooks and papers.

`Report.plot` calls `draw`. What the pictures show is computed in `report.pictures`, as for the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrad.errors import InputError
from fastgrad.printable import shortened
from fastgrad.problem.describe import repr_of
from fastgrad.report.pictures.heat_maps import HeatMap, heat_maps
from fastgrad.report.pictures.levels import MEANINGS
from fastgrad.report.pictures.scatter import scatter
from fastgrad.report.step_curves import step_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fastgrad.report.data import ReportData

COLOURS = ("#ffffff", "#dbe6f4", "#a9c4e4", "#6f9bd1", "#8b8b94", "#f0a04b", "#dc6a1b", "#9c1420")
"""Of the levels, as on a light page."""

POINTS = 5_000
"""Coordinates that agree that are drawn at most, evenly taken; a PDF of more is slow to show."""


def draw(report: ReportData, kind: str | None, ax: Axes | None, block: str | None) -> Axes:
    """Draw a picture of a report; the axes with it.

    Parameters
    ----------
    report : what was found
    kind : a key of KINDS; None for a map where something is wrong, else the scatter
    ax : where to draw; None for a new figure
    block : of which block the map is, None for the worst; or of which alone the scatter or the steps are

    Raises
    ------
    InputError
        Where matplotlib is missing, for another kind or block, for a block that has no map, and for nothing
        to draw.
    """
    style_of_matplotlib()
    if kind is None:
        kind = "map" if block is not None or (report.wrong and heat_maps(report, 1)) else "scatter"
    if not isinstance(kind, str) or kind not in KINDS:
        hint = "; axes are given as ax=" if hasattr(kind, "plot") else ""
        raise InputError(
            f"kind must be one of {', '.join(KINDS)}, or None; got {shortened(repr_of(kind))}{hint}",
            code="FG940",
        )
    if ax is not None:
        KINDS[kind](report, ax, block)
        return ax
    from matplotlib import pyplot

    figure, ax = pyplot.subplots(layout="constrained")
    try:
        KINDS[kind](report, ax, block)
    except BaseException:
        pyplot.close(figure)  # a notebook would show it, empty
        raise
    return ax


def _draw_map(report: ReportData, ax: Axes, block: str | None) -> None:
    """Error over allowed in a block, each cell as bad as its worst entry."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    found = _map_of(report, block)
    levels = np.arange(len(MEANINGS) + 1) - 0.5
    rows, columns = found.sheet
    ax.imshow(
        found.levels,
        cmap=ListedColormap(list(COLOURS)),
        norm=BoundaryNorm(levels, len(MEANINGS)),
        extent=(
            -0.5,
            found.levels.shape[1] * found.each[1] - 0.5,
            found.levels.shape[0] * found.each[0] - 0.5,
            -0.5,
        ),
        aspect="auto",
        interpolation="nearest",
    )
    ax.set(
        xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), title=_plain(f"{found.name}: error over allowed")
    )
    ax.locator_params(integer=True)  # rows and columns have whole numbers
    shown = [
        Patch(facecolor=COLOURS[k], edgecolor="gray", label=MEANINGS[k]) for k in np.unique(found.levels)
    ]
    ax.legend(handles=shown, loc="upper left", bbox_to_anchor=(0, -0.08), fontsize="small", frameon=False)


def _map_of(report: ReportData, block: str | None) -> HeatMap:
    """The map of the block of that name, or of the worst one."""
    found = heat_maps(report, most=1 if block is None else len(report.blocks))
    if block is None:
        if not found:
            raise InputError("no block has a map: of none were two entries or more checked", code="FG940")
        return found[0]
    names = [row.name for row in report.blocks]
    if block in names:
        shown = report.shown_blocks[names.index(block)]
        for one in found:
            if one.name == shown:
                return one
    raise InputError(
        f"block {block!r} has no map; those with one are {', '.join(one.name for one in found) or 'none'}",
        code="FG940",
    )


def _places(report: ReportData, block: str | None) -> slice:
    """Where the coordinates of the block of that name stand among the checked ones; all without a name."""
    if block is None:
        return slice(None)
    names = [row.name for row in report.blocks]
    if block not in names:
        raise InputError(
            f"there is no block {block!r}; the blocks are {shortened(', '.join(report.shown_blocks))}",
            code="FG940",
        )
    places = report.of_block(names.index(block))
    if places.start == places.stop:
        raise InputError(
            f"block {block!r} cannot be drawn: none of its coordinates was checked", code="FG940"
        )
    return places


def _draw_scatter(report: ReportData, ax: Axes, block: str | None) -> None:
    """Claimed against numeric, the diagonal, and what is not on it."""
    points = scatter(report, _places(report, block))
    if points is None:
        raise InputError("there is nothing to draw: of no coordinate are both numbers finite", code="FG940")
    right = np.flatnonzero(points.right)
    some = right[:: -(-len(right) // POINTS)] if len(right) else right
    ax.axline((0, 0), slope=1, color="gray", linestyle="--", linewidth=0.8)
    ax.plot(points.numeric[some], points.claimed[some], ".", color=COLOURS[3], label="agree")
    for bad, name, colour in zip(points.marked, ("undecided", "wrong"), ("#7d4e00", "#b3261e"), strict=True):
        if len(bad):
            ax.plot(points.numeric[bad], points.claimed[bad], "x", color=colour, label=name)
    if points.threshold:
        for axis in ("x", "y"):
            getattr(ax, f"set_{axis}scale")("symlog", linthresh=points.threshold)
    ax.set(xlabel="numeric", ylabel="claimed")
    ax.legend(frameon=False)


def _draw_steps(report: ReportData, ax: Axes, block: str | None) -> None:
    """Error against step for the worst coordinate, with the two branches and the step that was taken."""
    found = step_curves(report.revisit, 1, _places(report, block))
    if not found.curves:
        raise InputError(f"the error by the step cannot be drawn: {found.sentence}", code="FG940")
    curve = found.curves[0]
    ax.loglog(curve.steps, curve.errors, ".", color="black", label="measured")
    ax.loglog(curve.steps, curve.noise_branch, color=COLOURS[6], label="rounding and noise")
    ax.loglog(curve.steps, curve.truncation_branch, color=COLOURS[3], label="truncation")
    if np.isfinite(curve.taken):
        ax.axvline(curve.taken, color="black", linewidth=0.8, label="step taken")
    if np.isfinite(curve.allowed):
        ax.axhline(curve.allowed, color="gray", linestyle="--", label="allowed")
    ax.set(xlabel="step", ylabel="error", title=_plain(curve.label))
    ax.legend(frameon=False)


def _draw_evaluations(report: ReportData, ax: Axes, block: str | None) -> None:
    """What the evaluations were made for."""
    if block is not None:
        raise InputError("evaluations are those of the whole check: leave block out", code="FG940")
    spent = report.spent or {"all": report.evaluations}
    bars = ax.barh(list(spent), list(spent.values()), color=COLOURS[3])
    ax.bar_label(bars, [f"{made:,}" for made in spent.values()], padding=3)
    ax.set(xlabel="evaluations of the cost", xmargin=0.15)
    ax.invert_yaxis()


def _plain(text: str) -> str:
    """A text in which a dollar sign is a dollar sign."""
    return text.replace("$", r"\$")


KINDS: dict[str, Callable[[ReportData, Axes, str | None], None]] = {
    "map": _draw_map,
    "scatter": _draw_scatter,
    "steps": _draw_steps,
    "evaluations": _draw_evaluations,
}


def style_of_matplotlib() -> Any:
    """matplotlib's module of styles.

    Raises
    ------
    InputError
        Where matplotlib is not installed.
    """
    try:
        from matplotlib import style
    except ImportError as error:
        raise InputError(
            "drawing needs matplotlib, which is not installed: pip install fastgrad[plot]", code="FG905"
        ) from error
    return style
