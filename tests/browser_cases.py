"""Reports whose pages are looked at in a browser: every verdict, large problems, odd names and values."""

from __future__ import annotations

import functools
import re

import numpy as np
from report_cases import linear, report_of, undecided_report
from report_cases import wrong as three_wrong

import fastgrad

SIDE = 1000
"""Rows and columns of the large block: a million coordinates."""

LONG = "encoder.layers.11.attention.output.dense.weight_before_it_was_renamed_in_the_second_version"

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</style></table></main><h1>AGREE</h1>",
    "&lt;b&gt; &amp; 'quoted' \"twice\"",
    "javascript:alert(3)",
    "משקולות_של_השכבה",
    "أوزان الطبقة الأولى",
    "\u202eright to left\u202c",
    "重み行列・一番目の層・出力側",
    "W\n\nAGREE: all is well",
    LONG + "_1",
    LONG + "_2",
    "w" * 300,
)
"""Names of blocks that are markup, turn the direction of writing, look like a verdict, or are very long."""


def right():
    """A network of two layers, whose gradient is right."""
    layers = [fastgrad.Dense(6, 5), fastgrad.Tanh(), fastgrad.Dense(5, 3)]
    net = fastgrad.Network(layers, loss=fastgrad.SoftmaxCrossEntropy())
    X, Y = np.linspace(-1, 1, 48).reshape(8, 6), np.arange(8) % 3
    return fastgrad.check(net.problem(net.initial_parameters(0), X, Y))


def by_budget():
    """A check that its budget of evaluations ended."""
    return report_of({}, (("W", (20, 30)), ("b", (30,))), coordinates="all", max_evaluations=200)


def by_hand():
    """A check that Ctrl-C ended in its middle."""
    params = {"W": np.ones((20, 30)), "b": np.ones(30)}
    cost, calls = linear(params), []

    def interrupted(p):
        calls.append(1)
        if len(calls) == 300:
            raise KeyboardInterrupt
        return cost(p)

    return fastgrad.check_gradient(interrupted, params, params, engine="python")


def a_million(**options):
    """A block of 10^6 entries, with one column that is off by 1% and one entry that is off by half."""

    def gradient(p):
        claimed = 2 * p["W"]
        claimed[:, 7] *= 1.01
        claimed[123, 456] *= 1.5
        return {"W": claimed}

    params = {"W": np.linspace(-1, 1, SIDE * SIDE).reshape(SIDE, SIDE)}
    return fastgrad.check_gradient(lambda p: float(np.sum(p["W"] ** 2)), gradient, params, **options)


def hostile():
    """Blocks with hostile names, all of them wrong somewhere."""
    return report_of({name: {(0,): 0.5} for name in HOSTILE}, tuple((name, (3,)) for name in HOSTILE))


def jacobian():
    """A Jacobian with two wrong entries."""
    A = np.arange(1.0, 13.0).reshape(3, 4)

    def claimed(x):
        J = A * np.cos(x)
        J[1, 2] += 0.5
        J[2, 0] *= -1
        return J

    return fastgrad.check_jacobian(lambda x: A @ np.sin(x), claimed, np.linspace(0.1, 0.7, 4))


def single():
    """A cost in float32."""
    x = np.linspace(0.5, 2, 12, dtype=np.float32).reshape(3, 4)
    return fastgrad.check_gradient(lambda p: np.sum(p * p * p), lambda p: 3 * p * p, x)


def not_a_number():
    """A claim that is NaN in one entry and infinite in another one."""

    def gradient(p):
        claimed = 2 * p
        claimed[1], claimed[3] = np.nan, np.inf
        return claimed

    return fastgrad.check_gradient(lambda p: float(np.sum(p * p)), gradient, np.linspace(0.5, 2, 6))


def odd_sizes():
    """An empty block, blocks of one entry, and one with four axes."""
    sizes = (("none", (0,)), ("scalar", ()), ("one", (1,)), ("kernel", (2, 3, 3, 2)), ("no rows", (0, 3)))
    return report_of({"scalar": {(): 0.5}, "kernel": {(1, 2, 0, 1): 2.0}}, sizes)


def many_blocks():
    """Five hundred blocks."""
    sizes = tuple((f"layer.{k}.weight", (2, 2)) for k in range(500))
    return report_of({"layer.77.weight": {(0, 1): 0.5}, "layer.499.weight": {(1, 1): -3.0}}, sizes)


def several():
    """Several reports on one page."""
    parts = {"right": right(), "<b>wrong</b>": three_wrong(), "undecided": undecided_report()}
    return fastgrad.Reports(parts, notes=("a note <i>on</i> all",), unchecked=("hess: it was not given",))


CASES = {
    "right": right,
    "wrong": three_wrong,
    "undecided": undecided_report,
    "budget": by_budget,
    "interrupted": by_hand,
    "sampled": functools.partial(a_million, coordinates=20_000),
    "all": functools.partial(a_million, coordinates="all"),
    "several": several,
    "hostile": hostile,
    "jacobian": jacobian,
    "float32": single,
    "nan": not_a_number,
    "sizes": odd_sizes,
    "blocks": many_blocks,
}


@functools.cache
def report(name):
    """The report of a case, made once."""
    return CASES[name]()


def texts(name):
    """The text of each report on the page of a case, but for how many more there are: the page lists more."""
    found = report(name)
    reports = [found, *getattr(found, "reports", {}).values()]
    return [re.sub(r"(?m)^\.\.\. and .* more.*$", "", str(one)) for one in reports]
