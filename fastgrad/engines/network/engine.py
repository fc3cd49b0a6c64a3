"""The engine for a fastgrad.Network: for each perturbed coordinate it computes only what depends on it.

`choose` makes the engine, `execution` asks it for values: coordinates and offsets (m, S) in, changes of the
cost (m, S) out. Everything before the perturbed layer is computed once (`state`). Where only Dense layers and
activations follow, compiled kernels propagate the change of one unit (`dense_tail`). Otherwise NumPy rules
propagate it from layer to layer, for many perturbations at a time (`propagate`). A layer or a loss without a
rule (`networks.known`) is evaluated by its own methods.

All arithmetic is in float64, also for float32 parameters: the perturbed float32 values are exact in float64,
and differences of the cost carry no float32 rounding error.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.network.nodes import NodeSpace, choose_nodes, node_changes_by_rules
from fastgrad.engines.network.place import Place
from fastgrad.engines.network.propagate import changes_by_rules
from fastgrad.engines.network.state import NetworkState
from fastgrad.engines.network.tables import TabledLayer, UnitTable, can_have_tables, make_table
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.engines.protocol import EvaluateAll
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.space import ParameterSpace, Space
from fastgrad.errors import InputError
from fastgrad.networks import Network
from fastgrad.networks.network import is_penalised
from fastgrad.problem.parameters import Parameters

WORK_OF_A_TABLE_VALUE = 10.0
"""Work of a coordinate whose values come from a table, in operations of one sample as Place.work_after
counts."""

FROM_TABLES = (
    "units that many weights lead to were moved to 6 points each, and what the weights do was read off the "
    "polynomial through 4; where the other 2 did not confirm it to rounding, weights were moved one by one"
)

IN_FLOAT64 = (
    "the float32 parameters were moved and the network evaluated in float64: its differences are free of "
    "float32 rounding, a claimed gradient computed in float32 is not"
)


NAMED_PARTS = 3
"""The number of layers and losses without a rule that a note names; it counts the others."""


def evaluated_plainly(parts: tuple[str, ...]) -> str:
    """The note on layers and a loss without a rule."""
    others = len(parts) - NAMED_PARTS
    shown = [*parts[:NAMED_PARTS], *([f"{others} more"] if others > 0 else [])]
    listed = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    by = "was evaluated by its" if len(parts) == 1 else "were evaluated by their"
    return (
        f"{listed} {by} own methods, a batch at a time: the network engine has rules for fastgrad's own "
        "layers and losses only, and for none whose methods are overridden"
    )


def feature_and_unit(parameter: str, inside: IndexArray, width: int) -> tuple[IndexArray, IndexArray]:
    """The input feature and the unit of entries of a Dense layer's weight; for a bias the feature is -1."""
    return np.divmod(inside, width) if parameter == "weight" else (np.full_like(inside, -1), inside)


class NetworkEngine(EngineBase):
    """Evaluates a Network incrementally.

    `values` gives changes of the cost: `origin` is the cost at the parameters. With a layer or a loss of the
    user's own it gives the cost itself, `origin` 0, so that the noise of such a part is measured as that of
    any cost. Such a part may also keep state from call to call, so that its workers are processes.

    Parameters
    ----------
    cost : the problem's cost, which the network computes
    parameters, args : the user's parameters and (X, Y)
    network : Network
    state : what the network computes at the parameters; None to compute it
    space : what is moved instead of the parameters; None for the parameters themselves

    Raises
    ------
    NotArrays
        For a layer of the user's own that returns something else than an array.
    """

    name = "network"
    workers = "threads"
    incremental = True
    knows_layers = True
    preparation = "compiling kernels for this kind of network, once (they are kept on disk)"

    def __init__(
        self,
        cost: Callable[..., Any],
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
            self.granularity = state.samples  # one pass moves a unit in every sample

    def through_nodes(self, perturb: str, indices: IndexArray) -> NetworkEngine:
        """The engine that moves nodes: of all Dense layers, or with "auto" of those where it is less work.

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
                    'leave perturb="parameters"',
                    code="FG606",
                )
        if not places:
            return self
        space = NodeSpace(self.parameters, self.state, places)
        return NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, space)

    def baseline(self) -> float:
        """The cost at the parameters, in float64; compiles the kernels that the network needs.

        A layer or a loss of the user's own is called again each time, so that a cost that is no function
        shows.
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

        It gets copies of the data, since a cost that writes to its data is refused only from `baseline` on.
        """
        return self._plain(copy.deepcopy(self.args)).baseline()

    def _plain(self, args: tuple[Any, ...]) -> PythonEngine:
        theirs = self.space.theirs if isinstance(self.space, NodeSpace) else self.parameters
        return PythonEngine(self.network.cost, theirs, args)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], less `origin`, shape (m, S)."""
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

    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Self:
        """A twin with tables of the Dense layers that many coordinates of the plan belong to."""
        if isinstance(self.space, NodeSpace):
            return self
        tables = {}
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            place, parameter = self.state.locate(block.name)
            if parameter != "weight" or not can_have_tables(place):
                continue
            feature, unit = np.divmod(indices[where] - block.start, block.shape[1])
            units = np.flatnonzero(np.bincount(unit, minlength=block.shape[1]))
            nodes = partial(self._values_of_nodes, evaluate_all, place, block.start)
            rounding = self.state.rounding if self.state.stage(place) is None else 0.0
            layer = TabledLayer(block.shape[1], place.x, units, nodes, rounding)
            table = make_table(layer, feature, offsets[where])
            if table is not None:
                tables[place.name] = table
        if not tables:
            return self
        twin = self.for_worker()
        twin.tables = tables
        twin.notes = (*self.notes, FROM_TABLES)
        return twin

    def _values_of_nodes(
        self, evaluate_all: EvaluateAll, place: Place, start: int, units: IndexArray, du: Values
    ) -> Values:
        """The loss's changes (units, samples, points) for units of one layer moved by du (points,)."""
        space = NodeSpace(self.parameters, self.state, [place.name])
        engine = NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, space)
        engine.origin = self.state.cost  # a table needs the small rounding error of changes of the cost
        nodes = space.needed(start + units)  # start + units are the weights of the first input feature
        values = evaluate_all(engine, nodes, np.tile(du, (len(nodes), 1)))
        return values.reshape(len(units), -1, len(du))

    def prices(self, indices: IndexArray) -> Floats:
        """The work after each coordinate's layer, (m,), in operations."""
        found = np.empty(len(indices))
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            place, _ = self.state.locate(block.name)
            together = self._moves_nodes(place) and place.samples_stay_apart
            found[where] = place.work_after / (self.state.samples if together else 1)
            if place.name in self.tables:
                table = self.tables[place.name]
                in_table = table.has[(indices[where] - block.start) % table.width]
                found[where] = np.where(in_table, WORK_OF_A_TABLE_VALUE, found[where])
        return found

    def for_worker(self) -> Self:
        """A twin that reads the same state, to which nothing writes."""
        return copy.copy(self)

    def _moves_nodes(self, place: Place) -> bool:
        return isinstance(self.space, NodeSpace) and place.name in self.space.places

    def _penalty_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        w = self.state.params[name].reshape(-1)[inside][:, None]
        return np.asarray(self.network.l2 * offsets * (w + 0.5 * offsets))

    def _loss_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        place, parameter = self.state.locate(name)
        if self._moves_nodes(place):
            return self._node_changes(place, inside, offsets)
        if place.name not in self.tables:
            return self._propagated(place, parameter, inside, offsets)
        table = self.tables[place.name]
        feature, unit = feature_and_unit(parameter, inside, table.width)
        return _select(
            table.covers(feature, unit, offsets),
            offsets.shape,
            lambda at: table.values(feature[at], unit[at], offsets[at]),
            lambda at: self._propagated(place, parameter, inside[at], offsets[at]),
        )

    def _propagated(self, place: Place, parameter: str, inside: IndexArray, offsets: Values) -> Values:
        tail, stage = self.state.tail, self.state.stage(place)
        by_rules = partial(changes_by_rules, self.state, place, parameter)
        if tail is None or stage is None:
            return self._inside_domain(by_rules, inside, offsets)
        feature, unit = feature_and_unit(parameter, inside, tail.weights[stage].shape[1])
        return _select(
            tail.is_small(stage, feature, unit, offsets),
            offsets.shape,
            lambda at: tail.values(stage, feature[at], unit[at], offsets[at]),
            lambda at: by_rules(inside[at], offsets[at]),
        )

    def _node_changes(self, place: Place, inside: IndexArray, offsets: Values) -> Values:
        tail, stage = self.state.tail, self.state.stage(place)
        by_rules = partial(node_changes_by_rules, self.state, place)
        if tail is None or stage is None or not place.samples_stay_apart:
            return self._inside_domain(by_rules, inside, offsets)
        unit, sample = np.divmod(inside, self.state.samples)
        return _select(
            tail.is_small(stage, np.full_like(inside, -1), unit, offsets),
            offsets.shape,
            lambda at: tail.node_values(stage, sample[at], unit[at], offsets[at]),
            lambda at: by_rules(inside[at], offsets[at]),
        )

    def _inside_domain(
        self, changes: Callable[[IndexArray, Values], Values], inside: IndexArray, offsets: Values
    ) -> Values:
        """The values of `changes`; NaN where a layer or a loss of the user's own is outside its domain."""
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


def _select(
    condition: Bools,
    shape: tuple[int, ...],
    where_true: Callable[[Bools | slice], Values],
    where_false: Callable[[Bools | slice], Values],
) -> Values:
    """The values of one function where the condition holds and of another elsewhere.

    Nothing is copied where one function gives all values.
    """
    if condition.all():
        return where_true(slice(None))
    if not condition.any():
        return where_false(slice(None))
    out = np.empty(shape)
    out[condition], out[~condition] = where_true(condition), where_false(~condition)
    return out
