"""A claimed Jacobian, of whatever kind: an array, nested arrays, sparse, a LinearOperator.

Notation: J_ki = dF_k/dx_i, m outputs and n parameters, both flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, IndexArray
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


class Sparse(Dense):
    """A scipy.sparse matrix or array (m, n); its stored entries are the pattern."""

    @property
    def pattern(self) -> Any:  # type: ignore[override]
        """The stored entries, in CSC."""
        from scipy import sparse

        return sparse.csc_array(self.array)


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
                "check the products that it has, check_jvp(F, lambda x, v: J(x).matvec(v), x)"
            ) from None

    def times(self, v: Floats) -> Floats:
        """(m,) J v."""
        return np.asarray(self.operator.matvec(v), dtype=np.float64).reshape(-1)


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
    if hasattr(value, "rmatvec") and hasattr(value, "matvec"):
        _require_shape(tuple(value.shape), wanted, value)
        return Operator(value)
    if hasattr(value, "tocsc") and hasattr(value, "nnz"):
        _require_shape(tuple(value.shape), wanted, value)
        return Sparse(value)
    if len(parameters.blocks) == len(outputs.blocks) == 1 or isinstance(value, np.ndarray):
        return Dense(_one_array(to_array(value, "the Jacobian"), parameters, outputs))
    return Dense(_nested(value, parameters, outputs))


def _one_array(array: npt.NDArray[Any], parameters: Parameters, outputs: Outputs) -> npt.NDArray[Any]:
    wanted = (outputs.size, parameters.size)
    shapes: list[tuple[int, ...]] = [wanted]
    if len(parameters.blocks) == len(outputs.blocks) == 1:
        shapes.append(outputs.blocks[0].shape + parameters.blocks[0].shape)
    if array.shape not in shapes:
        _require_shape(array.shape, wanted, array)
    if array.dtype.kind not in "fiu":
        raise InputError(f"the Jacobian must hold real numbers; got {describe(array)}")
    return array.reshape(wanted)


def _nested(value: Any, parameters: Parameters, outputs: Outputs) -> npt.NDArray[Any]:
    """Arrays by output and parameter, joined."""
    leaves: Sequence[Any] = flatten(value, "the Jacobian")[0]
    ins, outs = parameters.blocks, outputs.blocks
    if len(leaves) != len(ins) * len(outs):
        raise InputError(
            f"the Jacobian must be one array of shape ({outputs.size}, {parameters.size}), or an array for "
            f"each of {len(outs)} outputs and {len(ins)} parameters, nested as J[output][parameter]; got "
            f"{describe(value)}"
        )
    rows = []
    for k, out in enumerate(outs):
        row = []
        for j, block in enumerate(ins):
            array = to_array(leaves[k * len(ins) + j], f"d {out.shown} / d {block.shown}")
            if array.size != out.size * block.size:
                raise InputError(
                    f"d {out.shown} / d {block.shown} must have shape {out.shape + block.shape}; got "
                    f"{array.shape}"
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
        f"{shape if shape else describe(value)}{hint}"
    )


def columns_of(pattern: Any, column: int) -> IndexArray:
    """The rows that a CSC pattern has in a column."""
    return np.asarray(pattern.indices[pattern.indptr[column] : pattern.indptr[column + 1]], dtype=np.intp)
