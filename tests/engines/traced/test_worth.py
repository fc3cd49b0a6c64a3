"""Whether it is worth while to record a cost."""

import pytest

from fastgrad.engines.traced.worth import is_worth_recording


@pytest.mark.parametrize(
    ("seconds", "count", "worth"),
    [(1e-3, 1000, True), (1e-6, 1000, False), (1.0, 20, False), (1e-4, 10**6, True)],
)
def test_is_worth_recording(seconds, count, worth):
    """It is where much is to be evaluated, many times more than trusting a tape takes."""
    assert is_worth_recording(seconds, count) == worth
