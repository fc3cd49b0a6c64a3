"""What a call of a module changes beside its result, and how that is put back.

Random generators, buffers and tensors that are written to in place: each call of the cost starts with all of
these as they were at the first one. So Dropout draws the same mask each time. What a call leaves alone is
found out at the first call, and costs nothing later.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from fastgrad.report.report import Report


@dataclass(frozen=True)
class Generator:
    """One source of random numbers: how its state is read, set, and compared."""

    read: Callable[[], Any]
    set: Callable[[Any], None]
    same: Callable[[Any, Any], bool] = field(default=lambda a, b: bool(a == b))


def generators(devices: Sequence[Any]) -> list[Generator]:
    """The generators that a module may draw from: torch's on the CPU and these devices, NumPy's, Python's.

    Parameters
    ----------
    devices : torch.device of each tensor in use
    """
    import torch

    def same(a: Any, b: Any) -> bool:
        return bool(torch.equal(a, b))

    found = [
        Generator(torch.get_rng_state, torch.set_rng_state, same),
        Generator(random.getstate, random.setstate),
        Generator(np.random.get_state, np.random.set_state, _same_of_numpy),
    ]
    for device in {d for d in devices if d.type not in ("cpu", "meta")}:
        library = torch.get_device_module(device)
        found.append(
            Generator(
                partial(library.get_rng_state, device), partial(library.set_rng_state, device=device), same
            )
        )
    return found


def _same_of_numpy(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@contextlib.contextmanager
def generators_kept(devices: Sequence[Any] = ()) -> Iterator[list[tuple[Generator, Any]]]:
    """Put back all generators afterwards, also after an exception; gives their states.

    Parameters
    ----------
    devices : torch.device of each tensor in use
    """
    states = [(generator, generator.read()) for generator in generators(devices)]
    try:
        yield states
    finally:
        for generator, state in states:
            generator.set(state)


def ask_again_inside(report: Report, devices: Sequence[Any], by_copies: bool = True) -> None:
    """Let a report call a cost of torch's again, after its check, without a trace in the user's process.

    Parameters
    ----------
    report : of the check
    devices : torch.device of each tensor in use
    by_copies : whether copies of the user's modules are called; the modules themselves are not moved again
    """
    if report.revisit is None:
        return
    if by_copies:
        report.revisit.inside(partial(_undisturbed, devices))
    else:
        report.revisit.let_go()


@contextlib.contextmanager
def _undisturbed(devices: Sequence[Any]) -> Iterator[None]:
    with generators_kept(devices), graphs_recorded():
        yield


@contextlib.contextmanager
def graphs_recorded() -> Iterator[None]:
    """Let autograd record graphs, whatever the caller has switched off."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        yield


class SameStart:
    """Puts the state that a call may change back to what it was when this was made.

    Parameters
    ----------
    modules : torch Modules, whose buffers are put back
    tensors : other tensors that a call may write to: inputs and targets
    devices : whose generators are set back, beside the CPU's
    """

    def __init__(self, modules: Sequence[Any], tensors: Sequence[Any], devices: Sequence[Any] = ()) -> None:
        self.random = [(generator, generator.read()) for generator in generators(devices)]
        self.buffers = [
            (owner._buffers, name, buffer, buffer.detach().clone(), buffer._version)
            for module in modules
            for owner in module.modules()
            for name, buffer in owner._buffers.items()
            if buffer is not None
        ]
        self.tensors = [(tensor, tensor.detach().clone(), tensor._version) for tensor in tensors]
        self.is_known = False

    @property
    def draws(self) -> bool:
        """Whether the call draws random numbers, as far as is known."""
        return bool(self.random)

    def learn(self) -> None:
        """Keep of all this what a call has changed: the others need not be put back."""
        self.random = [(g, state) for g, state in self.random if not g.same(g.read(), state)]
        self.buffers = [
            entry
            for entry in self.buffers
            if entry[0].get(entry[1]) is not entry[2] or entry[2]._version != entry[4]
        ]
        self.tensors = [entry for entry in self.tensors if entry[0]._version != entry[2]]
        self.is_known = True

    def put_back(self) -> None:
        """Put all back that is known to change."""
        for generator, state in self.random:
            generator.set(state)
        for owned, name, buffer, value, _ in self.buffers:
            owned[name] = buffer
            buffer.copy_(value)
        for tensor, value, _ in self.tensors:
            tensor.copy_(value)


def same_every_time(module: Any) -> None:
    """Let batch normalisation in training mode leave its running statistics alone: it does not read them.

    Parameters
    ----------
    module : a copy that nobody else uses
    """
    import torch

    for part in module.modules():
        if (
            isinstance(part, torch.nn.modules.batchnorm._BatchNorm)
            and part.training
            and part.track_running_stats
        ):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
