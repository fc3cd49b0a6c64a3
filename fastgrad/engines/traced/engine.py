"""The engine for a plain NumPy cost that was recorded: it evaluates the tape at many points at a time.

`choose` makes the engine where recording and comparison with the plain cost succeed (`trust`). Offsets (m, S)
go in, values (m, S) come out: read off tables where weights of a product have one (`site_tables`), else from
batches of the tape (`tape_costs`), or with perturb="nodes" by moving the products' results (`node_engine`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.protocol import EvaluateAll
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.node_engine import NodeEngine
from fastgrad.engines.traced.node_space import TapeNodes, used_by_sites_alone
from fastgrad.engines.traced.site_tables import SiteTables, Table
from fastgrad.engines.traced.sites import NOWHERE, Site
from fastgrad.engines.traced.tape import Tape
from fastgrad.engines.traced.tape_costs import TapeCosts
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

LOOKED_AT_FROM = 1024
"""Values of a chunk from which one is compared with the plain cost's again."""

FROM_TABLES = (
    "units that many weights lead to were moved to 6 points each, and what the weights do was read off the "
    "polynomial through 4; where the other 2 did not confirm it to rounding, weights were moved one by one"
)


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
        self.tape = tape
        self.costs = TapeCosts(tape, PythonEngine(cost, parameters, args))
        self.raised = self.plain.raised
        self.site_tables = SiteTables(self.costs)
        self.tables: tuple[Table, ...] = ()
        self.nodes: dict[int, NodeEngine] = {}

    @property
    def plain(self) -> PythonEngine:
        """The engine of the same cost as it is."""
        return self.costs.plain

    @property
    def quoted(self) -> str:
        """What the plain cost last raised."""
        return self.plain.quoted

    @quoted.setter
    def quoted(self, text: str) -> None:
        self.plain.quoted = text

    def baseline(self) -> float:
        """The cost at the parameters, by the plain cost."""
        found = self.costs.baseline()
        self.epsilon = self.plain.epsilon
        return found

    def for_worker(self) -> Self:
        """A twin that shares the tape, and the plain cost, which is called by one thread at a time."""
        return copy.copy(self)

    def release(self) -> None:
        """Free the private copies of the parameters, its own and that of the plain cost."""
        super().release()
        self.costs.release()

    def finish(self) -> None:
        """Refuse a cost that wrote to its parameters."""
        self.costs.finish()

    def pause(self) -> None:
        """Refuse such a cost between two calls of `values`."""
        self.costs.pause()

    @property
    def share_of_batches(self) -> float:
        """The share of all values that come from batches, where all coordinates are evaluated at two points.

        A table takes six evaluations for each unit.
        """
        left = [float(block.size) for block in self.parameters.blocks]
        for site in self.site_tables.sites:
            if self.site_tables.can_have(site):
                covered = np.count_nonzero(site.place != NOWHERE)
                left[site.leaf] -= max(0.0, covered - 3.0 * site.width)
        return sum(left) / self.parameters.size

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], shape (m, S)."""
        out = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            inside, by = indices[where] - self.parameters.blocks[number].start, offsets[where]
            if number in self.nodes:
                out[where] = self.nodes[number].values(inside, by)
                continue
            out[where] = self._of_block(number, inside, by)
            if by.size >= LOOKED_AT_FROM:
                self.costs.look_again(indices[where], by, out[where])
        return out

    def prices(self, indices: IndexArray) -> Floats:
        """The work of each coordinate, (m,), in values from tables."""
        found = np.empty(len(indices))
        for number, where in self.parameters.segments(indices):
            if number in self.nodes:
                site = self.nodes[number].site
                found[where] = self.site_tables.work_of(site.leaf) / site.samples
                continue
            inside = indices[where] - self.parameters.blocks[number].start
            price = np.full(len(inside), self.site_tables.work_of(number))
            for table in self._tables_of(number):
                price[table.has(inside)] = 1.0
            found[where] = price
        return found

    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Self:
        """A twin with tables of the sites that many coordinates of the plan belong to."""
        tables = []
        for number, where in self.parameters.segments(indices):
            if number in self.nodes:
                continue
            inside = indices[where] - self.parameters.blocks[number].start
            for site in self.site_tables.sites:
                if site.leaf == number:
                    table = self.site_tables.make(site, inside, offsets[where], evaluate_all)
                    tables += [] if table is None else [table]
        if not tables:
            return self
        twin = self.for_worker()
        twin.tables = tuple(tables)
        twin.notes = (*self.notes, FROM_TABLES)
        return twin

    def through_nodes(self, perturb: str, indices: IndexArray) -> TracedEngine:
        """The engine that moves nodes: of all products, or with "auto" of those where it is less work.

        Raises
        ------
        InputError
            For perturb="nodes" and a cost without a product that has nodes.
        """
        every = self.site_tables.sites
        sites = [site for site in every if used_by_sites_alone(self.tape, site.leaf, every)]
        if perturb == "auto":
            sites = self._worth_moving(sites, indices)
        elif not sites:
            raise InputError(
                'perturb="nodes" moves the results of products with the parameters, and this cost has none '
                'whose parameters are used in no other way: leave perturb="parameters"',
                code="FG606",
            )
        if not sites:
            return self
        space = TapeNodes(self.parameters, self.costs.batch, sites)
        twin = self.for_worker()
        twin.space, twin.parameters = space, space.parameters
        twin.nodes = {
            number: NodeEngine(self.costs.batch, site, self.costs.rows_of(site.leaf))
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

    def _tables_of(self, number: int) -> list[Table]:
        return [table for table in self.tables if table.site.leaf == number]

    def _of_block(self, number: int, inside: IndexArray, offsets: Values) -> Values:
        tables = self._tables_of(number)
        if not tables:
            return self.costs.moved(number, inside, offsets)
        out, left = np.empty(offsets.shape), np.ones(len(inside), dtype=bool)
        for table in tables:
            covered = left & table.covers(inside, offsets)
            if covered.any():
                out[covered] = self.site_tables.values(table, inside[covered], offsets[covered])
                left &= ~covered
        if left.any():
            out[left] = self.costs.moved(number, inside[left], offsets[left])
        return out
