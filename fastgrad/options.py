"""The options of a check: each with its type, its default and its explanation.

An option is added here, as a key of `CheckOptions` and as a field of `Options`, and nowhere else. From these
two come the signatures and docstrings of the public functions (`takes_options`), the help of the command line
(`explained`), and what a checkpoint's identity depends on (`Explained.changes_values`).
"""

from __future__ import annotations

import difflib
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, TypeVar

from fastgrad.arrays import is_finite_number, is_whole_number, plain_value
from fastgrad.differences.plan import StepOption
from fastgrad.differences.stencils import find_stencil
from fastgrad.errors import InputError

PERTURB = ("parameters", "nodes", "auto")
"""What may be moved: the parameters, the pre-activations of a network, or whichever takes less work."""

DRAWS = ("uniform", "importance")
"""How a subset is drawn: all coordinates alike, or larger entries of the claimed gradient more often."""

KINKS = ("undecided", "subgradient")
"""What is said of a claim between the slopes on the two sides of a kink: nothing, or that it passes."""

Function = TypeVar("Function", bound=Callable[..., Any])


class CheckOptions(TypedDict, total=False):
    """The keywords of a check, for type checkers and editors; `Options` explains them."""

    coordinates: Any
    seed: int
    method: str
    step: StepOption
    perturb: str
    engine: str
    vectorized: bool
    n_jobs: int | None
    backend: Any
    resolution: float
    kinks: str
    tolerance: float | None
    progress: bool | None
    confidence: float | None
    wrong_fraction: float | None
    draw: str
    probes: int | None
    budget: float | None
    max_evaluations: int | None
    checkpoint: Any


def is_auto(coordinates: Any) -> bool:
    """Whether which coordinates are checked is left to the strategy."""
    return isinstance(coordinates, str) and coordinates == "auto"


def _option(default: Any, text: str, *, changes_values: bool = True) -> Any:
    """A field with its explanation; unless it changes values, a checkpoint of another choice is taken."""
    return field(default=default, metadata={"text": text, "changes_values": changes_values})


@dataclass(frozen=True)
class Options:
    """How a gradient is checked; each field is a keyword of check_gradient."""

    coordinates: Any = _option(
        "auto",
        '"auto" for every coordinate where that takes seconds, else a certificate by random directions, a '
        'subset of each block, and a search for what is wrong; "all"; an int for a random subset of that '
        "size (at least some from each block), a float for a fraction; or an array of flat indices",
    )
    seed: int = _option(0, "of every random choice")
    method: str = _option("central", '"forward", "central", "central4", "central6" or "complex"')
    step: StepOption = _option(
        None,
        "None for the default of each block; a float, or floats by block name, in units of the parameter",
    )
    perturb: str = _option(
        "parameters",
        '"parameters"; for a Network or a recorded cost also "nodes", the results of products with weights, '
        'from which the derivatives of the weights follow, or "auto", whichever takes less work for each',
    )
    engine: str = _option(
        "auto",
        '"auto", "python", "compiled" (a Numba cost), "batched" (a vectorized one), "network", or "traced" '
        "(plain NumPy, recorded and evaluated for many points at a time)",
    )
    vectorized: bool = _option(
        False, "whether cost takes a batch, each array with a leading axis k, and returns shape (k,)"
    )
    n_jobs: int | None = _option(
        None,
        "as joblib.Parallel takes it; None is what joblib.parallel_config says, else one worker",
        changes_values=False,
    )
    backend: Any = _option(
        None,
        'as joblib.Parallel takes it; naming backend="threading" for a plain Python cost says that it is '
        'safe in threads; "dask" evaluates on the workers of a dask client',
        changes_values=False,
    )
    resolution: float = _option(
        1e-2,
        "to what share of itself each derivative must be seen for the verdict to be agree; the report says "
        "to what it was seen",
        changes_values=False,
    )
    kinks: str = _option(
        "undecided",
        '"undecided", or "subgradient" to let a claim pass that lies between the slopes on the two sides of '
        "a kink",
        changes_values=False,
    )
    tolerance: float | None = _option(
        None,
        "a fixed relative tolerance within which a claim agrees; outside of it one disagrees where the error "
        "bound says so too",
    )
    progress: bool | None = _option(
        None,
        "True or False for a progress bar on stderr; None for one on a terminal only",
        changes_values=False,
    )
    confidence: float | None = _option(
        None, "of what the report says of coordinates that were not checked; None for 0.999"
    )
    wrong_fraction: float | None = _option(
        None,
        "the share of wrong coordinates in any block that the subset is to find with that confidence; it "
        "says how many are drawn",
    )
    draw: str = _option(
        "uniform", '"uniform", or "importance" for larger entries of the claimed gradient more often'
    )
    probes: int | None = _option(
        None,
        'how many random directions must be clean for a certificate; None for 20 where "auto" does not '
        "check everything, and none elsewhere",
    )
    budget: float | None = _option(None, "seconds; what is known by then is reported", changes_values=False)
    max_evaluations: int | None = _option(
        None, "evaluations of the cost; what is known by then is reported", changes_values=False
    )
    checkpoint: Any = _option(
        None, "a file that keeps what was evaluated, from which a killed check goes on", changes_values=False
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            object.__setattr__(self, option.name, plain_value(getattr(self, option.name)))
        find_stencil(self.method)
        check_tolerance(self.tolerance)
        check_resolution(self.resolution)
        check_budget(self.budget, self.max_evaluations, FEWEST + bool(self.vectorized))
        self._check_sample()
        check_choice("kinks", self.kinks, KINKS)
        check_choice("perturb", self.perturb, PERTURB)
        if self.n_jobs is not None and not (is_whole_number(self.n_jobs) and self.n_jobs != 0):
            raise InputError(
                f"n_jobs must be an integer other than 0, or None; got {self.n_jobs!r}", code="FG402"
            )
        check_backend(self.backend)
        for name, value in (("vectorized", self.vectorized), ("progress", self.progress)):
            if not isinstance(value, bool | None):
                raise InputError(f"{name} must be True or False; got {value!r}", code="FG404")

    def _check_sample(self) -> None:
        for name in ("confidence", "wrong_fraction"):
            share = getattr(self, name)
            if share is not None and not (is_finite_number(share) and 0 < share < 1):
                raise InputError(
                    f"{name} must be a number between 0 and 1, or None; got {share!r}", code="FG405"
                )
        if self.wrong_fraction is not None and not is_auto(self.coordinates):
            raise InputError(
                "wrong_fraction= says how many coordinates are drawn, and so does coordinates=: give one",
                code="FG406",
            )
        check_choice("draw", self.draw, DRAWS)
        if self.probes is not None and not (is_whole_number(self.probes) and self.probes >= 0):
            raise InputError(f"probes must be an integer >= 0, or None; got {self.probes!r}", code="FG407")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """The options from keywords; TypeError for an unknown one, with the known ones."""
        known = [field.name for field in fields(cls)]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise TypeError(_unknown(unknown[0], known))
        return cls(**given)


CALLED_OTHERWISE = {
    "eps": "step", "epsilon": "step", "h": "step", "delta": "step", "dx": "step",
    "tol": "tolerance", "rtol": "tolerance", "atol": "tolerance", "njobs": "n_jobs", "jobs": "n_jobs",
    "workers": "n_jobs", "direction": "probes", "directions": "probes", "timeout": "budget",
    "random_state": "seed", "rng": "seed", "sample": "coordinates", "order": "method", "modes": "method",
}  # fmt: skip
"""What other checks call these options."""


def _unknown(name: str, known: list[str]) -> str:
    said = f"unknown option {name!r}: the options are {', '.join(known)}"
    if name in CALLED_OTHERWISE:
        return f"{said}. What is called {name} elsewhere is {CALLED_OTHERWISE[name]}= here"
    near = difflib.get_close_matches(name, known, 1)
    return f"{said}. Did you mean {near[0]}=?" if near else said


FEWEST = 2
"""Evaluations that any check makes, at the parameters; of a vectorized cost one more, in a batch of two."""


def check_budget(seconds: object, evaluations: object, fewest: int = FEWEST) -> None:
    """Refuse a budget that is no positive number of seconds, or fewer evaluations than any check makes."""
    if seconds is not None and not (is_finite_number(seconds) and float(seconds) > 0):  # type: ignore[arg-type]
        raise InputError(
            f"budget must be a positive number of seconds, or None; got {seconds!r}", code="FG401"
        )
    if evaluations is not None and not (is_whole_number(evaluations) and evaluations >= fewest):  # type: ignore[operator]
        raise InputError(
            f"max_evaluations must be an integer of at least {fewest}, or None: the cost is evaluated "
            f"{fewest} times at the parameters before anything else; got {evaluations!r}",
            code="FG401",
        )


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of a few words."""
    if not (isinstance(value, str) and value in choices):
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}", code="FG408")


def check_backend(backend: Any) -> None:
    """Refuse what is neither a name nor an object that joblib could take for a backend."""
    is_object = hasattr(backend, "effective_n_jobs") and not isinstance(backend, type)
    if not (backend is None or isinstance(backend, str) or is_object):
        raise InputError(
            f'backend must be a name that joblib knows, as in backend="threading", or a backend of its kind, '
            f"or None; got {backend!r}",
            code="FG403",
        )


def check_tolerance(tolerance: float | None) -> None:
    """Refuse a tolerance that is not a finite number >= 0, or None."""
    if tolerance is not None and not (is_finite_number(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance must be a finite number >= 0, or None; got {tolerance!r}", code="FG410")


def check_resolution(resolution: object) -> None:
    """Refuse a resolution that is not a number above 0 and at most 1."""
    if not (is_finite_number(resolution) and 0 < float(resolution) <= 1):  # type: ignore[arg-type]
        raise InputError(
            f"resolution must be a number above 0 and at most 1; got {resolution!r}", code="FG411"
        )


def check_seed(seed: Any) -> None:
    """Refuse a seed that is not an integer >= 0."""
    if not is_whole_number(seed) or seed < 0:
        raise InputError(f"seed must be an integer >= 0; got {seed!r}", code="FG412")


def require_no_claim_options(options: Options) -> None:
    """Refuse options that are about a claimed gradient, where there is none."""
    if options.tolerance is not None:
        raise InputError("tolerance= compares two gradients: numerical_gradient has only one", code="FG413")
    if options.probes or options.wrong_fraction or options.draw == "importance":
        raise InputError(
            "probes=, wrong_fraction= and draw= are about a claimed gradient, and there is none", code="FG413"
        )


def explained(name: str) -> str:
    """What an option is for."""
    return str(Options.__dataclass_fields__[name].metadata["text"])


def changing_values() -> tuple[str, ...]:
    """The options on which any value depends, in order."""
    return tuple(option.name for option in fields(Options) if option.metadata["changes_values"])


def takes_options(function: Function) -> Function:
    """Give a function that takes **options the signature and the docstring that show each of them.

    The line of the docstring that begins with "options :" makes way for the options, one entry each. An
    option whose name is that of an argument with another meaning is left out.
    """
    shown = inspect.signature(function)
    known = [p for p in shown.parameters.values() if p.kind is not p.VAR_KEYWORD]
    more = [
        inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=o.type)
        for o in fields(Options)
        if o.name not in shown.parameters
    ]
    function.__signature__ = shown.replace(parameters=[*known, *more])  # type: ignore[attr-defined]
    before, found, after = (function.__doc__ or "").partition("    options : ")
    if found:
        function.__doc__ = before + _entries(frozenset(shown.parameters)) + after.partition("\n")[2]
    return function


@functools.cache
def _entries(taken: frozenset[str] = frozenset()) -> str:
    """The options as entries of a docstring's Parameters section, but those whose names are taken."""
    entries = (
        textwrap.fill(
            f"{o.name} : {o.metadata['text']}", 100, initial_indent=" " * 4, subsequent_indent=" " * 8
        )
        for o in fields(Options)
        if o.name not in taken
    )
    return "\n".join(entries) + "\n"
