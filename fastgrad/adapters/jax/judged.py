"""One check of JAX: in float64 by differences, then in the precision that the user works in.

Where float64 cannot be had, since the function refuses it, the check is made in the user's own precision, and
sees as far as that shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.adapters.jax.casts import what_is_cast
from fastgrad.adapters.jax.claims import Claim, ClaimedGradient, Values
from fastgrad.adapters.jax.errors import first_line
from fastgrad.adapters.jax.scalar import Blocks, Scalar
from fastgrad.adapters.jax.subject import Subject
from fastgrad.adapters.jax.trust import why_not_batched
from fastgrad.adapters.own_precision import (
    EPSILONS,
    NEARBY,
    OwnGradient,
    nearby,
    scatter_of,
    with_own_precision,
)
from fastgrad.arrays import Floats
from fastgrad.checks import check_gradient
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.report.report import Report

IN_DOUBLE = (
    "jax computes in float32 as it is set (jax_enable_x64 is off): the differences were taken in float64, "
    "under jax.enable_x64(True), with params and args cast"
)
CAST = "params and args were cast to float64 for the differences"
NO_DOUBLE = (
    "fn has no float64, so all was evaluated in {precision}: under jax.enable_x64(True) it raises {why}. "
    "Where that comes of arrays which fn closes over, pass them in args=: these are cast"
)
NOT_ASKED = "all was evaluated in {precision}, as float64=False asks"
NUMBERS = "the gradient was given as numbers, in {precision}; the differences are those in float64"
CASTS = (
    "{name} casts to {precision} inside: what is computed in it has its rounding in float64 too, and is "
    "seen no further"
)

Weights = Sequence[Floats]


@dataclass(frozen=True, eq=False)
class Judged:
    """What is checked, by what claim, with which options.

    Parameters
    ----------
    subject : Subject
    weights : w, an array for each output
    claim : Claim
    options : of check_gradient
    double : False to stay in the user's precision
    """

    subject: Subject
    weights: Weights
    claim: Claim
    options: Mapping[str, Any]
    double: bool = True

    def report(self) -> Report:
        """The report, with what was found in both precisions."""
        subject = self.subject
        if subject.is_double:
            return self._by_differences(True)
        if not self.double:
            return _noted(self._by_differences(False), NOT_ASKED.format(precision=self._precision))
        why = self._why_not_double()
        if why:
            report = self._by_differences(False)
            return _noted(report, NO_DOUBLE.format(precision=self._precision, why=why))
        report = self._by_differences(True)
        cast = CAST if subject.x64 else IN_DOUBLE
        if isinstance(self.claim, Values):
            return _noted(report, NUMBERS.format(precision=self._precision), cast)
        own = with_own_precision(report, Parameters(self._blocks(True)), self._own_gradient())
        return _noted(own, cast)

    @property
    def _precision(self) -> str:
        return " and ".join(sorted(set(self.subject.dtypes)))

    def _scalar(self, double: bool) -> Scalar:
        return Scalar(self.subject, self.weights, double)

    def _claimed(self, double: bool) -> ClaimedGradient:
        return ClaimedGradient(self.claim, self.subject, self.weights, double)

    def _blocks(self, double: bool) -> Blocks:
        """The parameters as a check takes them: names and arrays of NumPy."""
        dtypes = ["float64"] * len(self.subject.dtypes) if double else self.subject.dtypes
        short = [d for d in dtypes if d not in ("float32", "float64")]
        if short:
            raise InputError(
                f"differences in {short[0]} show nothing: take out what keeps float64 away, or pass float32",
                code="FG809",
            )
        values = zip(self.subject.names, self.subject.values, dtypes, strict=True)
        return {name: value.astype(dtype) for name, value, dtype in values}

    def _why_not_double(self) -> str:
        """What the function or its derivative raises in float64, and not in its own precision."""
        try:
            self._scalar(True).plain(self._blocks(True))
            self._claimed(True).at(self.subject.values)
        except InputError:
            raise
        except Exception as error:
            self._require_own()
            return first_line(error)
        return ""

    def _require_own(self) -> None:
        """Refuse what raises in the user's precision, too; what a gradient of the user's raises passes."""
        self._scalar(False).plain(self._blocks(True))
        try:
            self._claimed(False).at(self.subject.values)
        except Exception as error:
            if not self.claim.compiles or isinstance(error, InputError):
                raise
            raise InputError(
                f"{self.claim.name} raises {first_line(error)}. Where fn has another gradient, give it as "
                "gradient=",
                code="FG822",
            ) from error

    def _by_differences(self, double: bool) -> Report:
        scalar, blocks = self._scalar(double), self._blocks(double)
        why = self._why_not_batched(scalar, blocks)
        options = {**self.options, "vectorized": not why}
        if options.get("engine") in ("python", "batched"):
            options["engine"] = "auto"
        report = check_gradient(
            scalar.plain if why else scalar.batch, self._gradient(double, blocks), dict(blocks), **options
        )
        cast = what_is_cast(scalar, blocks) if double else ""
        notes = [CASTS.format(name="fn", precision=cast)] if cast else []
        return _noted(report, *self.subject.notes, *notes, *([why] if why and why != ASKED else []))

    def _gradient(self, double: bool, blocks: Blocks) -> Any:
        """The claim as check_gradient takes it: a function, or numbers by name."""
        claimed = self._claimed(double)
        return claimed(blocks) if isinstance(self.claim, Values) else claimed

    def _why_not_batched(self, scalar: Scalar, blocks: Blocks) -> str:
        engine = self.options.get("engine", "auto")
        if engine not in ("auto", "python", "batched"):
            raise InputError(
                f'engine={engine!r} is not for functions of JAX: "batched" evaluates them under jit and '
                'vmap, "python" by plain calls, "auto" takes the first that gives the right numbers',
                code="FG823",
            )
        why = ASKED if engine == "python" else why_not_batched(scalar, blocks)
        if why and engine == "batched":
            raise InputError(f'engine="batched" cannot be had: {why}', code="FG823")
        return why

    def _own_gradient(self) -> OwnGradient:
        """The gradient in the user's precision, beside that in float64."""
        subject, own, double = self.subject, self._claimed(False), self._claimed(True)
        outputs = subject.outputs(double=False)
        output_dtypes = [np.dtype(out.dtype) for out in outputs]
        weights = [w.astype(dtype) for w, dtype in zip(self.weights, output_dtypes, strict=True)]
        found = _flat(own.at(subject.values, weights)), _flat(double.at(subject.values, weights))
        coarsest = max((d.name for d in output_dtypes), key=lambda name: EPSILONS.get(name, 0.0))
        dtypes = [max(d, coarsest, key=lambda name: EPSILONS[name]) for d in subject.dtypes]
        return OwnGradient(
            self.claim.name, dtypes, *found, *scatter_of(self._deviations(own, double, weights))
        )

    def _deviations(
        self, own: ClaimedGradient, double: ClaimedGradient, weights: Weights
    ) -> Iterator[Floats]:
        """Own less float64 at points nearby, for another multiple of the weights at each where it can be.

        So roundings come out differently where the arithmetic does not see the parameters move, too.
        """
        rng = np.random.default_rng(0)
        subject = self.subject
        for k in range(NEARBY):
            moved = zip(subject.values, subject.dtypes, strict=True)
            with subject.context(True):
                there = [_rounded(nearby(v, dtype, k, rng), dtype) for v, dtype in moved]
            times = rng.uniform(1, 2) if self.claim.is_linear else 1.0
            some = [(times * w.astype(np.float64)).astype(w.dtype) for w in weights]
            yield (_flat(own.at(there, some)) - _flat(double.at(there, some))) / times


ASKED = "asked"
"""Why nothing is batched where the user said engine="python"; no note is made of that."""


def _rounded(values: Floats, dtype: str) -> Floats:
    import jax.numpy as jnp

    return np.asarray(jnp.asarray(values).astype(dtype)).astype(np.float64)


def _flat(arrays: Sequence[Any]) -> Floats:
    return np.concatenate([np.asarray(array).astype(np.float64).reshape(-1) for array in arrays])


def _noted(report: Report, *notes: str) -> Report:
    return replace(report, notes=(*notes, *report.notes))
