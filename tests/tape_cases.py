"""What a recorded function gives, compared with the plain one: at the parameters, replayed, and in batches.

`compared` is what the tests of coverage are made of. A function takes arrays and gives an array, or several.
"""

from __future__ import annotations

import numpy as np

from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Dense, Ragged, Sparse, as_dense
from fastgrad.engines.traced.numpy_functions import recording
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.recorder import Recorder
from fastgrad.engines.traced.tape import Ref

POINTS = 3
"""Points of a batch, at most as many as there are entries for a sparse one."""

MOVED = 2.0**-20
"""How far entries are moved, in units of their size or of 1: a guard does not differ by that."""


def recorded(function, leaves):
    """The recorder, and what the function gives of recorded arrays, flat."""
    recorder = Recorder(leaves)
    arrays = [Recorded(recorder, recorder.base[k], k) for k in recorder.inputs]
    for array in arrays:
        array.is_parameter = True
    with recording(recorder), np.errstate(all="ignore"):
        results = flat(function(*arrays))
        for result in results:
            if isinstance(result, Recorded):
                result.reference()
    recorder.closed = True
    if recorder.declined is not None:
        raise recorder.declined
    return recorder, results


def flat(tree):
    """The arrays and numbers of nested lists and tuples."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in flat(item)]
    return [tree]


def plainly(function, leaves):
    """What the plain function gives of copies of arrays, flat."""
    with np.errstate(all="ignore"):
        return flat(function(*(np.array(leaf) for leaf in leaves)))


def assert_equal(found, expected, exactly):
    """Equal in shape and dtype; in bits, or to some roundings of the largest number."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if exactly:
        np.testing.assert_array_equal(found, expected)
        return
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    eps = float(np.finfo(expected.dtype).eps)
    np.testing.assert_allclose(found, expected, rtol=64 * eps, atol=256 * eps * scale)


def moved(leaf, noise):
    """A leaf at another point, in its dtype."""
    size = np.where(leaf == 0, 1.0, np.abs(leaf))
    return np.asarray(leaf + step_of(leaf) * size * noise).astype(leaf.dtype)


def step_of(leaf):
    """How far the entries of a leaf are moved: half of the digits of its dtype, or less."""
    return {2: 2.0**-5, 4: 2.0**-12}.get(leaf.dtype.itemsize, MOVED)


def batch_points(leaves, rng):
    """Changes of the leaves, and the leaves at each point: one entry of one leaf, then all entries of all."""
    for number, leaf in enumerate(leaves):
        if not leaf.size:
            continue
        where = rng.permutation(leaf.size)[:POINTS]
        others = moved(leaf, rng.choice([-1.0, 1.0], leaf.shape)).reshape(-1)
        points = []
        for k in where:
            point = np.array(leaf)
            point.reshape(-1)[k] = others[k]
            points.append([*leaves[:number], point, *leaves[number + 1 :]])
        yield {number: Sparse(where[:, None].astype(np.intp), others[where][:, None])}, points
    points = [[moved(leaf, rng.normal(size=leaf.shape)) for leaf in leaves] for _ in range(POINTS)]
    yield {n: Dense(np.stack([p[n] for p in points])) for n in range(len(leaves))}, points


def compared(function, *leaves, exactly=True, strays=False, seed=0):
    """Compare a recorded function with the plain one; the kinds of changes that reached its results.

    Parameters
    ----------
    function : of arrays
    leaves : arrays, the parameters
    exactly : whether the recorded and the replayed value are to be equal in bits
    strays : whether a guard may differ at points of a batch
    seed : for the choice of points
    """
    leaves, rng = [np.asarray(leaf) for leaf in leaves], np.random.default_rng(seed)
    recorder, results = recorded(function, leaves)
    expected = plainly(function, leaves)
    assert len(results) == len(expected)
    numbers = []
    for found, right in zip(results, expected, strict=True):
        assert_equal(found.array if isinstance(found, Recorded) else found, right, exactly)
        source = found.reference() if isinstance(found, Recorded) else None
        numbers.append(source.number if isinstance(source, Ref) else None)
    kinds = set()
    for output in {n for n in numbers if n is not None}:
        tape = recorder.tape(output)
        batch = Batch(tape)
        for changes, points in batch_points(leaves, rng):
            rights = [plainly(function, point)[numbers.index(output)] for point in points]
            for point, right in zip(points, rights, strict=True):
                with np.errstate(all="ignore"):
                    replayed = tape.replay(point)
                assert replayed is not None or strays
                if replayed is not None:
                    assert_equal(replayed, right, exactly)
            kinds |= evaluated(batch, changes, rights, strays)
    return kinds


def evaluated(batch, changes, rights, strays):
    """Evaluate a batch, and compare it with what the plain function gives at each point."""
    points, tape = len(rights), batch.tape
    try:
        with np.errstate(all="ignore"):
            states = batch.evaluate(changes)
    except Ragged as ragged:
        kinds = set()
        for k in range(len(ragged.groups)):
            one = {
                n: type(c)(*(part[k : k + 1] for part in vars(c).values() if isinstance(part, np.ndarray)))
                for n, c in changes.items()
            }
            kinds |= evaluated(batch, one, rights[k : k + 1], strays)
        return kinds
    change = states.get(tape.output)
    values = as_dense(change, tape.base[tape.output], points)
    strayed = batch.strayed(states, points)
    assert strays or not strayed.any()
    for value, right, off in zip(values, rights, strayed, strict=True):
        if not off:
            assert_equal(value, right, exactly=False)
    return {type(change).__name__}
