"""The error of a failed gradcheck: one of torch's GradcheckError that carries the report.

The class is made when it is asked for, since torch is imported only then.
"""

from __future__ import annotations

import functools
from typing import Any

from fastgrad.report.report import Report


@functools.cache
def failure_class() -> type[Exception]:
    """The class, a subclass of torch.autograd.gradcheck.GradcheckError; `.report` is a Report or None."""
    import importlib

    gradcheck = importlib.import_module("torch.autograd.gradcheck")

    class GradcheckFailure(gradcheck.GradcheckError):  # type: ignore[misc, name-defined]
        """A gradient was not found right; `.report` has the details, or is None where it got no further."""

        def __init__(self, message: str, report: Report | None = None) -> None:
            super().__init__(message)
            self.report = report

        def __reduce__(self) -> tuple[Any, ...]:
            """Rebuild, so that the error survives a trip between processes."""
            return failure, (str(self), self.report)

    GradcheckFailure.__qualname__ = "GradcheckFailure"
    return GradcheckFailure


def failure(message: str, report: Report | None = None) -> Exception:
    """One such error.

    Parameters
    ----------
    message : what is wrong
    report : of the check, where there is one
    """
    return failure_class()(message, report)
