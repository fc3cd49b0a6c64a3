"""Exact probabilities of draws."""

from __future__ import annotations

import math

from hypothesis import strategies as st

CONFIDENCES = (0.5, 0.9, 0.95, 0.999)

confidences = st.sampled_from((*CONFIDENCES, 1 - 1e-6, 1 - 1e-12, 1.0))


@st.composite
def samples(draw, largest=3000):
    """A size, how many were drawn, and how many of these were wrong."""
    size = draw(st.integers(0, largest))
    drawn = draw(st.integers(0, size))
    return size, drawn, draw(st.integers(0, drawn))


def slack(share, trials):
    """Four standard deviations of a share in so many trials."""
    return 4 * math.sqrt(share * (1 - share) / trials)
