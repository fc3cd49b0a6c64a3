"""Costs in plain NumPy of the kinds that people write, each with a right gradient and a wrong one.

Makers take sizes, so that benchmarks use the same costs.
"""

from traced_costs import (
    convolutions,
    likelihoods,
    normalised,
    perceptrons,
    recurrent,
    sequences,
    students,
)
from traced_costs.case import Case, flattened

MODULES = (students, perceptrons, convolutions, recurrent, normalised, likelihoods, sequences)
CASES = {case.name: case for module in MODULES for case in module.CASES}

__all__ = ["CASES", "Case", "flattened"]
