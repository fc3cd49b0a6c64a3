"""Moving entries, indexing, writing, and Python's own functions, recorded, against the plain ones."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from tape_cases import compared

MOVING = {
    "reshape": lambda x: x.reshape(4, 6), "reshape by one": lambda x: np.reshape(x, (-1, 4)),
    "reshape in Fortran's order": lambda x: x.reshape(6, 4, order="F"), "ravel": lambda x: x.ravel(),
    "ravel of a transpose as it lies": lambda x: np.ravel(x.T, order="K"), "ravel in order A": lambda x: x.T.ravel("A"),
    "flatten": lambda x: x.flatten(), "flatten F": lambda x: x.flatten("F"), "T": lambda x: x.T, "mT": lambda x: x.mT,
    "transpose": lambda x: np.transpose(x, (1, 2, 0)), "method transpose": lambda x: (x.transpose(2, 0, 1), x.transpose((0, 2, 1))),
    "swapaxes": lambda x: x.swapaxes(0, -1), "moveaxis": lambda x: np.moveaxis(x, 0, -1), "rollaxis": lambda x: np.rollaxis(x, 2),
    "expand_dims": lambda x: np.expand_dims(x, (0, 2)), "squeeze": lambda x: np.squeeze(x[:1], axis=0), "method squeeze": lambda x: x[:, :1].squeeze(),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3, 4)), "broadcast_arrays": lambda x: np.broadcast_arrays(x[0], x[:, :1]),
    "tile": lambda x: np.tile(x, (2, 1, 3)), "repeat": lambda x: np.repeat(x, 3, axis=1), "repeats": lambda x: x[0].repeat([1, 0, 2], axis=0),
    "roll": lambda x: np.roll(x, 2), "roll along axes": lambda x: np.roll(x, (1, -1), axis=(0, 2)), "flip": lambda x: np.flip(x, (0, 2)),
    "fliplr": lambda x: np.fliplr(x), "flipud": lambda x: np.flipud(x), "rot90": lambda x: np.rot90(x, axes=(1, 2)),
    "pad": lambda x: np.pad(x, 1), "pad by a value": lambda x: np.pad(x, ((1, 0), (0, 2), (0, 0)), constant_values=1.5),
    "pad by NaN": lambda x: np.pad(x[0], 1, constant_values=np.nan), "pad edge": lambda x: np.pad(x, 2, mode="edge"),
    "pad reflect": lambda x: np.pad(x[0], 1, mode="reflect"), "pad symmetric": lambda x: np.pad(x[0], 2, mode="symmetric"),
    "pad wrap": lambda x: np.pad(x[0], 1, "wrap"), "pad mean": lambda x: np.pad(x[0], 1, mode="mean"), "pad ramp": lambda x: np.pad(x[0], 1, mode="linear_ramp"),
    "pad maximum": lambda x: np.pad(x[0], 1, "maximum"),
    "concatenate": lambda x: np.concatenate([x, x[:, :2], np.ones((2, 1, 4))], axis=1), "concat flat": lambda x: np.concatenate((x, x[0]), axis=None),
    "concatenate with single precision": lambda x: np.concatenate([x[0], np.ones((1, 4), np.float32)]),
    "concatenate with bools": lambda x: np.concatenate([x[0] > 0, np.ones((1, 4), bool)]),
    "concatenate with complex numbers": lambda x: np.concatenate([x[0], np.ones((1, 4)) * 1j]),
    "concatenate in a dtype": lambda x: np.concatenate([x[0], x[1]], dtype=np.float32, casting="same_kind"),
    "stack": lambda x: np.stack([x, 2 * x], axis=-1), "vstack": lambda x: np.vstack([x[0], x[1]]), "hstack": lambda x: np.hstack([x[0], x[1]]),
    "dstack": lambda x: np.dstack([x[0], x[1]]), "column_stack": lambda x: np.column_stack([x[0, 0], x[0, 1]]), "vstack of rows": lambda x: np.vstack([x[0, 0], np.ones(4)]),
    "block": lambda x: np.block([[x[0], np.zeros((3, 2))], [np.ones((1, 6))]]), "append": lambda x: np.append(x, [1.0, 2.0]), "append along": lambda x: np.append(x, x[:1], axis=0),
    "split": lambda x: np.split(x, 2, axis=2), "split at": lambda x: np.split(x, [1, 3], axis=2), "array_split": lambda x: np.array_split(x, 3, axis=2),
    "hsplit": lambda x: np.hsplit(x, 3), "vsplit": lambda x: np.vsplit(x, 2), "dsplit": lambda x: np.dsplit(x, 2), "unstack": lambda x: np.unstack(x, axis=1),
    "take": lambda x: np.take(x, [0, 2], axis=2), "take flat": lambda x: x.take([[0, 5], [7, -1]]), "take wrapped": lambda x: np.take(x, [9, 5], axis=1, mode="wrap"),
    "take_along_axis": lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), "diag": lambda x: np.diag(x[0]), "diag of a vector": lambda x: np.diag(x[0, 0], 1),
    "diagonal": lambda x: x.diagonal(axis1=1, axis2=2), "diagflat": lambda x: np.diagflat(x[0, :2]), "tril": lambda x: np.tril(x, -1), "triu": lambda x: np.triu(x),
    "sliding windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2)), "atleast": lambda x: (np.atleast_1d(x[0, 0, 0]), np.atleast_2d(x[0, 0]), np.atleast_3d(x[0])),
    "copy": lambda x: np.copy(x), "delete": lambda x: np.delete(x, 1, axis=2), "insert": lambda x: np.insert(x[0], 1, 5.0, axis=0), "insert parameters": lambda x: np.insert(x[0], 1, x[1, 0], axis=0),
    "insert complex": lambda x: np.insert(x[0] * 1j, 1, 5.0j, axis=0), "resize": lambda x: np.resize(x, (5, 6)), "compress": lambda x: np.compress([True, False, True], x, axis=1),
    "method compress": lambda x: x.compress([True, False, True, True], axis=2), "extract": lambda x: np.extract(np.arange(24).reshape(2, 3, 4) % 2 == 0, x),
    "meshgrid": lambda x: np.meshgrid(x[0, 0], x[1, 1, :2]), "meshgrid ij": lambda x: np.meshgrid(x[0, 0], [1.0, 2.0], indexing="ij"),
    "matrix_transpose": lambda x: np.matrix_transpose(x), "permute_dims": lambda x: np.permute_dims(x, (2, 1, 0)), "fftshift": lambda x: np.fft.fftshift(x), "trim_zeros": lambda x: np.trim_zeros(x[0, 0]),
    "triu_indices": lambda x: x[0][np.triu_indices(3)], "tril_indices_from": lambda x: x[0][np.tril_indices_from(x[0][:, :3])], "vander": lambda x: np.vander(x[0, 0], 3), "ascontiguousarray": lambda x: np.ascontiguousarray(x.T),
    "asarray of a list": lambda x: np.asarray([x[0, 0, 0], 1.0, x[1, 1, 1]]), "array of lists": lambda x: np.array([[x[0, 0, 0], 1.0], [0.0, x[1, 1, 1]]]), "array ndmin": lambda x: np.array(x[0, 0], ndmin=3),
    "array in a dtype": lambda x: np.array([x[0, 0, 0], 2], dtype=np.float32), "array of rows": lambda x: np.array([row * 2 for row in x]),
}


@pytest.mark.parametrize("name", MOVING)
def test_moving_entries(name, rng):
    """What moves entries gives what NumPy gives, of three axes."""
    compared(MOVING[name], rng.array(2, 3, 4))


FEW = (
    "reshape by one",
    "ravel",
    "ravel of a transpose as it lies",
    "flatten",
    "T",
    "tile",
    "repeat",
    "roll",
    "pad",
    "copy",
    "atleast",
)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.complex128, np.bool_, np.int8])
@pytest.mark.parametrize(
    "name", ["flip", "concatenate", "stack", "pad", "tile", "take flat", "tril", "delete", "broadcast_to"]
)
def test_moving_entries_of_dtypes(name, dtype, rng):
    """So it does in any dtype, also where there are more entries than the dtype can count."""

    def function(x):
        return MOVING[name](
            x * (1 + 1j) if dtype is np.complex128 else x > 0 if dtype is np.bool_ else x.astype(dtype)
        )

    compared(function, rng.array(2, 3, 4))


def test_more_entries_than_a_dtype_can_count(rng):
    """Which entry is which is found in single bytes and in half precision as well."""
    x = rng.array(70, 60)

    def function(x):
        mask = np.zeros((70, 60), bool)
        mask[5:60] = x[5:60] > 0
        half = np.zeros((70, 60), np.float16)
        half[:, 1:] = x[:, 1:]
        return np.where(mask, x, 0.0), half[::-1], np.concatenate([mask, x[:2] > 0])

    compared(function, x)


INDICES = {
    "a number": 1, "from the end": -1, "slices": (slice(1, None), slice(None, None, -2)), "dots": (..., 0), "a new axis": (slice(None), None, 1),
    "nothing": (), "all": ..., "a list": [0, 1, 1], "arrays": (np.array([0, 1]), np.array([2, 0])), "a table": np.array([[0, 1], [1, 0]]), "lists and slices": ([0, 1], slice(1, 3)),
    "a mask": np.array([True, False]), "a full mask": np.arange(24).reshape(2, 3, 4) % 3 == 0, "a mask beside a list": (slice(None), np.array([True, False, True]), [1, 2]),
    "open grid": np.ix_([0, 1], [0, 2], [3, 1]), "an empty slice": (slice(0, 0),), "an empty list": ([],), "one entry": (1, 2, 3), "separate lists": ([0, 1], slice(None), [1, 2]), "a bool": True,
}


@pytest.mark.parametrize("name", INDICES)
def test_indices(name, rng):
    """Reading and assigning by basic and by fancy indices gives what NumPy gives."""
    index, x = INDICES[name], rng.array(2, 3, 4)
    compared(lambda x: x[index], x)

    def assigned(x):
        y, z = x.copy(), np.zeros((2, 3, 4))
        y[index] = 1.5
        z[index] = x[index] * 2
        z[index] += 1
        return y, z

    compared(assigned, x)


def test_indices_that_follow_from_parameters(rng):
    """Masks and positions that follow from parameters are guards."""
    x = rng.array(3, 4)
    compared(lambda x: (x[x > 0], x[np.argmax(x[:, 0])], x[np.nonzero(x > 1)], x[:, np.argsort(x[0])]), x)
    compared(lambda x: (x[np.where(x[:, 0] > 0)[0]], np.argwhere(x > 0), np.flatnonzero(x < 0)), x)

    def written(x):
        y = x.copy()
        y[y < 0] = 0.0
        y[y > 2] *= 0.5
        return y

    compared(written, x)


def writes_through_views(x):
    y = x.copy()
    w = y[1:]
    w += y[0]
    y.T[...] = y.T * 2
    w[:, 0] = 7.0
    return y, w


def writes_to_a_view_of_a_view(x):
    y = np.zeros((3, 4))
    y[...] = x
    v = y.reshape(4, 3)[::2]
    v *= 3
    y[0] = x[1]
    return y, v, v.sum()


def reads_a_view_after_a_write(x):
    y = x + 0.0
    row, diagonal = y[0], y.ravel()[::5]
    y *= 2
    y[0, 0] = x[1, 1]
    return row, diagonal, row * diagonal[0]


def writes_to_a_transpose_as_it_lies(x):
    y = x.copy().T
    flat = y.ravel("K")
    flat[:3] = 1.0
    return y, flat


def writes_to_flat(x):
    y = x.copy()
    y.flat[2] = 9.0
    y.flat[5:7] = x[0, :2]
    return y, [e for e in y.flat], y.flat[3]


def swaps(x):
    y = x.copy()
    y[0], y[1] = y[1].copy(), y[0].copy()
    y[[0, 2]] = y[[2, 0]]
    return y


def fills(x):
    y, z = np.empty((2, 4)), np.empty_like(x)
    y.fill(x[0, 0])
    z.fill(2.0)
    z.put([0, 5], x[0, :2])
    np.fill_diagonal(z, x[0])
    np.put_along_axis(z, np.array([[1], [0], [2]]), x[:, :1], axis=1)
    np.copyto(y, x[:2], where=y > 0)
    np.place(z, z > 1, [1.5, x[0, 0]])
    np.putmask(z, x > 0, x * 2)
    return y, z


def sorts_in_place(x):
    y, z = x.copy(), x.copy()
    y.sort(axis=0)
    z.partition(2)
    row = y[1]
    row.sort()
    return y, np.sort(z), row


def makes(x):
    a, b, c = np.full((2, 3), x[0, 0]), np.full_like(x, x[1, 1]), np.zeros_like(x)
    d, e = np.zeros_like(np.ones((2, 2))), np.copy(np.ones(3))
    c[1:] = x[1:]
    d[0] = x[0, :2]
    e += x[0, :3]
    f = np.eye(3)
    f *= x[:, :3]
    return a, b, c, d, e, f, np.ones_like(x, dtype=np.float32), np.full_like(x, 2.0, shape=(2,))


def scalars_are_no_arrays(x):
    total = x[0, 0]
    first = total
    total += x[0, 1]
    total *= x[0, 2]
    loss = np.sum(x)
    before = loss
    loss -= 1
    return total, first, loss, before, x[0]


def zero_axes_are_arrays(x):
    y = np.zeros(())
    alias = y
    y += x[0, 0]
    y[...] = y * 2
    return y, alias


def writes_through_real_arrays(x):
    y = x.copy()
    np.real(y)[0] = 1.0
    return y


def rounding_in_place(x):
    y = x.astype(np.float32)
    y += x
    z = np.zeros(4, dtype=np.complex128)
    z += x[0]
    z *= 1j
    k = np.arange(4) + np.zeros(4, int)
    return y, z.real + z.imag, k * x


PYTHON = {
    "iteration": lambda x: [row * 2 for row in x], "entries": lambda x: [e * e for row in x for e in row], "unpacking": lambda x: (lambda a, b, c: a * b + c)(*x),
    "len": lambda x: x * len(x), "sum": lambda x: sum(x), "sum of entries": lambda x: sum(x[0]), "sum of a generator": lambda x: sum(e**2 for e in x[0]),
    "sum from a start": lambda x: sum(x, x[0]), "max": lambda x: max(x[0]), "min": lambda x: min(x[0]), "max of two": lambda x: max(0.0, x[0, 0]) + min(x[0, 1], 1),
    "abs": lambda x: abs(x), "round": lambda x: round(x[0, 0], 2), "sorted": lambda x: sorted(x[0]), "zip": lambda x: sum(a * b for a, b in zip(x[0], x[1], strict=True)),
    "enumerate": lambda x: sum(k * row for k, row in enumerate(x)), "reversed": lambda x: [row for row in reversed(list(x))], "if": lambda x: x * 2 if x[0, 0] > 0 else x * 3,
    "loops": lambda x: [x[i, j] * x[i, j - 1] for i in range(x.shape[0]) for j in range(x.shape[1])], "while": lambda x: _halved(x), "any": lambda x: x if any(x[0] > 0) else -x,
    "all": lambda x: x if np.all(x > -100) else -x, "in": lambda x: x if 1000.0 in x else 2 * x, "copy": lambda x: (copy.copy(x) + 1, copy.deepcopy(x)), "shape": lambda x: x.reshape(x.size) * x.ndim * x.nbytes,
    "map": lambda x: list(map(np.sum, x)), "lists of numbers": lambda x: (np.sum([x[0, 0], x[1, 1]]), np.mean([r.sum() for r in x]), np.max([r.max() for r in x]), np.linalg.norm([x[0, 0], 1.0])),
    "numbers of constants": lambda x: x * float(np.ones(3)[0]) * int(np.zeros(2)[1] + 2) * np.ones(1).item() * np.zeros(2).tolist()[0],
    "constants as indices": lambda x: x[np.zeros(2, dtype=int)], "allclose": lambda x: x if np.allclose(x, x + 1e-12) else -x, "array_equal": lambda x: x if np.array_equal(x, x) else -x,
    "format": lambda x: x * len(f"{x[0, 0]:.2f} {x}") ** 0, "range": lambda x: sum(x[k] for k in range(np.argmax(x[0]) + 1) if k < 3), "bool of one": lambda x: x if x[0, 0] else 2 * x, "isinstance": lambda x: x if np.iscomplexobj(x) else 2 * x,
    "broadcast by shapes": lambda x: x + np.zeros(np.shape(x[0])), "dtype": lambda x: x.astype(np.result_type(x, np.float32)), "empty list": lambda x: np.concatenate([x, np.zeros((0, 4))]), "chained comparison": lambda x: x if -99 < x[0, 0] < 99 else -x,
} | {
    f.__name__: f
    for f in (
        writes_through_views, writes_to_a_view_of_a_view, reads_a_view_after_a_write, writes_to_a_transpose_as_it_lies, writes_to_flat, swaps, fills,
        sorts_in_place, makes, scalars_are_no_arrays, zero_axes_are_arrays, writes_through_real_arrays, rounding_in_place,
    ),
}


def _halved(x):
    while np.abs(x).max() > 1:
        x = x / 2
    return x


@pytest.mark.parametrize("name", PYTHON)
def test_python_and_writes(name, rng):
    """Python's functions, views and writes do to recorded arrays what they do to plain ones."""
    compared(PYTHON[name], rng.array(3, 4))
