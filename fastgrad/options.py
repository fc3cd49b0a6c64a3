"""The options of a check: names, types, defaults and documentation, all of it in this file.

An option is a field of Options, which has its default, its sentence and whether it changes a value. It is
also a line of CheckOptions: type checkers read the types of keywords from this form only. A test compares the
two lists. Everything else is derived from the fields: signatures and docstrings in checks.py, the flags of
`fastgrad check`, and the options that a check must have in common with its checkpoint.

checks.py makes an Options of its keywords and hands it on. A wrong value is refused here, before the cost is
called.
"""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import Any, NamedTuple, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

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


class CheckOptions(TypedDict, total=False):
    """The keywords of check_gradient and its kin, for type checkers and editors; Options explains them."""

    coordinates: npt.ArrayLike
    seed: int
    method: str
    step: StepOption
    perturb: str
    engine: str
    vectorized: bool
    n_jobs: int | None
    backend: Any
    tolerance: float | None
    progress: bool | None
    confidence: float | None
    wrong_fraction: float | None
    draw: str
    probes: int | None
    budget: float | None
    max_evaluations: int | None
    checkpoint: str | os.PathLike[str] | None


def _says(sentence: str, changes_values: bool = True) -> dict[str, Any]:
    """The metadata of a field of Options."""
    return {"sentence": sentence, "changes_values": changes_values}


@dataclass(frozen=True)
class Options:
    """How a gradient is checked, one field for each option.

    A check may go on from a checkpoint with another value of an option that does not change any value: with
    other workers, or more time.
    """

    coordinates: npt.ArrayLike = field(
        default="auto",
        metadata=_says(
            'which coordinates are checked: "auto" for every one where that takes seconds, else a '
            "certificate by random directions, a subset of each block, and a search for what is wrong; "
            '"all"; an int for a random subset of that size (at least some from each block); a float for a '
            "fraction; or an array of flat indices"
        ),
    )
    seed: int = field(default=0, metadata=_says("the seed of every random choice"))
    method: str = field(
        default="central",
        metadata=_says('the stencil: "forward", "central", "central4", "central6" or "complex"'),
    )
    step: StepOption = field(
        default=None,
        metadata=_says(
            "the step in units of the parameter: a float, or floats by block name; by default that of each "
            "block"
        ),
    )
    perturb: str = field(
        default="parameters",
        metadata=_says(
            'what is moved: "parameters"; for a Network also "nodes", the pre-activations of its Dense '
            'layers, from which the derivatives of their weights follow, or "auto", whichever takes less '
            "work for each layer"
        ),
    )
    engine: str = field(
        default="auto",
        metadata=_says(
            'what evaluates the cost: "auto", "python", "compiled" (a Numba cost), "batched" (a vectorized '
            'one) or "network"'
        ),
    )
    vectorized: bool = field(
        default=False,
        metadata=_says(
            "whether cost takes a batch, each array with a leading axis k, and returns shape (k,)"
        ),
    )
    n_jobs: int | None = field(
        default=None,
        metadata=_says(
            "the number of workers, as joblib.Parallel takes it; by default what joblib.parallel_config "
            "says, else one worker",
            changes_values=False,
        ),
    )
    backend: Any = field(
        default=None,
        metadata=_says(
            "the backend, as joblib.Parallel takes it; by default what joblib.parallel_config says, else "
            'what suits the engine; "threading" for a plain Python cost says that it is safe in threads',
            changes_values=False,
        ),
    )
    tolerance: float | None = field(
        default=None, metadata=_says("a fixed relative tolerance instead of the error bounds")
    )
    progress: bool | None = field(
        default=None,
        metadata=_says(
            "whether a progress bar is shown on stderr; by default on a terminal only", changes_values=False
        ),
    )
    confidence: float | None = field(
        default=None,
        metadata=_says(
            "the confidence of what the report says of coordinates that were not checked; by default 0.999"
        ),
    )
    wrong_fraction: float | None = field(
        default=None,
        metadata=_says(
            "the share of wrong coordinates in any block that the subset is to find with that confidence; it "
            "says how many are drawn"
        ),
    )
    draw: str = field(
        default="uniform",
        metadata=_says(
            'how a subset is drawn: "uniform", or "importance" for larger entries of the claimed gradient '
            "more often"
        ),
    )
    probes: int | None = field(
        default=None,
        metadata=_says(
            'how many random directions must be clean for a certificate; by default 20 where "auto" does '
            "not check everything, and none elsewhere"
        ),
    )
    budget: float | None = field(
        default=None,
        metadata=_says("seconds after which what is known is reported", changes_values=False),
    )
    max_evaluations: int | None = field(
        default=None,
        metadata=_says("evaluations of the cost after which what is known is reported", changes_values=False),
    )
    checkpoint: str | os.PathLike[str] | None = field(
        default=None,
        metadata=_says(
            "a file that keeps what was evaluated, from which a killed check goes on", changes_values=False
        ),
    )

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
    def of(cls, given: CheckOptions) -> Options:
        """The options from keywords; TypeError for an unknown one, with the known ones."""
        known = [option.name for option in OPTIONS]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}: the options are {', '.join(known)}")
        return cls(**given)


class Option(NamedTuple):
    """One field of Options as data; `type` is the annotation as it is written."""

    name: str
    type: str
    default: Any
    sentence: str
    changes_values: bool


OPTIONS = tuple(Option(f.name, str(f.type), f.default, **f.metadata) for f in fields(Options))
"""The table of options, in the order of the fields."""

PLACE = "options : those of fastgrad.options.Options"
"""This line of a docstring is replaced by the options with their sentences."""

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_options(function: Function) -> Function:
    """Show the options, with defaults and sentences, in the signature and docstring of a function.

    Parameters
    ----------
    function : has `**options` and the line PLACE in its docstring; it is returned, as it would be called
    """
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [
        inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=o.type)
        for o in OPTIONS
    ]
    function.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    if function.__doc__:  # python -OO leaves none
        function.__doc__ = function.__doc__.replace(PLACE, _EXPLAINED)
    return function


def _entry(option: Option) -> str:
    return textwrap.fill(f"{option.name} : {option.sentence}", width=105, subsequent_indent=" " * 8)


_EXPLAINED = "\n    ".join(map(_entry, OPTIONS))


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
