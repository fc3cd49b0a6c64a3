"""Products, matrices and transforms, and SciPy's functions of matrices, recorded, against the plain ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.special
from tape_cases import compared

SHAPES = {
    "matrices": ((3, 4), (4, 2)),
    "matrix and vector": ((3, 4), (4,)),
    "vector and matrix": ((3,), (3, 4)),
    "vectors": ((3,), (3,)),
    "stack and matrix": ((2, 3, 4), (4, 2)),
    "stacks": ((2, 3, 4), (2, 4, 5)),
    "matrix and stack": ((3, 4), (2, 4, 5)),
    "stack and vector": ((2, 3, 4), (4,)),
    "vector and stack": ((4,), (2, 4, 5)),
    "stacks, broadcast": ((2, 1, 3, 4), (5, 4, 2)),
    "one": ((1, 1), (1, 1)),
    "rows of one": ((1, 4), (4, 1)),
    "nothing": ((0, 4), (4, 2)),
    "over nothing": ((2, 0), (0, 3)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_matmul(name, rng):
    """x @ y gives what NumPy gives, where one or both are parameters."""
    a, b = SHAPES[name]
    x, y = rng.array(*a), rng.array(*b)
    compared(lambda x, y: x @ y, x, y, exactly=False)
    compared(lambda x: np.matmul(x, y), x, exactly=False)
    compared(lambda y: x @ y, y, exactly=False)
    compared(lambda x: x.astype(np.float32) @ y.astype(np.float32), x, exactly=False)
    compared(lambda x: (x * 1j) @ y, x, exactly=False)


@pytest.mark.parametrize("name", [n for n in SHAPES if "broadcast" not in n])
def test_dot(name, rng):
    """np.dot gives what NumPy gives, of any number of axes."""
    a, b = SHAPES[name]
    x, y = rng.array(*a), rng.array(*b)
    if x.shape[-1] == y.shape[max(y.ndim - 2, 0)]:
        compared(lambda x, y: np.dot(x, y), x, y, exactly=False)
        compared(lambda y: np.dot(x, y), y, exactly=False)
        compared(lambda x: x.dot(y), x, exactly=False)


PRODUCTS = {
    "same twice": lambda x, y: x @ x.T,
    "quadratic": lambda x, y: y[0] @ x @ y[:, 0],
    "dot of a number": lambda x, y: np.dot(2.0, x) + np.dot(x, y[0, 0]),
    "inner": lambda x, y: np.inner(x, y.T),
    "inner of vectors": lambda x, y: np.inner(x[0], y[:, 0]),
    "inner of a number": lambda x, y: np.inner(x, 2.0),
    "outer": lambda x, y: np.outer(x, y[0]),
    "vdot": lambda x, y: np.vdot(x, y),
    "vdot of complex": lambda x, y: np.vdot(x * 1j, y * (1 + 1j)),
    "tensordot": lambda x, y: np.tensordot(x, y, axes=1),
    "tensordot over all": lambda x, y: np.tensordot(x, y.T, axes=2),
    "tensordot of axes": lambda x, y: np.tensordot(x, y, axes=([1, 0], [0, 1])),
    "tensordot of none": lambda x, y: np.tensordot(x, y, axes=0),
    "kron": lambda x, y: np.kron(x, y),
    "trace": lambda x, y: np.trace(x @ y),
    "trace beside": lambda x, y: np.trace(x, 1),
    "cross": lambda x, y: np.cross(x.T, y),
    "multi_dot": lambda x, y: np.linalg.multi_dot([x, y, x]),
    "vecdot": lambda x, y: np.vecdot(x, y.T),
    "matvec": lambda x, y: np.matvec(x, y[:, 0]),
    "vecmat": lambda x, y: np.vecmat(x[:, 0], x),
    "linalg.matmul": lambda x, y: np.linalg.matmul(x, y),
    "linalg.outer": lambda x, y: np.linalg.outer(x[0], y[0]),
    "linalg.tensordot": lambda x, y: np.linalg.tensordot(x, y, axes=1),
    "linalg.trace": lambda x, y: np.linalg.trace(x),
    "linalg.diagonal": lambda x, y: np.linalg.diagonal(x),
    "linalg.vecdot": lambda x, y: np.linalg.vecdot(x[0], y[:, 0]),
    "linalg.cross": lambda x, y: np.linalg.cross(x.T, y),
    "convolve": lambda x, y: np.convolve(x[0], y[0], mode="same"),
    "convolve constants": lambda x, y: np.convolve([1.0, 2.0, 1.0], x[0]),
    "correlate": lambda x, y: np.correlate(x[0], y[:, 0], "full"),
    "into": lambda x, y: np.dot(x, y, out=np.zeros((3, 3))),
    "matmul into": lambda x, y: np.matmul(x, y, out=np.zeros((3, 3))),
    "polyfit": lambda x, y: np.polyfit([0.0, 1.0, 2.0, 3.0], x[0], 1),
    "poly": lambda x, y: np.poly(x[0]),
    "roots": lambda x, y: np.abs(np.roots(np.abs(x[0]) + 1)),
    "polymul": lambda x, y: np.polymul(x[0], y[0]),
    "polyder": lambda x, y: np.polyder(x[0]),
    "list of numbers": lambda x, y: np.dot([x[0, 0], x[0, 1], 1.0], y[:3]),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name, rng):
    """Products of all kinds give what NumPy gives."""
    compared(PRODUCTS[name], rng.array(3, 4, largest=2.0), rng.array(4, 3, largest=2.0), exactly=False)


EINSUMS = (
    "ij,jk->ik", "ij,jk", "ij,jk->ki", "ij,jk->", "ij,kj->", "ij,ij->ij", "ij,ij->i", "ij,ij", "ij,kl->ijkl", "ij,jk->j", "ij,kl->il", "i j , j k -> k i", "ij,kj->ikj",
)  # fmt: skip


@pytest.mark.parametrize("text", EINSUMS)
def test_einsum_of_two(text, rng):
    """An einsum of two arrays gives what NumPy gives."""
    sizes = dict(zip("ijkl", (3, 4, 2, 5), strict=True))
    left, right = (part.strip() for part in text.partition("->")[0].split(","))
    x, y = (rng.array(*(sizes[c] for c in part.replace(" ", ""))) for part in (left, right))
    compared(lambda x, y: np.einsum(text, x, y), x, y, exactly=False)
    compared(lambda y: np.einsum(text, x, y), y, exactly=False)


EINSUMS_OF_OTHERS = {
    "trace": lambda x, t: np.einsum("ii", x),
    "diagonal": lambda x, t: np.einsum("ii->i", x),
    "transpose": lambda x, t: np.einsum("ij->ji", x),
    "sum": lambda x, t: np.einsum("ij->j", x),
    "three": lambda x, t: np.einsum("ij,jk,kl->il", x, x, x),
    "three, best": lambda x, t: np.einsum("ij,jk,kl->il", x, x, x, optimize=True),
    "dots": lambda x, t: np.einsum("...i,ij->...j", t, x),
    "dots alone": lambda x, t: np.einsum("...ij->...ji", t),
    "lists": lambda x, t: np.einsum(x, [0, 1], x, [1, 2], [0, 2]),
    "heads": lambda x, t: np.einsum("bqi,bki->bqk", t, t),
    "heads and values": lambda x, t: np.einsum("bqk,bki->bqi", np.einsum("bqi,bki->bqk", t, t), t),
    "repeated": lambda x, t: np.einsum("ii,ij->j", x, x),
    "scalar": lambda x, t: np.einsum(",ij->ij", 2.0, x),
    "in place of a scalar": lambda x, t: _added(np.einsum("ij,ij->", x, x)),
    "in single precision": lambda x, t: np.einsum("ij,jk->ik", x, x, dtype=np.float32, casting="same_kind"),
    "into": lambda x, t: np.einsum("ij,jk->ik", x, x, out=np.zeros((3, 3))),
    "path": lambda x, t: np.einsum("ij,jk->ik", x, x, optimize="greedy"),
}


def _added(total):
    before = total
    total += 1
    return total, before


@pytest.mark.parametrize("name", EINSUMS_OF_OTHERS)
def test_einsum_of_others(name, rng):
    """Any other einsum gives what NumPy gives."""
    compared(EINSUMS_OF_OTHERS[name], rng.array(3, 3), rng.array(2, 4, 3), exactly=False)


MATRICES = (
    "inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals", "qr", "pinv", "cond", "matrix_rank", "norm", "matrix_norm", "vector_norm", "matrix_transpose",
)  # fmt: skip


def spread_out(rng, size):
    """A symmetric matrix with eigenvalues that stand apart."""
    noise = rng.array(size, size, largest=0.3)
    return noise + noise.T + np.diag(np.arange(4.0, 4.0 + 3 * size, 3))


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name, rng):
    """A function of a matrix, or of a stack of them, gives what NumPy gives."""
    function, x = getattr(np.linalg, name), spread_out(rng, 3)
    compared(lambda x: function(x), x, exactly=False)
    compared(lambda x: function(np.stack([x, 2 * x])), x, exactly=False)


OF_MATRICES = {
    "solve": lambda x, b: np.linalg.solve(x, b),
    "solve by a vector": lambda x, b: np.linalg.solve(x, b[:, 0]),
    "solve constants": lambda x, b: np.linalg.solve(np.eye(3) * 2, b),
    "solve stacks": lambda x, b: np.linalg.solve(np.stack([x, x]), b),
    "lstsq": lambda x, b: np.linalg.lstsq(x, b, rcond=None)[0],
    "matrix_power": lambda x, b: np.linalg.matrix_power(x, 3),
    "inverse power": lambda x, b: np.linalg.matrix_power(x, -2),
    "svd without vectors": lambda x, b: np.linalg.svd(x, compute_uv=False),
    "svd thin": lambda x, b: np.linalg.svd(b, full_matrices=False),
    "qr complete": lambda x, b: np.linalg.qr(b, mode="complete"),
    "r of qr": lambda x, b: np.linalg.qr(b, mode="r"),
    "pinv of any": lambda x, b: np.linalg.pinv(b),
    "eigh from above": lambda x, b: np.linalg.eigh(x, UPLO="U"),
    "upper": lambda x, b: np.linalg.cholesky(x, upper=True),
    "names": lambda x, b: np.linalg.eigh(x).eigenvalues + np.linalg.slogdet(x).logabsdet,
    "norm 1": lambda x, b: np.linalg.norm(b, 1),
    "norm of rows": lambda x, b: np.linalg.norm(b, axis=1),
    "norm of columns, kept": lambda x, b: np.linalg.norm(b, axis=0, keepdims=True),
    "norms of a vector": lambda x, b: [
        np.linalg.norm(b[:, 0], p) for p in (None, 1, 2, 3, np.inf, -np.inf, 0)
    ],
    "norms of rows": lambda x, b: [np.linalg.norm(b, p, axis=1) for p in (1, 2, 3, np.inf)],
    "norms of a matrix": lambda x, b: [np.linalg.norm(x, p) for p in ("fro", "nuc", 1, 2, np.inf)],
    "norm of axes": lambda x, b: np.linalg.norm(b, axis=(0, 1)),
    "norm, kept": lambda x, b: np.linalg.norm(b, keepdims=True),
    "norm of a transpose": lambda x, b: np.linalg.norm(b.T),
    "tensorsolve": lambda x, b: np.linalg.tensorsolve(x, b[:, 0]),
    "tensorinv": lambda x, b: np.linalg.tensorinv(x, ind=1),
    "logdet by cholesky": lambda x, b: 2 * np.log(np.diag(np.linalg.cholesky(x))).sum(),
}


@pytest.mark.parametrize("name", OF_MATRICES)
def test_of_matrices(name, rng):
    """Systems of equations, norms, powers and factors give what NumPy gives."""
    compared(OF_MATRICES[name], spread_out(rng, 3), rng.array(3, 2), exactly=False)


FFTS = (
    "fft",
    "ifft",
    "rfft",
    "irfft",
    "hfft",
    "ihfft",
    "fft2",
    "ifft2",
    "rfft2",
    "irfft2",
    "fftn",
    "ifftn",
    "rfftn",
    "irfftn",
    "fftshift",
    "ifftshift",
)


@pytest.mark.parametrize("name", FFTS)
def test_transforms(name, rng):
    """A transform gives what NumPy gives, along its own axes and others."""
    function, x = getattr(np.fft, name), rng.array(2, 3, 4)
    compared(lambda x: function(x), x, exactly=False)
    if "shift" in name:
        compared(lambda x: function(x, 1), x)
    elif name.endswith(("2", "n")):
        compared(lambda x: function(x, axes=(0, 1)), x, exactly=False)
        compared(lambda x: function(x, s=(4, 6), axes=(1, 2), norm="ortho"), x, exactly=False)
    else:
        compared(lambda x: function(x, axis=0), x, exactly=False)
        compared(lambda x: function(x, 6, 1, "forward"), x, exactly=False)


SCIPY = {
    "logsumexp": lambda x, b: scipy.special.logsumexp(b),
    "logsumexp along": lambda x, b: scipy.special.logsumexp(b, axis=1, keepdims=True),
    "logsumexp by weights": lambda x, b: scipy.special.logsumexp(b, axis=0, b=[[1.0], [2.0], [0.5]]),
    "logsumexp by parameters": lambda x, b: scipy.special.logsumexp(b, axis=0, b=np.abs(x[:, :1])),
    "softmax": lambda x, b: scipy.special.softmax(b, axis=1),
    "log_softmax": lambda x, b: scipy.special.log_softmax(b, axis=0),
    "softmax of all": lambda x, b: scipy.special.softmax(b),
    "cho_solve": lambda x, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x), b),
    "cho_solve lower": lambda x, b: scipy.linalg.cho_solve(
        (np.linalg.cholesky(x), True), b, overwrite_b=True
    ),
    "cho_factor": lambda x, b: np.triu(scipy.linalg.cho_factor(x)[0]),
    "solve_triangular": lambda x, b: scipy.linalg.solve_triangular(np.tril(x), b, lower=True),
    "cholesky": lambda x, b: scipy.linalg.cholesky(x, lower=True),
    "solve": lambda x, b: scipy.linalg.solve(x, b, assume_a="pos"),
    "inv": lambda x, b: scipy.linalg.inv(x),
    "det": lambda x, b: scipy.linalg.det(x),
    "expm": lambda x, b: scipy.linalg.expm(x / 10),
    "block_diag": lambda x, b: scipy.linalg.block_diag(x, b),
    "toeplitz": lambda x, b: scipy.linalg.toeplitz(b[:, 0]),
    "convolve2d": lambda x, b: scipy.signal.convolve2d(x, b, mode="same"),
    "correlate": lambda x, b: scipy.signal.correlate(x, b),
    "lfilter": lambda x, b: scipy.signal.lfilter([1.0, 0.5], [1.0, -0.2], x, axis=0),
}


@pytest.mark.parametrize("name", SCIPY)
def test_scipy(name, rng):
    """SciPy's functions of arrays give what they give of plain ones."""
    compared(SCIPY[name], spread_out(rng, 3), rng.array(3, 2), exactly=False)
