"""A cost and its gradient in C++, called through ctypes; the system's compiler makes the library.

    python examples/cpp_ctypes.py        (CXX names another compiler)

Exit status 77 where there is no compiler.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastgrad

SOURCE = r"""
#include <cmath>
extern "C" double cost(const double* x, int n) {               // half the squares of x_k - tanh(x_k+1)
    double total = 0;
    for (int k = 0; k + 1 < n; ++k) total += 0.5 * std::pow(x[k] - std::tanh(x[k + 1]), 2);
    return total;
}
extern "C" void gradient(const double* x, int n, double* g) {
    for (int k = 0; k < n; ++k) g[k] = 0;
    for (int k = 0; k + 1 < n; ++k) {
        const double t = std::tanh(x[k + 1]), r = x[k] - t;
        g[k] = r;                                              // should be +=: the turn before was here
        g[k + 1] -= r * (1 - t * t);
    }
}
"""
DOUBLES = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")


class Library:
    """The functions of a C++ source, as functions of NumPy arrays."""

    def __init__(self, source, folder, compiler):
        file, made = Path(folder, "cost.cpp"), Path(folder, "cost.so")
        file.write_text(source)
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", made, file], check=True)
        self._library = ctypes.CDLL(str(made))
        self._library.cost.restype = ctypes.c_double
        self._library.cost.argtypes = [DOUBLES, ctypes.c_int]
        self._library.gradient.argtypes = [DOUBLES, ctypes.c_int, DOUBLES]

    def cost(self, x):
        """The cost of a contiguous array of float64."""
        return self._library.cost(x, len(x))

    def gradient(self, x):
        """Its gradient, as a new array."""
        g = np.empty_like(x)
        self._library.gradient(x, len(x), g)
        return g


def main():
    """Print the reports of the code above and of the mended one; 0 if only the second agrees."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        print("no C++ compiler here: nothing was checked", file=sys.stderr)
        return 77
    x = np.random.default_rng(0).normal(size=12)
    verdicts = []
    for source in (SOURCE, SOURCE.replace("g[k] = r", "g[k] += r")):
        with tempfile.TemporaryDirectory() as folder:
            library = Library(source, folder, compiler)
            report = fastgrad.check_gradient(library.cost, library.gradient, x)
        print(report, end="\n\n")
        verdicts.append(report.verdict)
    return 0 if verdicts == ["disagree", "agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
