"""Costs that write into their arrays in intricate ways, recorded, against the plain ones."""

import numpy as np
import pytest
from tape_cases import compared


def rows_in_a_loop(x):
    """Rows that a loop writes to are views."""
    y = x.copy()
    for row in y:
        row *= 2
    return y


def swapped_rows(x):
    """The classic swap of views, which loses a row."""
    y = x.copy()
    y[0], y[1] = y[1], y[0]
    return y


def overlapping(x):
    """Writes that overlap with what is read."""
    y = x.copy()
    y[1:] += y[:-1]
    y[:, 1:] = y[:, :-1]
    np.add(y[0], y[1], out=y[1])
    np.matmul(y[:, :3], y[:3, :3], out=y[:, :3])
    return y


def a_table(x):
    """A dynamic programme, entry by entry."""
    al = np.zeros((5, 4))
    al[0] = x[0]
    for t in range(1, 5):
        for s in range(4):
            al[t, s] = np.logaddexp(al[t - 1, s], al[t - 1, max(s - 1, 0)]) + x[t % 3, s]
    return al


def a_list_of_rows(x):
    """Rows in a list, sorted by Python."""
    rows = [row * k for k, row in enumerate(x)]
    rows[1] += 1
    rows.sort(key=lambda row: row[0])
    return np.array(rows)


def views_of_copies(x):
    """np.array copies, np.asarray and np.atleast_2d do not."""
    y = np.array(x)
    z = np.asarray(y)
    z += 1
    w = np.atleast_2d(y)
    w *= 2
    u = y[...]
    u[0] = 0
    return y, z, w


def masks(x):
    """Masks, and a view that is written to."""
    y = x.ravel()
    y = y.copy()
    m = y > 0
    y[m] = np.log1p(y[m])
    y[~m] *= 0.5
    z = y.reshape(3, 4)
    z -= z.mean(axis=0)
    return y


def transposes_and_diagonals(x):
    """A transpose is a view, a copied diagonal is none."""
    y = np.einsum("ij->ji", x)
    z = np.broadcast_to(x[0], (3, 4)).copy()
    z += x
    k = np.diagonal(x[:, :3]).copy()
    k *= 2
    return y, z, k


def names_of_one_array(x):
    """Two names of one array, and of one number."""
    t = x[0, 0]
    t2 = np.float64(3.0) * t
    t2 += 1
    q = x[0]
    r = q
    r = r + 1
    s = x.sum(axis=0)
    s2 = s
    s -= 1
    return t2, q, r, s, s2


def reshapes_that_copy(x):
    """Reshaping a transpose copies."""
    y = x.T.copy()
    v = y.reshape(-1)
    v[0] = 5
    w = y.T.reshape(-1)
    w[0] = 9
    return y, v, w


def aliases(x):
    """An alias is written to, a copy is not."""
    a = np.zeros((2, 2))
    b = a
    b[0, 0] = x[0, 0]
    a += x[:2, :2]
    c = a.copy()
    a[1] = 7
    return a, b, c, a is b


def a_part(x):
    """A part of a copy is written to."""
    y = np.split(x.copy(), 2, axis=1)
    y[0] += 1
    return y


def parts(x):
    """Parts are views of the whole."""
    y = x.copy()
    p, q = np.split(y, 2, axis=1)
    p += 1
    q[...] = p
    return y


def unpacked_rows(x):
    """Unpacked rows are views."""
    y = x.copy()
    p, q, r = y
    p += q
    q -= r
    return y


def into_itself(x):
    """out= is the argument itself, or a row of it."""
    y = x.copy()
    np.clip(y, -0.5, 0.5, out=y)
    y.clip(0, None, out=y)
    np.cumsum(y, axis=0, out=y)
    y.sum(axis=0, out=y[0])
    return y


def changed_axes(x):
    """Swapped, squeezed and new axes are views."""
    y = x.copy()
    z = np.swapaxes(y, 0, 1)[1:3]
    z[0] += z[1]
    s = np.squeeze(y[:1])
    s *= 3
    e = np.expand_dims(y, 0)
    e[0, 2] = 1
    return y


def integers(x):
    """Parameters are written into integers."""
    y = np.zeros(3, dtype=int)
    y[0] = x[0, 0] * 10
    y += x[:, 0] > 0
    return y * 1.0


def windows(x):
    """Windows are read."""
    w = np.lib.stride_tricks.sliding_window_view(x.copy(), 2, axis=1)
    return w.max(axis=-1), w @ np.ones(2)


def repeated_indices(x):
    """Repeated indices count once, but for ufunc.at."""
    y = x.copy()
    y[[0, 0, 1]] += 1
    np.add.at(y, [0, 0], x[1])
    y[np.ix_([0, 2], [1, 3])] *= 2
    y[..., None][0] = 4
    return y


def complex_numbers(x):
    """Complex numbers, written to."""
    z = x + 1j * x[::-1]
    z *= 2
    z[0] = z[1].conj()
    return z.real, z.imag, np.abs(z), np.angle(z)


def a_recurrence(x):
    """States in a list, stacked."""
    h = np.zeros(4)
    hs = []
    for k in range(3):
        h = np.tanh(x[k] + h)
        hs.append(h)
    H = np.stack(hs)
    H[0] += 1
    return H, hs[0]


COSTS = (
    rows_in_a_loop,
    swapped_rows,
    overlapping,
    a_table,
    a_list_of_rows,
    views_of_copies,
    masks,
    transposes_and_diagonals,
    names_of_one_array,
    reshapes_that_copy,
    aliases,
    a_part,
    parts,
    unpacked_rows,
    into_itself,
    changed_axes,
    integers,
    windows,
    repeated_indices,
    complex_numbers,
    a_recurrence,
)


@pytest.mark.parametrize("cost", COSTS, ids=lambda f: f.__name__)
def test_writes(cost, rng):
    """Each gives what NumPy gives, at the parameters and at other points."""
    compared(cost, rng.array(3, 4, largest=2.0), exactly=False)


SPARSE = {
    "elementwise": lambda x: np.tanh(x) * 2 + np.ones((8, 4)),
    "moved": lambda x: np.concatenate([x.T[1:], np.zeros((1, 8))]).reshape(2, 16)[:, ::-1],
    "written": lambda x: lopsided(x),
    "summed": lambda x: np.sum(x, axis=0),
    "a product": lambda x: x @ np.ones((4, 5)),
    "means": lambda x: np.mean(x, axis=1, keepdims=True),
}


def lopsided(x):
    """A table that is filled with parts of the parameters."""
    table = np.zeros((6, 8))
    table[1:4, 2:6] = x[:3]
    np.fill_diagonal(table, 1.0)
    return table


@pytest.mark.parametrize("name", SPARSE)
def test_few_entries_stay_few(name, rng):
    """Where one parameter is moved, what follows from it is a list of few entries."""
    assert "Sparse" in compared(SPARSE[name], rng.array(8, 4), exactly=False)
