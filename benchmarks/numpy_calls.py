"""One call of each public function of NumPy, and what the functions do that no recording concerns.

`numpy_coverage` records these calls. Functions that take one array are called with it, and are not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 5.0, 2.0], [0.5, 2.0, 6.0]])
"""The parameters: a symmetric matrix with eigenvalues that stand apart."""

Call = Callable[[Any], Any]


def _written(write: Callable[[Any], Any]) -> Call:
    """A call that writes to a copy, and gives it."""

    def call(x: Any) -> Any:
        y = x.copy()
        write(y)
        return y

    return call


CALLS: dict[str, Call] = {
    "allclose": lambda x: x * np.allclose(x, x),
    "append": lambda x: np.append(x, x),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: row / row.sum(), 1, x),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x, [0]),
    "arange": lambda x: np.arange(x[0, 0]),
    "argpartition": lambda x: np.argpartition(x, 1),
    "array": lambda x: np.array([x[0, 0], 1.0]),
    "array_equal": lambda x: x * np.array_equal(x, x),
    "array_equiv": lambda x: x * np.array_equiv(x, x),
    "array_split": lambda x: np.array_split(x, 2),
    "astype": lambda x: np.astype(x, np.float32),
    "asanyarray": lambda x: np.asanyarray([x[0, 0], 1.0]),
    "asarray": lambda x: np.asarray([x[0, 0], 1.0]),
    "asarray_chkfinite": lambda x: np.asarray_chkfinite(x),
    "ascontiguousarray": lambda x: np.ascontiguousarray(x),
    "asfortranarray": lambda x: np.asfortranarray(x),
    "bincount": lambda x: np.bincount([0, 1, 1], weights=x[0]),
    "bmat": lambda x: np.bmat([[x, x]]),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 3)),
    "choose": lambda x: np.choose([0, 1, 0], [x[0], x[1]]),
    "compress": lambda x: np.compress([True, False, True], x, axis=0),
    "convolve": lambda x: np.convolve(x[0], x[1]),
    "copyto": _written(lambda y: np.copyto(y, 2 * y)),
    "correlate": lambda x: np.correlate(x[0], x[1], "full"),
    "cross": lambda x: np.cross(x, x[0]),
    "cumulative_prod": lambda x: np.cumulative_prod(x, axis=0),
    "cumulative_sum": lambda x: np.cumulative_sum(x, axis=0),
    "delete": lambda x: np.delete(x, 1, axis=0),
    "digitize": lambda x: np.digitize(x, [1.5, 3.0]),
    "dot": lambda x: np.dot(x, x),
    "dsplit": lambda x: np.dsplit(x[None], 3),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, 2 * x),
    "einsum_path": lambda x: np.einsum_path("ij,jk,kl->il", x, x, x),
    "empty_like": lambda x: np.empty_like(x) * 0 * x,
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "extract": lambda x: np.extract(np.eye(3) > 0, x),
    "fill_diagonal": _written(lambda y: np.fill_diagonal(y, y[0])),
    "fromfunction": lambda x: np.fromfunction(lambda i, j: x * i, (3, 3)),
    "fromiter": lambda x: np.fromiter(x[0], float),
    "frompyfunc": lambda x: np.frompyfunc(abs, 1, 1)(x),
    "full": lambda x: np.full((2, 2), x[0, 0]),
    "full_like": lambda x: np.full_like(x, x[0, 0]),
    "geomspace": lambda x: np.geomspace(1.0, x[0, 0]),
    "histogram2d": lambda x: np.histogram2d(x[0], x[1], bins=2, range=[[0.0, 7.0]] * 2),
    "hsplit": lambda x: np.hsplit(x, 3),
    "inner": lambda x: np.inner(x, 2 * x),
    "insert": lambda x: np.insert(x, 1, 2.0, axis=0),
    "interp": lambda x: np.interp(x, [0.0, 3.3, 9.0], [1.0, 2.0, 0.0]),
    "intersect1d": lambda x: np.intersect1d(x[0], x[0]),
    "isclose": lambda x: np.isclose(x, x[0]),
    "isin": lambda x: np.isin(x, [1.0, 2.0]),
    "ix_": lambda x: np.ix_(x[0]),
    "kaiser": lambda x: np.kaiser(4, x[0, 0]),
    "kron": lambda x: np.kron(x, x),
    "linspace": lambda x: np.linspace(0.0, x[0, 0], 4),
    "logspace": lambda x: np.logspace(0.0, x[0, 0], 4),
    "matmul": lambda x: np.matmul(x, x),
    "matvec": lambda x: np.matvec(x, x[0]),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "nanpercentile": lambda x: np.nanpercentile(x, 30, axis=0),
    "nanquantile": lambda x: np.nanquantile(x, 0.3, axis=0),
    "outer": lambda x: np.outer(x, x),
    "pad": lambda x: np.pad(x, 1),
    "partition": lambda x: np.partition(x, 1),
    "percentile": lambda x: np.percentile(x, 30, axis=0),
    "piecewise": lambda x: np.piecewise(x, [x > 3], [lambda z: z * z, lambda z: -z]),
    "place": _written(lambda y: np.place(y, np.eye(3) > 0, [y[0, 1]])),
    "polyadd": lambda x: np.polyadd(x[0], x[1]),
    "polyder": lambda x: np.polyder(x[0]),
    "polydiv": lambda x: np.polydiv(x[0], x[1, :2]),
    "polyfit": lambda x: np.polyfit([0.0, 1.0, 2.0], x[0], 1),
    "polyint": lambda x: np.polyint(x[0]),
    "polymul": lambda x: np.polymul(x[0], x[1]),
    "polysub": lambda x: np.polysub(x[0], x[1]),
    "polyval": lambda x: np.polyval([1.0, 2.0], x),
    "put": _written(lambda y: np.put(y, [0, 4], y[0, 1:])),
    "put_along_axis": _written(lambda y: np.put_along_axis(y, np.array([[0]]), y[:1, 1:2], 1)),
    "putmask": _written(lambda y: np.putmask(y, np.eye(3) > 0, 2 * y)),
    "quantile": lambda x: np.quantile(x, 0.3, axis=0),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "require": lambda x: np.require(x, requirements="C"),
    "reshape": lambda x: np.reshape(x, 9),
    "resize": lambda x: np.resize(x, (2, 5)),
    "roll": lambda x: np.roll(x, 1),
    "rollaxis": lambda x: np.rollaxis(x, 1),
    "roots": lambda x: np.roots(x[0]),
    "save": lambda x: np.save("x", x),
    "savetxt": lambda x: np.savetxt("x", x),
    "savez": lambda x: np.savez("x", x),
    "savez_compressed": lambda x: np.savez_compressed("x", x),
    "searchsorted": lambda x: np.searchsorted([1.5, 3.0], x),
    "select": lambda x: np.select([x > 3], [2 * x], 0.5),
    "setdiff1d": lambda x: np.setdiff1d(x[0], [1.0]),
    "setxor1d": lambda x: np.setxor1d(x[0], [1.5]),
    "split": lambda x: np.split(x, 3),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "take": lambda x: np.take(x, [0, 2], axis=1),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0], [1], [2]]), 1),
    "tensordot": lambda x: np.tensordot(x, x, axes=1),
    "tile": lambda x: np.tile(x, 2),
    "union1d": lambda x: np.union1d(x[0], [1.5]),
    "unique": lambda x: np.unique(x[0]),
    "unique_all": lambda x: np.unique_all(x[0]),
    "unique_counts": lambda x: np.unique_counts(x[0]),
    "unique_inverse": lambda x: np.unique_inverse(x[0]),
    "unique_values": lambda x: np.sort(np.unique_values(x[0])),
    "vander": lambda x: np.vander(x[0]),
    "vdot": lambda x: np.vdot(x, 2 * x),
    "vecdot": lambda x: np.vecdot(x, x[0]),
    "vecmat": lambda x: np.vecmat(x[0], x),
    "vsplit": lambda x: np.vsplit(x, 3),
    "poly": lambda x: np.poly(x[0]),
    "trim_zeros": lambda x: np.trim_zeros(x[0]),
    "where": lambda x: np.where(x > 3, x, 0.5),
    "nonzero": lambda x: x[np.nonzero(x > 3)],
    "flatnonzero": lambda x: x.ravel()[np.flatnonzero(x > 3)],
    "argwhere": lambda x: np.argwhere(x > 3) * x[0, 0],
    "linalg.cross": lambda x: np.linalg.cross(x, x[0]),
    "linalg.lstsq": lambda x: np.linalg.lstsq(x, x[0])[0],
    "linalg.matmul": lambda x: np.linalg.matmul(x, x),
    "linalg.matrix_power": lambda x: np.linalg.matrix_power(x, 3),
    "linalg.multi_dot": lambda x: np.linalg.multi_dot([x, x, x]),
    "linalg.outer": lambda x: np.linalg.outer(x[0], x[1]),
    "linalg.solve": lambda x: np.linalg.solve(x, x[0]),
    "linalg.tensordot": lambda x: np.linalg.tensordot(x, x, axes=1),
    "linalg.tensorinv": lambda x: np.linalg.tensorinv(x, ind=1),
    "linalg.tensorsolve": lambda x: np.linalg.tensorsolve(x, x[0]),
    "linalg.vecdot": lambda x: np.linalg.vecdot(x, x[0]),
    "ldexp": lambda x: np.ldexp(x, 2),
    "lib.stride_tricks.sliding_window_view": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=0),
    "lib.stride_tricks.as_strided": lambda x: np.lib.stride_tricks.as_strided(x, (2,), (8,)),
    "vectorize": lambda x: np.vectorize(abs)(x),
    "nditer": lambda x: [e * 1 for e in np.nditer(x)],
    "ndenumerate": lambda x: [e * 1 for _, e in np.ndenumerate(x)],
    "poly1d": lambda x: np.poly1d(x[0])(2.0),
    "matrix": lambda x: np.matrix(x),
    "asmatrix": lambda x: np.asmatrix(x),
    "r_": lambda x: np.r_[x[0], 1.0],
    "c_": lambda x: np.c_[x[0], x[1]],
    "ndarray.T": lambda x: x.T,
    "ndarray.mT": lambda x: x.mT,
    "ndarray.real": lambda x: x.real,
    "ndarray.imag": lambda x: (x * 1j).imag,
    "ndarray.flat": lambda x: x.flat[2:4],
    "ndarray.argpartition": lambda x: x.argpartition(1),
    "ndarray.astype": lambda x: x.astype(np.float32),
    "ndarray.choose": lambda x: (x[0] > 1).astype(int).choose([x[0], x[1]]),
    "ndarray.clip": lambda x: x.clip(1.5, 3.3),
    "ndarray.compress": lambda x: x.compress([True, False, True], axis=0),
    "ndarray.dot": lambda x: x.dot(x),
    "ndarray.fill": _written(lambda y: y.fill(y[0, 0])),
    "ndarray.item": lambda x: x[0, 0].item() * x,
    "ndarray.partition": _written(lambda y: y.partition(1)),
    "ndarray.put": _written(lambda y: y.put([0], y[1, 1])),
    "ndarray.repeat": lambda x: x.repeat(2),
    "ndarray.reshape": lambda x: x.reshape(9),
    "ndarray.searchsorted": lambda x: np.sort(x[0]).searchsorted(x[1]),
    "ndarray.sort": _written(lambda y: y.sort()),
    "ndarray.swapaxes": lambda x: x.swapaxes(0, 1),
    "ndarray.take": lambda x: x.take([0, 4]),
    "ndarray.nonzero": lambda x: x[(x > 3).nonzero()],
    "ndarray.resize": lambda x: x.resize((9,)),
    "ndarray.base": lambda x: x.base,
    "ndarray.ctypes": lambda x: x.ctypes,
    "ndarray.data": lambda x: x.data,
    "ndarray.getfield": lambda x: x.getfield(np.float32),
    "ndarray.setfield": lambda x: x.setfield(1.0, float),
    "ndarray.to_device": lambda x: x.to_device("cpu"),
    "ndarray.tofile": lambda x: x.tofile("x"),
    "ndarray.dump": lambda x: x.dump("x"),
    "ndarray.view": lambda x: x.view(np.int64),
    "ndarray.device": lambda x: x.device,
    "ndarray.setflags": lambda x: x.setflags(write=False),
    "ndarray.byteswap": lambda x: x.byteswap(),
}
"""Calls by name, of the functions that take more than one array."""

PLAIN: dict[str, str] = {
    "what is asked of shapes and dtypes": (
        "shape ndim size result_type can_cast promote_types min_scalar_type common_type mintypecode "
        "typename isdtype issubdtype iscomplexobj isrealobj isscalar iterable isfortran may_share_memory "
        "shares_memory broadcast_shapes ndarray.dtype ndarray.shape ndarray.size ndarray.ndim "
        "ndarray.nbytes ndarray.itemsize ndarray.strides ndarray.flags"
    ),
    "arrays made of constants, into which parameters may be written": (
        "zeros ones empty eye identity zeros_like ones_like copy"
    ),
    "arrays made of constants": (
        "indices tri diag_indices diag_indices_from tril_indices tril_indices_from triu_indices "
        "triu_indices_from mask_indices ravel_multi_index unravel_index bartlett blackman hamming hanning "
        "fft.fftfreq fft.rfftfreq packbits unpackbits"
    ),
    "files, text, dates": (
        "load loadtxt genfromtxt fromfile fromregex fromstring frombuffer from_dlpack base_repr binary_repr "
        "format_float_positional format_float_scientific busday_count busday_offset is_busday "
        "datetime_as_string datetime_data"
    ),
    "settings": (
        "geterr seterr geterrcall seterrcall getbufsize setbufsize get_printoptions set_printoptions "
        "printoptions get_include show_config show_runtime info test nested_iters"
    ),
}
"""Functions that are called as they are: what they give does not depend on the parameters' values."""
