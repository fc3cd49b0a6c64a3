"""The engine for a fastgrad.Network: for each perturbed coordinate only what depends on it is computed.

Everything before the perturbed layer is computed once. Where the layers after it are Dense and activations,
the change of one unit is carried through by compiled kernels (network_dense.py); elsewhere the change
travels from layer to layer by NumPy rules (network_parts.py), a batch of perturbations at a time. Layers and
losses that no rule stands for (networks.known) are evaluated by their own methods.

All of it is done in float64, also for float32 parameters: their perturbed values are representable in
float32, and the differences then carry no float32 rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.network.nodes import NodeSpace, choose_nodes, plain_node_changes
from fastgrad.engines.network.place import Place
from fastgrad.engines.network.propagate import plain_changes
from fastgrad.engines.network.state import NetworkState
from fastgrad.engines.network.tables import UnitTable, can_have_tables, make_table
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.engines.protocol import Run
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.space import ParameterSpace, Space
from fastgrad.errors import InputError
from fastgrad.networks import Network
from fastgrad.networks.network import is_penalised
from fastgrad.problem.parameters import Parameters

PRICE_OF_A_READING = 10.0
"""Work of reading a coordinate off a table, in operations of one sample, as work_after counts them."""

READ_OFF = (
    "units that many weights lead to were moved to 6 points each, and what the weights do was read off the "
    "polynomial through 4; where the other 2 did not confirm it to rounding, weights were moved one by one"
)

IN_FLOAT64 = (
    "the float32 parameters were moved and the network evaluated in float64: its differences are free of "
    "float32 rounding, a claimed gradient computed in float32 is not"
)


NAMED_PARTS = 3
"""Parts without a rule that a note names; of more it says how many."""


def evaluated_plainly(parts: tuple[str, ...]) -> str:
    """The note on layers and a loss that no rule stands for."""
    others = len(parts) - NAMED_PARTS
    shown = [*parts[:NAMED_PARTS], *([f"{others} more"] if others > 0 else [])]
    listed = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    by = "was evaluated by its" if len(parts) == 1 else "were evaluated by their"
    return (
        f"{listed} {by} own methods, a batch at a time: the network engine has rules for fastgrad's own "
        "layers and losses only, and for none whose methods are overridden"
    )


def feature_and_unit(own: str, inside: IndexArray, width: int) -> tuple[IndexArray, IndexArray]:
    """Where entries of a Dense layer's weight lead from and to; a bias has no feature, -1."""
    return np.divmod(inside, width) if own == "weight" else (np.full_like(inside, -1), inside)


class NetworkEngine(EngineBase):
    """Evaluates a Network incrementally; `values` count from `origin`, the cost at the parameters.

    With a layer or a loss of the user's own they count from 0: nothing is known of its noise, which is then
    measured as that of any cost. Such a part may also keep something from call to call, so that workers are
    processes.

    Raises
    ------
    NotArrays
        For a layer of the user's own that gives something else than an array.
    """

    name = "network"
    workers = "threads"
    incremental = True
    preparation = "compiling kernels for this kind of network, once (they are kept on disk)"

    def __init__(
        self,
        cost: Any,
        parameters: Parameters,
        args: tuple[Any, ...],
        network: Network,
        state: NetworkState | None = None,
        space: Space | None = None,
    ) -> None:
        super().__init__(cost, parameters if space is None else space.parameters, args)
        self.network = network
        if state is None:
            state = NetworkState(network, parameters.build_arrays(parameters.leaves), *args)
        self.state = state
        if any(leaf.dtype == np.float32 for leaf in parameters.leaves):
            self.notes = (IN_FLOAT64,)
        self.space = space or ParameterSpace(parameters)
        self.tables: dict[str, UnitTable] = {}
        self.origin = self.state.cost
        if self.state.own_parts:
            self.notes += (evaluated_plainly(self.state.own_parts),)
            self.origin, self.workers = 0.0, "processes"
        if isinstance(space, NodeSpace):
            self.granularity = state.samples  # one pass answers for a unit in every sample

    def through_nodes(self, perturb: str, indices: IndexArray) -> NetworkEngine:
        """The engine that moves nodes of Dense layers: of all, or with "auto" where that is less work.

        Raises
        ------
        InputError
            For perturb="nodes" and a network without a Dense layer.
        """
        if perturb == "auto":
            places = choose_nodes(self.state, self.parameters, indices)
        else:
            places = [place.name for place in self.state.dense_places]
            if not places:
                raise InputError(
                    'perturb="nodes" moves the pre-activations of Dense layers, and this network has none: '
                    'leave perturb="parameters"'
                )
        if not places:
            return self
        space = NodeSpace(self.parameters, self.state, places)
        return NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, space)

    def baseline(self) -> float:
        """The cost at the parameters, in float64; what the network needs is compiled here, untimed.

        A part of the user's own is asked each time: an answer that changes then shows.
        """
        self.epsilon = self.state.epsilon
        if self.state.tail is not None:
            by_nodes = [self._moves_nodes(self.state.locate(b.name)[0]) for b in self.parameters.blocks]
            self.state.tail.compile(weights=not all(by_nodes), nodes=True)  # tables are made of nodes
        if not self.state.own_parts:
            return self.state.cost
        return self.state.cost + (self._plain(self.args).baseline() - self.plain_cost)

    @cached_property
    def plain_cost(self) -> float:
        """The cost at the parameters by the network's own method, in the parameters' dtype.

        The data are copied: that the cost does not write to them is watched from `baseline` on.
        """
        return self._plain(copy.deepcopy(self.args)).baseline()

    def _plain(self, args: tuple[Any, ...]) -> PythonEngine:
        theirs = self.space.theirs if isinstance(self.space, NodeSpace) else self.parameters
        return PythonEngine(self.network.cost, theirs, args)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k] minus the cost at theta, shape (m, S)."""
        out = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            inside = indices[where] - block.start
            out[where] = self._loss_changes(block.name, inside, offsets[where])
            if self.network.l2 and is_penalised(block.name):
                out[where] += self._penalty_changes(block.name, inside, offsets[where])
        if self.origin != self.state.cost:
            out += self.state.cost - self.origin
        return out

    def prepared(self, indices: IndexArray, offsets: Values, run: Run) -> NetworkEngine:
        """An engine with tables of the Dense layers that many of a plan's coordinates belong to."""
        if isinstance(self.space, NodeSpace):
            return self
        tables = {}
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            place, own = self.state.locate(block.name)
            if own != "weight" or not can_have_tables(place):
                continue
            feature, unit = np.divmod(indices[where] - block.start, block.shape[1])
            units = np.flatnonzero(np.bincount(unit, minlength=block.shape[1]))
            nodes = partial(self._values_of_nodes, run, place, block.start)
            rounding = self.state.rounding if self.state.stage(place) is None else 0.0
            table = make_table(block.shape[1], place.x, units, feature, offsets[where], nodes, rounding)
            if table is not None:
                tables[place.name] = table
        if not tables:
            return self
        twin = self.for_worker()
        twin.tables = tables
        twin.notes = (*self.notes, READ_OFF)
        return twin

    def _values_of_nodes(self, run: Run, place: Place, start: int, units: IndexArray, du: Values) -> Values:
        """The loss's changes (units, samples, points) for units of one layer moved by du (points,)."""
        space = NodeSpace(self.parameters, self.state, [place.name])
        engine = NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, space)
        engine.origin = self.state.cost  # of changes, whose digits a table needs
        nodes = space.needed(start + units)  # those that the first row of the weights leads to
        values = run(engine, nodes, np.tile(du, (len(nodes), 1)))
        return values.reshape(len(units), -1, len(du))

    def prices(self, indices: IndexArray) -> npt.NDArray[np.float64]:
        """The work after each coordinate's layer: products of a dense tail, sizes of other activations."""
        found = np.empty(len(indices))
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            place, _ = self.state.locate(block.name)
            together = self._moves_nodes(place) and place.samples_stay_apart
            found[where] = place.work_after / (self.state.samples if together else 1)
            if place.name in self.tables:
                table = self.tables[place.name]
                read = table.has[(indices[where] - block.start) % table.width]
                found[where] = np.where(read, PRICE_OF_A_READING, found[where])
        return found

    def for_worker(self) -> NetworkEngine:
        """A twin; both read the same state, which nothing writes to."""
        twin = NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, self.space)
        twin.tables, twin.origin = self.tables, self.origin
        return twin

    def _moves_nodes(self, place: Place) -> bool:
        return isinstance(self.space, NodeSpace) and place.name in self.space.places

    def _penalty_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        w = self.state.params[name].reshape(-1)[inside][:, None]
        return np.asarray(self.network.l2 * offsets * (w + 0.5 * offsets))

    def _loss_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        place, own = self.state.locate(name)
        if self._moves_nodes(place):
            return self._node_changes(place, inside, offsets)
        if place.name not in self.tables:
            return self._propagated(place, own, inside, offsets)
        table = self.tables[place.name]
        feature, unit = feature_and_unit(own, inside, table.width)
        read = table.covers(feature, unit, offsets)
        return _either(
            read,
            offsets.shape,
            lambda at: table.values(feature[at], unit[at], offsets[at]),
            lambda at: self._propagated(place, own, inside[at], offsets[at]),
        )

    def _propagated(self, place: Place, own: str, inside: IndexArray, offsets: Values) -> Values:
        tail, stage = self.state.tail, self.state.stage(place)
        plainly = partial(plain_changes, self.state, place, own)
        if tail is None or stage is None:
            return self._inside_domain(plainly, inside, offsets)
        feature, unit = feature_and_unit(own, inside, tail.weights[stage].shape[1])
        return _either(
            tail.is_small(stage, feature, unit, offsets),
            offsets.shape,
            lambda at: tail.values(stage, feature[at], unit[at], offsets[at]),
            lambda at: plainly(inside[at], offsets[at]),
        )

    def _node_changes(self, place: Place, inside: IndexArray, offsets: Values) -> Values:
        tail, stage = self.state.tail, self.state.stage(place)
        plainly = partial(plain_node_changes, self.state, place)
        if tail is None or stage is None or not place.samples_stay_apart:
            return self._inside_domain(plainly, inside, offsets)
        unit, sample = np.divmod(inside, self.state.samples)
        return _either(
            tail.is_small(stage, np.full_like(inside, -1), unit, offsets),
            offsets.shape,
            lambda at: tail.node_values(stage, sample[at], unit[at], offsets[at]),
            lambda at: plainly(inside[at], offsets[at]),
        )

    def _inside_domain(
        self, changes: Callable[[IndexArray, Values], Values], inside: IndexArray, offsets: Values
    ) -> Values:
        """What `changes` says; NaN where a part of the user's own raises as outside its domain."""
        try:
            return changes(inside, offsets)
        except DOMAIN_ERRORS as error:
            if not self._left_domain(error):
                raise
        if offsets.size == 1:
            return np.full(offsets.shape, np.nan)
        out = np.empty(offsets.shape)
        for k, s in np.ndindex(offsets.shape):
            out[k, s] = self._inside_domain(changes, inside[k : k + 1], offsets[k : k + 1, s : s + 1])[0, 0]
        return out


def _either(
    first: npt.NDArray[np.bool_],
    shape: tuple[int, ...],
    one: Callable[[Any], Values],
    other: Callable[[Any], Values],
) -> Values:
    """Values of `one` where `first` holds, of `other` elsewhere; nothing is copied where one does all."""
    if first.all():
        return one(slice(None))
    if not first.any():
        return other(slice(None))
    out = np.empty(shape)
    out[first], out[~first] = one(first), other(~first)
    return out
