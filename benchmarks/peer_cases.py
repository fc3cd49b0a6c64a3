"""Gradients that the checks of other libraries judge wrongly, through the peer and through fastgrad.

scripts/peer_cases [torch] [jax] [scipy] [autograd]

Each case is a function of `CASES`: it makes the function once, and gives what the peer says and fastgrad's
report. The peers run with their defaults, but for what the case names. A table in Markdown is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import fastgrad
from fastgrad.report.report import Report

RIGHT, WRONG, AT_KINK = "right", "wrong", "kink"
"""What a gradient is. At a kink there is none: a claim between the slopes on its sides is a subgradient."""

PASSES, ALARM = "passes", "alarm"


class Said(NamedTuple):
    """What both say of one gradient."""

    peer: str
    report: Report


@dataclass(frozen=True)
class Case:
    """A gradient, and what is known of it."""

    peer: str
    """The module of the peer."""
    check: str
    title: str
    truth: str
    run: Callable[[], Said]


def raises(check: Callable[[], object], error: type[Exception] = AssertionError) -> str:
    """What a check says that raises where it finds an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check()
    except error:
        return ALARM
    return PASSES


# torch.autograd.gradcheck


def torch_function(forward, backward):
    """A custom autograd.Function of one tensor."""
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return backward(x, grad)

    return Function.apply


def torch_case(function, x, fast) -> Said:
    """torch.autograd.gradcheck and fastgrad.check_vjp of a function of one tensor."""
    import torch

    def vjp(x, u):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(function(x), x, u)[0]

    def peer():
        given = x.clone().requires_grad_()
        torch.autograd.gradcheck(function, (given,), fast_mode=fast, check_undefined_grad=False)

    return Said(raises(peer, RuntimeError), fastgrad.check_vjp(lambda x: function(x).detach(), vjp, x))


def torch_identity(n, wrong, factor) -> Said:
    """y = x with some entries of the backward off by a factor, in fast mode."""
    import torch

    def backward(x, grad):
        grad = grad.clone()
        grad[:: n // wrong] *= factor
        return grad

    x = torch.from_numpy(np.random.default_rng(0).standard_normal(n))
    return torch_case(torch_function(lambda x: x.clone(), backward), x, fast=True)


def torch_relu_near_its_kink() -> Said:
    """The relu at -1e-7, where its derivative is 0."""
    import torch

    return torch_case(torch.relu, torch.tensor([-1e-7, 1.0], dtype=torch.float64), fast=False)


def torch_abs_at_its_kink() -> Said:
    """|x| at 0 with a derivative of 0: a subgradient, of which central differences see nothing."""
    import torch

    absolute = torch_function(torch.abs, lambda x, grad: torch.sign(x) * grad)
    return torch_case(absolute, torch.tensor([0.0, 1.0], dtype=torch.float64), fast=False)


# jax.test_util.check_grads


def jax_case(function, n, order=1, modes=("fwd", "rev"), double=False) -> Said:
    """check_grads of jax and of fastgrad: the first report that does not agree, or the last one."""
    import jax
    from jax.test_util import check_grads
    from jax_cases import points

    from fastgrad.adapters.jax import check_grads as check_grads_of_fastgrad

    with jax.enable_x64(double):
        x = points(n, double)
        said = raises(lambda: check_grads(function, (x,), order, modes=modes))
        try:
            report = check_grads_of_fastgrad(function, (x,), order, modes=modes)[-1]
        except fastgrad.GradientError as error:
            report = error.report
    return Said(said, report)


def jax_forward(factor, n, double) -> Said:
    """A rule of forward mode of which every entry is off."""
    from jax_cases import sine_by_jvp

    return jax_case(sine_by_jvp(factor), n, modes=("fwd",), double=double)


def jax_reverse() -> Said:
    """A rule of reverse mode of which one entry of 1,000 is 1% off."""
    from jax_cases import sine_by_vjp

    return jax_case(sine_by_vjp(at=17, factor=1.01), 1000, modes=("rev",))


def jax_second_order() -> Said:
    """sum(exp(x)^2) in float32."""
    import jax.numpy as jnp

    return jax_case(lambda x: jnp.sum(jnp.exp(x) ** 2), 1000, order=2)


# scipy, whose checks return a number and leave the verdict to the reader


def scipy_float32() -> Said:
    """A right gradient of a function that computes in float32."""
    from scipy.optimize import check_grad

    x = np.linspace(0.1, 1, 10)

    def cost(x):
        return np.sum(np.sin(x.astype(np.float32)))

    def gradient(x):
        return np.cos(x.astype(np.float32))

    error, size = check_grad(cost, gradient, x), np.linalg.norm(gradient(x))
    return Said(
        f"returns {error:.2g}, where the gradient has norm {size:.2g}",
        fastgrad.check_gradient(cost, gradient, x),
    )


def scipy_small() -> Said:
    """A gradient of size 1e-9 with the sign flipped."""
    from scipy.optimize import check_grad

    x = np.linspace(0.1, 1, 10)

    def cost(x):
        return 1e-9 * np.sum(np.sin(x))

    def gradient(x):
        return -1e-9 * np.cos(x)

    error = check_grad(cost, gradient, x)
    return Said(f"returns {error:.2g}", fastgrad.check_gradient(cost, gradient, x))


def scipy_sparse() -> Said:
    """A sparse Jacobian that lacks a nonzero of 5."""
    from scipy.optimize._numdiff import check_derivative
    from scipy.sparse import csr_matrix

    full = np.random.default_rng(0).uniform(1, 2, (10, 10))
    full[3, 7] = 5.0
    lacking = full.copy()
    lacking[3, 7] = 0.0

    def function(x):
        return full @ x

    x = np.linspace(0.1, 1, 10)
    error = check_derivative(function, lambda x: csr_matrix(lacking), x)
    return Said(f"returns {error:.2g}", fastgrad.check_jacobian(function, lambda x: csr_matrix(lacking), x))


# autograd.test_util.check_grads

SEEDS = 20
"""Directions that autograd draws, each in a run of its own."""


def autograd_one_entry() -> Said:
    """One entry of 10,000 is 0.1% off; autograd draws its one direction from NumPy's global generator."""
    import autograd.numpy as anp
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    @primitive
    def sine(x):
        return anp.sin(x)

    def gradient(x):
        found = np.cos(x)
        found[17] *= 1.001
        return found

    defvjp(sine, lambda out, x: lambda u: u * gradient(x))
    x, caught = np.linspace(0.1, 1, 10_000), 0
    before = np.random.get_state()  # noqa: NPY002 - autograd's own
    for seed in range(SEEDS):
        np.random.seed(seed)  # noqa: NPY002
        caught += raises(lambda: check_grads(sine, modes=["rev"], order=1)(x)) == ALARM
    np.random.set_state(before)  # noqa: NPY002
    report = fastgrad.check_vjp(np.sin, lambda x, u: u * gradient(x), x)
    return Said(f"alarm in {caught} of {SEEDS} runs", report)


FAST, SLOW = "gradcheck(fast_mode=True)", "gradcheck"

CASES = (
    Case(
        "torch",
        FAST,
        "y = x, n = 1,000, 1 entry of the backward twice too large",
        WRONG,
        lambda: torch_identity(1000, 1, 2.0),
    ),
    Case("torch", FAST, "the same, 10 entries", WRONG, lambda: torch_identity(1000, 10, 2.0)),
    Case("torch", FAST, "the same, 100 entries", WRONG, lambda: torch_identity(1000, 100, 2.0)),
    Case(
        "torch",
        FAST,
        "y = x, n = 8,000, 1 entry 101 times too large",
        WRONG,
        lambda: torch_identity(8000, 1, 101.0),
    ),
    Case("torch", SLOW, "relu at -1e-7", RIGHT, torch_relu_near_its_kink),
    Case("torch", SLOW, "abs at 0, with slope 0", AT_KINK, torch_abs_at_its_kink),
    Case(
        "jax",
        "check_grads, fwd",
        "sin in float32, n = 1,000, every entry twice too large",
        WRONG,
        lambda: jax_forward(2.0, 1000, False),
    ),
    Case(
        "jax",
        "check_grads, fwd",
        "sin in float64, n = 10,000, every entry 5% too large",
        WRONG,
        lambda: jax_forward(1.05, 10_000, True),
    ),
    Case("jax", "check_grads, rev", "sin in float32, n = 1,000, 1 entry 1% too large", WRONG, jax_reverse),
    Case("jax", "check_grads, order 2", "sum(exp(x)^2) in float32, n = 1,000", RIGHT, jax_second_order),
    Case("scipy", "check_grad", "a cost that computes in float32", RIGHT, scipy_float32),
    Case("scipy", "check_grad", "a gradient of size 1e-9 with the sign flipped", WRONG, scipy_small),
    Case("scipy", "check_derivative", "a sparse Jacobian that lacks a nonzero of 5", WRONG, scipy_sparse),
    Case("autograd", "check_grads, rev", "n = 10,000, 1 entry 0.1% too large", WRONG, autograd_one_entry),
)


def rows(peers: list[str]) -> Iterator[tuple[str, ...]]:
    """A row for each case of some peers, as it is found."""
    for case in CASES:
        if case.peer not in peers:
            continue
        said = case.run()
        yield (f"{case.peer} {case.check}", case.title, case.truth, said.peer, in_words(said.report))


def in_words(report: Report) -> str:
    """What fastgrad says, in a few words."""
    if report.wrong:
        first = report.wrong[0]
        return f"disagree: {len(report.wrong):,} of {report.coverage.checked:,}, the worst {first.label}"
    if report.undecided:
        codes = sorted({finding.code for finding in report.undecided[:10]})
        return f"{report.verdict}: {', '.join(codes)} at {report.undecided[0].label}"
    return f"{report.verdict} to {report.resolution:.0e}"


def installed() -> list[str]:
    """The peers that can be run here."""
    peers = dict.fromkeys(case.peer for case in CASES)
    return [peer for peer in peers if importlib.util.find_spec(peer)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", default=installed(), help="torch, jax, scipy, autograd")
    peers = parser.parse_args().peers
    print("| peer | case | the gradient is | the peer says | fastgrad says |")
    print("|---|---|---|---|---|")
    for row in rows(peers):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
