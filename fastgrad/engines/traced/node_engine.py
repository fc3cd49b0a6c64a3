"""The engine that moves the nodes of a site: units of a product's result, sample by sample.

A coordinate is a unit in one sample, number unit * samples + sample. Where samples stay apart one evaluation
of the tape moves a unit in all samples at once, each by an offset of its own, and gives what each sample adds
to the sum. Tables are made of its values (`engine`).
"""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Ragged, Sparse
from fastgrad.engines.traced.sites import Site
from fastgrad.problem.parameters import Parameters


class NodeEngine(EngineBase):
    """Evaluates the sum over samples, sample by sample, for moved units of one site.

    Parameters
    ----------
    batch : Batch
    site : Site
    rows : how many evaluations of the tape are made at a time
    """

    name = "nodes"
    workers = "threads"
    incremental = True

    def __init__(self, batch: Batch, site: Site, rows: int) -> None:
        super().__init__(_no_cost, Parameters(np.zeros(site.width * site.samples)))
        self.batch, self.site, self.rows = batch, site, rows
        self.granularity = site.samples
        self.overhead = float(max(1, rows // 6) * site.samples)  # a batch is full
        tape, interior = batch.tape, site.interior
        kept = interior.positions | interior.guarding
        self.skipped = frozenset(range(len(tape.operations))) - kept
        self.wanted = tuple(interior.summed)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """What each sample adds to the sum, less what it adds at the parameters; (m, S)."""
        samples, s = self.site.samples, offsets.shape[1]
        unit, sample = np.divmod(indices, samples)
        out = np.empty(offsets.shape)
        units = unit[np.flatnonzero(np.diff(unit, prepend=-1))]
        each = max(1, self.rows // s)
        for k in range(0, len(units), each):
            some = units[k : k + each]
            begin, end = np.searchsorted(unit, (some[0], some[-1] + 1))
            where = np.searchsorted(some, unit[begin:end])
            shift = np.zeros((len(some), samples, s))
            shift[where, sample[begin:end]] = offsets[begin:end]
            moved = self._moved(np.repeat(some, s), shift.transpose(0, 2, 1).reshape(-1, samples))
            moved = moved.reshape(len(some), s, samples).transpose(0, 2, 1)
            out[begin:end] = moved[where, sample[begin:end]]
        return out

    def _moved(self, unit: IndexArray, shift: Floats) -> Floats:
        """(K, samples) the changes where a unit is moved in each sample; NaN where a guard differs."""
        where = self.site.nodes(unit)
        base = self.batch.tape.base[self.site.z].reshape(-1)
        change = Sparse(where, (base[where] + shift).astype(base.dtype))
        with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
            try:
                states = self.batch.evaluate({self.site.z: change}, self.skipped, keep=self.wanted)
            except (Ragged, ArithmeticError, ValueError, np.linalg.LinAlgError):
                return np.full(shift.shape, np.nan)
            pieces = self.site.interior.pieces(self.batch.tape, states, len(unit), self.site.samples)
            pieces = np.array(pieces, dtype=np.float64)
        pieces[self.batch.strayed(states, len(unit))] = np.nan
        return pieces

    def baseline(self) -> float:
        """Nothing: changes are counted from 0."""
        return 0.0

    def for_worker(self) -> Self:
        """A twin: nothing is written to."""
        return copy.copy(self)

    def finish(self) -> None:
        """Nothing was moved in place."""

    def pause(self) -> None:
        """Nothing was moved in place."""


def _no_cost(*args: Any) -> float:
    raise NotImplementedError(f"nodes have no cost of their own: {len(args)}")
