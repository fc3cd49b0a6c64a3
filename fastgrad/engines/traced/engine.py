"""The engine for a plain NumPy cost that was recorded: it evaluates the tape at many points at a time.

`choose` makes the engine where recording and comparison with the plain cost succeed (`trust`). Offsets (m, S)
go in, values (m, S) come out. Weights of a product whose samples stay apart are read off tables (`sites`);
all others are batches of the tape (`batch`). Where a guard differs, or the tape cannot be evaluated, the
plain cost is called.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.network.tables import FEATURE_GROUP, TabledLayer, UnitTable, make_table
from fastgrad.engines.numbers import AnotherCostError
from fastgrad.engines.protocol import EvaluateAll
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Change, Dense, Ragged, Sparse
from fastgrad.engines.traced.dense_rules import OtherShape
from fastgrad.engines.traced.node_engine import NodeEngine
from fastgrad.engines.traced.node_space import TapeNodes, used_by_sites_alone
from fastgrad.engines.traced.sites import NOWHERE, Site, sites_of, stands_alone
from fastgrad.engines.traced.tape import Array, Tape
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

CACHE = 2**22
"""Bytes of the largest value of a batch. With 1.5 MB a weight of an LSTM took 0.83 ms, with 4 MB 0.60, with
8 MB the same; checks of 784-256-128-10 took as long with each."""

MOST_ROWS = 4096
"""Points of a batch at most."""

ROWS_OF_A_TABLE = 2**15
"""Points whose values come from a table at a time."""

ENTRIES_OF_A_TABLE_VALUE = 32.0
"""Entries that a batch computes in the time of a value from a table: 2 ns each, and 70 ns."""

SAVING = 12
"""Values of a unit's weights from which it gets a table: to make one takes six."""

LOOKED_AT_FROM = 1024
"""Values of a chunk from which one is compared with the plain cost's again."""

LOOKED_AGAIN = 2.0**-36
"""What they may differ by, in units of what is added up to give the cost, and of its precision."""

WORK_OF_A_TABLE = 2.0**14
"""The work of making a table beside its values, in values from tables: 1 ms."""

WORK_OF_A_PRODUCT = 0.06
"""The work of a feature in a sample where products are taken for a table: 4 ns."""

HELD_OUT = 4
"""Weights of each table at which it is compared with the tape."""

ROUNDINGS = 2.0**-38
"""What a table may be off there, in units of the cost's rounding scale: some thousand roundings."""

FROM_TABLES = (
    "units that many weights lead to were moved to 6 points each, and what the weights do was read off the "
    "polynomial through 4; where the other 2 did not confirm it to rounding, weights were moved one by one"
)


@dataclass(frozen=True, eq=False)
class Table:
    """The table of a site."""

    site: Site
    units: UnitTable
    alone: bool
    """Whether its weights change nothing beside the product."""

    def has(self, inside: IndexArray) -> Bools:
        """Which entries of the parameter array lead to a unit with a polynomial."""
        found = self.site.place[inside] != NOWHERE
        if found.any():
            found[found] = self.units.has[self.site.feature_and_unit(inside[found])[1]]
        return np.asarray(found)

    def covers(self, inside: IndexArray, offsets: Values) -> Bools:
        """Which entries of the parameter array the table gives values of."""
        found = self.site.place[inside] != NOWHERE
        if found.any():
            feature, unit = self.site.feature_and_unit(inside[found])
            found[found] = self.units.covers(feature, unit, offsets[found])
        return np.asarray(found)


class TracedEngine(EngineBase):
    """Evaluates a recorded cost.

    Parameters
    ----------
    cost, parameters, args : as for EngineBase
    tape : Tape of the cost
    """

    name = "traced"
    workers = "threads"
    incremental = True
    overhead = 4096.0  # 0.2 ms of Python for an operation or ten, in values from tables

    def __init__(
        self, cost: Callable[..., Any], parameters: Parameters, args: tuple[Any, ...], tape: Tape
    ) -> None:
        super().__init__(cost, parameters, args)
        self.tape, self.batch = tape, Batch(tape)
        self.plain = PythonEngine(cost, parameters, args)
        self.scale = rounding_scale(tape)
        self.precision = precision_of(tape)
        self.at_parameters = float(tape.base[tape.output].reshape(-1)[0])
        self.tables: tuple[Table, ...] = ()
        self._sites: list[Site] | None = None
        self._layers: dict[tuple[int, int], TabledLayer] = {}
        self._alone_of: dict[tuple[int, int], bool] = {}
        self.nodes: dict[int, NodeEngine] = {}
        self._rows: dict[int, int] = {}
        self._work: dict[int, float] = {}
        self._offsets: dict[tuple[int, ...], float] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """The engine without what cannot be sent."""
        return super().__getstate__() | {"_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The engine with a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.Lock()

    @property
    def quoted(self) -> str:
        """What the plain cost last raised."""
        return self.plain.quoted

    @quoted.setter
    def quoted(self, text: str) -> None:
        self.plain.quoted = text

    def baseline(self) -> float:
        """The cost at the parameters, by the plain cost."""
        found = self.plain.baseline()
        self.epsilon, self.at_parameters = self.plain.epsilon, found
        return found

    def for_worker(self) -> Self:
        """A twin that reads the same tape; its plain cost is the same one, called by one thread at a time."""
        twin = copy.copy(self)
        twin._lock = self._lock  # copy.copy makes another one, as for another process
        return twin

    def release(self) -> None:
        """Free the private copy of the parameters."""
        with self._lock:
            self.plain.release()

    def finish(self) -> None:
        """Refuse a cost that wrote to its parameters."""
        with self._lock:
            self.plain.finish()

    def pause(self) -> None:
        """Refuse such a cost between two calls of `values`."""
        with self._lock:
            self.plain.pause()

    @property
    def sites(self) -> list[Site]:
        """The products and biases of the tape."""
        if self._sites is None:
            self._sites = sites_of(self.batch)
        return self._sites

    @property
    def share_of_batches(self) -> float:
        """The share of all values that come from batches, where all coordinates are evaluated at two points.

        A table takes six evaluations for each unit.
        """
        left = [float(block.size) for block in self.parameters.blocks]
        for site in self.sites:
            if site.can_have_table and self._stands_alone(site):
                covered = np.count_nonzero(site.place != NOWHERE)
                left[site.leaf] -= max(0.0, covered - 3.0 * site.width)
        return sum(left) / self.parameters.size

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], shape (m, S)."""
        out = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            inside = indices[where] - self.parameters.blocks[number].start
            of_block = self.nodes[number].values if number in self.nodes else partial(self._of_block, number)
            out[where] = of_block(inside, offsets[where])
            if number not in self.nodes and offsets[where].size >= LOOKED_AT_FROM:
                self._look_again(indices[where], offsets[where], out[where])
        return out

    def _look_again(self, indices: IndexArray, offsets: Values, found: Values) -> None:
        """Compare one value with the plain cost's: it may be another cost by now, by its own state or data.

        Raises
        ------
        AnotherCostError
            Where they differ.
        """
        some = slice(len(indices) // 2, len(indices) // 2 + 1)
        expected = self._plain_values(indices[some], offsets[some, :1])[0, 0]
        value = found[some, 0][0]
        close = abs(value - expected) <= LOOKED_AGAIN * self.scale * self.precision
        if not close and np.isfinite(expected) | np.isfinite(value):
            label = self.parameters.label(int(indices[some][0]))
            raise AnotherCostError(
                f"where {label} is moved the cost is {expected:.17g}, and what was recorded of it gives "
                f"{value:.17g}: it keeps state, or its data changed"
            )

    def through_nodes(self, perturb: str, indices: IndexArray) -> TracedEngine:
        """The engine that moves nodes: of all products, or with "auto" of those where it is less work.

        Raises
        ------
        InputError
            For perturb="nodes" and a cost without a product that has nodes.
        """
        sites = [s for s in self.sites if used_by_sites_alone(self.tape, s.leaf, self.sites)]
        if perturb == "auto":
            sites = self._worth_moving(sites, indices)
        elif not sites:
            raise InputError(
                'perturb="nodes" moves the results of products with the parameters, and this cost has none '
                'whose parameters are used in no other way: leave perturb="parameters"'
            )
        if not sites:
            return self
        space = TapeNodes(self.parameters, self.batch, sites)
        twin = self.for_worker()
        twin.space, twin.parameters = space, space.parameters
        twin.nodes = {
            number: NodeEngine(self.batch, site, self._rows_of_nodes(site))
            for number, site in space.of_node.items()
        }
        twin.granularity = max(site.samples for site in space.of_node.values())
        return twin

    def _worth_moving(self, sites: list[Site], indices: IndexArray) -> list[Site]:
        """The sites of parameter arrays of which more is wanted than there are nodes to move."""
        wanted = {number: len(indices[where]) for number, where in self.parameters.segments(indices)}
        needed: dict[int, int] = {}
        for site in sites:
            needed[site.leaf] = needed.get(site.leaf, 0) + site.width * site.rows // site.samples
        return [site for site in sites if needed[site.leaf] < wanted.get(site.leaf, 0)]

    def prices(self, indices: IndexArray) -> Floats:
        """The work of each coordinate, (m,), in values from tables."""
        found = np.ones(len(indices))
        for number, where in self.parameters.segments(indices):
            inside = indices[where] - self.parameters.blocks[number].start
            if number in self.nodes:
                engine = self.nodes[number]
                work = self._work.get(engine.site.leaf, 1.0)
                found[where] = work / engine.site.samples
                continue
            self._rows_of(number, inside[:1], self.parameters.leaves[number][inside[:1]])
            price = np.full(len(inside), self._work[number])
            for table in self.tables:
                if table.site.leaf == number:
                    price[table.has(inside)] = 1.0
            found[where] = price
        return found

    def _of_block(self, number: int, inside: IndexArray, offsets: Values) -> Values:
        tables = [table for table in self.tables if table.site.leaf == number]
        if not tables:
            return self._moved(number, inside, offsets)
        out, left = np.empty(offsets.shape), np.ones(len(inside), dtype=bool)
        for table in tables:
            covered = left & table.covers(inside, offsets)
            if covered.any():
                out[covered] = self._from_table(table, number, inside[covered], offsets[covered])
                left &= ~covered
        if left.any():
            out[left] = self._moved(number, inside[left], offsets[left])
        return out

    def _points(self, number: int, inside: IndexArray, offsets: Values) -> Array:
        """What the entries of a block become, in its dtype; (m, S)."""
        leaf = self.parameters.leaves[number]
        return np.asarray((leaf[inside].astype(np.float64)[:, None] + offsets).astype(leaf.dtype))

    def _moved(self, number: int, inside: IndexArray, offsets: Values) -> Values:
        """The values by batches of the tape."""
        points = self._points(number, inside, offsets)
        where = np.repeat(inside, offsets.shape[1])
        new = points.reshape(-1)
        out, strayed = np.empty(len(new)), np.zeros(len(new), dtype=bool)
        rows = self._rows_of(number, where[:1], new[:1])
        for k in range(0, len(new), rows):
            some = slice(k, min(k + rows, len(new)))
            change = Sparse(where[some][:, None], new[some][:, None])
            self._evaluate({number: change}, frozenset(), out[some], strayed[some])
        found = out.reshape(offsets.shape)
        if strayed.any():
            again = strayed.reshape(offsets.shape).any(axis=1)
            found[again] = self._plain_values(
                self.parameters.blocks[number].start + inside[again], offsets[again]
            )
        return found

    def _evaluate(
        self, changes: dict[int, Change], skipped: frozenset[int], out: Floats, strayed: Bools
    ) -> None:
        """Write the costs at all points, and at which of them the plain cost is to be called."""
        points, way = len(out), list(changes)

        def note(number: int, change: Change) -> None:
            way.append(number if isinstance(change, Dense) else ~number)

        try:
            with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
                states = self.batch.evaluate(changes, skipped, note)
                out[:] = self.batch.cost(states, points)
                strayed[:] = self.batch.strayed(states, points)
                out -= self._offset(tuple(way), changes, skipped)
        except Ragged as ragged:
            for group in np.unique(ragged.groups):
                at = np.flatnonzero(ragged.groups == group)
                some, off = np.empty(len(at)), np.zeros(len(at), dtype=bool)
                self._evaluate({n: _of(change, at) for n, change in changes.items()}, skipped, some, off)
                out[at], strayed[at] = some, off
        except (ArithmeticError, ValueError, IndexError, OtherShape, np.linalg.LinAlgError):
            strayed[:] = True

    def _offset(self, way: tuple[int, ...], changes: dict[int, Change], skipped: frozenset[int]) -> float:
        """What the cost at the parameters themselves differs by, where it is computed in the same way.

        A batch sums in another order than the cost. In float32 that is no small rounding, and as it is the
        same at all points but the parameters themselves, it would look like a jump there.
        """
        if way not in self._offsets:
            base, two = self.tape.base, np.zeros(2, dtype=np.intp)
            still: dict[int, Change] = {}
            for number, change in changes.items():
                if isinstance(change, Sparse):
                    where = change.where[two]
                    still[number] = Sparse(where, base[number].reshape(-1)[where].astype(change.new.dtype))
                else:
                    still[number] = Dense(np.stack([base[number]] * 2).astype(change.new.dtype))
            states = self.batch.evaluate(still, skipped)
            found = float(self.batch.cost(states, 2)[0]) - self.at_parameters
            self._offsets[way] = found if np.isfinite(found) else 0.0
        return self._offsets[way]

    def _plain_values(self, indices: IndexArray, offsets: Values) -> Values:
        with self._lock:
            return self.plain.values(indices, offsets)

    def _rows_of(self, number: int, where: IndexArray, new: Array) -> int:
        """How many points of a block make a batch, by what one of them changes."""
        if number not in self._rows:
            sizes = [1]

            def note(_: int, change: Change) -> None:
                sizes.append(change.new[0].size * (1 if isinstance(change, Dense) else 2))

            change = Sparse(where[:, None], new[:, None])
            try:
                with np.errstate(all="ignore"):
                    self.batch.evaluate({number: change}, seen=note)
            except (ArithmeticError, ValueError, IndexError, OtherShape, np.linalg.LinAlgError):
                pass
            self._rows[number] = int(np.clip(CACHE // (8 * max(sizes)), 1, MOST_ROWS))
            self._work[number] = max(1.0, sum(sizes) / ENTRIES_OF_A_TABLE_VALUE)
        return self._rows[number]

    # Tables
    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Self:
        """A twin with tables of the sites that many coordinates of the plan belong to."""
        tables = []
        for number, where in self.parameters.segments(indices):
            inside = indices[where] - self.parameters.blocks[number].start
            for site in self.sites if number not in self.nodes else ():
                if site.leaf == number and site.can_have_table:
                    table = self._table(site, inside, offsets[where], evaluate_all)
                    tables += [table] if table is not None else []
        if not tables:
            return self
        twin = self.for_worker()
        twin.tables = tuple(tables)
        twin.notes = (*self.notes, FROM_TABLES)
        return twin

    def _table(
        self, site: Site, inside: IndexArray, offsets: Values, evaluate_all: EvaluateAll
    ) -> Table | None:
        mine = site.place[inside] != NOWHERE
        if np.count_nonzero(mine) * offsets.shape[1] < SAVING * site.width or not self._stands_alone(site):
            return None
        assert site.interior is not None
        if not mine.all():
            inside, offsets = inside[mine], offsets[mine]
        feature, unit = site.feature_and_unit(inside)
        units = np.flatnonzero(np.bincount(unit, minlength=site.width))
        rounding = float(np.finfo(self.tape.base[site.z].dtype).eps) * site.interior.largest(self.tape)
        nodes = partial(self._values_of_nodes, evaluate_all, site)
        self._rows_of_nodes(site)
        groups = len(np.unique(feature // FEATURE_GROUP))
        work = WORK_OF_A_TABLE + groups * FEATURE_GROUP * site.samples * WORK_OF_A_PRODUCT
        least = round(work / self._work[site.leaf])
        made = make_table(self._layer(site, rounding).to_make(units, nodes, least), feature, offsets)
        if made is None or not made.has.any():
            return None
        table = Table(site, made, self._alone(site))
        return table if self._confirmed(table, inside, offsets) else None

    def _layer(self, site: Site, rounding: float) -> TabledLayer:
        """The layer of a site, of which tables are made again and again."""
        key = (site.leaf, site.position)
        if key not in self._layers:
            none = np.empty(0, dtype=np.intp)
            self._layers[key] = TabledLayer(site.width, site.x, none, _no_values, rounding)
        return self._layers[key]

    def _values_of_nodes(
        self, evaluate_all: EvaluateAll, site: Site, units: IndexArray, du: Floats
    ) -> Values:
        """What each sample adds (units, samples, points), for units moved by du (points,)."""
        engine = NodeEngine(self.batch, site, self._rows_of_nodes(site), summand=True)
        nodes = (units[:, None] * site.samples + np.arange(site.samples)).reshape(-1)
        values = evaluate_all(engine, nodes, np.tile(du, (len(nodes), 1)))
        return values.reshape(len(units), site.samples, len(du))

    def _rows_of_nodes(self, site: Site) -> int:
        one = np.flatnonzero(site.place != NOWHERE)[:1]
        return self._rows_of(site.leaf, one, self.tape.base[site.leaf].reshape(-1)[one])

    def _stands_alone(self, site: Site) -> bool:
        key = (site.leaf, site.position)
        if key not in self._alone_of:
            self._alone_of[key] = stands_alone(self.batch, site)
        return self._alone_of[key]

    def _alone(self, site: Site) -> bool:
        """Whether weights of a site change the cost by the product alone."""
        touched = []
        one = np.flatnonzero(site.place != NOWHERE)[:1]
        leaf = self.tape.base[site.leaf].reshape(-1)
        change = Sparse(one[:, None], leaf[one][:, None] + 1)
        with np.errstate(all="ignore"):
            states = self.batch.evaluate(
                {site.leaf: change}, site.skipped, seen=lambda number, _: touched.append(number)
            )
        return self.tape.output not in states and not set(self.tape.guards) & set(states)

    def _confirmed(self, table: Table, inside: IndexArray, offsets: Values) -> bool:
        """Whether the table gives what the tape gives, at some weights."""
        covered = np.flatnonzero(table.covers(inside, offsets))
        if not len(covered):
            return False
        feature, _ = table.site.feature_and_unit(inside[covered])
        group = feature // FEATURE_GROUP  # of one group: the products of each take as long as many values
        covered = covered[group == group[len(group) // 2]]
        some = covered[np.linspace(0, len(covered) - 1, min(HELD_OUT, len(covered))).astype(int)]
        number = table.site.leaf
        by_table = self._from_table(table, number, inside[some], offsets[some])
        by_tape = self._moved(number, inside[some], offsets[some])
        return bool((np.abs(by_table - by_tape) <= ROUNDINGS * self.scale).all())

    def _from_table(self, table: Table, number: int, inside: IndexArray, offsets: Values) -> Values:
        out = np.empty(offsets.shape)
        each = max(1, ROWS_OF_A_TABLE // offsets.shape[1])
        for k in range(0, len(inside), each):
            some = slice(k, k + each)
            out[some] = self._some_from_table(table, number, inside[some], offsets[some])
        return out

    def _some_from_table(self, table: Table, number: int, inside: IndexArray, offsets: Values) -> Values:
        site = table.site
        feature, unit = site.feature_and_unit(inside)
        points = self._points(number, inside, offsets)
        moved = points.astype(np.float64) - self.parameters.leaves[number][inside].astype(np.float64)[:, None]
        delta = table.units.values(feature, unit, moved).reshape(-1)
        assert site.interior is not None
        end = self.tape.operations[site.interior.ends[0].position].outputs[0]
        base = self.tape.base[end]
        new = (base.reshape(-1).astype(np.float64) + delta[:, None]).reshape(-1, *base.shape)
        changes: dict[int, Change] = {end: Dense(new)}
        if not table.alone:
            where = np.repeat(inside, offsets.shape[1])
            changes[number] = Sparse(where[:, None], points.reshape(-1, 1))
        found, strayed = np.empty(len(delta)), np.zeros(len(delta), dtype=bool)
        self._evaluate(changes, site.skipped, found, strayed)
        out = found.reshape(offsets.shape)
        if strayed.any():
            again = strayed.reshape(offsets.shape).any(axis=1)
            out[again] = self._plain_values(
                self.parameters.blocks[number].start + inside[again], offsets[again]
            )
        return out


def _no_values(units: IndexArray, du: Floats) -> Values:
    raise NotImplementedError(f"no values of {len(units)} units at {len(du)} points")


def precision_of(tape: Tape) -> float:
    """The machine epsilon of a tape's least precise values, in units of that of float64."""
    single = any(tape.base[n].dtype == np.float32 for o in tape.operations for n in o.outputs)
    return float(np.finfo(np.float32).eps / np.finfo(np.float64).eps) if single else 1.0


def rounding_scale(tape: Tape) -> float:
    """The size of what is added up to give the cost: its rounding is a few ulps of that."""
    largest = float(np.max(np.abs(np.nan_to_num(tape.base[tape.output])), initial=0.0))
    for operation in tape.operations:
        if all(tape.base[number].size == 1 for number in operation.outputs):
            for number in operation.inputs:
                base = tape.base[number]
                if base.dtype.kind == "f":
                    largest = max(largest, float(np.nansum(np.abs(base), where=np.isfinite(base))))
    return largest


def _of(change: Change, at: IndexArray) -> Change:
    if isinstance(change, Sparse):
        return Sparse(change.where[at], change.new[at])
    return Dense(change.new[at])
