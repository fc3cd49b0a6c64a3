"""Tables of sites: what all weights into one unit do to the cost, read off polynomials of the unit's change.

The polynomials are those of the network engine (`engines.network.tables`), made of what `node_engine` gives.
From the sum over samples that a table gives, the cost follows by the rest of the tape; a weight that does
something beside, as in a penalty, is moved there as well. A table is compared with the tape before use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.engines.network.tables import FEATURE_GROUP, TabledLayer, UnitTable, make_table
from fastgrad.engines.protocol import EvaluateAll
from fastgrad.engines.traced.changes import Change, Dense, Sparse
from fastgrad.engines.traced.node_engine import NodeEngine
from fastgrad.engines.traced.sites import NOWHERE, Site, sites_of, stands_alone
from fastgrad.engines.traced.tape_costs import TapeCosts

ROWS_OF_A_TABLE = 2**15
"""Points whose values come from a table at a time."""

ENTRIES_OF_A_TABLE_VALUE = 32.0
"""Entries that a batch computes in the time of a value from a table: 2 ns each, and 70 ns."""

SAVING = 12
"""Values of a unit's weights from which it gets a table: to make one takes six."""

WORK_OF_A_TABLE = 2.0**14
"""The work of making a table beside its values, in values from tables: 1 ms."""

WORK_OF_A_PRODUCT = 0.06
"""The work of a feature in a sample where products are taken for a table: 4 ns."""

HELD_OUT = 4
"""Weights of each table at which it is compared with the tape."""

ROUNDINGS = 2.0**-38
"""What a table may be off there, in units of the cost's rounding scale: some thousand roundings."""


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


class SiteTables:
    """Makes the tables of a recorded cost, and takes values from them.

    Parameters
    ----------
    costs : TapeCosts
    """

    def __init__(self, costs: TapeCosts) -> None:
        self.costs, self.batch, self.tape = costs, costs.batch, costs.tape
        self._sites: list[Site] | None = None
        self._alone: dict[tuple[int, int], bool] = {}

    @property
    def sites(self) -> list[Site]:
        """The products and biases of the tape; looked for when they are first asked for."""
        if self._sites is None:
            self._sites = sites_of(self.batch)
        return self._sites

    def can_have(self, site: Site) -> bool:
        """Whether a table can stand for a site."""
        key = (site.leaf, site.position)
        if key not in self._alone:
            self._alone[key] = site.can_have_table and stands_alone(self.batch, site)
        return self._alone[key]

    def work_of(self, number: int) -> float:
        """The work of a value of a block by a batch, in values from tables."""
        return max(1.0, self.costs.entries_of(number) / ENTRIES_OF_A_TABLE_VALUE)

    def make(
        self, site: Site, inside: IndexArray, offsets: Values, evaluate_all: EvaluateAll
    ) -> Table | None:
        """The table of a site for some coordinates of a plan; None where it saves too little, or is off.

        Parameters
        ----------
        site : Site
        inside : (m,) entries of its parameter array
        offsets : (m, S)
        evaluate_all : computes an engine's values on all workers
        """
        mine = site.place[inside] != NOWHERE
        if np.count_nonzero(mine) * offsets.shape[1] < SAVING * site.width or not self.can_have(site):
            return None
        assert site.interior is not None
        if not mine.all():
            inside, offsets = inside[mine], offsets[mine]
        feature, unit = site.feature_and_unit(inside)
        layer = TabledLayer(
            site.width,
            site.x,
            np.flatnonzero(np.bincount(unit, minlength=site.width)),
            partial(self._values_of_nodes, evaluate_all, site),
            float(np.finfo(self.tape.base[site.z].dtype).eps) * site.interior.largest(self.tape),
            self._least_saving(site, feature),
            site.largest,
        )
        made = make_table(layer, feature, offsets)
        if made is None or not made.has.any():
            return None
        table = Table(site, made, self._changes_nothing_beside(site))
        return table if self._confirmed(table, inside, offsets) else None

    def values(self, table: Table, inside: IndexArray, offsets: Values) -> Values:
        """The costs (m, S) where entries (m,) that a table covers are moved."""
        out = np.empty(offsets.shape)
        each = max(1, ROWS_OF_A_TABLE // offsets.shape[1])
        for k in range(0, len(inside), each):
            some = slice(k, k + each)
            out[some] = self._some_values(table, inside[some], offsets[some])
        return out

    def _some_values(self, table: Table, inside: IndexArray, offsets: Values) -> Values:
        site, number = table.site, table.site.leaf
        assert site.interior is not None
        points = self.costs.points(number, inside, offsets)
        by = points - self.costs.parameters.leaves[number][inside].astype(np.float64)[:, None]
        delta = table.units.values(*site.feature_and_unit(inside), by).reshape(-1)
        end = self.tape.operations[site.interior.ends[0].position].outputs[0]
        base = self.tape.base[end]
        new = (base.reshape(-1).astype(np.float64) + delta[:, None]).reshape(-1, *base.shape)
        changes: dict[int, Change] = {end: Dense(new)}
        if not table.alone:
            where = np.repeat(inside, offsets.shape[1])
            changes[number] = Sparse(where[:, None], points.reshape(-1, 1))
        return self.costs.after(changes, site.skipped, number, inside, offsets)

    def _least_saving(self, site: Site, feature: IndexArray) -> int:
        """Values from which a table of some features is less work than batches."""
        groups = len(np.unique(feature // FEATURE_GROUP))
        work = WORK_OF_A_TABLE + groups * FEATURE_GROUP * site.samples * WORK_OF_A_PRODUCT
        return round(work / self.work_of(site.leaf))

    def _values_of_nodes(
        self, evaluate_all: EvaluateAll, site: Site, units: IndexArray, du: Floats
    ) -> Values:
        """What each sample adds (units, samples, points), for units moved by du (points,)."""
        engine = NodeEngine(self.batch, site, self.costs.rows_of(site.leaf), summand=True)
        nodes = (units[:, None] * site.samples + np.arange(site.samples)).reshape(-1)
        values = evaluate_all(engine, nodes, np.tile(du, (len(nodes), 1)))
        return values.reshape(len(units), site.samples, len(du))

    def _changes_nothing_beside(self, site: Site) -> bool:
        """Whether weights of a site change the cost by the product alone."""
        one = np.flatnonzero(site.place != NOWHERE)[:1]
        leaf = self.tape.base[site.leaf].reshape(-1)
        change = Sparse(one[:, None], leaf[one][:, None] + 1)
        with np.errstate(all="ignore"):
            states = self.batch.evaluate({site.leaf: change}, site.skipped)
        return not states.keys() & {self.tape.output, *self.tape.guards}

    def _confirmed(self, table: Table, inside: IndexArray, offsets: Values) -> bool:
        """Whether the table gives what the tape gives, at some weights."""
        covered = np.flatnonzero(table.covers(inside, offsets))
        if not len(covered):
            return False
        feature, _ = table.site.feature_and_unit(inside[covered])
        group = feature // FEATURE_GROUP  # of one group: the products of each take as long as many values
        covered = covered[group == group[len(group) // 2]]
        some = covered[np.linspace(0, len(covered) - 1, min(HELD_OUT, len(covered))).astype(int)]
        by_table = self.values(table, inside[some], offsets[some])
        by_tape = self.costs.moved(table.site.leaf, inside[some], offsets[some])
        return bool((np.abs(by_table - by_tape) <= ROUNDINGS * self.costs.scale).all())
