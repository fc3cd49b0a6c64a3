"""The losses and their sums: right to the stated ulp, loud about wrong shapes, labels and targets."""

from __future__ import annotations

import math

import mpmath
import numba
import numpy as np
import pytest
from loss_cases import INF, NAN, compensated_sum

from fastgrad.kernels import half_squared_error, logistic_loss, mean_squared_error, softmax_cross_entropy
from fastgrad.kernels.jit import plain
from fastgrad.kernels.losses import cross_entropy_mean, logistic_mean, squared_error_sum
from fastgrad.kernels.sums import BLOCK

SEED = 20240607

DTYPES = ["float64", "float32"]


@numba.njit
def njit_half(a, b):
    """A user's compiled cost."""
    return half_squared_error(a, b)


@numba.njit
def njit_mean(a, b):
    """A user's compiled cost."""
    return mean_squared_error(y=a, target=b)


@numba.njit
def njit_entropy(a, b):
    """A user's compiled cost."""
    return softmax_cross_entropy(a, b)


@numba.njit
def njit_logistic(a, b):
    """A user's compiled cost."""
    return logistic_loss(a, target=b)


def exact_squared(y, target):
    """sum((y - target)**2)."""
    return mpmath.fsum((mpmath.mpf(float(a)) - float(b)) ** 2 for a, b in zip(y, target, strict=True))


def exact_entropy(logits, labels):
    """Mean of log(1 + sum over the other classes of exp(logit - logit of the label))."""
    rows = []
    for row, label in zip(logits, labels, strict=True):
        own = mpmath.mpf(float(row[label]))
        others = (mpmath.exp(float(x) - own) for j, x in enumerate(row) if j != label)
        rows.append(mpmath.log1p(mpmath.fsum(others)))
    return mpmath.fsum(rows) / len(rows)


def exact_logistic(z, target):
    """Mean of t log(1 + exp(-z)) + (1 - t) log(1 + exp(z))."""
    terms = []
    for a, b in zip(z, target, strict=True):
        x, t = mpmath.mpf(float(a)), mpmath.mpf(float(b))
        terms.append(t * mpmath.log1p(mpmath.exp(-x)) + (1 - t) * mpmath.log1p(mpmath.exp(x)))
    return mpmath.fsum(terms) / len(terms)


def ulps(got, exact):
    """|got - exact| in units of the spacing of float64 at the exact value."""
    return abs(float((mpmath.mpf(got) - exact) / mpmath.mpf(math.ulp(float(exact)))))


def batches(dtype, seed=SEED):
    """Batches of 1 to 40 samples and 1 to 10 classes, of sizes from 1e-3 to 300, hits and misses."""
    rng = np.random.default_rng(seed)
    for k in range(40):
        samples, classes = rng.choice([1, 1, 2, 5, 40]), rng.choice([1, 2, 3, 10])
        logits = (rng.normal(size=(samples, classes)) * 10 ** rng.uniform(-3, 2.5)).astype(dtype)
        labels = rng.integers(0, classes, samples) if k % 2 else logits.argmax(axis=1)
        yield logits, labels, rng


@pytest.mark.parametrize("dtype", DTYPES)
class TestAccuracy:
    def test_squared_errors(self, dtype):
        """Half and mean squared error are within 4 and 5 ulp of the exact value."""
        with mpmath.workprec(300):
            for logits, _, rng in batches(dtype):
                y, target = logits.ravel(), rng.normal(size=logits.size).astype(dtype)
                exact = exact_squared(y, target)

                assert ulps(half_squared_error(y, target), exact / 2) <= 4
                assert ulps(mean_squared_error(y, target), exact / y.size) <= 5

    def test_softmax_cross_entropy(self, dtype):
        """Cross-entropy is within 4 ulp of the exact value, also where it is next to nothing."""
        with mpmath.workprec(1500):
            for logits, labels, _ in batches(dtype):
                exact = exact_entropy(logits, labels)

                assert ulps(softmax_cross_entropy(logits, labels), exact) <= 4

    def test_logistic_loss(self, dtype):
        """Logistic loss is within 4 ulp, for hits, misses and targets between 0 and 1."""
        with mpmath.workprec(1500):
            for k, (logits, _, rng) in enumerate(batches(dtype)):
                z = logits.ravel()
                soft, hits = rng.random(z.size), (z > 0).astype(float)
                target = (soft, hits, np.round(soft))[k % 3]

                assert ulps(logistic_loss(z, target), exact_logistic(z, target)) <= 4

    def test_many_classes(self, dtype):
        """Nor does it grow with the classes: thousands of equal small terms add up without bias."""
        logits = np.full((2, 5000), -30.1).astype(dtype)
        logits[:, 17] = 0.0

        with mpmath.workprec(200):
            exact = mpmath.log1p(4999 * mpmath.exp(float(logits[0, 0])))
            assert ulps(softmax_cross_entropy(logits, np.array([17, 17])), exact) <= 4

    def test_many_terms(self, dtype):
        """The error does not grow with the batch: a hundred thousand elements are as good as ten."""
        rng = np.random.default_rng(SEED)
        y = rng.integers(-(2**20), 2**20, 100_003).astype(dtype) / 1024
        target = np.zeros_like(y)
        exact = math.fsum((y.astype(np.float64) ** 2).tolist())  # the squares are exact

        assert compensated_sum(y.astype(np.float64) ** 2) == exact
        assert half_squared_error(y, target) == exact / 2
        assert mean_squared_error(y, target) == exact / y.size


ENTROPY_EDGES = [
    # logits, label, expected, why
    ([3.0], 0, 0.0, "one class is certain"),
    ([0.0, -INF], 0, 0.0, "the other class is ruled out"),
    ([0.0, -INF], 1, INF, "the label is ruled out"),
    ([-INF, -INF], 0, NAN, "every class is ruled out"),
    ([INF, 0.0], 0, NAN, "inf - inf"),
    ([0.0, NAN], 0, NAN, "NaN in another class"),
    ([NAN, 0.0], 0, NAN, "NaN in the label"),
    ([NAN], 0, NAN, "NaN alone"),
    ([1e308, -1e308], 1, INF, "the difference overflows"),
    ([1e308, 1e308], 1, math.log(2), "ties of huge logits"),
    ([0.0, 745.0], 1, 5e-324, "a subnormal loss"),
    ([0.0, 1e300], 0, 1e300, "a huge loss"),
]

LOGISTIC_EDGES = [
    (INF, 1.0, 0.0, "a sure hit"),
    (-INF, 0.0, 0.0, "a sure hit"),
    (INF, 0.0, INF, "a sure miss"),
    (-INF, 1.0, INF, "a sure miss"),
    (INF, 0.5, INF, "half a sure miss"),
    (NAN, 0.0, NAN, "NaN in z"),
    (1.0, NAN, NAN, "NaN in the target"),
    (0.0, 0.3, math.log(2), "no opinion"),
    (-745.0, 0.0, 5e-324, "a subnormal loss"),
]


class TestEdges:
    @pytest.mark.parametrize(("logits", "label", "expected", "why"), ENTROPY_EDGES)
    def test_entropy(self, logits, label, expected, why):
        """Infinite and undefined logits give the limit of the loss, or NaN where there is none."""
        got = softmax_cross_entropy(np.array([logits]), np.array([label]))

        np.testing.assert_equal(got, expected, err_msg=why)

    @pytest.mark.parametrize(("z", "target", "expected", "why"), LOGISTIC_EDGES)
    def test_logistic(self, z, target, expected, why):
        """Infinite and undefined odds give the limit of the loss, or NaN where there is none."""
        np.testing.assert_equal(logistic_loss(np.array([z]), np.array([target])), expected, err_msg=why)

    @pytest.mark.parametrize(("bad", "expected"), [(INF, INF), (-INF, INF), (NAN, NAN), (1e200, INF)])
    def test_squared(self, bad, expected):
        """One infinite, undefined or overflowing element decides the squared errors."""
        y = np.append(np.ones(BLOCK), bad)

        for loss in (half_squared_error, mean_squared_error, njit_half, njit_mean):
            np.testing.assert_equal(loss(y, np.zeros_like(y)), expected)

    def test_one_bad_sample(self):
        """One NaN among many samples makes the loss NaN."""
        logits = np.zeros((300, 3))
        logits[290, 1] = NAN

        assert math.isnan(softmax_cross_entropy(logits, np.zeros(300, int)))
        assert math.isnan(logistic_loss(logits, np.zeros((300, 3))))

    def test_empty_half_squared_error(self):
        """A sum over nothing is 0."""
        assert half_squared_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


PAIRS = [
    (half_squared_error, njit_half),
    (mean_squared_error, njit_mean),
    (logistic_loss, njit_logistic),
]


class TestArguments:
    @pytest.mark.parametrize(("loss", "compiled"), PAIRS)
    def test_layouts(self, loss, compiled):
        """Any layout, and any mix of dtypes, in Python and in a user's compiled function."""
        rng = np.random.default_rng(SEED)
        y = rng.normal(size=(6, 8))
        target = rng.integers(0, 2, (6, 8))
        views = [np.s_[:], np.s_[::2, ::-3], np.s_[0], np.s_[:1, :1], np.s_[2, 3, ...]]

        for view in views:
            for t in (target, target.astype(bool)):
                a, b = y[view], t[view]
                expected = loss(a.copy(), b.astype(np.float64))

                assert type(expected) is float
                assert loss(a, b) == loss(a.T, b.T.copy()) == expected
        assert compiled(y.T, target.T.copy()) == loss(y, target)  # each type compiles: so only a few
        assert compiled(y[2, 3, ...], target[2, 3, ...]) == loss(y[2:3, 3], target[2:3, 3])
        single = y.astype(np.float32)
        assert compiled(single, target) == loss(single, target)

    def test_entropy_layouts(self):
        """Cross-entropy takes any layout, integer dtype and number of classes, compiled or not."""
        rng = np.random.default_rng(SEED)
        logits = rng.normal(size=(5, 7))
        labels = rng.integers(0, 5, 7)
        expected = softmax_cross_entropy(logits.T.copy(), labels)

        assert type(expected) is float
        for kind in (np.int64, np.uint8, np.uint64):
            assert softmax_cross_entropy(logits.T, labels.astype(kind)) == expected
        assert njit_entropy(logits.T, labels.astype(np.uint64)) == expected

    def test_numpy_one_liners(self):
        """Each loss is its NumPy formula, up to the rounding of that formula."""
        rng = np.random.default_rng(SEED)
        y, target = rng.normal(size=(2, 300, 4))
        hot = (target > 0).astype(float)
        labels = rng.integers(0, 4, 300)
        log_softmax = y - np.log(np.exp(y).sum(axis=1, keepdims=True))

        def close(got, expected):
            np.testing.assert_allclose(got, expected, rtol=1e-13)

        close(half_squared_error(y, target), 0.5 * np.sum((y - target) ** 2))
        close(mean_squared_error(y, target), np.mean((y - target) ** 2))
        close(logistic_loss(y, hot), np.mean(np.logaddexp(0, y) - hot * y))
        close(softmax_cross_entropy(y, labels), -np.mean(log_softmax[np.arange(300), labels]))

    def test_plain_loops(self):
        """The loops as plain Python agree with the compiled ones within twice the stated ulp."""
        rng = np.random.default_rng(SEED)
        z = rng.normal(size=(BLOCK + 9, 3)) * 4
        flat, hot = z.ravel(), (rng.random(z.size) < 0.5).astype(float)
        labels = rng.integers(0, 3, len(z))

        for kernel, a, b in (
            (squared_error_sum, flat, hot),
            (logistic_mean, flat, hot),
            (cross_entropy_mean, z, labels),
        ):
            np.testing.assert_allclose(plain(kernel)(a, b), kernel(a, b), rtol=8 * 2.0**-52)


class TestErrors:
    @pytest.mark.parametrize(("loss", "compiled"), PAIRS)
    def test_shapes(self, loss, compiled):
        """Arrays of different shapes are refused, never read out of bounds or broadcast."""
        for shape in ((4, 3), (3, 5), (12,), (1, 4)):
            for function in (loss, compiled):
                with pytest.raises(ValueError, match="and target must have the same shape"):
                    function(np.zeros((3, 4)), np.zeros(shape))

    def test_shapes_report(self):
        """In Python the message names both shapes, or the numbers of axes."""
        with pytest.raises(ValueError, match=r"y and target .* Got \(3, 4\) and \(4, 3\)\."):
            half_squared_error(np.zeros((3, 4)), np.zeros((4, 3)))
        with pytest.raises(ValueError, match=r"z and target .* Got arrays with 2 and 1 axes\."):
            logistic_loss(np.zeros((3, 4)), np.zeros(3))

    @pytest.mark.parametrize("label", [-1, 4, 2**40])
    def test_labels_out_of_range(self, label):
        """A label that is no column is refused, with its place and value in Python."""
        labels = np.array([0, label, 1])

        with pytest.raises(ValueError, match=rf"Got labels\[1\] = {label} for 4 classes"):
            softmax_cross_entropy(np.zeros((3, 4)), labels)
        with pytest.raises(ValueError, match="labels must hold one integer for each row"):
            njit_entropy(np.zeros((3, 4)), labels)
        with pytest.raises(ValueError, match="labels must hold one integer for each row"):
            plain(cross_entropy_mean)(np.zeros((3, 4)), labels)

    def test_number_of_labels(self):
        """Too few or too many labels are refused."""
        with pytest.raises(ValueError, match=r"Got 2 labels for logits \(3, 4\)"):
            softmax_cross_entropy(np.zeros((3, 4)), np.zeros(2, int))
        with pytest.raises(ValueError, match="labels must hold one integer for each row"):
            njit_entropy(np.zeros((3, 4)), np.zeros(5, int))

    def test_kinds_of_labels(self):
        """One-hot and floating labels are refused with what to do instead."""
        for loss in (softmax_cross_entropy, njit_entropy):
            with pytest.raises(ValueError, match=r"with 2 and 2 axes.*labels\.argmax\(axis=1\)"):
                loss(np.zeros((3, 4)), np.zeros((3, 4), int))
            with pytest.raises(TypeError, match=r"integers, got float64.*astype\(np\.int64\)"):
                loss(np.zeros((3, 4)), np.zeros(3))

    @pytest.mark.parametrize("target", [-1.0, 1.5, -INF])
    def test_targets_out_of_range(self, target):
        """A logistic target outside [0, 1] is refused, with the conversion of -1 and +1."""
        for loss in (logistic_loss, njit_logistic):
            with pytest.raises(ValueError, match=r"between 0 and 1.*use \(target \+ 1\) / 2"):
                loss(np.zeros(300), np.append(np.zeros(299), target))

    @pytest.mark.parametrize("loss", [mean_squared_error, logistic_loss, njit_mean, njit_logistic])
    def test_no_elements(self, loss):
        """A mean over nothing is refused."""
        with pytest.raises(ValueError, match="mean over no samples is undefined"):
            loss(np.zeros((0, 2)), np.zeros((0, 2)))

    @pytest.mark.parametrize("loss", [softmax_cross_entropy, njit_entropy])
    def test_no_samples(self, loss):
        """So is the mean of no sample's cross-entropy; and no classes have no label."""
        with pytest.raises(ValueError, match="mean over no samples is undefined"):
            loss(np.zeros((0, 2)), np.zeros(0, int))
        with pytest.raises(ValueError, match="labels must hold one integer"):
            loss(np.zeros((1, 0)), np.zeros(1, int))

    def test_dtypes(self):
        """Integer or complex values are refused, with the conversion to make, and so are lists."""
        message = r"y must be an array of float32 or float64, got {}.*np\.asarray\(y, dtype=np\.float64\)"

        for loss in (half_squared_error, njit_half):
            with pytest.raises(TypeError, match=message.format("an array of int64")):
                loss(np.arange(3, dtype=np.int64), np.zeros(3))
            with pytest.raises(TypeError, match=r"target must be an array of .* got an array of comp"):
                loss(np.zeros(3), np.zeros(3, complex))
        with pytest.raises(TypeError, match=message.format("no array but")):
            half_squared_error([1.0, 2.0], np.zeros(2))
