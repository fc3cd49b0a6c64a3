"""The diagnosis: each usual mistake is named with its numbers, and what only looks like it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Diagnosis, Evidence, Number

N = 8  # the batch
LAMBDA = 0.1
NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")
SIZES = (6, 5, 5, 3)
LENGTHS = (8, 6, 8, 3)  # of the axes of X and y


@dataclass(frozen=True)
class Bugs:
    """The ways in which the backward pass below can be wrong."""

    batch: int = N
    penalty: float = 1.0  # how often the L2 term is counted
    penalty_on_biases: float = 0.0
    data: float = 1.0  # a factor on the data part
    delta_product: str = "W.T"  # or "W"
    derivative: str = "1 - a^2"  # or "1 - z^2" or "1": of layer 2
    bias: str = "sum"  # or "first", "mean", "total"; of layer 2
    dtype: type = np.float64


RIGHTLY = Bugs()


def network(batch=N):
    """The parameters and the data of a small MLP, 6-5-5-3, tanh, half squared error, mean over the batch."""
    rng = np.random.default_rng(1)
    params = {}
    for layer, (rows, columns) in enumerate(pairwise(SIZES), 1):
        params[f"W{layer}"] = rng.normal(size=(rows, columns)) * 0.6
        params[f"b{layer}"] = rng.normal(size=columns) * 0.3
    return params, rng.normal(size=(batch, 6)), rng.normal(size=(batch, 3))


def backprop(bugs=RIGHTLY, dtype=np.float64):
    """The gradient of mean |a3 - y|^2 / 2 + LAMBDA/2 (|W1|^2 + |W2|^2 + |W3|^2), perhaps with a mistake."""
    params, X, y = network(bugs.batch)
    p = {name: v.astype(dtype) for name, v in params.items()}
    a = [X.astype(dtype)]
    z = [a[0]]
    for layer in (1, 2, 3):
        z.append(a[-1] @ p[f"W{layer}"] + p[f"b{layer}"])
        a.append(np.tanh(z[-1]) if layer < 3 else z[-1])
    delta = (a[3] - y.astype(dtype)) * dtype(bugs.data / bugs.batch)
    gradient = {}
    for layer in (3, 2, 1):
        W, b = p[f"W{layer}"], p[f"b{layer}"]
        gradient[f"W{layer}"] = a[layer - 1].T @ delta + dtype(LAMBDA * bugs.penalty) * W
        gradient[f"b{layer}"] = delta.sum(axis=0) + dtype(LAMBDA * bugs.penalty_on_biases) * b
        if layer == 2:
            how = {
                "sum": delta.sum(0),
                "first": delta[0],
                "mean": delta.mean(0),
                "total": delta.sum() + 0 * b,
            }
            gradient["b2"] = how[bugs.bias] + dtype(LAMBDA * bugs.penalty_on_biases) * b
        delta = delta @ (W if layer == 2 and bugs.delta_product == "W" else W.T)
        if layer > 1:
            right = 1 - a[layer - 1] ** 2
            wrong = {"1 - a^2": right, "1 - z^2": 1 - z[layer - 1] ** 2, "1": np.ones_like(right)}
            delta = delta * (wrong[bugs.derivative] if layer == 3 else right)
    return {name: gradient[name] for name in NAMES}


def numeric(gradient, seed=0):
    """The numerical derivatives of a gradient and their bounds: noise, and a bound that holds it."""
    rng = np.random.default_rng(seed)
    for name, true in gradient.items():
        bound = 1e-9 * np.abs(true) + 1e-11
        yield name, true + rng.uniform(-1, 1, size=np.shape(true)) * bound, bound


def evidence(claimed, batch=N, truth=None, x=None, dtype=None):
    """What fastgrad knows of each block after a sweep of all entries."""
    truth = backprop(Bugs(batch)) if truth is None else truth
    x = network(batch)[0] if x is None else x
    return [
        block(name, claimed[name], d, e, x.get(name, np.zeros(np.shape(d))), dtype)
        for name, d, e in numeric(truth)
    ]


def block(name, g, d, e=None, x=None, dtype=None):
    """The evidence of one block from arrays of its shape, with fastgrad's verdict on it."""
    d = np.asarray(d, dtype=float)
    g = np.broadcast_to(np.asarray(g, dtype=float), d.shape)
    e = 1e-9 * np.abs(d) + 1e-11 if e is None else np.broadcast_to(e, d.shape)
    x = np.zeros(d.shape) if x is None else np.asarray(x, dtype=float)
    shape, (g, d, e, x) = d.shape, (np.array(v).reshape(-1) for v in (g, d, e, x))
    largest = np.nanmax(np.abs(d), initial=0.0) or 1.0
    rms = largest * np.sqrt(np.nanmean((d / largest) ** 2)) if np.isfinite(d).any() else 0.0
    allowed = 1e-6 * np.fmax(np.fmax(np.abs(g), np.abs(d)), 0.1 * rms)
    with np.errstate(invalid="ignore"):
        wrong = (np.abs(g - d) - e > allowed) | ~np.isfinite(g)
        undecided = ~wrong & ~(np.abs(g - d) + e <= allowed)
    return Evidence(name, shape, np.arange(d.size), g, d, e, wrong, undecided, x, dtype)


def changed(**blocks):
    """The right gradient with some blocks put in its place."""
    return backprop() | {name: np.asarray(v, dtype=float) for name, v in blocks.items()}


def said(claimed, lengths=LENGTHS, **given):
    """(kind, sentence) of each diagnosis of a gradient of the MLP."""
    return [(d.kind, d.sentence) for d in diagnose(evidence(claimed, **given), lengths)]


def kinds(*blocks, lengths=LENGTHS):
    """The kinds of the diagnoses of some blocks."""
    return [d.kind for d in diagnose(blocks, lengths)]


RNG = np.random.default_rng(5)
MATRIX = RNG.normal(size=(6, 5))
VECTOR = RNG.normal(size=12)
RIGHT = backprop()
PARAMS = network()[0]
W1, W2, B1, B2 = (RIGHT[name] for name in ("W1", "W2", "b1", "b2"))
ALL = "W1, b1, W2, b2, W3 and b3"
EVERY = "in every entry"
SAME = " The factor is the same in all blocks that are wrong: look at the scale of the loss first"
SUM_OF_8 = "a sum over the 8 entries along an axis of the data where the loss takes the mean"


def put(array, where, values):
    """A copy with other values in some places."""
    array = array.copy()
    array[where] = values(array[where]) if callable(values) else values
    return array


def single():
    """The gradient computed in float32, in a float64 array."""
    return {name: v.astype(np.float64) for name, v in backprop(dtype=np.float32).items()}


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
                "W1: 5 of 30 entries are wrong, all in the same way: claimed = -1 * numeric; look at a "
                "mask or an index",
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

    def test_not_used_by_the_loss(self):
        """A block that the loss does not depend on, and whose claim is not zero, is named as such."""
        truth = RIGHT | {"b1": 0 * B1}

        assert said(RIGHT, truth=truth) == [
            (
                "independent",
                "b1: the loss does not depend on it here (every numeric derivative is 0 within its "
                "bound), yet the claimed gradient is up to 0.313: is it unused, copied or detached in "
                "the loss?",
            )
        ]

    def test_biases_regularised_by_the_loss(self):
        """An L2 term on the biases that only the loss has is named, in the bias of 3 entries too."""
        truth = {name: v + LAMBDA * PARAMS[name] * (name[0] == "b") for name, v in RIGHT.items()}

        assert said(RIGHT, truth=truth) == [
            (
                "l2 missing",
                f"b1, b2 and b3: numeric - claimed = 0.1 * parameters {EVERY}: the loss has an L2 term with "
                "lambda = 0.1 on the biases too, the gradient has not",
            )
        ]

    def test_derivative_with_one_example(self):
        """With a batch of one a wrong activation derivative is a factor for each unit, beside the layers."""
        found = said(backprop(Bugs(batch=1, derivative="1")), batch=1)

        assert [kind for kind, _ in found] == ["per unit", "per unit", "delta"]
        assert found[1][1] == (
            "W2: each column has its own factor claimed / numeric, from 1.004 to 2.137 beside an L2 "
            "term: look at the derivative of an activation, missing or taken at z instead of a (a batch "
            "of one shows it)"
        )

    @pytest.mark.parametrize("axis", [0, 1])
    def test_factor_of_each_unit(self, axis):
        """A factor for each column or row is read off with its range, without an L2 term too."""
        factors = np.linspace(0.5, 1.5, MATRIX.shape[axis])
        g = MATRIX * (factors if axis else factors[:, None])

        (found,) = diagnose([block("W", g, MATRIX)])

        unit = ("row", "column")[axis]
        assert f"each {unit} has its own factor claimed / numeric, from 0.5 to 1.5: look" in found.sentence

    def test_partly_float32(self):
        """Rounding of float32 in numbers that are not float32's own is named too, not in one entry alone."""
        rms = np.sqrt(np.mean(VECTOR**2))
        rounding = 2.0**-21 * rms * np.sign(np.random.default_rng(0).normal(size=12))

        everywhere = diagnose([block("v", VECTOR + rounding, VECTOR)])
        once = diagnose([block("v", put(VECTOR, 3, lambda v: v + 2.0**-21 * rms), VECTOR)])

        assert everywhere[0].sentence.endswith("computed in float32, or a small constant (an eps) missing?")
        assert [found.kind for found in once] == ["entry"]

    @pytest.mark.parametrize(
        ("k", "mu", "weight", "said"),
        [
            (8, 0.1, 0.1, "lambda = 0.0875 if the claim lacks it, 0.1 if its own is right"),
            (0.5, 0.1, 0.1, "lambda = 0.1, which is right in the claim"),
            (0.5, 0.0, 0.1, "lambda = 0.1, which the claim lacks"),
            (8, 0.3, 0.0, "lambda = 0.3, which the loss has not"),
        ],
    )
    def test_factor_beside_a_penalty(self, k, mu, weight, said):
        """With a factor k on the data and mu x for lambda x, all lambdas that it may be are given."""
        x = RNG.normal(size=(6, 5))
        (found,) = diagnose([block("W", k * MATRIX + mu * x, MATRIX + weight * x, x=x)], LENGTHS)

        assert (
            f"W: claimed = {k:g} * numeric in every entry, once an L2 term is taken out ({said})"
            in found.sentence
        )

    def test_numeric_zero_in_a_part(self):
        """Units that get a gradient where none should reach them are named with their column."""
        d = put(MATRIX, (slice(None), 1), 0.0)

        (found,) = diagnose([block("W", MATRIX, d)])

        assert found.sentence.startswith(
            "W: wrong only in column 1 (6 of 30 entries), the numeric one is 0 there"
        )

    def test_four_axes(self):
        """Axes of a kernel in the wrong order and flipped kernels are named by their axes."""
        kernel = RNG.normal(size=(4, 4, 3, 3))

        turned = diagnose([block("K", kernel.transpose(1, 0, 2, 3), kernel)])
        flipped = diagnose([block("K", kernel[:, :, ::-1, ::-1], kernel)])
        channel = diagnose([block("K", put(kernel, (slice(None), 2), 0.0), kernel)])

        assert turned[0].sentence.startswith(
            "K: axes in the wrong order: claimed = numeric.transpose(1, 0, 2, 3)"
        )
        assert "in reverse along axes 2 and 3" in flipped[0].sentence
        assert "wrong only in axis 1, index 2 (36 of 144 entries)" in channel[0].sentence

    def test_scalars(self):
        """Parameters that are single numbers share a factor, with a name or without."""
        d = [1.3, -0.2, 5.0, 0.7, 2.2]

        halved = diagnose([block(f"p{i}", 0.5 * v, v) for i, v in enumerate(d)])
        scaled = diagnose([block(f"p{i}", 0.37 * v, v) for i, v in enumerate(d)])

        assert [(h.kind, h.blocks) for h in halved] == [("factor", ("p0", "p1", "p2", "p3", "p4"))]
        assert scaled[0].sentence.startswith("p0, p1, p2, p3 and p4: claimed = 0.37 * numeric")

    def test_off_by_one_in_a_list(self):
        """Gradients that are each the next one of a list are named one by one."""
        d = RNG.normal(size=(4, 5))
        blocks = [block(f"params[{i}]", d[(i + 1) % 4], d[i]) for i in range(4)]

        found = [x.sentence.partition(": look")[0] for x in diagnose(blocks)]

        assert found == [
            f"params[{i}]: the claimed gradient is that of params[{(i + 1) % 4}]" for i in range(4)
        ]

    def test_many_without_a_name(self):
        """Many blocks that nothing explains share one sentence."""
        (found,) = diagnose([block(f"v{i}", RNG.normal(size=9), RNG.normal(size=9)) for i in range(12)])

        assert found.kind == "unexplained"
        assert found.sentence.startswith(
            "v0, v1, v2, v3, v4, v5, v6 and 5 more: wrong in no way that has a name"
        )

    def test_layers_by_path(self):
        """Layers are told by the path of their blocks, in the order in which they come."""
        noise = np.random.default_rng(3).normal(size=5)
        names = {"b1": "enc.bias", "W1": "enc.weight", "b2": "dec.bias", "W2": "dec.weight"}
        wrong = {"b1": B1 + noise, "W1": W1 + noise}
        d = {name: RIGHT[name] for name in names}
        blocks = [block(names[n], wrong.get(n, d[n]), d[n]) for n in names]

        (found,) = diagnose(blocks)

        assert found.kind == "delta"
        assert "from the layer of dec.bias back to that of enc.bias" in found.sentence


TWO_COLUMNS = np.where(np.arange(5) < 2, 1e-9, MATRIX)  # as units that no example reaches


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_factor_but_for_one(self):
        """Factor 2 in all entries but one is not called a factor of the block."""
        g = put(2 * VECTOR, 5, VECTOR[5])
        h = put(2 * VECTOR, 5, 3 * VECTOR[5])

        assert kinds(block("v", g, VECTOR)) == ["part"]
        assert kinds(block("v", h, VECTOR)) == ["unexplained"]

    @pytest.mark.parametrize("k", [2.001, 1.9999, 8.01, -1.0001])
    def test_near_a_name(self, k):
        """A factor that is off its name by more than the bounds is given as it is."""
        found = diagnose([block("v", k * VECTOR, VECTOR)], LENGTHS)[0].sentence

        assert f"claimed = {k:g} * numeric in every entry: a constant factor" in found

    def test_factor_hardly_known(self):
        """With bounds of a percent and more no factor gets a name."""
        found = diagnose([block("v", 2.02 * VECTOR, VECTOR, e=0.02 * np.abs(VECTOR))])[0]

        assert found.kind == "factor"
        assert ": a constant factor" in found.sentence

    def test_factor_in_one_entry(self):
        """In one entry a factor needs a name: any two numbers have some factor."""
        assert kinds(block("s", 6.0, 3.0)) == ["factor"]
        assert kinds(block("s", 6.3, 3.0)) == ["unexplained"]

    def test_penalty_with_noise(self):
        """lambda x plus noise far above the bounds is no L2 term."""
        x = RNG.normal(size=(6, 5))
        missing = MATRIX - 0.1 * x

        assert kinds(block("W", missing, MATRIX, x=x)) == ["l2 missing"]
        assert kinds(block("W", missing + 1e-4 * RNG.normal(size=(6, 5)), MATRIX, x=x)) == ["unexplained"]

    def test_penalty_in_few_entries(self):
        """A term with as many entries to show it as numbers to choose is not named."""
        x = put(np.zeros(12), slice(0, 3), [1.0, 2.0, 3.0])

        assert "l2 missing" not in kinds(block("v", VECTOR - 0.1 * x, VECTOR, x=x))

    def test_parameters_of_zero(self):
        """Where all parameters are 0, no term of theirs is found."""
        assert kinds(block("v", VECTOR - 0.1, VECTOR)) == ["offset"]

    def test_all_parameters_equal(self):
        """Where all parameters are one number, a constant is not called an L2 term."""
        (found,) = diagnose([block("gamma", VECTOR - 0.1, VECTOR, x=np.ones(12))])

        assert found.kind == "offset"
        assert found.sentence.endswith("(or an L1 term: the parameters are all of one sign)")

    def test_symmetric(self):
        """The transpose of a symmetric matrix is no mistake."""
        symmetric = MATRIX[:5] + MATRIX[:5].T

        assert kinds(block("W", symmetric.T, symmetric)) == []

    def test_transposed_but_for_one(self):
        """One entry that does not fit, and it is not transposed."""
        square = MATRIX[:5]

        assert kinds(block("W", put(square.T, (0, 1), 9.0), square)) == ["unexplained"]

    def test_nearly_the_same_numbers(self):
        """Sorted values that are equal to 1e-4 are not a permutation."""
        order = np.random.default_rng(0).permutation(12)

        assert kinds(block("v", VECTOR[order], VECTOR)) == ["permuted"]
        assert kinds(block("v", VECTOR[order] * (1 + 1e-4), VECTOR)) == ["unexplained"]

    def test_numbers_hardly_known(self):
        """Two samples of one distribution are no permutation of each other within wide bounds."""
        d, g = np.sort(RNG.uniform(-1, 1, size=(2, 3000)), axis=1)
        g = np.random.default_rng(0).permutation(g)

        assert kinds(block("v", g, d, e=np.full(3000, 0.02))) == ["unexplained"]

    def test_looks_clipped(self):
        """Entries at the largest size where the numeric ones do not go beyond are not clipped."""
        g = put(VECTOR, [2, 7], np.abs(VECTOR).max())
        inside = put(VECTOR, [2, 7], 0.1)

        assert "clipped" not in kinds(block("v", g, inside))

    def test_one_at_the_limit(self):
        """One entry that is too small is one wrong entry, not a clip."""
        d = put(VECTOR, 3, 10.0)

        assert kinds(block("v", put(d, 3, np.abs(VECTOR).max() + 1), d)) == ["entry"]

    def test_tail_and_one_more(self):
        """Zeros to the end are no tail if an entry before them is wrong too."""
        g = put(put(VECTOR, slice(8, None), 0.0), 2, 5.0)

        assert kinds(block("v", g, VECTOR)) == ["unexplained"]

    def test_zero_but_for_one(self):
        """A claim with one entry that is not zero was written."""
        assert kinds(block("v", put(0 * VECTOR, 11, VECTOR[11]), VECTOR)) == ["range"]

    def test_rows_that_say_nothing(self):
        """Units whose gradient is 0 do not make the others a rectangle."""
        g = TWO_COLUMNS * (1 + 0.1 * RNG.normal(size=(6, 5)))

        assert kinds(block("W", g, TWO_COLUMNS)) == ["unexplained"]

    def test_scattered(self):
        """Wrong entries in no pattern are listed."""
        g = put(VECTOR, [1, 2, 8], [5.0, 6.0, 7.0])
        (found,) = diagnose([block("v", g, VECTOR)])

        assert found.sentence.startswith(
            "v: 3 of 12 entries are wrong (v[1], v[2] and v[8]), in no way that has"
        )

    @pytest.mark.parametrize("at", [[1, 2], [0, 6]])
    def test_two_entries(self, at):
        """Two neighbours are no range, and two entries at any distance no stride."""
        assert kinds(block("v", put(VECTOR, at, [5.0, 6.0]), VECTOR)) == ["unexplained"]

    def test_one_entry_moved(self):
        """A flip that a single known entry shows is not named."""
        d = np.concatenate([VECTOR[:6], VECTOR[5::-1]])
        g = put(d, 0, 9.0)
        e = np.full(12, 1e-9)

        assert kinds(block("v", g[::-1], put(g, 11, np.nan), put(e, 11, np.inf))) != ["flipped"]

    def test_shift_of_half(self):
        """A shift that only two entries show, and two at the edge do not, is not named."""
        assert kinds(block("v", [0.3, -0.2, 5.0, 7.0], [5.0, 7.0, 0.1, 0.2])) == ["unexplained"]

    def test_signs(self):
        """A claim that keeps the signs only is not called clipped: no entry agrees."""
        assert "clipped" not in kinds(block("v", 0.001 * np.sign(VECTOR), VECTOR))

    def test_equal_along_an_axis(self):
        """Rows that are equal in the truth too are no broadcast."""
        g, d = np.tile(VECTOR[:5], (6, 1)), np.tile(VECTOR[5:10], (6, 1))

        assert "broadcast" not in kinds(block("W", g, d))

    def test_few_of_the_units(self):
        """Where one column of many is off by a factor, it says more which one."""
        d = RNG.normal(size=(40, 6))

        assert kinds(block("W", put(d, (slice(None), 2), lambda v: 3.3 * v), d)) == ["rectangle"]

    def test_two_by_two(self):
        """Two factors for four entries say nothing."""
        assert kinds(block("W", MATRIX[:2, :2] * [0.5, 1.5], MATRIX[:2, :2])) == ["unexplained"]

    def test_block_of_zeros(self):
        """A claim next to zero is not called the gradient of a block whose gradient is zero."""
        none = block("v", np.zeros(12), np.zeros(12), e=1e-9)

        assert kinds(block("w", 1e-12 * VECTOR[::-1] ** 2, VECTOR), none) == ["unexplained"]

    def test_layer_with_names_of_its_own(self):
        """Blocks of the first layer with mistakes of their own do not mean a lost delta."""
        assert "delta" not in [kind for kind, _ in said(changed(W1=W1[::-1], b1=B1[::-1]))]

    def test_more_than_rounding(self):
        """An error of a hundred roundings of float32 is not the accuracy of float32."""
        off = 1e-5 * np.random.default_rng(0).normal(size=12)

        assert kinds(block("v", VECTOR * (1 + off), VECTOR)) == ["unexplained"]

    def test_factors_in_no_columns(self):
        """A factor for each entry is not a factor for each unit."""
        assert kinds(block("W", MATRIX * RNG.uniform(0.5, 1.5, size=(6, 5)), MATRIX)) == ["unexplained"]

    def test_row_of_columns(self):
        """With one entry for each column, each has a factor of its own, which says nothing."""
        assert kinds(block("W", MATRIX[:1] * RNG.uniform(0.5, 1.5, size=5), MATRIX[:1])) == ["unexplained"]

    def test_wrong_in_the_middle(self):
        """A layer that is wrong between two that are right is no delta that is lost."""
        found = said(changed(W2=W2 + 0.1 * RNG.normal(size=(5, 5)), b2=B2 + 0.1 * RNG.normal(size=5)))

        ends = said(changed(W1=W1 + RNG.normal(size=(6, 5)), b1=B1 + RNG.normal(size=5), b3=[1.0, 2.0, 4.0]))

        assert [kind for kind, _ in found] == ["unexplained", "unexplained"]
        assert "delta" not in [kind for kind, _ in ends]

    def test_biases_wrong_by_themselves(self):
        """A bias with a mistake that has a name of its own is not called a wrong sum."""
        assert [kind for kind, _ in said(changed(b2=B2[::-1]))] == ["flipped"]

    def test_equal_truth(self):
        """Entries that are all equal where those of the truth are too are no broadcast."""
        assert kinds(block("v", np.full(12, 3.0), np.full(12, 1.7))) == ["factor"]


class TestKnownInPart:
    def test_subset(self):
        """On some of the entries what needs no whole block is still named, and no place is."""
        some = np.arange(30) % 2 == 0
        x = RNG.normal(size=(6, 5))

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
        x = RNG.normal(size=(6, 5))
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

    def test_claim_in_float32(self):
        """The digits that a float32 gradient has are enough to name a factor and a transpose."""
        rough = single()
        float32 = np.dtype(np.float32)

        assert said({n: -v for n, v in rough.items()}, dtype=float32)[0][0] == "sign"
        assert said(RIGHT | {"W2": rough["W2"].T}, dtype=float32)[0][0] == "transposed"

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
    @given(st.integers(0, 10**6), st.sampled_from([(), (1,), (7,), (3, 4), (2, 3, 2)]))
    def test_within_the_bounds(self, seed, shape):
        """A claim that lies within the bounds gives no diagnosis."""
        rng = np.random.default_rng(seed)
        true = rng.normal(size=shape) * 10.0 ** rng.uniform(-8, 8)
        e = 1e-8 * np.abs(true)
        d = true + e * rng.uniform(-1, 1, size=shape)

        assert kinds(block("v", true, d, e, x=rng.normal(size=shape))) == []

    @given(st.floats(0.01, 100), st.integers(0, 10**6))
    def test_random_factor(self, k, seed):
        """A random factor is given as it is, and a name only if it is that of a value next to it."""
        if abs(k - 1) < 1e-5:
            return
        rng = np.random.default_rng(seed)
        true = rng.normal(size=12)
        e = 1e-9 * np.abs(true)
        (found,) = diagnose([block("v", k * true, true + e * rng.uniform(-1, 1, size=12), e)], (8, 3))

        names = [2, 8, 3, 1.5, 4, 12, 24]
        nearest = min(abs(k / n - 1) for n in [*names, *(1 / n for n in names)])
        named = "a constant factor" not in found.sentence
        assert found.kind == "factor"
        assert nearest > 3e-7 if not named else nearest < 1e-6
        assert abs(float(found.sentence.split()[3]) / k - 1) < 1e-4

    @given(st.floats(1e-3, 10), st.integers(0, 10**6), st.sampled_from([-1, 1]))
    def test_random_penalty(self, weight, seed, sign):
        """An L2 term that is missing or too much is found with its weight."""
        rng = np.random.default_rng(seed)
        d, x = rng.normal(size=(2, 20))
        e = 1e-9 * np.abs(d) + 1e-11
        (found,) = diagnose([block("v", d - sign * weight * x, d + e * rng.uniform(-1, 1, size=20), e, x)])

        assert found.kind == ("l2 missing" if sign > 0 else "l2 extra")
        assert abs(float(found.sentence.split()[5]) / weight - 1) < 1e-3

    @given(st.integers(0, 10**6), st.sampled_from([(4,), (5, 3), (3, 3)]))
    def test_noise_has_no_name(self, seed, shape):
        """Two random gradients have no mistake in common that has a name."""
        rng = np.random.default_rng(seed)
        g, d, x = rng.normal(size=(3, *shape))

        assert kinds(block("v", g, d, x=x)) == ["unexplained"]

    @given(st.integers(0, 10**6), st.integers(1, 11))
    def test_any_shift(self, seed, s):
        """A cyclic shift is read off, the shorter way round."""
        d = np.random.default_rng(seed).normal(size=12)
        (found,) = diagnose([block("v", np.roll(d, s), d)])

        assert f"(np.roll by {s if s <= 6 else s - 12})" in found.sentence


class TestNumber:
    def test_digits(self):
        """A number is written with the digits that are certain."""
        assert str(Number(0.0999, 0.1001)) == "0.1"
        assert str(Number(0.12345, 0.12347)) == "0.1235"
        assert str(Number(3.0, 3.0)) == "3"

    def test_diagnosis_is_a_value(self):
        """Diagnoses with the same fields are equal."""
        assert Diagnosis("sign", ("a",), "text") == Diagnosis("sign", ("a",), "text")
