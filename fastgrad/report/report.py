"""The report that a user gets: its data, which can be printed and written as JSON.

`report.build` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from fastgrad.report.code_lines import CodeLines, code_lines
from fastgrad.report.data import ReportData
from fastgrad.report.json import to_json
from fastgrad.report.step_curves import WORST, StepCurves, step_curves
from fastgrad.report.text import to_text
from fastgrad.report.whole_file import write_whole
from fastgrad.verdict.rule import AGREE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Report(ReportData):
    """What a check found; `str(report)` is the text, `report.to_json()` the machine's version.

    Arrays `indices`, `claimed`, `numeric` and `error_bound` have an entry for each checked coordinate, in
    the units of the gradient.

    Examples
    --------
    >>> import fastgrad
    >>> report = fastgrad.check_gradient(lambda x: x**2, lambda x: 2.1 * x, 3.0)
    >>> report
    <fastgrad.Report: disagree, 1 wrong and 0 undecided of 1, relative error 2.44e-02>
    >>> print(report)  # doctest: +ELLIPSIS
    DISAGREE: 1 of 1 checked coordinates is wrong; it is params: claimed 6.3, numeric 6...
    """

    @property
    def passed(self) -> bool:
        """Whether the verdict is "agree"."""
        return self.verdict == AGREE

    def __bool__(self) -> bool:
        """The same as `passed`: `assert check_gradient(...)` fails where the gradient is not right."""
        return self.passed

    def __str__(self) -> str:
        return to_text(self)

    def __repr__(self) -> str:
        return (
            f"<fastgrad.Report: {self.verdict}, {len(self.wrong)} wrong and {len(self.undecided)} "
            f"undecided of {self.coverage.checked}, relative error {self.relative_error:.2e}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, the table of blocks, one picture."""
        from fastgrad.report.html.notebook import cell_of

        return cell_of(self)

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """The report as JSON with a version field, also written to `path` if one is given.

        Numbers that are not finite are the strings "nan", "inf" and "-inf", for JSON has none. A file of that
        name is replaced when all is written: what was there is not lost to a full disk.
        """
        text = to_json(self)
        if path is not None:
            write_whole(path, text + "\n")
        return text

    def to_html(self, path: str | PathLike[str] | None = None, title: str = "") -> str:
        """The report as one HTML page, also written to `path` if one is given.

        The page needs no network and no scripts. It has the tables of the text, maps of where the errors are,
        what was claimed against what differences gave, and the error by the step for the worst coordinates.
        A file of that name is replaced when all is written.

        Parameters
        ----------
        path : of the file; None for none
        title : what was checked, for the reader of the page: a file, a test

        Raises
        ------
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> import fastgrad
        >>> report = fastgrad.check_gradient(lambda x: x**2, lambda x: 2.1 * x, 3.0)
        >>> page = report.to_html()
        >>> page.startswith("<!DOCTYPE html>"), "claimed 6.3" in page
        (True, True)
        """
        from fastgrad.report.html.page import page_of

        text = page_of(self, title)
        if path is not None:
            write_whole(path, text)
        return text

    def plot(self, kind: str | None = None, ax: Axes | None = None, block: str | None = None) -> Axes:
        """Draw a picture of the report by matplotlib, and return the axes.

        Parameters
        ----------
        kind : "map", error over allowed in a block; "scatter", claimed against numeric; "steps", the error by
            the step for the worst coordinate; "evaluations", what they were made for. None for a map where
            something is wrong, else the scatter
        ax : where to draw; None for a new figure
        block : the name of the block whose map is drawn, None for the worst; or to which the scatter and the
            steps are limited

        Raises
        ------
        InputError
            Where matplotlib is not installed (pip install fastgrad[plot]), or there is nothing to draw.

        Examples
        --------
        >>> import numpy as np
        >>> import fastgrad
        >>> report = fastgrad.check_gradient(lambda x: x @ x, lambda x: 2.1 * x, np.array([3.0, 4.0]))
        >>> report.plot().get_title()
        'params: error over allowed'
        """
        from fastgrad.report.plots import draw

        return draw(self, kind, ax, block)

    def step_curves(self, most: int = WORST) -> StepCurves:
        """How the error of differences depends on their step, at the worst coordinates.

        The cost is evaluated anew, for half a second at most. There are fewer curves than `most`, or none,
        where it is slow, raises, or is no longer what was checked; `.sentence` then says why.

        Parameters
        ----------
        most : curves at most: of wrong coordinates first, then undecided ones, then those seen least well

        Examples
        --------
        >>> import numpy as np
        >>> import fastgrad
        >>> report = fastgrad.check_gradient(lambda x: np.exp(x), lambda x: 1.1 * np.exp(x), 1.0)
        >>> [curve] = report.step_curves().curves
        >>> curve.label, len(curve.steps) > 20, curve.taken in curve.steps
        ('params', True, True)
        """
        return step_curves(self.revisit, most)

    def code_lines(self) -> CodeLines:
        """The lines of the cost in which wrong blocks are first used.

        They come from a recording of the cost, which is made now where the check made none. Where the cost
        cannot be recorded there are none; `.sentence` then says why.

        Examples
        --------
        >>> import numpy as np
        >>> import fastgrad
        >>> def cost(p):
        ...     return float(np.sum(np.exp(p["w"])))
        >>> report = fastgrad.check_gradient(cost, lambda p: {"w": 2 * np.exp(p["w"])}, {"w": np.ones(2)})
        >>> [line] = report.code_lines().lines
        >>> line.block, line.line, line.source, line.operations
        ('w', 2, 'return float(np.sum(np.exp(p["w"])))', ('exp',))
        """
        return code_lines(self.revisit)

    def raise_if_failed(self) -> None:
        """Raise GradientError with this report's text unless the verdict is "agree"."""
        __tracebackhide__ = True  # from pytest, which then shows the line of the test
        if not self.passed:
            raise GradientError(self)


class GradientError(AssertionError):
    """The gradient was not found right; the text is the report's, the report (or Reports) is in `.report`."""

    def __init__(self, report: Any) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[type[GradientError], tuple[Any]]:
        """Rebuild from the report, so that the error survives a trip between processes."""
        return type(self), (self.report,)
