"""False alarms and misses of fastgrad and of the classic rules, on the same cases: those of tests/corpus.

scripts/trust [--list] [--save]

Each rule is a few lines of NumPy after its source, with its source's constants. The classic rules know pass
and fail only: a value that is not finite, or an exception of the cost, fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from corpus import OWN, RIGHT, WRONG, Case, flat
from saved_runs import now_and_commit, save

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.plain_table import plain_table

AGREE, DISAGREE, UNDECIDED, CRASH = "agree", "disagree", "undecided", "crash"


class Flat:
    """A case with its parameters as one vector of float64, as the classic rules see it; calls are counted."""

    def __init__(self, case: Case, gradient: Any) -> None:
        self.case = case
        self.parameters = Parameters(case.params)
        self.x = self.parameters.take(self.parameters.leaves, np.arange(self.parameters.size))
        self.claimed = flat(case.params, gradient, case.args)
        self.calls = 0
        self.is_single = np.float32 in {block.dtype.type for block in self.parameters.blocks}

    def __call__(self, x: np.ndarray) -> float:
        """The cost at a vector; parameters that are float32 round it."""
        self.calls += 1
        leaves = [x[b.start : b.stop].astype(b.dtype) for b in self.parameters.blocks]
        value = self.case.cost(self.parameters.build_arrays(leaves), *self.case.args)
        self.is_single |= getattr(value, "dtype", None) == np.float32
        return float(value)

    def central(self, h: Any) -> np.ndarray:
        """Central differences at all coordinates; h is a number or an array of them."""
        n, h = len(self.x), np.broadcast_to(h, self.x.shape)
        steps = np.diag(h)
        return np.array([(self(self.x + steps[i]) - self(self.x - steps[i])) / (2 * h[i]) for i in range(n)])

    def forward(self, h: float) -> np.ndarray:
        """Forward differences at all coordinates."""
        f0, n = self(self.x), len(self.x)
        return np.array([(self(self.x + h * np.eye(1, n, i)[0]) - f0) / h for i in range(n)])


def classic(f: Flat) -> bool:
    """||g - d|| / ||g + d|| <= 1e-8 with steps of 1e-4 (Welch Labs, Neural Networks Demystified, part 5)."""
    return _norm_rule(f, 1e-4)


def classic_finer(f: Flat) -> bool:
    """The same with steps of 1e-5."""
    return _norm_rule(f, 1e-5)


def _norm_rule(f: Flat, h: float) -> bool:
    d = f.central(h)
    above, below = np.linalg.norm(f.claimed - d), np.linalg.norm(f.claimed + d)
    return bool(above <= 1e-8 * below)


def cs231n(f: Flat) -> bool:
    """|g - d| / max(|g|, |d|) <= 1e-4 everywhere, steps of 1e-5 (Stanford CS231n, "Gradient checks").

    Its notes call 1e-2 wrong, 1e-4 usually fine for costs with kinks, 1e-7 happy: the middle one is taken.
    """
    d = f.central(1e-5)
    return bool(np.all(np.abs(f.claimed - d) <= 1e-4 * np.maximum(np.abs(f.claimed), np.abs(d))))


def torch(f: Flat) -> bool:
    """|g - d| <= 1e-5 + 1e-3 |d| everywhere, steps of 1e-6 (torch.autograd.gradcheck, slow mode)."""
    d = f.central(1e-6)
    return bool(np.all(np.abs(f.claimed - d) <= 1e-5 + 1e-3 * np.abs(d)))


def scipy_check_grad(f: Flat) -> bool:
    """||g - d|| <= 1e-5, forward steps of 1.49e-8 (scipy.optimize.check_grad).

    scipy gives the norm and no line: 1e-5 is ours.
    """
    return bool(np.linalg.norm(f.claimed - f.forward(1.4901161193847656e-08)) <= 1e-5)


def scipy_check_derivative(f: Flat) -> bool:
    """max |g - d| / max(1, |d|) <= 1e-6, its documented line (scipy.optimize._numdiff.check_derivative).

    Steps are eps^(1/3) max(1, |x|), of float32 where the parameters or the cost are.
    """
    f(f.x)
    eps = np.finfo(np.float32 if f.is_single else np.float64).eps
    d = f.central(eps ** (1 / 3) * np.maximum(1, np.abs(f.x)))
    return bool(np.all(np.abs(f.claimed - d) <= 1e-6 * np.maximum(1, np.abs(d))))


def jax(f: Flat) -> bool:
    """|g.v - d| <= atol + rtol |d| along one normal v of a fixed seed (jax.test_util.check_grads, order 1).

    Steps of 1e-4 v; atol = rtol = 1e-5, or 2e-3 where float32 is involved. (It multiplies both by the size of
    the result, which is 1 for a cost.)
    """
    v = np.random.RandomState(0).randn(len(f.x))  # as it is drawn there
    d = (f(f.x + 1e-4 * v) - f(f.x - 1e-4 * v)) / 2e-4
    tolerance = 2e-3 if f.is_single else 1e-5
    return bool(abs(f.claimed @ v - d) <= tolerance + tolerance * abs(d))


def by_fastgrad(case: Case, gradient: Any) -> tuple[str, int]:
    """fastgrad's verdict with its defaults; an exception of its own is neither pass nor fail."""
    try:
        report = fastgrad.check_gradient(case.cost, gradient, case.params, args=case.args)
    except Exception:
        return CRASH, 0
    return report.verdict, report.evaluations


def by_rule(rule: Callable[[Flat], bool]) -> Callable[[Case, Any], tuple[str, int]]:
    """A classic rule as a judge of cases."""

    def judge(case: Case, gradient: Any) -> tuple[str, int]:
        f = Flat(case, gradient)
        try:
            with np.errstate(all="ignore"):
                verdict = AGREE if rule(f) else DISAGREE
        except (ArithmeticError, ValueError):
            verdict = DISAGREE
        return verdict, f.calls

    return judge


RULES: dict[str, Callable[[Case, Any], tuple[str, int]]] = {
    "fastgrad": by_fastgrad,
    "classic, ||g-d||/||g+d|| <= 1e-8, h = 1e-4": by_rule(classic),
    "classic, the same with h = 1e-5": by_rule(classic_finer),
    "CS231n, each <= 1e-4, h = 1e-5": by_rule(cs231n),
    "torch gradcheck, 1e-5 + 1e-3 |d|, h = 1e-6": by_rule(torch),
    "scipy check_grad, norm <= 1e-5": by_rule(scipy_check_grad),
    "scipy check_derivative, <= 1e-6": by_rule(scipy_check_derivative),
    "JAX check_grads, one direction": by_rule(jax),
}


@dataclass
class Tally:
    """What a rule said of all cases."""

    false_alarms: int = 0
    misses: int = 0
    undecided_right: int = 0
    undecided_wrong: int = 0
    crashes: int = 0
    evaluations: int = 0

    def add(self, is_right: bool, verdict: str, evaluations: int) -> None:
        """Count the verdict on a case."""
        self.evaluations += evaluations
        self.crashes += verdict == CRASH
        if is_right:
            self.false_alarms += verdict == DISAGREE
            self.undecided_right += verdict == UNDECIDED
        else:
            self.misses += verdict == AGREE
            self.undecided_wrong += verdict == UNDECIDED


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="what each rule says of each case")
    parser.add_argument(
        "--own", action="store_true", help="without the cases of libraries that may be missing"
    )
    parser.add_argument(
        "--save", action="store_true", help="keep the table in benchmarks/history for scripts/bench --table"
    )
    chosen = parser.parse_args()
    right = OWN if chosen.own else RIGHT
    cases = [(True, c.name, c, c.gradient) for c in right]
    cases += [(False, w.name, w.twin, w.gradient) for w in WRONG]
    tallies = {name: Tally() for name in RULES}
    if chosen.list:
        print("\n".join(f"{k}: {name}" for k, name in enumerate(RULES)), end="\n\n")
    for is_right, name, case, gradient in cases:
        marks = ""
        for rule, judge in RULES.items():
            verdict, evaluations = judge(case, gradient)
            tallies[rule].add(is_right, verdict, evaluations)
            marks += _mark(is_right, verdict)
        if chosen.list:
            print(f"{marks}  {'right' if is_right else 'wrong'}  {name}")
    if chosen.list:
        print("\n. as it should be   F false alarm   M miss   ? undecided   ! crash\n")
    print(_table(tallies, len(right), len(WRONG)))
    if chosen.save:
        counts = {"right": len(right), "wrong": len(WRONG)}
        rules = {name: asdict(tally) for name, tally in tallies.items()}
        print("saved", save({**now_and_commit(), **counts, "rules": rules}, kind="trust").name)


def _mark(is_right: bool, verdict: str) -> str:
    if verdict in (UNDECIDED, CRASH):
        return "?" if verdict == UNDECIDED else "!"
    return "." if is_right == (verdict == AGREE) else "F" if is_right else "M"


def _table(tallies: dict[str, Tally], right: int, wrong: int) -> str:
    heads = ("rule", "false alarms", "misses", "undecided right", "undecided wrong", "crashes", "evaluations")
    rows = [(name, *(f"{count:,}" for count in astuple(tally))) for name, tally in tallies.items()]
    table = plain_table(heads, rows, right=range(1, len(heads)))
    return f"{right} right gradients, {wrong} wrong ones\n\n{table}"


if __name__ == "__main__":
    main()
