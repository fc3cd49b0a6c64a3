"""When a few entries are evidence enough."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.diagnosis.coincidence import is_coincidence
from fastgrad.diagnosis.evidence import Facts

D = np.array([2.0, -3.0, 0.7, 5.0])
X = np.array([0.3, 0.4, 0.5, 0.6])


def facts(m, bound, g=None):
    """The first m entries with a claim that is off, each known to a share of itself."""
    d = D[:m]
    return Facts(1.37 * d if g is None else g, d, bound * np.abs(d), X[:m])


class TestIsCoincidence:
    @pytest.mark.parametrize(("m", "bound"), [(1, 1e-7), (2, 1e-4), (4, 5e-3)])
    def test_more_entries_need_fewer_digits(self, m, bound):
        """One of fifty formulas is believed for one entry to seven digits, for four to two; not for less."""
        assert not is_coincidence(facts(m, bound), X[:m], candidates=50)
        assert is_coincidence(facts(m, 100 * bound), X[:m], candidates=50)

    def test_a_fitted_number_takes_an_entry(self):
        """Any single entry has some factor: a second one is needed, and one to a percent may be chance."""
        assert is_coincidence(facts(1, 1e-12), X[:1], fitted=1)
        assert not is_coincidence(facts(2, 1e-6), X[:2], fitted=1)
        assert is_coincidence(facts(2, 1e-2), X[:2], fitted=1)

    def test_equal_entries_count_once(self):
        """Entries with the same value show what one of them shows."""
        assert not is_coincidence(facts(3, 1e-6), X[:3], fitted=1)
        assert is_coincidence(facts(3, 1e-6), np.ones(3), fitted=1)

    def test_nothing_to_see(self):
        """Where the claim is right there is no evidence of a mistake."""
        assert is_coincidence(facts(4, 1e-9, g=D), X)

    def test_many_entries(self):
        """Of a million entries some are looked at, and they are enough."""
        d = np.linspace(1, 2, 10**6)
        assert not is_coincidence(Facts(1.37 * d, d, 1e-2 * d, d), d, fitted=1)
