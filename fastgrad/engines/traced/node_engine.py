"""The engine that moves the nodes of a site: units of a product's result, row by row.

A coordinate is a unit in one row. The rows are those of samples, one or several of each; coordinates are
ordered by unit, row of the sample, and sample. Where samples stay apart one evaluation of the tape moves a
unit in one row of every sample, each by an offset of its own, and gives what each sample adds to the sums
over all samples. From the sums alone the cost follows. Tables are made of what the samples add (`engine`).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Change, Dense, Ragged, Sparse
from fastgrad.engines.traced.dense_rules import FAILURES
from fastgrad.engines.traced.sites import Site
from fastgrad.problem.parameters import Parameters

MOST_SUMS = 2**16
"""Costs that are computed from sums at a time."""


class NodeEngine(EngineBase):
    """Evaluates a tape where units of one site are moved.

    Parameters
    ----------
    batch : Batch
    site : Site
    rows : how many evaluations of the tape are made at a time
    summand : whether values are what a sample adds to the one sum, less what it adds at the parameters; else
        they are the cost
    """

    name = "nodes"
    workers = "threads"
    incremental = True

    def __init__(self, batch: Batch, site: Site, rows: int, summand: bool = False) -> None:
        super().__init__(NodeCost(batch, site), Parameters(node_values(batch, site)))
        self.batch, self.site, self.rows, self.summand = batch, site, rows, summand
        self.granularity = site.samples
        self.overhead = float(max(1, rows // 6) * site.samples)  # a batch is full
        self.members = site.members
        everything = frozenset(range(len(batch.tape.operations)))
        interior = site.interior
        if interior is not None:
            self.before_sums = everything - interior.positions - interior.guarding
            self.after_sums = site.skipped
        self._still: float | None = None

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The values (m, S)."""
        samples, s = self.site.samples, offsets.shape[1]
        node, sample = np.divmod(indices, samples)
        out = np.empty(offsets.shape)
        nodes = node[np.flatnonzero(np.diff(node, prepend=-1))]
        each = max(1, self.rows // s)
        for k in range(0, len(nodes), each):
            some = nodes[k : k + each]
            begin, end = np.searchsorted(node, (some[0], some[-1] + 1))
            where = np.searchsorted(some, node[begin:end])
            shift = np.zeros((len(some), samples, s))
            shift[where, sample[begin:end]] = offsets[begin:end]
            moved = self._moved(np.repeat(some, s), shift.transpose(0, 2, 1).reshape(-1, samples))
            moved = moved.reshape(len(some), s, samples).transpose(0, 2, 1)
            out[begin:end] = moved[where, sample[begin:end]]
        return out

    def _moved(self, node: IndexArray, shift: Floats) -> Floats:
        """(K, samples) the values where a node is moved in each sample; NaN where a guard differs."""
        unit, row = np.divmod(node, len(self.members))
        where = self.site.flat(self.members[row], unit[:, None])
        base = self.batch.tape.base[self.site.z].reshape(-1)
        change = Sparse(where, (base[where] + shift).astype(base.dtype))
        with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
            try:
                if self.site.interior is None:
                    return self._costs({self.site.z: change}, frozenset())[:, None]
                return self._by_samples(change)
            except Ragged as ragged:
                found = np.empty(shift.shape)
                for group in np.unique(ragged.groups):
                    at = np.flatnonzero(ragged.groups == group)
                    found[at] = self._moved(node[at], shift[at])
                return found
            except FAILURES:
                return np.full(shift.shape, np.nan)

    def _by_samples(self, change: Sparse) -> Floats:
        tape, interior, samples = self.batch.tape, self.site.interior, self.site.samples
        assert interior is not None
        points = change.points
        states = self.batch.evaluate({self.site.z: change}, self.before_sums, keep=interior.summed)
        strayed = self.batch.strayed(states, points)
        pieces = [end.pieces(tape, states, points, samples) for end in interior.ends]
        if self.summand:
            found = np.array(pieces[0], dtype=np.float64)
        else:
            found = self._from_sums([np.asarray(p, dtype=np.float64) for p in pieces], points * samples)
            found = found.reshape(points, samples)
        found[strayed] = np.nan
        return found

    def _from_sums(self, pieces: list[Floats], count: int) -> Floats:
        """The costs where each sample alone is moved, from what it adds to each sum."""
        out = np.empty(count)
        for k in range(0, count, MOST_SUMS):
            some = slice(k, min(k + MOST_SUMS, count))
            out[some] = self._costs(self._sums([p.reshape(-1)[some] for p in pieces]), self.after_sums)
        if self._still is None:
            zero = self._sums([np.zeros(2)] * len(pieces))
            still = self._costs(zero, self.after_sums)[0] - float(self._at_parameters)
            self._still = float(still) if np.isfinite(still) else 0.0
        return out - self._still

    def _sums(self, pieces: list[Floats]) -> dict[int, Change]:
        tape = self.batch.tape
        found: dict[int, Change] = {}
        assert self.site.interior is not None
        for end, piece in zip(self.site.interior.ends, pieces, strict=True):
            number = tape.operations[end.position].outputs[0]
            base = tape.base[number]
            new = base.reshape(-1).astype(np.float64) + piece[:, None]
            found[number] = Dense(new.reshape(-1, *base.shape).astype(base.dtype, copy=False))
        return found

    def _costs(self, changes: dict[int, Any], skipped: frozenset[int]) -> Floats:
        points = next(iter(changes.values())).points
        states = self.batch.evaluate(changes, skipped)
        found = np.array(self.batch.cost(states, points), dtype=np.float64)
        off: Bools = self.batch.strayed(states, points)
        found[off] = np.nan
        return found

    @property
    def _at_parameters(self) -> float:
        return float(self.batch.tape.base[self.batch.tape.output].reshape(-1)[0])

    def baseline(self) -> float:
        """The cost at the parameters, as it was recorded."""
        return self._at_parameters

    def for_worker(self) -> Self:
        """A twin: nothing is written to."""
        return copy.copy(self)

    def finish(self) -> None:
        """Nothing was moved in place."""

    def pause(self) -> None:
        """Nothing was moved in place."""


def node_values(batch: Batch, site: Site) -> Floats:
    """What is moved: the units of z, by unit, row of the sample, and sample."""
    return batch.tape.base[site.z].reshape(-1)[site.all_nodes]


@dataclass(frozen=True, eq=False)
class NodeCost:
    """The cost as a function of the nodes of a site: what `NodeEngine` evaluates, one point at a time."""

    batch: Batch
    site: Site

    def __call__(self, nodes: Floats) -> float:
        """The cost where the nodes are these, in the order of `node_values`."""
        base = self.batch.tape.base[self.site.z]
        z = np.empty(base.size, dtype=base.dtype)
        z[self.site.all_nodes] = nodes.reshape(self.site.all_nodes.shape)
        states = self.batch.evaluate({self.site.z: Dense(z.reshape(1, *base.shape))})
        return float(self.batch.cost(states, 1)[0])
