"""How likely it is that a hypothesis explains a few entries by chance.

Detectors of mistakes that may show in one entry or two ask `is_coincidence`. Notation as in evidence.py, and

    w = t / min(|d|, |g - d|)    the chance that a number which could be anything agrees with d to within t
    c                            the number of hypotheses of this kind that are tried
    p                            the numbers that are fitted

    c * product of w over the entries that show the mistake, but for the p sharpest    the chance of all

A formula without a fitted number is thus believed for a single entry that agrees to about six digits, and a
common factor without a name for two entries. Entries that are equal, such as those of parameters that started
at one number, count once: each shows what the others do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.diagnosis.evidence import Facts

CHANCE = 1e-3
"""The largest chance of a coincidence for which a mistake is named."""

ENOUGH = 1000
"""About so many entries are looked at. More can only make a coincidence less likely."""


def is_coincidence(facts: Facts, values: npt.NDArray[Any], candidates: int = 1, fitted: int = 0) -> bool:
    """Whether a hypothesis that explains the facts may do so by chance.

    Parameters
    ----------
    facts : Facts
    values : (m,) entries with the same value count once, such as the parameters of a formula of x
    candidates : the number of hypotheses that are tried
    fitted : the number of numbers that are fitted

    Examples
    --------
    >>> d, e, x = np.array([2.0, 3.0]), np.array([1e-9, 1e-2]), np.array([0.7, 0.9])
    >>> facts = Facts(1.37 * d, d, e, x)
    >>> is_coincidence(facts, x, candidates=50), is_coincidence(facts, x, fitted=1)
    (False, True)
    """
    seen = np.flatnonzero(np.abs(facts.g - facts.d) > facts.t)
    if len(seen) == 0:
        return True
    seen = seen[:: max(1, len(seen) // ENOUGH)]
    t, d = facts.t[seen], facts.d[seen]
    w = np.minimum(1.0, t / np.minimum(np.abs(d), np.abs(facts.g[seen] - d)))
    _, first = np.unique(values[seen], return_index=True)
    w = np.sort(w[first])[fitted:]
    return len(w) == 0 or bool(np.log(candidates) + np.log(w).sum() > np.log(CHANCE))
