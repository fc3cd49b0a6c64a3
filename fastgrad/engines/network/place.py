"""A layer at its place in a network, with the activations around it.

`state` makes the places. The rest of the engine asks a place what its layer multiplies, what later layers do,
and how a change of the layer's output changes the output of the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats
from fastgrad.engines.network.layer_rules import (
    DEPEND_ON_POSITION,
    MIX_SAMPLES,
    BoundLayer,
    Change,
    Evaluated,
    Kind,
    changed_share,
    forward_values,
    keeps_share,
    operand,
    through_chain,
)
from fastgrad.networks.base import Array


def split_name(name: str) -> tuple[str, str]:
    """The name of the layer's place and that of its parameter: "3.weight" -> ("3", "weight")."""
    place, _, parameter = name.rpartition(".")
    return place, parameter


@dataclass(frozen=True, eq=False)
class Place:
    """A layer in its chain of layers."""

    name: str  # "3", or "3.1" for layer 1 of the branch that layer 3 is
    position: int  # in the chain
    chain: tuple[BoundLayer, ...]
    values: list[Array]  # the chain's input and each layer's output, as Chain.forward gives them
    outer: Place | None  # the Residual whose branch the chain is; None for the network's own chain
    by_sample: bool  # whether the loss is known to be a sum over samples

    @cached_property
    def bound(self) -> BoundLayer:
        """The layer with its parameters.

        It has no rule where its input is complex or has another number of samples, as a layer of the user's
        own may make it.
        """
        bound = self.chain[self.position]
        as_many = self.x.shape[:1] == self.values[0].shape[:1]
        return bound if as_many and np.isrealobj(self.x) else replace(bound, kind=None)

    @property
    def kind(self) -> Kind:
        """The class that the layer computes exactly as; None for a layer without a rule."""
        return self.bound.kind

    @property
    def x(self) -> Array:
        """The layer's input, (samples, ...)."""
        return self.values[self.position]

    @property
    def z(self) -> Array:
        """The layer's output, (samples, ...)."""
        return self.values[self.position + 1]

    @cached_property
    def evaluated(self) -> Evaluated:
        """The layer with its input, its output, and what its weights multiply."""
        return Evaluated(self.bound, self.x, self.z, operand(self.bound, self.x))

    def _later(self) -> Iterator[BoundLayer]:
        """The layers after this one, to the end of the network."""
        yield from self.chain[self.position + 1 :]
        if self.outer is not None:
            yield from self.outer._later()

    @cached_property
    def samples_stay_apart(self) -> bool:
        """Whether neither a later layer nor the loss mixes samples."""
        return self.by_sample and not any(bound.holds(MIX_SAMPLES) for bound in self._later())

    @cached_property
    def position_matters(self) -> bool:
        """Whether what later layers do to a sample depends on its position in the batch."""
        return any(bound.holds(DEPEND_ON_POSITION) for bound in self._later())

    @cached_property
    def largest_change(self) -> float:
        """The largest number of bytes that one perturbation changes in an activation from here on.

        It decides how many perturbations travel together. With the size of whole activations in its place,
        the 4,608 weights of a second convolution would be propagated one by one.
        """
        return self._largest_change(changed_share(self.kind, self.z), self.position + 1)

    def _largest_change(self, share: float, start: int) -> float:
        largest = self.values[start].nbytes * share
        for k in range(start, len(self.chain)):
            share = share if keeps_share(self.chain[k].kind) else 1.0
            largest = max(largest, self.values[k + 1].nbytes * share)
        if self.outer is None:  # the outputs of the network are kept whole
            return max(largest, self.values[-1].nbytes)
        return max(largest, self.outer._largest_change(share, self.outer.position + 1))

    @cached_property
    def work_after(self) -> float:
        """The approximate number of operations, in one sample, that a change of one output unit takes.

        The next layer takes a rank-one update, each layer after it a product of matrices. An activation
        counts as ten operations a number.
        """
        work, changed = 1.0, 1.0
        for k in range(self.position + 1, len(self.chain)):
            units = self.values[k + 1].size / len(self.values[0])
            kind = self.chain[k].kind
            work += changed * units if kind is networks.Dense else 10 * min(changed, units)
            changed = units if kind in (networks.Dense, None) else changed
        return work if self.outer is None else work + changed * self.outer.work_after

    def inside(self, name: str, position: int) -> Place:
        """The place of layer `position` in the branch that this layer, a Residual, has."""
        branch = self.bound.branch
        with np.errstate(all="ignore"):
            values = forward_values(branch, self.x)
        return Place(name, position, branch, values, self, self.by_sample)

    def propagated(self, change: Change) -> Change:
        """The change of the network's output for a change of this layer's output."""
        change = through_chain(self.chain, self.values, self.position + 1, change)
        if self.outer is None:
            return change
        return self.outer.propagated(change.added_to(self.outer.x))


def largest_of_each(offsets: Floats) -> Floats:
    """The largest |offset| of each row, (m, S) -> (m,).

    The rows are short: column by column this takes a tenth of the time of max(axis=1).
    """
    found = np.zeros(len(offsets))
    for column in offsets.T:
        np.maximum(found, np.abs(column), out=found)
    return found
