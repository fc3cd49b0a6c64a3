"""Node perturbation of a recorded cost: units of products are moved instead of the weights that lead to them.

Notation as in `sites`: dJ/dW[i, j] = sum over sites and rows of x[r, i] dJ/dz[r, j]. A weight that is used in
several products, as that of a cell at each time step, has a site for each, and their sums are added. A
parameter array that is used in another way too, as by a penalty, is moved itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.network.nodes import NODES, carried_to_weights
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.movement import moves_entries
from fastgrad.engines.traced.node_engine import node_values
from fastgrad.engines.traced.sites import NOWHERE, Site
from fastgrad.engines.traced.tape import Tape
from fastgrad.index_sets import positions_of
from fastgrad.problem.parameters import Parameters


class TapeNodes:
    """The parameters, and beside them the nodes that are moved in place of some of them.

    Parameters
    ----------
    theirs : the user's parameters
    batch : Batch
    sites : those whose weights are not moved themselves; all sites of each of their parameter arrays
    """

    is_plain = False

    def __init__(self, theirs: Parameters, batch: Batch, sites: Sequence[Site]) -> None:
        self.theirs, self.sites = theirs, tuple(sites)
        moved = {
            block.name: leaf.reshape(block.shape)
            for block, leaf in zip(theirs.blocks, theirs.leaves, strict=True)
        }
        self.of_node: dict[int, Site] = {}
        """The site of each block of nodes, by the number of the block."""
        blocks: dict[int, int] = {}
        for site in self.sites:
            if site.z not in blocks:
                blocks[site.z] = len(moved)
                self.of_node[len(moved)] = site
                name = f"{theirs.blocks[site.leaf].name}.{NODES}"
                moved[f"{name} {site.z}" if name in moved else name] = node_values(batch, site)
        self._block_of = blocks
        self.parameters = Parameters(moved)

    @property
    def leaves(self) -> set[int]:
        """The parameter arrays whose weights follow from nodes."""
        return {site.leaf for site in self.sites}

    @property
    def sentence(self) -> str:
        """What was moved and what this takes for granted."""
        names = [self.theirs.blocks[leaf].shown for leaf in sorted(self.leaves)]
        others = [b.shown for k, b in enumerate(self.theirs.blocks) if k not in self.leaves]
        also = f"; of {', '.join(others)} each parameter itself" if others else ""
        return (
            f"the results of the products with {', '.join(names)}, their derivatives carried to the weights "
            f"by dW = x^T dz, db = sum dz{also}. Taken for granted: that these products are linear in their "
            "weights, as they were recorded"
        )

    def needed(self, indices: IndexArray) -> IndexArray:
        """All nodes of the units that wanted weights lead to; other parameters as they are."""
        found: list[IndexArray] = []
        units: dict[int, set[int]] = {}
        for number, where in self.theirs.segments(indices):
            inside = indices[where] - self.theirs.blocks[number].start
            covered = np.zeros(len(inside), dtype=bool)
            for site in self.sites:
                if site.leaf == number:
                    mine = site.place[inside] != NOWHERE
                    covered |= mine
                    wanted = np.unique(site.feature_and_unit(inside[mine])[1])
                    units.setdefault(site.z, set()).update(wanted.tolist())
            found.append(indices[where][~covered])
        for z, wanted_units in units.items():
            block = self.parameters.blocks[self._block_of[z]]
            rows = self.of_node[self._block_of[z]].rows
            chosen = np.array(sorted(wanted_units), dtype=np.intp)
            found.append(block.start + (chosen[:, None] * rows + np.arange(rows)).reshape(-1))
        return np.sort(np.concatenate(found)).astype(np.intp)

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """The derivatives and bounds at the user's `indices`, from those at the `moved` ones."""
        numeric, bound = np.zeros(len(indices)), np.zeros(len(indices))
        for number, where in self.theirs.segments(indices):
            inside = indices[where] - self.theirs.blocks[number].start
            total, bounds, covered = self._from_sites(number, inside, moved, d, e)
            if not covered.all():
                at = positions_of(moved, indices[where][~covered])
                total[~covered], bounds[~covered] = d[at], e[at]
            numeric[where], bound[where] = total, bounds
        return numeric, bound

    def _from_sites(
        self, number: int, inside: IndexArray, moved: IndexArray, d: Floats, e: Floats
    ) -> tuple[Floats, Floats, IndexArray]:
        total, bounds = np.zeros(len(inside)), np.zeros(len(inside))
        covered = np.zeros(len(inside), dtype=bool)
        for site in self.sites:
            if site.leaf != number:
                continue
            mine = site.place[inside] != NOWHERE
            if not mine.any():
                continue
            covered |= mine
            feature, unit = site.feature_and_unit(inside[mine])
            slopes, widths = self._matrices(site, moved, d, e)
            found, width = carried_to_weights(site.x, feature * site.width + unit, slopes, widths)
            total[mine] += found
            bounds[mine] += width
        return total, bounds, covered

    def _matrices(self, site: Site, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """D and its bounds, (rows, units); NaN and inf where a node was not moved."""
        block = self.parameters.blocks[self._block_of[site.z]]
        lo, hi = np.searchsorted(moved, (block.start, block.stop))
        slopes, bounds = np.full(block.size, np.nan), np.full(block.size, np.inf)
        slopes[moved[lo:hi] - block.start], bounds[moved[lo:hi] - block.start] = d[lo:hi], e[lo:hi]
        by_row = [np.empty((site.rows, site.width)) for _ in range(2)]
        for matrix, values in zip(by_row, (slopes, bounds), strict=True):
            matrix[site.members.reshape(-1)] = values.reshape(site.width, -1).T
        return by_row[0], by_row[1]


def used_by_sites_alone(tape: Tape, leaf: int, sites: Sequence[Site]) -> bool:
    """Whether a parameter array has no other use than in the products and biases of its sites."""
    own = {site.position for site in sites if site.leaf == leaf}
    values = {leaf}
    for position, operation in enumerate(tape.operations):
        if not values.intersection(operation.inputs) or position in own:
            continue
        if not moves_entries(operation):
            return False
        values.update(operation.outputs)
    return bool(own) and not values.intersection((tape.output, *tape.guards))
