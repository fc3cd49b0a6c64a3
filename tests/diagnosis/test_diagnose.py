"""The diagnosis: each usual mistake is named with its numbers, and what only looks like it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import (
    B1,
    B2,
    EVERY,
    LAMBDA,
    MATRIX,
    PARAMS,
    RIGHT,
    VECTOR,
    W1,
    W2,
    Bugs,
    backprop,
    block,
    changed,
    kinds,
    put,
    said,
    single,
)
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose

ALL = "W1, b1, W2, b2, W3 and b3"

SAME = " The factor is the same in all blocks that are wrong: look at the scale of the loss first"

SUM_OF_8 = "a sum over the 8 entries along an axis of the data where the loss takes the mean"

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "sum for mean, L2 right": (
        backprop(Bugs(data=8)),
        [
            (
                "factor and l2",
                f"W1, W2 and W3: claimed = 8 * numeric {EVERY}, once an L2 term is taken out (lambda = "
                "0.0875 if the claim lacks it, 0.1 if its own is right): the data part has a factor that "
                f"the penalty has not; {SUM_OF_8}",
            ),
            ("factor", f"b1, b2 and b3: claimed = 8 * numeric {EVERY}: {SUM_OF_8}"),
        ],
    ),
    "sum for mean, all": (
        {name: 8 * v for name, v in RIGHT.items()},
        [("factor", f"{ALL}: claimed = 8 * numeric {EVERY}: {SUM_OF_8}.{SAME}")],
    ),
    "sign": (
        {name: -v for name, v in RIGHT.items()},
        [("sign", f"{ALL}: claimed = -1 * numeric {EVERY}: a minus sign is missing, or one too many.{SAME}")],
    ),
    "factor 2": (
        changed(W2=2 * W2),
        [
            (
                "factor",
                f"W2: claimed = 2 * numeric {EVERY}: the 1/2 of a square is missing, or a term is added "
                "twice",
            )
        ],
    ),
    "minus a quarter": (
        changed(W2=-0.25 * W2),
        [
            (
                "factor",
                f"W2: claimed = -0.25 * numeric {EVERY}: the sign is wrong, and 2/8: with 8 entries along "
                "an axis of the data, a mean in one and the 2 of a square in the gradient only",
            )
        ],
    ),
    "factor without a name": (
        changed(W2=0.37 * W2),
        [
            (
                "factor",
                f"W2: claimed = 0.37 * numeric {EVERY}: a constant factor: look for a scale that is in "
                "only one of the two, such as the weight of a term, a learning rate or the 1 / (1 - p) "
                "of dropout",
            )
        ],
    ),
    "clipped by the norm": (
        {name: v * 0.25 / np.sqrt(sum((v**2).sum() for v in RIGHT.values())) for name, v in RIGHT.items()},
        [
            (
                "factor",
                f"{ALL}: claimed = 0.158224 * numeric {EVERY}: a constant factor: look for a scale that "
                "is in only one of the two, such as the weight of a term, a learning rate or the 1 / (1 "
                f"- p) of dropout.{SAME}; or is the gradient clipped by its norm? It is 0.25",
            )
        ],
    ),
    "L2 missing": (
        backprop(Bugs(penalty=0)),
        [
            (
                "l2 missing",
                f"W1, W2 and W3: numeric - claimed = 0.1 * parameters {EVERY}: an L2 term with lambda = "
                "0.1 is missing, or one of twice that is there by half",
            )
        ],
    ),
    "L2 twice": (
        backprop(Bugs(penalty=2)),
        [
            (
                "l2 extra",
                f"W1, W2 and W3: claimed - numeric = 0.1 * parameters {EVERY}: an L2 term with lambda = "
                "0.1 is there twice, or as weight decay that is not in the loss",
            )
        ],
    ),
    "biases regularised": (
        backprop(Bugs(penalty_on_biases=1)),
        [
            (
                "l2 extra",
                f"b1, b2 and b3: claimed - numeric = 0.1 * parameters {EVERY}: the gradient has an L2 "
                "term with lambda = 0.1 on the biases too, the loss has not",
            )
        ],
    ),
    "L1 missing": (
        changed(W1=W1 - 0.03 * np.sign(PARAMS["W1"])),
        [
            (
                "l1 missing",
                f"W1: numeric - claimed = 0.03 * sign(parameters) {EVERY}: an L1 term with lambda = 0.03 is "
                "missing, or one of twice that is there by half",
            )
        ],
    ),
    "L1 twice": (
        changed(W1=W1 + 0.03 * np.sign(PARAMS["W1"])),
        [
            (
                "l1 extra",
                f"W1: claimed - numeric = 0.03 * sign(parameters) {EVERY}: an L1 term with lambda = 0.03 "
                "is there twice, or is not in the loss",
            )
        ],
    ),
    "a constant": (
        changed(W1=W1 - 0.03),
        [
            (
                "offset",
                f"W1: claimed - numeric = -0.03 {EVERY}: a constant is added, or a term missing that is "
                "linear",
            )
        ],
    ),
    "only L2": (
        changed(W1=LAMBDA * PARAMS["W1"]),
        [
            (
                "only l2",
                f"W1: claimed = 0.1 * parameters {EVERY}: an L2 term alone, the rest of the gradient is "
                "missing",
            )
        ],
    ),
    "never written": (
        changed(W2=0 * W2, b2=0 * B2),
        [
            (
                "zero",
                "W2 and b2: the claimed gradient is 0 in every entry, the numeric one up to 0.563: it is "
                "never written, or detached on the way back",
            )
        ],
    ),
    "not finite": (
        changed(W1=put(W1, (slice(None), 2), np.nan)),
        [
            (
                "not finite",
                "W1: 6 of 30 claimed entries are NaN or infinite, only in column 2; the first is W1[0, "
                "2] = nan: look for log(0), 0 / 0, sqrt at 0 or an overflow in the backward pass",
            )
        ],
    ),
    "transposed": (
        changed(W2=W2.T),
        [
            (
                "transposed",
                "W2: transposed: claimed = numeric.T; look at the order of the two factors of the product",
            )
        ],
    ),
    "C for F": (
        changed(W1=W1.ravel("F").reshape(6, 5)),
        [
            (
                "reshaped",
                "W1: reshaped in the wrong order (C against F): claimed = numeric.transpose(1, "
                "0).reshape(6, 5); look at reshape, ravel and flatten",
            )
        ],
    ),
    "F for C": (
        changed(W1=W1.reshape(5, 6).T),
        [
            (
                "reshaped",
                "W1: reshaped in the wrong order (F against C): claimed = numeric.reshape(5, "
                "6).transpose(1, 0); look at reshape, ravel and flatten",
            )
        ],
    ),
    "flipped": (
        changed(W1=W1[:, ::-1]),
        [
            (
                "flipped",
                "W1: flipped: claimed is numeric in reverse along axis 1; look for [::-1], or a "
                "convolution for a correlation",
            )
        ],
    ),
    "rolled, flat": (
        changed(W1=np.roll(W1, 3)),
        [
            (
                "shifted",
                "W1: shifted: claimed is numeric moved 3 entries on in flat order, cyclically (np.roll "
                "by 3): look at an index that is off by 3",
            )
        ],
    ),
    "rolled along an axis": (
        changed(W1=np.roll(W1, -1, axis=0)),
        [
            (
                "shifted",
                "W1: shifted: claimed is numeric moved 1 entry back along axis 0, cyclically (np.roll by "
                "-1): look at an index that is off by 1",
            )
        ],
    ),
    "shifted, the edge lost": (
        changed(b1=[0.0, *B1[:-1]]),
        [
            (
                "shifted",
                "b1: shifted: claimed is numeric moved 1 entry on, but for the edge: look at an index "
                "that is off by 1",
            )
        ],
    ),
    "permuted": (
        changed(W1=np.random.default_rng(0).permutation(W1.ravel()).reshape(6, 5)),
        [
            (
                "permuted",
                "W1: permuted: claimed has the same numbers as numeric, in another order; look at sorting, "
                "shuffling and index arrays",
            )
        ],
    ),
    "swapped": (
        changed(b1=B2, b2=B1),
        [
            (
                "swapped",
                "b1 and b2: the claimed gradients of b1 and b2 are swapped: look at the order in which "
                "they are returned",
            )
        ],
    ),
    "another block": (
        changed(b1=B2),
        [
            (
                "another block",
                "b1: the claimed gradient is that of b2: look for the wrong name, or an index into a list of "
                "gradients that is off",
            ),
        ],
    ),
    "all summed": (
        backprop(Bugs(bias="total")),
        [
            (
                "broadcast",
                "b2: every claimed entry is -1.07992, the sum of all numeric ones, where numeric goes from "
                "-0.542668 to 0.0457324: look for a sum over too many axes, or a broadcast",
            )
        ],
    ),
    "mean over an axis": (
        changed(W1=W1.mean(axis=1, keepdims=True) + 0 * W1),
        [
            (
                "broadcast",
                "W1: all claimed entries along axis 1 are equal, the mean of numeric over axis 1, those "
                "of numeric are not: look for a sum over the wrong axis, then broadcast",
            )
        ],
    ),
    "clipped": (
        changed(W1=np.clip(W1, -0.1, 0.1)),
        [
            (
                "clipped",
                "W1: no entry is beyond +-0.1 in the claim: 13 numeric ones go beyond, and the others agree; "
                "compare gradients before they are clipped",
            )
        ],
    ),
    "negative entries lost": (
        changed(W1=np.maximum(W1, 0)),
        [
            (
                "clipped",
                "W1: no entry is below 0 in the claim: 17 numeric ones go beyond, and the others agree; "
                "compare gradients before they are clipped",
            )
        ],
    ),
    "tail unset": (
        changed(W1=put(W1.ravel(), slice(17, None), 0.0).reshape(6, 5)),
        [
            (
                "tail",
                "W1: the claimed gradient is 0 from W1[3, 2] on and right before it (13 of 30 entries): "
                "look at where the loop or the slice that fills it ends",
            )
        ],
    ),
    "row wrong": (
        changed(W1=put(W1, 3, np.arange(5.0))),
        [
            (
                "rectangle",
                "W1: wrong only in row 3 (5 of 30 entries): look at the index of one unit, or the bounds "
                "of a slice",
            )
        ],
    ),
    "rectangle with a sign": (
        changed(W1=put(W1, (slice(1, 4), slice(1, 3)), np.negative)),
        [
            (
                "rectangle",
                "W1: wrong only in rows 1 to 3 of columns 1 and 2 (6 of 30 entries), claimed = -1 * "
                "numeric there: look at the index of one unit, or the bounds of a slice",
            )
        ],
    ),
    "range unset": (
        changed(W1=put(W1.ravel(), slice(7, 14), 0.0).reshape(6, 5)),
        [
            (
                "range",
                "W1: wrong only from W1[1, 2] to W1[2, 3] (7 of 30 entries), the claimed gradient is 0 "
                "there: look at the bounds of a loop or a slice",
            )
        ],
    ),
    "stride": (
        changed(W1=put(W1.ravel(), slice(1, None, 3), lambda v: 2 * v).reshape(6, 5)),
        [
            (
                "stride",
                "W1: wrong only at every 3rd entry from W1[0, 1] on (10 of 30 entries), claimed = 2 * "
                "numeric there: look at the step of a slice, or at one channel",
            )
        ],
    ),
    "a mask": (
        changed(W1=put(W1.ravel(), [3, 4, 11, 20, 22], np.negative).reshape(6, 5)),
        [
            (
                "part",
                "W1: 5 of 30 entries are wrong (W1[0, 3], W1[0, 4], W1[2, 1], W1[4, 0] and W1[4, 2]), all in "
                "the same way: claimed = -1 * numeric; look at a mask or an index",
            )
        ],
    ),
    "one entry": (
        changed(W1=put(W1, (2, 3), 0.5)),
        [("entry", "W1: only W1[2, 3] is wrong of 30 entries: claimed 0.5, numeric -0.0103322")],
    ),
    "float32": (
        single(),
        [
            (
                "float32",
                "W1, W2 and W3: it is right but for the rounding of float32 (off by up to 5.41e-08): "
                "compute it in float64",
            )
        ],
    ),
    "W for W.T": (
        backprop(Bugs(delta_product="W")),
        [
            (
                "delta",
                "W1 and b1 disagree and all blocks from W2 on agree: the delta is lost on the way from "
                "the layer of W2 back to that of W1; look at the product with W2 (transposed) and at the "
                "activation derivative of the layer of W1",
            )
        ],
    ),
    "derivative at z": (
        backprop(Bugs(derivative="1 - z^2")),
        [
            (
                "delta",
                "W1, b1, W2 and b2 disagree and all blocks from W3 on agree: the delta is lost on the "
                "way from the layer of W3 back to that of W2; look at the product with W3 (transposed) "
                "and at the activation derivative of the layer of W2",
            )
        ],
    ),
    "bias of the first sample": (
        backprop(Bugs(bias="first")),
        [
            (
                "bias",
                "W2 agrees and b2 does not: the delta is right, look at how the bias sums it over the batch",
            )
        ],
    ),
    "bias averaged": (
        backprop(Bugs(bias="mean")),
        [
            (
                "factor",
                f"b2: claimed = 0.125 * numeric {EVERY}: a mean over the 8 entries along an axis of the "
                "data where the loss takes the sum, or 8 divided by twice",
            ),
            (
                "bias",
                "W2 agrees and b2 does not: the delta is right, look at how the bias sums it over the batch",
            ),
        ],
    ),
    "anything": (
        changed(W1=W1 + 0.1 * np.random.default_rng(0).normal(size=(6, 5))),
        [
            (
                "unexplained",
                "W1: 30 of 30 entries are wrong, in no way that has a name: |claimed| / |numeric| = 1.2, "
                "cosine 0.847, 77% of the signs agree; look at the whole formula. All other blocks "
                "agree: the mistake is in what is done for this block alone",
            )
        ],
    ),
    "a term missing": (
        changed(W1=W1 + 0.03 * np.random.default_rng(0).normal(size=(6, 5))),
        [
            (
                "unexplained",
                "W1: 30 of 30 entries are wrong, in no way that has a name: |claimed| / |numeric| = "
                "1.02, cosine 0.982, 97% of the signs agree; a term is missing or wrong, not the whole "
                "formula. All other blocks agree: the mistake is in what is done for this block alone",
            )
        ],
    ),
}  # fmt: skip


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

    def test_no_bug(self):
        """A right gradient gives no diagnosis."""
        assert said(RIGHT) == []

    def test_scalars(self):
        """Parameters that are single numbers share a factor, with a name or without."""
        d = [1.3, -0.2, 5.0, 0.7, 2.2]

        halved = diagnose([block(f"p{i}", 0.5 * v, v) for i, v in enumerate(d)])
        scaled = diagnose([block(f"p{i}", 0.37 * v, v) for i, v in enumerate(d)])

        assert [(h.kind, h.blocks) for h in halved] == [("factor", ("p0", "p1", "p2", "p3", "p4"))]
        assert scaled[0].sentence.startswith("p0, p1, p2, p3 and p4: claimed = 0.37 * numeric")


class TestKnownInPart:
    def test_subset(self):
        """On some of the entries what needs no whole block is still named, and no place is."""
        rng = np.random.default_rng(6)
        some = np.arange(30) % 2 == 0
        x = rng.normal(size=(6, 5))

        factor = block("W", 2 * MATRIX, MATRIX).only(some)
        penalty = block("W", MATRIX - 0.1 * x, MATRIX, x=x).only(some)
        row = block("W", put(MATRIX, 2, 7.0), MATRIX).only(some)
        turned = block("W", MATRIX[::-1], MATRIX).only(some)

        assert kinds(factor) == ["factor"]
        assert kinds(penalty) == ["l2 missing"]
        assert [d.sentence[:45] for d in diagnose([row])] == ["W: 3 of 15 checked entries are wrong (W[2, 0]"]
        assert kinds(turned) == ["unexplained"]

    def test_unknown_derivatives(self):
        """Entries without a numeric derivative have no say."""
        d = put(MATRIX, (0, slice(0, 3)), np.nan)
        e = np.where(np.isnan(d), np.inf, 1e-9)

        assert kinds(block("W", 2 * MATRIX, d, e)) == ["factor"]
        assert kinds(block("W", MATRIX[:, ::-1], d, e)) == ["flipped"]
        assert kinds(block("W", np.roll(MATRIX, 4), d, e)) == ["shifted"]

    def test_one_noisy_entry(self):
        """An entry with a wide bound does not spoil the factor or the term that the others show."""
        rng = np.random.default_rng(6)
        x = rng.normal(size=(6, 5))
        d = put(MATRIX, (1, 1), lambda v: v + 0.3)
        e = put(1e-9 * np.abs(MATRIX), (1, 1), 0.5)

        assert "claimed = 2 * numeric" in diagnose([block("W", 2 * MATRIX, d, e)])[0].sentence
        assert "lambda = 0.1 is missing" in diagnose([block("W", MATRIX - 0.1 * x, d, e, x)])[0].sentence
        both = diagnose([block("W", 8 * MATRIX + 0.1 * x, d + 0.1 * x, e, x)], (8,))[0].sentence
        assert both.startswith("W: claimed = 8 * numeric")
        assert "0.0875 if the claim lacks it, 0.1 if its own is right" in both

    def test_empty(self):
        """Nothing checked, nothing said."""
        assert kinds() == kinds(block("v", np.zeros(0), np.zeros(0))) == []

    def test_tolerance_below_the_bounds(self):
        """Differences within the bounds, which only a fixed tolerance calls wrong, are not explained away."""
        e = 1e-3 * np.abs(VECTOR)
        b = block("v", VECTOR * 1.0005, VECTOR, e)

        (found,) = diagnose([replace(b, wrong=np.ones(12, bool), undecided=np.zeros(12, bool))])

        assert found.kind == "unresolved"

    def test_large_and_small(self):
        """Gradients near the ends of the range of floats are diagnosed without a warning."""
        for size in (1e-290, 1e300):
            e = 1e-9 * size * np.abs(VECTOR)
            assert kinds(block("v", -size * VECTOR, size * VECTOR, e)) == ["sign"]

    def test_a_million_entries(self):
        """A block of a million entries takes neither the memory nor the time of its square."""
        d = np.random.default_rng(0).normal(size=(1000, 1000))

        assert kinds(block("W", np.random.default_rng(1).normal(size=d.shape), d)) == ["unexplained"]


class TestLaws:
    @given(st.integers(0, 10**6), st.sampled_from([(4,), (5, 3), (3, 3)]))
    def test_noise_has_no_name(self, seed, shape):
        """Two random gradients have no mistake in common that has a name."""
        rng = np.random.default_rng(seed)
        g, d, x = rng.normal(size=(3, *shape))

        assert kinds(block("v", g, d, x=x)) == ["unexplained"]
