"""A cost that takes a while: a limit ends the check early; after Ctrl-C a checkpoint lets the next one go on.

python examples/slow_cost.py
"""

from __future__ import annotations

import _thread
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastgrad

SPEED = np.linspace(0.5, 1.5, 40)


def cost(x):
    """A simulation of 4,000 steps: where pendulums that start at angles x are at its end."""
    angle, velocity = x.copy(), np.zeros_like(x)
    for _ in range(4000):
        velocity -= 0.001 * SPEED * np.sin(angle)
        angle += 0.001 * velocity
    return 0.5 * float(np.sum(angle**2))


def gradient(x):
    """The derivative of each step, along with it."""
    angle, velocity = x.copy(), np.zeros_like(x)
    d_angle, d_velocity = np.ones_like(x), np.zeros_like(x)
    for _ in range(4000):
        d_velocity -= 0.001 * SPEED * np.cos(angle) * d_angle
        velocity -= 0.001 * SPEED * np.sin(angle)
        angle += 0.001 * velocity
        d_angle += 0.001 * d_velocity
    return angle * d_angle


class Interrupted:
    """The cost, during whose 80th call somebody presses Ctrl-C."""

    calls = 0

    def __call__(self, x):
        """The value of the cost."""
        self.calls += 1
        if self.calls == 80:
            _thread.interrupt_main()
        return cost(x)


def main():
    """Stop one check by a limit, another by Ctrl-C; 0 if a third took up what the second had."""
    x = np.random.default_rng(0).uniform(-1, 1, size=40)
    limited = fastgrad.check_gradient(cost, gradient, x, max_evaluations=60)  # or budget=SECONDS
    print(limited, end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        kept, slow = Path(folder) / "check.db", Interrupted()
        first = fastgrad.check_gradient(slow, gradient, x, engine="python", checkpoint=kept)
        second = fastgrad.check_gradient(slow, gradient, x, engine="python", checkpoint=kept)
    print(first, second, sep="\n\n")
    print(f"\nthe last check reused {second.reused} values of the one before")
    stopped = [limited.verdict, first.verdict] == ["undecided", "undecided"]
    return 0 if stopped and second.passed and second.reused > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
