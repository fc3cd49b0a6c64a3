"""What is claimed of J: by products with vectors, or as a matrix.

Notation: J (m, n) the Jacobian at the parameters x, u (m,), v (n,), w the random combination.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.as_given import as_given
from fastgrad.problem.columns import group_numbers
from fastgrad.problem.naming import name_like
from fastgrad.vector.apart import pattern_of
from fastgrad.vector.combination import Claimed
from fastgrad.vector.matrix import Matrix, is_function, matrix
from fastgrad.vector.outputs import in_structure
from fastgrad.vector.projection import VectorProblem


class Claim(Protocol):
    """A claimed Jacobian."""

    @property
    def vector(self) -> VectorProblem:
        """F at the parameters."""

    @property
    def gradient(self) -> Any:
        """J^T w as `check_gradient` takes it: a function of (params, *args), or values."""

    def pattern(self) -> Any:
        """Where J may be other than 0, as scipy.sparse CSC (m, n); None where that is not known."""

    def among(self, column: int, rows: IndexArray, u: Floats) -> float:
        """The sum over some rows k of u_k J_k,column, at the parameters."""

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries of J on a CSC pattern, in its order; None where they take too many products."""


@dataclass(frozen=True, eq=False)
class TransposedProduct:
    """J by vjp(params, u, *args) -> J^T u."""

    vjp: Callable[..., Any]
    vector: VectorProblem

    @property
    def gradient(self) -> Any:
        """J^T w."""
        return Claimed(self.vjp, self.vector.outputs, self.vector.weights)

    def pattern(self) -> Any:
        """The axes along which the product goes apart."""
        return pattern_of(self.product, self.vector.parameters, self.vector.outputs, self.vector.weights)

    def among(self, column: int, rows: IndexArray, u: Floats) -> float:
        """By one product."""
        some = np.zeros(len(u))
        some[rows] = u[rows]
        return float(self.product(some)[column])

    def on(self, pattern: Any, most: int) -> Floats | None:
        """By a product for each group of rows that share no column."""
        rows = np.asarray(pattern.indices)
        columns = np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))
        numbers = group_numbers(pattern.T.tocsc())
        if numbers.max() >= most:
            return None
        products = np.array([self.product((numbers == group) * 1.0) for group in range(numbers.max() + 1)])
        return np.asarray(products[numbers[rows], columns])

    def product(self, u: Floats) -> Floats:
        """(n,) J^T u at the parameters."""
        vector = self.vector
        function = as_given(self.vjp, vector.parameters)
        found = function(vector.private(), vector.outputs.structure(u), *vector.args)
        leaves = vector.parameters.match(found, "product")
        return np.concatenate([np.asarray(leaf, dtype=np.float64) for leaf in leaves])


@dataclass(frozen=True, eq=False)
class Product:
    """J by jvp(params, v, *args) -> J v, of so few parameters that each column is asked for."""

    jvp: Callable[..., Any]
    vector: VectorProblem

    @property
    def gradient(self) -> Any:
        """J^T w, an entry for each column."""
        return _ByColumns(self.jvp, self.vector)

    def pattern(self) -> Any:
        """None."""
        return None

    def among(self, column: int, rows: IndexArray, u: Floats) -> float:
        """By one product."""
        return float(u[rows] @ self.column(column)[rows])

    def on(self, pattern: Any, most: int) -> Floats | None:
        """By a product for each column."""
        columns = range(pattern.shape[1])
        ends = pattern.indptr
        return np.concatenate([self.column(i)[pattern.indices[ends[i] : ends[i + 1]]] for i in columns])

    def column(self, column: int) -> Floats:
        """(m,) one column of J."""
        vector = self.vector
        function = as_given(self.jvp, vector.parameters)
        return vector.outputs.flat(function(vector.private(), unit(vector, column), *vector.args))


@dataclass(frozen=True, eq=False)
class WholeMatrix:
    """J itself, or jacobian(params, *args) -> J."""

    jacobian: Any
    vector: VectorProblem

    @property
    def gradient(self) -> Any:
        """J^T w."""
        if is_function(self.jacobian):
            return _Transposed(self.jacobian, self.vector)
        return _transposed(self.jacobian, self.vector)

    def pattern(self) -> Any:
        """The stored entries of a sparse matrix."""
        return self.matrix.pattern

    @cached_property
    def matrix(self) -> Matrix:
        """J at the parameters, asked for once: a column is halved by some dozen of its sums."""
        vector, found = self.vector, self.jacobian
        if is_function(found):
            found = as_given(found, vector.parameters)(vector.private(), *vector.args)
            if hasattr(found, "copy"):  # the function may fill the same array at its next call
                found = found.copy()
        return matrix(found, vector.parameters, vector.outputs)

    def among(self, column: int, rows: IndexArray, u: Floats) -> float:
        """From the column."""
        one = np.zeros(self.vector.parameters.size)
        one[column] = 1.0
        return float(u[rows] @ self.matrix.times(one)[rows])

    def on(self, pattern: Any, most: int) -> Floats | None:
        """From the matrix."""
        return self.matrix.on(pattern, most)


def unit(vector: VectorProblem, column: int) -> Any:
    """The unit vector of a parameter, in the user's structure and kinds."""
    one = np.zeros(vector.parameters.size)
    one[column] = 1.0
    return in_structure(vector.parameters.spec, vector.parameters.blocks, one)


@dataclass(frozen=True, eq=False)
class _ByColumns:
    """J^T w, an entry for each column that a jvp gives."""

    jvp: Callable[..., Any]
    vector: VectorProblem

    def __post_init__(self) -> None:
        name_like(self, self.jvp)

    def __call__(self, params: Any, *args: Any) -> Any:
        vector = self.vector
        columns = (self.jvp(params, unit(vector, i), *args) for i in range(vector.parameters.size))
        return vector.in_parameters(np.array([vector.weights @ vector.outputs.flat(c) for c in columns]))


@dataclass(frozen=True, eq=False)
class _Transposed:
    """J^T w of a function that returns J."""

    jacobian: Callable[..., Any]
    vector: VectorProblem

    def __post_init__(self) -> None:
        name_like(self, self.jacobian)

    def __call__(self, params: Any, *args: Any) -> Any:
        return _transposed(self.jacobian(params, *args), self.vector)


def _transposed(value: Any, vector: VectorProblem) -> Any:
    """J^T w of one J, in the structure of the parameters."""
    found = matrix(value, vector.parameters, vector.outputs)
    return vector.in_parameters(found.transposed(vector.weights))
