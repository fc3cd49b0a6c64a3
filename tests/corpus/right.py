"""All right cases."""

from __future__ import annotations

from corpus import functions, kinks, likelihoods, nets
from corpus.awkward import AWKWARD
from corpus.kinks import KINKS
from corpus.real import REAL
from corpus.real_statsmodels import STATSMODELS
from corpus.traps import TRAPS

MODELS = {**nets.BUGS, **likelihoods.BUGS, **functions.BUGS, **kinks.BUGS}
"""Builders of cases, with the names of the bugs that their gradients know."""

OWN = [*(build() for build in MODELS), functions.rosenbrock_case(), *AWKWARD, *KINKS, *TRAPS, *REAL]
"""Those that need nothing but what the tests install."""

RIGHT = [*OWN, *STATSMODELS]
