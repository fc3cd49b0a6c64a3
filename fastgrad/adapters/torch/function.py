"""check_function: what autograd gives for any function of tensors, against its differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from fastgrad.adapters.torch.alone import each_alone
from fastgrad.adapters.torch.copies import data_copied, module_copied
from fastgrad.adapters.torch.names import COMPLEX, flatten_data, is_differentiable
from fastgrad.adapters.torch.output_batches import outputs_way
from fastgrad.adapters.torch.own_precision import beside_own, epsilon_of, name_of
from fastgrad.adapters.torch.refusals import require_dense
from fastgrad.adapters.torch.state import ask_again_inside, generators_kept, graphs_recorded
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.adapters.torch.threads import threads_held
from fastgrad.engines.alternatives import Alternatives
from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.describe import describe, quoted
from fastgrad.report.report import Report
from fastgrad.vector.products import check_vjp

WAYS = Alternatives((outputs_way,))
"""Beside one call of the function for each point."""

NO_DOUBLE = "in float64 {why}: it was checked in {dtype}, as far as its rounding lets differences see"


@takes_options
def check_function(fn: Callable[..., Any], inputs: Any, **options: Unpack[CheckOptions]) -> Report:
    """Check what autograd gives for a function of tensors against finite differences of its outputs.

    Parameters
    ----------
    fn : callable of tensors that returns a tensor, or tuples, lists or dicts of them: a custom
        autograd.Function's apply, a Module, any function
    inputs : a tensor, a tuple for fn(*inputs) or a dict for fn(**inputs). Those are checked that require
        grad; where none does, all of floating-point numbers
    options : each a keyword of its own

    Returns
    -------
    Report
        Its blocks are inputs, inputs[0] or inputs['name']; of complex tensors with a last axis for the real
        and the imaginary part.

    Raises
    ------
    InputError
        When the function cannot be checked as it was given; the message says what to try.
    """
    moved = places_moved(inputs)
    with generators_kept(devices_of(inputs)), graphs_recorded():
        functions = functions_of(fn, inputs, moved)
        precise = functions.precise
        with threads_held(lambda: precise(precise.at)):
            report = each_alone(precise, lambda: check_vjp(precise, precise.vjp, precise.at, **options))
            ask_again_inside(report, devices_of(inputs))
            return functions.completed(report, options.get("seed", 0))


@dataclass(frozen=True, eq=False)
class Functions:
    """A function in the precision that differences are taken in, and in its own.

    Parameters
    ----------
    precise : what is differenced
    own : in the precision of the inputs; None where that is the same
    dtype : of the lowest precision among the inputs
    note : what the report says of it; empty for nothing
    """

    precise: TensorFunction
    own: TensorFunction | None
    dtype: Any
    note: str = ""

    def completed(self, report: Report, seed: int) -> Report:
        """The report in torch's terms, with what autograd gives in the precision of the inputs."""
        complex_ones = any(slot.is_complex for slot in self.precise.slots)
        notes = [self.note] * bool(self.note) + [COMPLEX] * complex_ones
        report = replace(report, notes=(*report.notes, *notes))
        if self.own is None:
            return report
        own, precise, rng = self.own, self.precise, np.random.default_rng(seed)
        w = {
            name: rng.choice([-1.0, 1.0], y.shape) * rng.uniform(1, 2, y.shape)
            for name, y in precise(precise.at).items()
        }
        return beside_own(report, precise, own, lambda p: own.vjp(p, w), lambda p: precise.vjp(p, w), seed)


def functions_of(fn: Callable[..., Any], inputs: Any, moved: list[int]) -> Functions:
    """The function at copies of the inputs, in double precision and in their own.

    Parameters
    ----------
    fn : the user's
    inputs : the user's
    moved : the places of the tensors that are moved among the leaves of the inputs

    Raises
    ------
    InputError
        For outputs that are no floating-point tensors, and for half precision without another one.
    """
    import torch

    own = TensorFunction(_function(fn, None), data_copied(inputs, None), moved)
    own.structure = WAYS
    dtype = max((slot.tensor.dtype.to_real() for slot in own.slots), key=epsilon_of)
    if dtype is torch.float64:
        _called(own)
        return Functions(own, None, dtype)
    precise = TensorFunction(_function(fn, torch.float64), data_copied(inputs, torch.float64), moved)
    precise.structure = WAYS
    there = _called(own)
    why = _why_not(precise, there)
    if not why:
        return Functions(precise, own, dtype)
    if dtype.itemsize < 4:
        raise InputError(
            f"in float64 {why}, and differences in {name_of(dtype)} show next to nothing: pass "
            "inputs.float()",
            code="FG809",
        )
    return Functions(own, None, dtype, NO_DOUBLE.format(why=why, dtype=name_of(dtype)))


def places_moved(inputs: Any) -> list[int]:
    """The places among the leaves of the inputs of the tensors that are checked.

    Those that require grad; where none does, all of floating-point numbers.

    Raises
    ------
    InputError
        Where there is none, or one is sparse, quantised or without numbers.
    """
    leaves, names, _ = flatten_data(inputs, "inputs")
    floats = [k for k, leaf in enumerate(leaves) if is_differentiable(leaf)]
    found = [k for k in floats if leaves[k].requires_grad] or floats
    if not found:
        raise InputError(
            f"there is no floating-point tensor among the inputs; got {describe(inputs)}", code="FG804"
        )
    for k in found:
        require_dense(leaves[k], names[k])
    return found


def devices_of(inputs: Any) -> list[Any]:
    """The devices of all tensors among the inputs."""
    import torch

    return list({leaf.device for leaf in flatten_data(inputs, "")[0] if isinstance(leaf, torch.Tensor)})


def _function(fn: Callable[..., Any], precision: Any) -> Callable[..., Any]:
    """The function; of a Module a copy in that precision."""
    import torch

    return module_copied(fn, precision) if isinstance(fn, torch.nn.Module) else fn


def _called(function: TensorFunction) -> dict[str, Any]:
    """The outputs, having seen that autograd gives a gradient of them."""
    found = function(function.at)
    function.vjp(function.at, {name: np.ones(y.shape) for name, y in found.items()})
    return found


def _why_not(precise: TensorFunction, there: dict[str, Any]) -> str:
    """Why a function has no double precision; empty where it has."""
    try:
        here = _called(precise)
    except Exception as error:
        return f"it raised {quoted(error)}"
    if {name: y.shape for name, y in here.items()} != {name: y.shape for name, y in there.items()}:
        return "its outputs have other shapes"
    lower = [name for name, y in here.items() if y.dtype != np.float64]
    return f"{lower[0]} is {here[lower[0]].dtype}" if lower else ""
