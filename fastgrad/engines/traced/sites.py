"""Sites: where a weight enters a cost, by a product with data or as a bias, and moves one unit of the result.

Notation: z = x W (+ b), W and b = entries of a parameter array, cut out and reshaped; i = a feature, j = a
unit, r = a row of z. To move W[i, j] by o moves z[r, j] by o x[r, i]; of a bias x is 1. So

    dJ/dW[i, j] = sum_r x[r, i] dJ/dz[r, j]

Where samples stay apart from z on (`apart`), a unit is moved in all samples at once. All weights into unit j
then need values of the same functions of one number, which tables hold (`engines.network.tables`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.network.tables import largest_of_features
from fastgrad.engines.traced.apart import NONE, Axis, Interior, interior_of
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Change, Sparse
from fastgrad.engines.traced.movement import movements_of, moves_entries
from fastgrad.engines.traced.tape import Array, Operation, Tape

MOST_WORK = 10**8
"""Entries that are followed from the parameters to products, over all operations: slices of a large array in
a long loop would take seconds."""

LOOKED_AT = 4
"""Weights of a site of which it is seen what else they change."""

NOWHERE = -1
"""The place of entries that are not of the weight."""

MOST_GROUPINGS = 12
"""Ways of grouping rows to samples that are tried, from many samples to few."""


@dataclass(frozen=True, eq=False)
class Site:
    """A weight or a bias that is cut from one parameter array."""

    leaf: int
    """The number of the parameter array."""
    position: int
    """Of the product, or of the addition."""
    passed: frozenset[int]
    """The positions of the operations from there to z, that one included."""
    z: int
    """The number of the value that is moved."""
    place: IndexArray
    """(leaf size,) where each entry of the array is in the weight, flat; NOWHERE for others."""
    x: Floats
    """(rows, features)."""
    width: int
    """Units."""
    weight_is_left: bool
    interior: Interior | None
    """What computes each sample from that sample alone; None where samples do not stay apart."""
    grouping: IndexArray
    """(rows,) the sample of each row."""

    @property
    def rows(self) -> int:
        """The rows of z."""
        return len(self.x)

    @property
    def samples(self) -> int:
        """The number of samples, each of one row or several."""
        return int(self.grouping.max(initial=0)) + 1

    @property
    def can_have_table(self) -> bool:
        """Whether each row is a sample, and the cost follows from one sum over them."""
        return self.interior is not None and self.samples == self.rows and len(self.interior.ends) == 1

    @property
    def skipped(self) -> frozenset[int]:
        """The operations that a table stands for."""
        assert self.interior is not None
        ends = {end.position for end in self.interior.ends}
        return self.interior.positions | self.interior.guarding | self.passed | ends

    @property
    def members(self) -> IndexArray:
        """(rows of a sample, samples) the rows of each sample."""
        return np.argsort(self.grouping, kind="stable").reshape(self.samples, -1).T

    @property
    def all_nodes(self) -> IndexArray:
        """(units, rows of a sample, samples) the flat indices of z, in the order of the nodes' numbers."""
        return self.flat(self.members[None], np.arange(self.width)[:, None, None])

    @cached_property
    def largest(self) -> Floats:
        """(features + 1,) the largest |x| of each feature, which all tables of the site need."""
        return largest_of_features(self.x)

    def feature_and_unit(self, inside: IndexArray) -> tuple[IndexArray, IndexArray]:
        """The feature and the unit of entries of the array that are of the weight."""
        place = self.place[inside]
        if self.weight_is_left:
            unit, feature = np.divmod(place, self.x.shape[1])
            return feature, unit
        return divmod(place, self.width)

    def flat(self, row: IndexArray, unit: IndexArray) -> IndexArray:
        """The flat index in z of a unit in a row."""
        return unit * self.rows + row if self.weight_is_left else row * self.width + unit


def sites_of(batch: Batch) -> list[Site]:
    """The sites of a tape, at most one for each operation and parameter array."""
    tape, work = batch.tape, 0
    found: list[Site] = []
    for leaf in tape.inputs:
        places = {leaf: np.arange(tape.base[leaf].size)}
        for position, operation in enumerate(tape.operations):
            if not any(number in places for number in operation.inputs):
                continue
            if moves_entries(operation):
                work += sum(tape.base[number].size for number in operation.inputs)
                if work > MOST_WORK:
                    return found
                places.update(_followed(tape, operation, places))
            else:
                found += [site for site in _at(tape, leaf, position, operation, places) if site is not None]
    return found


def _followed(
    tape: Tape, operation: Operation, places: dict[int, IndexArray]
) -> Iterator[tuple[int, IndexArray]]:
    """For each result, which entry of the parameter array each of its entries is."""
    for movement, number in zip(movements_of(operation, tape), operation.outputs, strict=True):
        origin = np.full(int(np.prod(movement.shape)), NOWHERE, dtype=np.intp)
        for source, part in movement.parts.items():
            if source in places:
                origin[part.to] = places[source][part.source]
        if (origin != NOWHERE).any():
            yield number, origin


def _at(
    tape: Tape, leaf: int, position: int, operation: Operation, places: dict[int, IndexArray]
) -> Iterator[Site | None]:
    if len(operation.args) != 2 or operation.kwargs:
        return
    numbers = [getattr(a, "number", None) for a in operation.args]
    if numbers[0] == numbers[1] or tape.base[operation.outputs[0]].dtype.kind != "f":
        return
    sides = [
        tape.base[n] if n is not None else np.asarray(a) for n, a in zip(numbers, operation.args, strict=True)
    ]
    for k, number in enumerate(numbers):
        if number not in places:
            continue
        if operation.function in (np.matmul, np.dot) and max(side.ndim for side in sides) <= 2:
            yield _of_product(tape, leaf, position, operation, places[number], sides, k == 0)
        elif operation.function is np.add:
            yield _of_bias(tape, leaf, position, operation, places[number], sides[k])


def _of_product(
    tape: Tape,
    leaf: int,
    position: int,
    operation: Operation,
    origin: IndexArray,
    sides: list[Array],
    left: bool,
) -> Site | None:
    weight, x = (sides[0], sides[1]) if left else (sides[1], sides[0])
    x = x.reshape(len(x), -1).T if left else x.reshape(-1, x.shape[-1])
    width = 1 if weight.ndim == 1 else len(weight) if left else weight.shape[1]
    return _site(tape, leaf, position, operation.outputs[0], origin, x, width, left)


def _of_bias(
    tape: Tape, leaf: int, position: int, operation: Operation, origin: IndexArray, bias: Array
) -> Site | None:
    """z + b, b the same for each row of z, or for each column."""
    out = tape.base[operation.outputs[0]]
    if out.ndim != 2 or bias.size == out.size:
        return None
    spread = (1,) * (2 - bias.ndim) + bias.shape
    left = spread == (out.shape[0], 1)
    if not left and spread != (1, out.shape[1]):
        return None
    x = np.ones((out.shape[1 if left else 0], 1), dtype=out.dtype)
    return _site(tape, leaf, position, operation.outputs[0], origin, x, bias.size, left)


def _site(
    tape: Tape,
    leaf: int,
    position: int,
    z: int,
    origin: IndexArray,
    x: Array,
    width: int,
    left: bool,
) -> Site | None:
    if (
        x.dtype.kind != "f"
        or not np.isfinite(x).all()
        or (tape.base[z].ndim < 2 and width > 1 and len(x) > 1)
    ):
        return None
    place = np.full(tape.base[leaf].size, NOWHERE, dtype=np.intp)
    there = np.flatnonzero(origin != NOWHERE)
    place[origin[there]] = there
    if np.count_nonzero(place != NOWHERE) != len(there):
        return None  # an entry of the array stands at two places of the weight
    z, passed = _with_what_is_added(tape, z)
    interior, grouping = _apart(tape, z, len(x), left)
    x = np.ascontiguousarray(x, dtype=np.float64)
    return Site(leaf, position, passed | {position}, z, place, x, width, left, interior, grouping)


def _with_what_is_added(tape: Tape, z: int) -> tuple[int, frozenset[int]]:
    """The value after all that is added to z and to nothing else: to move one is to move the other."""
    passed: set[int] = set()
    while True:
        users = [(p, o) for p, o in enumerate(tape.operations) if z in o.inputs]
        if len(users) != 1 or z in (tape.output, *tape.guards):
            return z, frozenset(passed)
        position, operation = users[0]
        plain = operation.function is np.add and len(operation.args) == 2 and not operation.kwargs
        out = operation.outputs[0]
        same = tape.base[out].shape == tape.base[z].shape and tape.base[out].dtype == tape.base[z].dtype
        twice = [getattr(a, "number", None) for a in operation.args].count(z) != 1
        if not plain or not same or twice:
            return z, frozenset(passed)
        passed.add(position)
        z = out


def _apart(tape: Tape, z: int, rows: int, left: bool) -> tuple[Interior | None, IndexArray]:
    """Where samples stay apart from z on, for as many samples as possible, and the sample of each row."""
    axis = tape.base[z].ndim - 1 if left else 0
    every = np.arange(rows)
    for count in [n for n in range(rows, 1, -1) if rows % n == 0][:MOST_GROUPINGS]:
        for grouping in (every // (rows // count), every % count)[: 1 if count == rows else 2]:
            if tape.base[z].ndim == 0:
                break
            interior = interior_of(tape, z, Axis(axis, grouping))
            if interior is not None:
                return interior, grouping
    return None, np.zeros(rows, dtype=np.intp)


def stands_alone(batch: Batch, site: Site) -> bool:
    """Whether what else the weights of a site change has no part in what a table stands for."""
    tape = batch.tape
    inside = np.flatnonzero(site.place != NOWHERE)
    some = inside[np.linspace(0, len(inside) - 1, min(LOOKED_AT, len(inside))).astype(int)]
    used: set[int] = set()
    for position in site.skipped - site.passed:
        used.update(tape.operations[position].inputs)
    used -= {site.z}
    first = site.position
    leaf = tape.base[site.leaf].reshape(-1)
    for one in some:
        touched: set[int] = set()

        def note(number: int, change: Change, touched: set[int] = touched) -> None:
            del change
            touched.add(number)

        moved = Sparse(np.array([[one]]), leaf[[one]][None] * (1 + 2.0**-20) + 2.0**-20)
        with np.errstate(all="ignore"):
            batch.evaluate({site.leaf: moved}, skipped=site.passed, seen=note)
        others = {n for position in site.passed - {first} for n in tape.operations[position].inputs}
        at_product = touched.intersection(tape.operations[first].inputs)
        if touched & (used | others) or len(at_product) > 1:
            return False
    return True


__all__ = ["NONE", "NOWHERE", "Site", "sites_of", "stands_alone"]
