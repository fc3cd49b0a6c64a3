"""False alarms and misses of fastgrad and of the classic rules, on the same cases: those of tests/corpus.

scripts/trust [--list] [--own] [--save]
scripts/trust --traced [--own]          the same verdicts from recorded costs as from plain ones

Each rule is a few lines of NumPy after its source, with its source's constants. The classic rules know pass
and fail only: a value that is not finite, or an exception of the cost, fails.

    false alarm      a right gradient is called wrong
    miss             a wrong one passes though its error can be seen, or though the report says that every
                     coordinate was seen better than it is off
    undecided        right: but for points on a kink or a jump, where no derivative is right; wrong: all
    inexact          iterations inside the cost stop early, so that its slope as it is computed is another
                     than that of what they look for: to call that wrong is neither true nor false
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from corpus import OWN, PART7_RIGHT, PART7_WRONG, RIGHT, WRONG, Case, Wrong, flat
from corpus.cases import MARGIN
from saved_runs import now_and_commit, save

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.plain_table import plain_table

AGREE, DISAGREE, UNDECIDED, CRASH = "agree", "disagree", "undecided", "crash"

RIGHT_ONE, AT_KINK, INEXACT, WRONG_ONE = "right", "kink", "inexact", "wrong"
"""What a subject is."""

KINDS = {"agree": RIGHT_ONE, "kink": AT_KINK, "jump": AT_KINK, "inexact": INEXACT}
"""The same for right cases, by what they expect."""


class Judgement(NamedTuple):
    """What a rule says of a gradient."""

    verdict: str
    evaluations: int
    seen: np.ndarray | None = None
    """(n,) to what share of itself each coordinate is said to be right; None for rules that do not say."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A gradient that rules judge."""

    kind: str
    name: str
    case: Case
    gradient: Any
    sizes: np.ndarray | None = None
    """(n,) the error of each coordinate as a share of itself, where it is wrong."""
    visible: bool = False
    """Whether the arithmetic of the cost lets such an error be seen."""

    @classmethod
    def right(cls, case: Case) -> Subject:
        """A right case."""
        return cls(KINDS[case.expected], case.name, case, case.gradient)

    @classmethod
    def wrong(cls, wrong: Wrong, visible: bool) -> Subject:
        """A wrong one."""
        return cls(WRONG_ONE, wrong.name, wrong.twin, wrong.gradient, wrong.sizes(), visible)

    def is_missed(self, said: Judgement) -> bool:
        """Whether a wrong gradient passes, and should not."""
        if said.verdict != AGREE or self.sizes is None:
            return False
        return self.visible or (said.seen is not None and bool(np.any(self.sizes > MARGIN * said.seen)))


def subjects(own: bool) -> list[Subject]:
    """All of them; without those of libraries that may be missing, if only `own` are wanted."""
    return [
        *(Subject.right(case) for case in [*(OWN if own else RIGHT), *PART7_RIGHT]),
        *(Subject.wrong(wrong, not wrong.hidden) for wrong in WRONG),
        *(Subject.wrong(wrong, bool(wrong.seen().any())) for wrong in PART7_WRONG),
    ]


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


def by_fastgrad(case: Case, gradient: Any, engine: str = "auto") -> Judgement:
    """fastgrad's verdict with its defaults; an exception of its own is neither pass nor fail."""
    try:
        report = fastgrad.check_gradient(case.cost, gradient, case.params, args=case.args, engine=engine)
    except Exception:
        return Judgement(CRASH, 0)
    with np.errstate(all="ignore"):
        scale = np.fmax(np.abs(report.claimed), np.abs(report.numeric))
        seen = (np.abs(report.claimed - report.numeric) + report.error_bound) / scale
    return Judgement(report.verdict, report.evaluations, np.where(np.isnan(seen), np.inf, seen))


def by_rule(rule: Callable[[Flat], bool]) -> Callable[[Case, Any], Judgement]:
    """A classic rule as a judge of cases."""

    def judge(case: Case, gradient: Any) -> Judgement:
        f = Flat(case, gradient)
        try:
            with np.errstate(all="ignore"):
                verdict = AGREE if rule(f) else DISAGREE
        except (ArithmeticError, ValueError):
            verdict = DISAGREE
        return Judgement(verdict, f.calls)

    return judge


RULES: dict[str, Callable[[Case, Any], Judgement]] = {
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
    inexact: int = 0
    """Inexact ones that are called wrong."""
    crashes: int = 0
    evaluations: int = 0

    def add(self, subject: Subject, said: Judgement) -> str:
        """Count the verdict on a gradient; a mark for it."""
        self.evaluations += said.evaluations
        disagrees, undecided = said.verdict == DISAGREE, said.verdict == UNDECIDED
        if said.verdict == CRASH:
            self.crashes += 1
            return "!"
        if subject.kind == WRONG_ONE:
            missed = subject.is_missed(said)
            self.misses += missed
            self.undecided_wrong += undecided
            return "M" if missed else "?" if undecided else "." if disagrees else "-"
        if subject.kind == INEXACT:
            self.inexact += disagrees
            return "x" if disagrees else "."
        self.false_alarms += disagrees
        self.undecided_right += undecided and subject.kind == RIGHT_ONE
        return "F" if disagrees else "?" if undecided else "."


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
    parser.add_argument(
        "--traced",
        action="store_true",
        help="compare the verdicts of recorded costs with those of plain ones",
    )
    chosen = parser.parse_args()
    every = subjects(chosen.own)
    if chosen.traced:
        print(_traced_beside_plain(every))
        return
    tallies = {name: Tally() for name in RULES}
    if chosen.list:
        print("\n".join(f"{k}: {name}" for k, name in enumerate(RULES)), end="\n\n")
    for subject in every:
        marks = ""
        for rule, judge in RULES.items():
            marks += tallies[rule].add(subject, judge(subject.case, subject.gradient))
        if chosen.list:
            print(f"{marks}  {subject.kind:7}  {subject.name}")
    if chosen.list:
        print(f"\n{LEGEND}\n")
    counts = {
        "right": sum(s.kind in (RIGHT_ONE, AT_KINK) for s in every),
        "kinks": sum(s.kind == AT_KINK for s in every),
        "inexact": sum(s.kind == INEXACT for s in every),
        "wrong": sum(s.kind == WRONG_ONE for s in every),
    }
    print(_table(tallies, counts))
    if chosen.save:
        rules = {name: asdict(tally) for name, tally in tallies.items()}
        print("saved", save({**now_and_commit(), **counts, "rules": rules}, kind="trust").name)


def _traced_beside_plain(every: list[Subject]) -> str:
    """How many costs are recorded, and whose verdict differs by that."""
    lines, recorded = [], 0
    for subject in every:
        case = subject.case
        try:
            fastgrad.numerical_gradient(
                case.cost, case.params, args=case.args, engine="traced", coordinates=1
            )
        except fastgrad.InputError:
            continue
        recorded += 1
        said = [by_fastgrad(case, subject.gradient, engine) for engine in ("traced", "python")]
        if said[0].verdict != said[1].verdict:
            lines.append(
                f"{said[0].verdict} recorded, {said[1].verdict} plain: {subject.kind}, {subject.name}"
            )
    share = (
        f"{recorded:,} of {len(every):,} gradients have a cost that is recorded ({recorded / len(every):.0%})"
    )
    return "\n".join([share, f"{len(lines)} of these have another verdict then", *lines])


LEGEND = (
    ". as it should be   F false alarm   M miss   - agrees, and does not say that it saw the error   "
    "? undecided   x inexact, called wrong   ! crash"
)


def _table(tallies: dict[str, Tally], counts: dict[str, int]) -> str:
    heads = (
        "rule",
        "false alarms",
        "misses",
        "undecided right",
        "undecided wrong",
        "inexact called wrong",
        "crashes",
        "evaluations",
    )
    rows = [(name, *(f"{count:,}" for count in astuple(tally))) for name, tally in tallies.items()]
    table = plain_table(heads, rows, right=range(1, len(heads)))
    said = "{right} right gradients ({kinks} at kinks or jumps), {inexact} inexact ones, {wrong} wrong ones"
    return f"{said.format(**counts)}\n\n{table}"


if __name__ == "__main__":
    main()
