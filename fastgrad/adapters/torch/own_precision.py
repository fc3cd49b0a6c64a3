"""Modules in single or half precision: checked in double precision, then compared with that in their own.

What torch has no double precision for is checked in its own precision, as far as its rounding lets
differences see.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from fastgrad.adapters.own_precision import (
    EPSILONS,
    NEARBY,
    OwnGradient,
    nearby,
    scatter_of,
    with_own_precision,
)
from fastgrad.adapters.torch.copies import Subject, copied
from fastgrad.adapters.torch.in_place import BY_ITSELF, READ_BY_THE_LOSS, itself, read_by_the_loss
from fastgrad.adapters.torch.loss_cost import Blocks, LossCost
from fastgrad.adapters.torch.names import Slot
from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.printable import shown_name
from fastgrad.problem.describe import quoted
from fastgrad.problem.parameters import Parameters
from fastgrad.report.report import Report

SAME_COST = 0.1
"""By this share of itself, times eps^(1/4), the cost of a module that draws random numbers may differ
between precisions: 0.2% for float32. Other random numbers make a difference of several percent."""

NO_DOUBLE = "in float64 the module raised {error}: it was checked in {dtype}, as far as its rounding lets see"
OTHER_NUMBERS = (
    "the cost draws random numbers, and in float64 others than in {dtype}: {precise:.6g} in place of "
    "{own:.6g}. It was checked in {dtype}, as far as its rounding lets see"
)


DIGITS_LOST = 16.0
"""Roundings that a gradient in half precision may be off by: 0.13 of itself in bfloat16, 0.016 in float16."""

Gradient = Callable[[Blocks], Blocks]


class Slots(Protocol):
    """What has tensors that are moved, and their blocks."""

    slots: list[Slot]
    at: Blocks


@dataclass(frozen=True, eq=False)
class Precisions:
    """The cost that differences are taken of, and the module's own where that is another one.

    Parameters
    ----------
    cost : what is differenced
    own : the cost in the module's own precision; None where that is the same
    note : what the report says of it; empty for nothing
    by_copies : whether it is the cost of a copy of the module, not of the module itself
    """

    cost: LossCost
    own: LossCost | None = None
    note: str = ""
    by_copies: bool = True

    def completed(self, report: Report, seed: int) -> Report:
        """The report with what the gradient is in its own precision."""
        if self.note:
            report = replace(report, notes=(*report.notes, self.note))
        if self.own is None:
            return report
        return beside_own(report, self.cost, self.own, self.own.gradient, self.cost.gradient, seed)


@contextlib.contextmanager
def precisions_of(subject: Subject, by_inputs: bool) -> Iterator[Precisions]:
    """In which precision a module is checked, having seen that its gradient can be had there.

    Parameters
    ----------
    subject : Subject, the user's
    by_inputs : whether the inputs are moved too

    Raises
    ------
    InputError
        For a loss of which there is no gradient, and for half precision without another one.
    """
    try:
        own = LossCost(copied(subject, None), by_inputs)
        precise = LossCost(copied(subject, torch_double()), by_inputs) if is_lower(own) else own
    except InputError:
        raise
    except Exception as error:  # torch cannot copy it
        why = f"copying it raised {quoted(error)}"
    else:
        name = read_by_the_loss(own.graph(), subject)
        if name is None:
            yield _of_copies(own, precise)
            return
        why = READ_BY_THE_LOSS.format(name=shown_name(name))
    with _moved_itself(subject, by_inputs) as cost:
        yield Precisions(cost, None, BY_ITSELF.format(why=why), by_copies=False)


def _of_copies(own: LossCost, precise: LossCost) -> Precisions:
    """Double precision, where there is one, and the module's own beside it."""
    own.gradient(own.at)  # what is wrong with the module itself is raised as it is
    if precise is own:
        return Precisions(own)
    dtype = lowest(own)
    try:
        precise.gradient(precise.at)
    except Exception as error:
        return _in_own(own, dtype, NO_DOUBLE.format(error=quoted(error), dtype=name_of(dtype)))
    here, there = float(own(own.at)), float(precise(precise.at))
    allowed = SAME_COST * epsilon_of(dtype) ** 0.25 * max(abs(here), abs(there))
    if own.start.draws and not abs(here - there) <= allowed:
        said = OTHER_NUMBERS.format(dtype=name_of(dtype), precise=there, own=here)
        return _in_own(own, dtype, said)
    return Precisions(precise, own)


@contextlib.contextmanager
def _moved_itself(subject: Subject, by_inputs: bool) -> Iterator[LossCost]:
    """The cost of the module itself in double precision, or in its own where it raises there."""
    with contextlib.ExitStack() as stack:
        cost = LossCost(stack.enter_context(itself(subject, torch_double())), by_inputs)
        try:
            cost.gradient(cost.at)
        except InputError:
            raise
        except Exception:
            stack.close()
            cost = LossCost(stack.enter_context(itself(subject, None)), by_inputs)
        yield cost


def _in_own(own: LossCost, dtype: Any, note: str) -> Precisions:
    if dtype.itemsize < 4:
        raise InputError(
            f"{note}. Differences of a cost in {name_of(dtype)} show next to nothing: pass module.float()",
            code="FG809",
        )
    return Precisions(own, None, note)


def torch_double() -> Any:
    """torch.float64."""
    import torch

    return torch.float64


def is_lower(cost: LossCost) -> bool:
    """Whether some tensor that is moved is in a lower precision than double."""
    return lowest(cost) is not torch_double()


def beside_own(
    report: Report, precise: Slots, own: Slots, gradient: Gradient, double: Gradient, seed: int
) -> Report:
    """The report of a check in double precision, with the gradient in the precision of its user.

    Parameters
    ----------
    report : Report
    precise, own : what has the blocks in either precision
    gradient, double : blocks -> the gradient, in its own precision and in double precision
    seed : of the points nearby
    """
    dtypes = [name_of(slot.tensor.dtype.to_real()) for slot in own.slots]
    rng = np.random.default_rng(seed)

    def both(at: Blocks) -> tuple[Floats, Floats]:
        return _flat(gradient(at)), _flat(double(at))

    def deviations() -> Iterator[Floats]:
        for point in range(NEARBY):
            pairs = zip(precise.at.items(), dtypes, strict=True)
            there = {
                name: _rounded(nearby(block, dtype, point, rng), dtype) for (name, block), dtype in pairs
            }
            mine, exact = both(there)
            yield mine - exact

    found = OwnGradient("autograd", dtypes, *both(precise.at), *scatter_of(deviations()))
    return with_own_precision(report, Parameters(precise.at), found, resolution_of(dtypes))


def resolution_of(dtypes: list[str]) -> float:
    """What a gradient may be off by in its own precision, relative to itself: some of its last digits.

    Of float32 a check's own resolution is wider, and stays.
    """
    return DIGITS_LOST * max(EPSILONS[dtype] for dtype in dtypes)


def _rounded(numbers: Floats, dtype: str) -> Floats:
    """float64 numbers, rounded to those that a dtype has."""
    import torch

    return np.asarray(torch.from_numpy(numbers).to(getattr(torch, dtype)).double().numpy())


def _flat(blocks: Blocks) -> Floats:
    return np.concatenate([block.astype(np.float64).reshape(-1) for block in blocks.values()])


def lowest(cost: LossCost) -> Any:
    """The dtype of the lowest precision among the tensors that are moved, a real one."""
    dtypes = [slot.tensor.dtype.to_real() for slot in cost.slots]
    return max(dtypes, key=epsilon_of)


def epsilon_of(dtype: Any) -> float:
    """Machine epsilon of a dtype of torch."""
    import torch

    return float(torch.finfo(dtype).eps)


def name_of(dtype: Any) -> str:
    """float32 rather than torch.float32."""
    return str(dtype).removeprefix("torch.")
