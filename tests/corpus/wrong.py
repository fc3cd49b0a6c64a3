"""All wrong cases: bugs in the code, bugs in what is done with its answer, and single coordinates."""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import BUG_SIZE, SHARE_OF_RMS, Wrong, flat, unflat
from corpus.right import MODELS, OWN
from corpus.traps import TRAPPED
from fastgrad.problem.parameters import Parameters

BY_NAME = {case.name: case for case in OWN}


def bugs_in_the_code():
    """The bugs that the gradients of the models know, and some of them in awkward twins of a model."""
    for build, bugs in MODELS.items():
        for bug in bugs:
            twin = build()
            yield Wrong(twin, bug, partial(twin.gradient, bug=bug))
    for name, bugs in IN_TWINS.items():
        for bug in bugs:
            twin = BY_NAME[name]
            yield Wrong(twin, bug, partial(twin.gradient, bug=bug))


IN_TWINS = {
    "tanh net in float32": ("slope 1 - a", "forgot 1/n", "bias of the first sample", "no slope"),
    "deep tanh net in float32": ("square weight not transposed", "two biases swapped"),
    "softmax classifier in float32": ("softmax without the off-diagonal terms", "softmax over samples"),
    "logistic regression in float32": ("weights of the samples forgotten", "labels of -1 and 1"),
    "log barrier 1e-06 from its end": ("sign of the barrier", "weight of the barrier forgotten"),
    "relu net 1e-07 from kinks": ("relu passes all", "relu the other way"),
    "relu net -1e-07 from kinks": ("relu passes all",),
    "max of pairs 1e-07 apart": ("the smaller one", "shared between both"),
    "hinge 1e-7 from its corner": ("margin forgotten", "no penalty"),
}
"""Bugs of a model that its awkward twins have too."""


# What is done with the answer: functions of a list of right blocks and of the parameters.


def one_block(change):
    """A change of the first block only."""
    return lambda blocks, params: [change(blocks[0]), *blocks[1:]]


def all_blocks(change):
    """A change of each block by itself."""
    return lambda blocks, params: [change(b) for b in blocks]


def _tail_unset(b):
    b = b.copy()
    b.reshape(-1)[-max(1, b.size // 4) :] = 0
    return b


def _worst_only(b):
    """Only the largest entry has the wrong sign."""
    b = b.copy()
    b.reshape(-1)[np.argmax(np.abs(b))] *= -1
    return b


ANSWERS = {
    "ascent for descent": all_blocks(lambda b: -b),
    "factor 2": all_blocks(lambda b: 2 * b),
    "a block of zeros": one_block(np.zeros_like),
    "last quarter unset": all_blocks(_tail_unset),
    "rolled": all_blocks(lambda b: np.roll(b, 1)),
    "reversed": one_block(lambda b: b[::-1].copy()),
    "clipped at its rms": all_blocks(lambda b: np.clip(b, -np.sqrt(np.mean(b**2)), np.sqrt(np.mean(b**2)))),
    "absolute values": all_blocks(np.abs),
    "rounded to float16": all_blocks(lambda b: b.astype(np.float16).astype(b.dtype)),
    "rounded to three decimals": all_blocks(lambda b: np.round(b, 3)),
    "normalised": all_blocks(lambda b: b / np.sqrt(np.sum(b**2))),
    "weight decay of 1e-3": lambda blocks, params: [
        b + 1e-3 * p for b, p in zip(blocks, params, strict=True)
    ],
    "one sign": one_block(_worst_only),
    "off by 1e-4 everywhere": all_blocks(lambda b: b * (1 + 1e-4)),
    "a NaN": one_block(lambda b: np.where(np.arange(b.size).reshape(b.shape) == b.size // 2, np.nan, b)),
}

ANSWERS_OF = {
    "tanh net": ("ascent for descent", "a block of zeros", "rounded to float16", "a NaN"),
    "deep tanh net": ("factor 2", "rolled", "weight decay of 1e-3"),
    "recurrent net": ("clipped at its rms", "off by 1e-4 everywhere"),
    "Kalman filter": ("reversed", "off by 1e-4 everywhere"),
    "conv net, padded": ("rolled", "last quarter unset", "a block of zeros"),
    "layer norm and GELU": ("one sign", "rounded to three decimals"),
    "residual branch": ("a block of zeros", "normalised"),
    "max-pool net": ("clipped at its rms", "one sign"),
    "max-pool net 1e-7 from kinks": ("factor 2", "rolled"),
    "scikit-learn: half binomial loss": ("last quarter unset", "weight decay of 1e-3"),
    "scikit-learn: half multinomial loss": ("rolled", "rounded to three decimals"),
    "scikit-learn: Huber loss": ("absolute values", "off by 1e-4 everywhere"),
    "scikit-learn: pinball loss": ("factor 2", "one sign"),
    "scikit-learn: MLPClassifier": ("a block of zeros", "rounded to float16"),
    "scikit-learn: MLPClassifier with relu": ("reversed", "weight decay of 1e-3"),
    "scikit-learn: Gaussian process, RBF": ("reversed", "last quarter unset"),
    "scipy: Rosenbrock": ("one sign", "clipped at its rms"),
    "scipy: gamma likelihood": ("ascent for descent", "off by 1e-4 everywhere"),
    "scipy: Dirichlet likelihood": ("normalised", "rolled"),
    "sines above 1e10": ("ascent for descent", "one sign"),
    "large waves above 1e10": ("off by 1e-4 everywhere", "one sign"),
    "gradients of 1e-12": ("ascent for descent", "factor 2", "off by 1e-4 everywhere"),
    "gradients of 1e-300": ("one sign",),
    "parameters from 1e-8 to 1e8": ("rolled", "a block of zeros"),
    "sin(1e4 x)": ("ascent for descent", "off by 1e-4 everywhere"),
    "Newton inside": ("factor 2", "off by 1e-4 everywhere"),
    "conjugate gradients to 1e-13": ("one sign", "reversed"),
    "square root 1e-6 from 0": ("factor 2", "off by 1e-4 everywhere"),
    "sines in float32": ("ascent for descent", "rolled"),
    "conv net in float32": ("a block of zeros", "factor 2"),
    "table beside its knots": ("rolled", "one sign"),
    "absolute values at 0": ("factor 2",),
}


def bugs_in_the_answer():
    """ANSWERS, each on a few right cases."""
    for name, bugs in ANSWERS_OF.items():
        twin = BY_NAME[name]
        parameters = Parameters(twin.params)
        truth = twin.right_gradient()
        right, at = (
            [a.copy() for a in parameters.shaped(leaves)]
            for leaves in (_leaves(parameters, truth), parameters.leaves)
        )
        for bug in bugs:
            yield Wrong(twin, bug, parameters.build(ANSWERS[bug](right, at)))


def _leaves(parameters, vector):
    return [vector[b.start : b.stop].astype(b.dtype) for b in parameters.blocks]


# Single coordinates.


SINGLE = {
    "tanh net": ("largest", "median", "smallest", "last"),
    "deep tanh net": ("median", "smallest"),
    "softmax classifier": ("median", "last"),
    "recurrent net": ("smallest",),
    "attention": ("median",),
    "batch norm": ("smallest",),
    "conv net, padded": ("median", "last"),
    "logistic regression": ("last",),
    "negative binomial": ("last",),
    "mixture of Gaussians": ("smallest",),
    "Kalman filter": ("last",),
    "Gaussian process": ("smallest",),
    "scipy: Rosenbrock": ("median",),
    "Newton inside": ("median",),
    "Runge-Kutta inside": ("smallest",),
    "log barrier 1e-06 from its end": ("median",),
    "gradients of 1e-12": ("median",),
    "parameters from 1e-8 to 1e8": ("largest", "smallest"),
    "large waves above 1e10": ("median",),
    "small differences of large sums": ("largest",),
    "sin(1e4 x)": ("median",),
    "one wave among flats": ("largest",),
    "condition 1e12": ("largest",),
    "relu net": ("median",),
    "wide batch of relu units": ("median",),
    "max-pool net": ("median",),
    "scikit-learn: half Poisson loss": ("smallest",),
    "scikit-learn: MLPClassifier with relu": ("median",),
    "scikit-learn: Gaussian process, Matern": ("last",),
}
"""Which coordinates of a case are off, each by all of SIZES."""

SIZES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Relative errors of one coordinate."""

COARSE = {
    "sines above 1e10": ("largest", (1e-1, 1e-2)),
    "sines above 1e+06": ("median", (1e-1, 1e-2, 1e-3, 1e-4)),
    "relu net 1e-07 from kinks": ("largest", (1e-1, 1e-2, 1e-3, 1e-4)),
    "max-pool net 1e-7 from kinks": ("largest", (1e-1, 1e-2, 1e-3)),
    "hinge 1e-7 from its corner": ("largest", (1e-1, 1e-2, 1e-3)),
    "tanh net in float32": ("largest", (3e-1, 1e-1)),
    "deep tanh net in float32": ("largest", (3e-1, 1e-1)),
    "sines in float32": ("median", (3e-1, 1e-1, 5e-2)),
    "conv net in float32": ("largest", (3e-1, 1e-1)),
    "a root by bisection to 1e-9": ("median", (1e-1, 1e-2)),
    "conjugate gradients to 1e-13": ("largest", (1e-1, 1e-2, 1e-3)),
    "float32 inside a float64 cost": ("largest", (1e-1, 3e-2)),
}
"""The same where the noise of the cost, or a kink, leaves room for large errors only."""


def single_coordinates():
    """One coordinate off by 1e-1 ... 1e-5 of itself."""
    for name, which in SINGLE.items():
        for each in which:
            yield from _off(BY_NAME[name], each, SIZES)
    for name, (each, sizes) in COARSE.items():
        yield from _off(BY_NAME[name], each, sizes)


def _off(twin, which, sizes):
    parameters = Parameters(twin.params)
    truth = flat(twin.params, twin.gradient, twin.args)
    at = _pick(truth, which)
    block = parameters.block_of(at)
    here = truth[block.start : block.stop]
    counts = BUG_SIZE[block.dtype] * max(abs(truth[at]), SHARE_OF_RMS * np.sqrt(np.mean(here**2)))
    for size in sizes:
        if abs(size * truth[at]) < 2 * counts:  # a small share of a small entry is no bug by the rule
            continue
        g = truth.copy()
        g[at] *= 1 + size
        label = parameters.label(at)
        yield Wrong(twin, f"the {which} entry, {label}, off by {size:g}", unflat(twin.params, g), (label,))


def _pick(truth, which):
    """The largest entry, the median one, the smallest that is not zero, or the last."""
    order = np.argsort(np.abs(truth))
    nonzero = order[np.abs(truth[order]) > 1e-9 * np.abs(truth).max()]
    if which == "last":
        return int(np.flatnonzero(truth)[-1])
    return int({"largest": nonzero[-1], "median": nonzero[len(nonzero) // 2], "smallest": nonzero[0]}[which])


WRONG = [*bugs_in_the_code(), *bugs_in_the_answer(), *single_coordinates(), *TRAPPED]
