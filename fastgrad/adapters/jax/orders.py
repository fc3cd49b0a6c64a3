"""The derivatives that check_grads checks: of a function, then of its jax.jvp and jax.vjp, and so on.

As in jax.test_util.check_grads, a function of order 2 in forward mode is jax.jvp of f at (args, args), and in
reverse mode the vjp of f for the cotangent f(*args).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from fastgrad.adapters.jax.claims import Claim, Reverse
from fastgrad.adapters.jax.forward import Forward
from fastgrad.adapters.jax.subject import Arrays, Subject
from fastgrad.errors import InputError

MODES = ("fwd", "rev", "lin")
"""Forward mode by jax.jvp, reverse mode by jax.vjp, forward mode by jax.linearize."""

CLAIMS: dict[str, Claim] = {
    "fwd": Forward("jax.jvp"),
    "rev": Reverse("jax.vjp"),
    "lin": Forward("jax.linearize", linearize=True),
}

LABELS = {"fwd": "JVP", "rev": "VJP", "lin": "LIN"}
"""As jax calls them in its messages."""


@dataclass(frozen=True, eq=False)
class Derivative:
    """One check of check_grads."""

    label: str
    """Such as "VJP of JVP"."""
    subject: Subject
    claim: Claim


def derivatives(subject: Subject, order: int, modes: Sequence[str], of: str = "") -> Iterator[Derivative]:
    """Every derivative up to an order, those of one function before those of its derivatives.

    Parameters
    ----------
    subject : Subject
    order : at least 1
    modes : some of MODES
    of : the label of the subject; empty for f itself
    """
    for mode in (mode for mode in MODES if mode in modes):
        label = f"{LABELS[mode]} of {of}" if of else LABELS[mode]
        yield Derivative(label, subject, CLAIMS[mode])
        if order > 1:
            higher = _pulled(subject) if mode == "rev" else _pushed(subject)
            yield from derivatives(higher, order - 1, modes, label)


def check_order(order: Any, modes: Any) -> None:
    """Refuse an order below 1, and modes that jax does not have."""
    if not isinstance(order, int | np.integer) or isinstance(order, bool) or order < 1:
        raise InputError(f"order must be an integer of at least 1; got {order!r}", code="FG824")
    if isinstance(modes, str) or not modes or set(modes) - set(MODES):
        raise InputError(
            f'modes must be some of {", ".join(MODES)}, as in ("fwd", "rev"); got {modes!r}', code="FG824"
        )


def _pushed(subject: Subject) -> Subject:
    """jax.jvp of a subject: a function of its arrays and of as many tangents."""
    count = len(subject.names)

    def function(arrays: Arrays, data: Arrays) -> list[Any]:
        primals, tangents = tuple(arrays[:count]), tuple(arrays[count:])
        outputs, pushed = jax.jvp(lambda *a: subject.function(a, data), primals, tangents)
        return [*outputs, *pushed]

    # Tangents are the args themselves, as jax has them; along a zero nothing would show.
    tangents = tuple(np.where(value == 0, 1.0, value) for value in subject.values)
    return replace(
        subject,
        function=function,
        names=(*subject.names, *(f"tangent of {name}" for name in subject.names)),
        dtypes=subject.dtypes * 2,
        values=subject.values + tangents,
    )


def _pulled(subject: Subject) -> Subject:
    """The vjp of a subject for the cotangent that is its own outputs."""

    def function(arrays: Arrays, data: Arrays) -> list[Any]:
        outputs, pull = jax.vjp(lambda *a: subject.function(a, data), *arrays)
        return list(pull(outputs))

    return replace(subject, function=function)
