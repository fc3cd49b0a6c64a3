"""The options of a check, with their defaults, as one value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

import numpy as np

from fastgrad.arrays import is_finite_number
from fastgrad.differences.plan import StepOption
from fastgrad.differences.stencils import find_stencil
from fastgrad.errors import InputError

PERTURB = ("parameters", "nodes", "auto")
"""What may be moved: the parameters, the pre-activations of a network, or whichever takes less work."""


DRAWS = ("uniform", "importance")
"""How a subset is drawn: all coordinates alike, or larger entries of the claimed gradient more often."""


def is_auto(coordinates: Any) -> bool:
    """Whether which coordinates are checked is left to the strategy."""
    return isinstance(coordinates, str) and coordinates == "auto"


@dataclass(frozen=True)
class Options:
    """How a gradient is checked; each field is a keyword of check_gradient, explained there."""

    coordinates: Any = "auto"
    seed: int = 0
    method: str = "central"
    step: StepOption = None
    perturb: str = "parameters"
    engine: str = "auto"
    vectorized: bool = False
    n_jobs: int | None = None
    backend: Any = None
    tolerance: float | None = None
    progress: bool | None = None
    confidence: float | None = None
    wrong_fraction: float | None = None
    draw: str = "uniform"
    probes: int | None = None
    budget: float | None = None
    max_evaluations: int | None = None
    checkpoint: Any = None

    def __post_init__(self) -> None:
        find_stencil(self.method)
        check_tolerance(self.tolerance)
        check_budget(self.budget, self.max_evaluations)
        self._check_sample()
        if self.perturb not in PERTURB:
            raise InputError(f"perturb must be one of {', '.join(PERTURB)}; got {self.perturb!r}")
        jobs: Any = self.n_jobs
        if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, Integral) or jobs == 0):
            raise InputError(f"n_jobs must be an integer other than 0, or None; got {self.n_jobs!r}")
        for name, value in (("vectorized", self.vectorized), ("progress", self.progress)):
            if not isinstance(value, bool | None):
                raise InputError(f"{name} must be True or False; got {value!r}")

    def _check_sample(self) -> None:
        for name in ("confidence", "wrong_fraction"):
            share = getattr(self, name)
            if share is not None and not (is_finite_number(share) and 0 < share < 1):
                raise InputError(f"{name} must be a number between 0 and 1, or None; got {share!r}")
        if self.wrong_fraction is not None and not is_auto(self.coordinates):
            raise InputError(
                "wrong_fraction= says how many coordinates are drawn, and so does coordinates=: give one"
            )
        if self.draw not in DRAWS:
            raise InputError(f"draw must be one of {', '.join(DRAWS)}; got {self.draw!r}")
        probes: Any = self.probes
        whole = isinstance(probes, Integral) and not isinstance(probes, bool)
        if probes is not None and not (whole and probes >= 0):
            raise InputError(f"probes must be an integer >= 0, or None; got {probes!r}")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """The options from keywords; TypeError for an unknown one, with the known ones."""
        known = [field.name for field in fields(cls)]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}: the options are {', '.join(known)}")
        return cls(**given)


FEWEST = 2
"""Evaluations that any check makes, at the parameters."""


def check_budget(seconds: object, evaluations: object) -> None:
    """Refuse a budget that is no positive number of seconds, or fewer than FEWEST evaluations."""
    if seconds is not None and not (is_finite_number(seconds) and float(seconds) > 0):  # type: ignore[arg-type]
        raise InputError(f"budget must be a positive number of seconds, or None; got {seconds!r}")
    whole = isinstance(evaluations, int) and not isinstance(evaluations, bool)
    if evaluations is not None and not (whole and evaluations >= FEWEST):  # type: ignore[operator]
        raise InputError(
            f"max_evaluations must be an integer of at least {FEWEST}, or None: the cost is evaluated twice "
            f"at the parameters before anything else; got {evaluations!r}"
        )


def check_tolerance(tolerance: float | None) -> None:
    """Refuse a tolerance that is not a finite number >= 0, or None."""
    if tolerance is not None and not (is_finite_number(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance must be a finite number >= 0, or None; got {tolerance!r}")


def check_seed(seed: Any) -> None:
    """Refuse a seed that is not an integer >= 0."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"seed must be an integer >= 0; got {seed!r}")


def require_no_claim_options(options: Options) -> None:
    """Refuse options that are about a claimed gradient, where there is none."""
    if options.tolerance is not None:
        raise InputError("tolerance= compares two gradients: numerical_gradient has only one")
    if options.probes or options.wrong_fraction or options.draw == "importance":
        raise InputError("probes=, wrong_fraction= and draw= are about a claimed gradient, and there is none")
