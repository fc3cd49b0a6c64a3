"""Projections and other maps of the whole gradient that only one of cost and claim has."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import block, diagnosed, kinds, put
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.projections import MAPS

RNG = np.random.default_rng(7)
X = RNG.uniform(0.2, 2.0, size=6)
D = RNG.normal(size=6)
S = np.exp(X) / np.exp(X).sum()


def sentence(*blocks):
    """The only sentence that is said."""
    (found,) = diagnose(blocks)
    return found.sentence


def off(v, r=X):
    """v without its part along r."""
    return v - r * (r @ v) / (r @ r)


def by_rows(f, *matrices):
    """A function of vectors for each row."""
    return np.array([f(*rows) for rows in zip(*matrices, strict=True)])


def through_softmax(v):
    """The Jacobian of the softmax at X times v."""
    return S * (v - S @ v)


# claimed, numeric, what is said
SAID = {
    "the claim is projected": (off(D), D, "claimed is numeric without its part along the parameters x"),
    "the cost is projected": (D, off(D), "claimed has a part along the parameters x that numeric has not"),
    "the claim is centred": (D - D.mean(), D, "claimed is numeric without its mean, d - mean(d)"),
    "the cost is centred": (D, D - D.mean(), "claimed has a mean that numeric has not"),
    "x / |x| in the cost": (
        D,
        off(D) / np.linalg.norm(X),
        "the claim is the gradient by the unit vector x / |x|",
    ),
    "x / |x| in the claim": (off(D) / np.linalg.norm(X), D, "the Jacobian of x / |x| is there twice"),
    "shares": (D, (D - X @ D / X.sum()) / X.sum(), "the claim is the gradient by the shares x / sum(x)"),
    "shares twice": (
        (D - X @ D / X.sum()) / X.sum(),
        D,
        "the Jacobian of the shares x / sum(x) is there twice",
    ),
    "softmax": (
        D,
        through_softmax(D),
        "the claim is the gradient by s, the Jacobian of the softmax is missing",
    ),
    "softmax twice": (through_softmax(D), D, "the Jacobian of the softmax is there twice"),
    "log softmax": (D, D - S * D.sum(), "what softmax or log-sum-exp divides by is taken as constant"),
    "log softmax twice": (D - S * D.sum(), D, "the Jacobian of log softmax(x) is there twice"),
    "diagonal of softmax": (
        S * (1 - S) * D,
        through_softmax(D),
        "the off-diagonal terms -s_i s_j are missing",
    ),
}


class TestNamed:
    @pytest.mark.parametrize("case", SAID)
    def test_vector(self, case):
        """Each map that one of the two lacks is named."""
        claimed, numeric, said = SAID[case]
        assert said in sentence(block("v", claimed, numeric, x=X))

    def test_logits_for_probabilities(self):
        """Parameters that are probabilities, with the derivative by their logits."""
        said = sentence(block("p", S * (D - S @ D), D, x=S))
        assert (
            "claimed = x (numeric - x.numeric), x being the parameters: it is the derivative by the logits"
            in said
        )

    def test_rows_and_columns(self):
        """Rows or columns that are projected one by one are named as such."""
        W, G = RNG.normal(size=(2, 4, 3))
        rows = sentence(block("W", by_rows(off, G, W), G, x=W))
        columns = sentence(block("W", G, by_rows(off, G.T, W.T).T, x=W))
        centred = sentence(block("W", G - G.mean(axis=0), G, x=W))

        assert rows.startswith("W: in each row, claimed is numeric without its part along the parameters")
        assert columns.startswith("W: in each column, claimed has a part along the parameters")
        assert centred.startswith("W: in each column, claimed is numeric without its mean")

    def test_more_axes(self):
        """Of a kernel, each filter or each axis."""
        W, G = RNG.normal(size=(2, 4, 3, 2))
        flat = by_rows(off, G.reshape(4, 6), W.reshape(4, 6)).reshape(4, 3, 2)

        assert sentence(block("K", G, flat, x=W)).startswith(
            "K: for each index of axis 0, claimed has a part"
        )
        assert sentence(block("K", G - G.mean(axis=1, keepdims=True), G, x=W)).startswith(
            "K: along axis 1, claimed"
        )

    def test_l2_is_said_beside_it(self):
        """In a single block an L2 term of a loss that has no part along x looks the same: both are said."""
        missing = sentence(block("w", off(D), off(D) + 0.1 * X, x=X))
        extra = sentence(block("w", off(D) + 0.1 * X, off(D), x=X))

        assert (
            "or, as numeric - claimed = 0.1 * parameters, an L2 term with lambda = 0.1 is missing" in missing
        )
        assert (
            "or, as claimed - numeric = 0.1 * parameters, the claim has an L2 term with lambda = 0.1" in extra
        )


class TestNotNamed:
    def test_l2(self):
        """An L2 term that is missing is still called so."""
        assert kinds(block("w", D - 0.1 * X, D, x=X)) == ["l2 missing"]
        assert kinds(block("w", D + 0.1 * X, D, x=X)) == ["l2 extra"]
        assert kinds(block("w", D - 0.1, D, x=X)) == ["offset"]

    def test_l2_of_several_blocks(self):
        """One number in several blocks is that of an L2 term, also where the rest has no part along x."""
        V, G = RNG.normal(size=(2, 9))
        blocks = [
            block("W1", off(D), off(D) + 0.1 * X, x=X),
            block("W2", off(G, V), off(G, V) + 0.1 * V, x=V),
            block("W3", G[:5] - 0.1 * V[:5], G[:5], x=V[:5]),
        ]
        for some in (blocks, blocks[:2], blocks[1:]):
            (found,) = diagnose(some)
            assert found.kind == "l2 missing"
            assert len(found.blocks) == len(some)

    def test_l2_of_all_rows(self):
        """So it is with one number in all rows."""
        W, G = RNG.normal(size=(2, 4, 3))
        G = by_rows(off, G, W)
        (found,) = diagnose([block("W", G, G + 0.1 * W, x=W)])
        assert "an L2 term with lambda = 0.1 is missing" in found.sentence

    def test_projections_of_several_blocks(self):
        """Blocks that are each projected keep that name."""
        V, G = RNG.normal(size=(2, 9))
        (found,) = diagnose([block("a", off(D), D, x=X), block("b", off(G, V), G, x=V)])
        assert (found.kind, found.blocks) == ("projection", ("a", "b"))

    def test_one_entry_does_not_fit(self):
        """One entry that is off, and it is no projection."""
        assert kinds(block("v", put(off(D), 2, 9.0), D, x=X)) == ["unexplained"]

    def test_not_all_checked(self):
        """On a part of the entries x.d is not known, and an L2 term is said to be one possibility."""
        some = np.arange(6) != 3
        said = sentence(block("v", off(D), D, x=X).only(some))
        assert "projection" not in said
        assert "or the part along the parameters is projected out of one of the two" in said

    def test_hardly_known(self):
        """Bounds of ten percent make no projection."""
        assert "projection" not in kinds(block("v", off(D), D, e=0.1 * np.abs(D), x=X))

    @given(st.integers(0, 10**6), st.sampled_from([(2,), (3,), (2, 2), (3, 4), (2, 3, 2)]))
    def test_random_gradients(self, seed, shape):
        """Random gradients have no projection in common, however small the block."""
        g, d, x = np.random.default_rng(seed).normal(size=(3, *shape))
        assert not {m.kind for m in MAPS} & set(kinds(block("v", g, d, x=x)))


W = np.array([0.7, -1.1, 0.4, 1.9, -0.3])
Z = np.array([0.3, 0.8, -0.6, 1.2, 0.1])


class TestEndToEnd:
    def test_softmax(self):
        """A cost of softmax(z), with the gradient by the probabilities."""

        def softmax(z):
            return np.exp(z) / np.exp(z).sum()

        (said,) = diagnosed(lambda z: W @ softmax(z) ** 2, lambda z: 2 * W * softmax(z), Z)
        assert "the claim is the gradient by s, the Jacobian of the softmax is missing" in said

    def test_shift(self):
        """A cross-entropy that a constant in all logits does not change, and a claim that it does."""

        def cost(z):
            return np.log(np.exp(z).sum()) - np.exp(W) @ z / np.exp(W).sum()

        shares = np.exp(W) / np.exp(W).sum()
        (said,) = diagnosed(cost, lambda z: np.exp(z) / np.exp(z).sum() - shares + 0.5, Z)
        assert "claimed has a mean that numeric has not" in said

    def test_unit_norm(self):
        """A cost of x / |x| without its projection, and a claim on the sphere for a cost that is not."""
        q = Z / np.linalg.norm(Z)

        (lacks,) = diagnosed(
            lambda x: np.sin(W @ x / np.linalg.norm(x)),
            lambda x: np.cos(W @ x / np.linalg.norm(x)) * W / np.linalg.norm(x),
            Z,
        )
        (has,) = diagnosed(lambda x: np.sin(W @ x), lambda x: np.cos(W @ x) * (W - x * (x @ W)), q)

        assert "claimed has a part along the parameters x that numeric has not" in lacks
        assert "claimed is numeric without its part along the parameters x" in has

    def test_l2_is_missing(self):
        """An L2 term that the claim lacks is an L2 term."""
        (said,) = diagnosed(lambda x: np.sum(np.sin(x) * W) + 0.05 * (x @ x), lambda x: np.cos(x) * W, Z)
        assert said.startswith("params: numeric - claimed = 0.1 * parameters in every entry: an L2 term")
