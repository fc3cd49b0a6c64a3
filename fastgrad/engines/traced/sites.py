"""Sites: products of data with a weight of the parameters, whose result moves one unit for each weight.

Notation: z = x W, W = entries of a parameter array, cut out and reshaped; i = a feature, j = a unit, n = a
sample. To move W[i, j] by o moves z[n, j] by o x[n, i]. Where samples stay apart from z to a sum over all of
them (`apart`), all weights into unit j need values of the same functions of one number, which tables hold
(`engines.network.tables`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.traced.apart import Interior, interior_of
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


@dataclass(frozen=True, eq=False)
class Site:
    """A product with a weight that is cut from one parameter array."""

    leaf: int
    """The number of the parameter array."""
    position: int
    """Of the product in the tape."""
    z: int
    """The number of the product's value."""
    place: IndexArray
    """(leaf size,) where each entry of the array is in the weight, flat; NOWHERE for others."""
    x: Floats
    """(samples, features)."""
    width: int
    """Units."""
    weight_is_left: bool
    interior: Interior

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.x)

    @property
    def skipped(self) -> frozenset[int]:
        """The operations that a table stands for."""
        return self.interior.positions | self.interior.guarding | {self.position, self.interior.end}

    def feature_and_unit(self, inside: IndexArray) -> tuple[IndexArray, IndexArray]:
        """The feature and the unit of entries of the array that are of the weight."""
        place = self.place[inside]
        if self.weight_is_left:
            unit, feature = np.divmod(place, self.x.shape[1])
            return feature, unit
        return divmod(place, self.width)

    def nodes(self, unit: IndexArray) -> IndexArray:
        """(K, samples) the flat indices in z of units, in all samples."""
        sample = np.arange(self.samples)
        if self.weight_is_left:
            return unit[:, None] * self.samples + sample
        return sample * self.width + unit[:, None]


def sites_of(batch: Batch) -> list[Site]:
    """The sites of a tape, at most one for each product."""
    tape, found, work = batch.tape, [], 0
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
            elif operation.function in (np.matmul, np.dot):
                found += [site for site in _at(batch, leaf, position, operation, places) if site is not None]
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
    batch: Batch, leaf: int, position: int, operation: Operation, places: dict[int, IndexArray]
) -> Iterator[Site | None]:
    tape = batch.tape
    if len(operation.args) != 2 or operation.kwargs:
        return
    numbers = [getattr(a, "number", None) for a in operation.args]
    sides = [
        tape.base[n] if n is not None else np.asarray(a) for n, a in zip(numbers, operation.args, strict=True)
    ]
    if max(side.ndim for side in sides) > 2 or numbers[0] == numbers[1]:
        return
    for k, number in enumerate(numbers):
        if number in places:
            yield _site(batch, leaf, position, operation, places[number], sides, k == 0)


def _site(
    batch: Batch,
    leaf: int,
    position: int,
    operation: Operation,
    origin: IndexArray,
    sides: list[Array],
    left: bool,
) -> Site | None:
    tape, z = batch.tape, operation.outputs[0]
    weight, x = (sides[0], sides[1]) if left else (sides[1], sides[0])
    if left:
        x = x.reshape(len(x), -1).T
        width = 1 if weight.ndim == 1 else len(weight)
    else:
        x = x.reshape(-1, x.shape[-1])
        width = 1 if weight.ndim == 1 else weight.shape[1]
    if tape.base[z].ndim == 0 or (tape.base[z].ndim == 1 and width > 1):
        return None  # one sample
    axis = tape.base[z].ndim - 1 if left else 0
    interior = interior_of(tape, z, axis)
    if interior is None or not np.isfinite(x).all() or x.dtype.kind != "f":
        return None
    place = np.full(tape.base[leaf].size, NOWHERE, dtype=np.intp)
    there = np.flatnonzero(origin != NOWHERE)
    place[origin[there]] = there
    if np.count_nonzero(place != NOWHERE) != len(there):
        return None  # an entry of the array stands at two places of the weight
    site = Site(leaf, position, z, place, np.ascontiguousarray(x, dtype=np.float64), width, left, interior)
    return site if _stands_alone(batch, site) else None


def _stands_alone(batch: Batch, site: Site) -> bool:
    """Whether what else some weights change has no part in what the table stands for."""
    tape = batch.tape
    inside = np.flatnonzero(site.place != NOWHERE)
    some = inside[np.linspace(0, len(inside) - 1, min(LOOKED_AT, len(inside))).astype(int)]
    used = set()
    for position in site.skipped - {site.position}:
        used.update(tape.operations[position].inputs)
    used -= {site.z}
    product = tape.operations[site.position]
    leaf = tape.base[site.leaf].reshape(-1)
    for one in some:
        touched: set[int] = set()

        def note(number: int, change: Change, touched: set[int] = touched) -> None:
            del change
            touched.add(number)

        moved = Sparse(np.array([[one]]), leaf[[one]][None] * (1 + 2.0**-20) + 2.0**-20)
        batch.evaluate({site.leaf: moved}, skipped=frozenset({site.position}), seen=note)
        moved_side = {n for n in product.inputs if n in touched}
        if touched & used or len(moved_side) > 1 or (moved_side and not _is_weight(product, site, moved_side)):
            return False
    return True


def _is_weight(product: Operation, site: Site, moved: set[int]) -> bool:
    weight = product.args[0 if site.weight_is_left else 1]
    return moved == {getattr(weight, "number", None)}
