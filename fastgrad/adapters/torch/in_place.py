"""The user's module itself in the place of a copy, and all of it put back afterwards.

Two kinds of modules cannot be checked by a copy: those that torch cannot copy, and those of which the loss
reads parameters by itself, as in `lambda y, t: loss(y, t) + sum(p.pow(2).sum() for p in net.parameters())`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastgrad.adapters.torch.copies import Subject, data_copied, in_precision
from fastgrad.adapters.torch.names import is_differentiable

BY_ITSELF = "the module itself was moved and put back, and not a copy: {why}"
READ_BY_THE_LOSS = "the loss reads {name} of the module by itself"


@contextlib.contextmanager
def itself(subject: Subject, precision: Any) -> Iterator[Subject]:
    """The subject, to be moved and called; all that it holds is put back, also after an exception.

    Parameters
    ----------
    subject : Subject, the user's
    precision : in which it is meanwhile; None for its own
    """
    parts = [part for module in subject.modules for part in module.modules()]
    parameters = {id(p): p for part in parts for p in part._parameters.values() if p is not None}
    tensors = [(p, p.data) for p in parameters.values()]
    held = [(owned, name, value) for part in parts for owned, name, value in _held(part)]
    training = [(part, part.training) for part in parts]
    try:
        for owned, name, value in held:
            owned[name] = value.detach().clone()
        for module in subject.modules if precision is not None else ():
            in_precision(module, precision)
        inputs, targets = (data_copied(data, precision) for data in (subject.inputs, subject.targets))
        yield replace(subject, inputs=inputs, targets=targets)
    finally:
        for p, data in tensors:
            p.data = data
        for owned, name, value in held:
            owned[name] = value
        for part, flag in training:
            part.training = flag


def read_by_the_loss(value: Any, subject: Subject) -> str | None:
    """The name of a parameter of the user's from which a copy's cost was computed; None if there is none.

    Parameters
    ----------
    value : the cost of a copy, with its graph
    subject : the user's
    """
    theirs: dict[int, str] = {}
    for module in subject.modules:
        theirs |= {id(p): name for name, p in module.named_parameters()}
    seen: set[Any] = set()
    reached: set[int] = set()
    waiting = [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        reached.add(id(getattr(node, "variable", None)))
        waiting += [following for following, _ in node.next_functions]
    return next((name for number, name in theirs.items() if number in reached), None)


def _held(part: Any) -> list[tuple[Any, str, Any]]:
    """The buffers of a module and its other tensors, with the dict that holds each."""
    found = [(part._buffers, name, buffer) for name, buffer in part._buffers.items() if buffer is not None]
    return found + [
        (vars(part), name, value) for name, value in vars(part).items() if is_differentiable(value)
    ]
