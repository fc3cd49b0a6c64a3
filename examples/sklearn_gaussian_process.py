"""A kernel of one's own for scikit-learn's Gaussian processes; its gradient is by the log of its length.

pip install scikit-learn
python examples/sklearn_gaussian_process.py
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

import fastgrad


class HastyRBF(RBF):
    """A squared exponential whose gradient is by the length, where scikit-learn asks for its logarithm."""

    def __call__(self, X, Y=None, eval_gradient=False):
        """The kernel, and its gradient where that is asked for."""
        if not eval_gradient:
            return super().__call__(X, Y)
        kernel, by_log = super().__call__(X, Y, eval_gradient=True)
        return kernel, by_log / self.length_scale  # should be by_log


def objective(kernel, X, y):
    """The (value, gradient) of the log marginal likelihood, as a function of theta."""
    process = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    return lambda theta: process.log_marginal_likelihood(theta, eval_gradient=True)


def main():
    """Print both reports; 0 if scikit-learn's kernel agrees and the hasty one does not."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 5, size=(40, 1))
    y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=40)
    reports = []
    for kernel in (RBF(1.7) + WhiteKernel(0.05), HastyRBF(1.7) + WhiteKernel(0.05)):
        problem = fastgrad.Problem.from_value_and_gradient(objective(kernel, X, y), kernel.theta)
        reports.append(fastgrad.check(problem))
        print(reports[-1], end="\n\n")
    return 0 if [report.verdict for report in reports] == ["agree", "disagree"] else 1


if __name__ == "__main__":
    sys.exit(main())
