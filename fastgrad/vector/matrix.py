"""A claimed Jacobian, of whatever kind: an array, nested arrays, sparse, a LinearOperator.

Notation: J_ki = dF_k/dx_i, m outputs and n parameters, both flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.structure import flatten
from fastgrad.vector.outputs import Outputs


class Matrix(Protocol):
    """A claimed Jacobian (m, n), by its products."""

    def transposed(self, u: Floats) -> Floats:
        """(n,) J^T u."""

    def times(self, v: Floats) -> Floats:
        """(m,) J v."""

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries on a CSC pattern, in its order; None where they take more than so many products."""

    @property
    def pattern(self) -> Any:
        """Where J may be other than 0, as a scipy.sparse array in CSC; None where that is everywhere."""


class Dense:
    """A Jacobian that is an array (m, n)."""

    pattern = None

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    def transposed(self, u: Floats) -> Floats:
        """(n,) J^T u."""
        return np.asarray(self.array.T @ u, dtype=np.float64)

    def times(self, v: Floats) -> Floats:
        """(m,) J v."""
        return np.asarray(self.array @ v, dtype=np.float64)

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries on a pattern."""
        columns = np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))
        return np.asarray(self.array[pattern.indices, columns], dtype=np.float64)


class Sparse(Dense):
    """A scipy.sparse matrix or array (m, n); its stored entries are the pattern."""

    @property
    def pattern(self) -> Any:  # type: ignore[override]
        """The stored entries, in CSC."""
        from scipy import sparse

        return sparse.csc_array(self.array)

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries on a pattern, zero where none is stored."""
        mine = self.pattern
        mine.sum_duplicates()
        columns = np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))
        keys = np.repeat(np.arange(mine.shape[1]), np.diff(mine.indptr)) * mine.shape[0] + mine.indices
        wanted = columns * mine.shape[0] + pattern.indices
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        if not len(keys):
            return np.zeros(len(wanted))
        return np.where(keys[at] == wanted, mine.data[at], 0.0).astype(np.float64)


class Operator:
    """A scipy.sparse.linalg.LinearOperator (m, n)."""

    pattern = None

    def __init__(self, operator: Any) -> None:
        self.operator = operator

    def transposed(self, u: Floats) -> Floats:
        """(n,) J^T u.

        Raises
        ------
        InputError
            Where the operator has no rmatvec.
        """
        try:
            return np.asarray(self.operator.rmatvec(u), dtype=np.float64).reshape(-1)
        except NotImplementedError:
            raise InputError(
                "the Jacobian is a LinearOperator without rmatvec, so J^T u is not known: give it one, or "
                "check the products that it has, check_jvp(F, lambda x, v: J(x).matvec(v), x)",
                code="FG705",
            ) from None

    def times(self, v: Floats) -> Floats:
        """(m,) J v."""
        return np.asarray(self.operator.matvec(v), dtype=np.float64).reshape(-1)

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries on a pattern, by a product for each column."""
        count, ends = pattern.shape[1], pattern.indptr
        if count > most:
            return None
        units = np.eye(count)
        return np.concatenate(
            [self.times(units[i])[pattern.indices[ends[i] : ends[i + 1]]] for i in range(count)]
        )


def matrix(value: Any, parameters: Parameters, outputs: Outputs) -> Matrix:
    """A claimed Jacobian from what the user gave or returned.

    Parameters
    ----------
    value : array (m, n) or (*output shape, *parameter shape); scipy.sparse matrix or LinearOperator (m, n);
        or for several blocks arrays nested as [output][parameter]
    parameters, outputs : whose Jacobian it is

    Raises
    ------
    InputError
        For another shape or structure.
    """
    wanted = (outputs.size, parameters.size)
    if _is_operator(value):
        _require_shape(tuple(value.shape), wanted, value)
        return Operator(value)
    if hasattr(value, "tocsc") and hasattr(value, "nnz"):
        _require_shape(tuple(value.shape), wanted, value)
        return Sparse(value)
    if len(parameters.blocks) == len(outputs.blocks) == 1 or isinstance(value, np.ndarray):
        return Dense(_one_array(to_array(value, "the Jacobian"), parameters, outputs))
    return Dense(_nested(value, parameters, outputs))


def at(jacobian: Any, params: Any, args: tuple[Any, ...]) -> Any:
    """A Jacobian at some parameters: what it returns if it is a function of them, else itself.

    A LinearOperator can be called too, and is none.

    Parameters
    ----------
    jacobian : as for check_jacobian
    params, args : what it is called with
    """
    return jacobian(params, *args) if is_function(jacobian) else jacobian


def is_function(jacobian: Any) -> bool:
    """Whether a Jacobian is a function of the parameters."""
    return callable(jacobian) and not _is_operator(jacobian)


def _is_operator(value: Any) -> bool:
    return hasattr(value, "rmatvec") and hasattr(value, "matvec")


def _one_array(array: npt.NDArray[Any], parameters: Parameters, outputs: Outputs) -> npt.NDArray[Any]:
    wanted = (outputs.size, parameters.size)
    shapes: list[tuple[int, ...]] = [wanted]
    if len(parameters.blocks) == len(outputs.blocks) == 1:
        shapes.append(outputs.blocks[0].shape + parameters.blocks[0].shape)
    if array.shape not in shapes:
        _require_shape(array.shape, wanted, array)
    if array.dtype.kind not in "fiu":
        raise InputError(f"the Jacobian must hold real numbers; got {describe(array)}", code="FG704")
    return array.reshape(wanted)


def _nested(value: Any, parameters: Parameters, outputs: Outputs) -> npt.NDArray[Any]:
    """Arrays by output and parameter, joined."""
    leaves: Sequence[Any] = flatten(value, "the Jacobian")[0]
    ins, outs = parameters.blocks, outputs.blocks
    if len(leaves) != len(ins) * len(outs):
        raise InputError(
            f"the Jacobian must be one array of shape ({outputs.size}, {parameters.size}), or an array for "
            f"each of {len(outs)} outputs and {len(ins)} parameters, nested as J[output][parameter]; got "
            f"{describe(value)}",
            code="FG704",
        )
    rows = []
    for k, out in enumerate(outs):
        row = []
        for j, block in enumerate(ins):
            array = to_array(leaves[k * len(ins) + j], f"d {out.shown} / d {block.shown}")
            if array.size != out.size * block.size:
                raise InputError(
                    f"d {out.shown} / d {block.shown} must have shape {out.shape + block.shape}; got "
                    f"{array.shape}",
                    code="FG704",
                )
            row.append(array.reshape(out.size, block.size))
        rows.append(row)
    return np.block(rows)


def _require_shape(shape: tuple[int, ...], wanted: tuple[int, int], value: Any) -> None:
    if shape == wanted:
        return
    hint = ""
    if shape == wanted[::-1]:
        hint = ": this is the shape of its transpose, rows are outputs"
    raise InputError(
        f"the Jacobian of {wanted[0]} outputs by {wanted[1]} parameters must have shape {wanted}; got "
        f"{shape if shape else describe(value)}{hint}",
        code="FG704",
    )
