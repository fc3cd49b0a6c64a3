"""Conventions for symmetric and triangular matrices."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import block, diagnosed, kinds, put
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose

RNG = np.random.default_rng(3)
A = RNG.normal(size=(4, 4))
B = A + A.T
I = np.eye(4)  # noqa: E741
X = B @ B + I


def sentence(*blocks):
    """The only sentence that is said."""
    (found,) = diagnose(blocks)
    return found.sentence


# claimed, numeric, what is said
SAID = {
    "doubled": (B * (2 - I), B, "claimed is numeric with the entries off the diagonal doubled"),
    "halved": (B * (1 + I) / 2, B, "claimed is numeric with the entries off the diagonal halved"),
    "folded": (A + A.T - A * I, A, "claimed = numeric + numeric.T, but for the diagonal"),
    "symmetrised": ((A + A.T) / 2, A, "claimed = (numeric + numeric.T) / 2: it is made symmetric"),
    "lower": (np.tril(B), B, "claimed is numeric in the lower triangle and 0 above the diagonal"),
    "upper": (np.triu(B), B, "claimed is numeric in the upper triangle and 0 below the diagonal"),
    "folded to the lower": (
        np.tril(B * (2 - I)),
        B,
        "claimed is numeric + numeric.T below the diagonal, and 0 above",
    ),
    "folded to the upper": (
        np.triu(B * (2 - I)),
        B,
        "claimed is numeric + numeric.T above the diagonal, and 0 below",
    ),
    "the cost folds": (A, A + A.T - A * I, "numeric = claimed + claimed.T, but for the diagonal"),
    "the cost symmetrises": (
        A,
        (A + A.T) / 2,
        "numeric = (claimed + claimed.T) / 2: the cost makes its matrix symm",
    ),
    "the cost reads the lower": (
        A,
        np.tril(A),
        "the cost reads the lower triangle alone (numeric is 0 in the other",
    ),
    "the cost reads the upper": (A, np.triu(A), "the cost reads the upper triangle alone"),
    "the cost reads the lower for all": (
        B,
        np.tril(B * (2 - I)),
        "its entries are those of claimed + claimed.T",
    ),
    "the cost reads the upper for all": (
        B,
        np.triu(B * (2 - I)),
        "its entries are those of claimed + claimed.T",
    ),
}


class TestNamed:
    @pytest.mark.parametrize("case", SAID)
    def test_convention(self, case):
        """Each convention that one of the two follows is named."""
        claimed, numeric, said = SAID[case]
        assert said in sentence(block("S", claimed, numeric, x=X))

    def test_stack(self):
        """Of a stack of symmetric matrices too."""
        D = np.stack([B, 2 * B, B @ B])
        said = sentence(block("S", D * (2 - I), D, x=np.stack([X, X, B])))
        assert "the entries off the diagonal doubled" in said

    def test_triangular(self):
        """Of a triangular matrix one triangle is named."""
        said = sentence(block("L", np.tril(A), A, x=np.tril(X)))
        assert "claimed is numeric in the lower triangle and 0 above the diagonal" in said

    @pytest.mark.parametrize("indices", [np.tril_indices(4), np.triu_indices(4)])
    def test_packed(self, indices):
        """A packed triangle with entries off its diagonal doubled or halved is named with its order."""
        which = "lower" if indices[0][1] else "upper"
        for word, convention in (("doubled", B * (2 - I)), ("halved", B * (1 + I) / 2)):
            said = sentence(block("v", convention[indices], B[indices], x=X[indices]))
            assert f"the entries off the diagonal {word}, if this is a symmetric 4 x 4 matrix" in said
            assert f"packed as its {which} triangle by rows" in said


class TestNotNamed:
    def test_other_matrices(self):
        """Of a matrix that is neither symmetric nor triangular only the place is named."""
        said = sentence(block("W", np.tril(A), A, x=A))
        assert said.startswith(
            "W: wrong only above the diagonal (6 of 16 entries), the claimed gradient is 0 there"
        )
        assert kinds(block("W", A.T, A, x=A)) == ["transposed"]

    def test_transposed_and_factor(self):
        """The transpose and a factor at a symmetric matrix keep their names."""
        assert kinds(block("S", A.T, A, x=X)) == ["transposed"]
        assert kinds(block("S", 2 * B, B, x=X)) == ["factor"]

    def test_one_entry_off(self):
        """One entry that does not fit, and it is no convention."""
        assert "symmetric" not in kinds(block("S", put(B * (2 - I), (0, 0), 9.0), B, x=X))

    @given(st.integers(0, 10**6), st.integers(2, 4))
    def test_random_gradients(self, seed, n):
        """Random gradients at a symmetric matrix follow no convention."""
        g, d, x = np.random.default_rng(seed).normal(size=(3, n, n))
        assert kinds(block("S", g, d, x=x + x.T)) == ["unexplained"]


class TestEndToEnd:
    """The log-likelihood of a Gaussian in its precision P, and in the Cholesky factor of that."""

    S = A @ A.T

    def cost(self, P):
        """Minus ten times the log determinant, and the trace."""
        return -10 * np.linalg.slogdet(P)[1] + np.trace(self.S @ P)

    def gradient(self, P):
        """Of the cost, by each entry alone."""
        return -10 * np.linalg.inv(P).T + self.S

    def test_pairs(self):
        """The derivative by pairs of entries."""
        (said,) = diagnosed(self.cost, lambda P: self.gradient(P) * (2 - I), X)
        assert "the entries off the diagonal doubled" in said

    def test_lower_triangle(self):
        """One triangle of it."""
        (said,) = diagnosed(self.cost, lambda P: np.tril(self.gradient(P)), X)
        assert "claimed is numeric in the lower triangle and 0 above the diagonal" in said

    def test_cholesky_reads_one_triangle(self):
        """NumPy's Cholesky reads the lower triangle alone."""

        def cost(P):
            return -2 * np.log(np.diag(np.linalg.cholesky(P))).sum()

        (said,) = diagnosed(cost, lambda P: -np.linalg.inv(P), X)
        assert "the cost reads the lower triangle alone" in said
