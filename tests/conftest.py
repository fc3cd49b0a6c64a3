"""What all tests share: random numbers that can be repeated, and how hypothesis searches."""

from __future__ import annotations

import os

import hypothesis
import numpy as np
import pytest
from clocks import clock  # noqa: F401 (a fixture of all tests)

pytest.register_assert_rewrite("checkpoint_cases", "layer_gradients")  # they assert for the tests

SEED_VARIABLE = "FASTGRAD_TEST_SEED"
"""Set it to repeat a run of the `rng` fixture; a failure prints the seed that it had."""

IN_CI = bool(os.environ.get("CI"))

hypothesis.settings.register_profile("local", max_examples=40, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("local"), derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "local")


class ShortDecimals:
    """Random arrays of numbers with two decimals, so that a failure can be read and typed again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.generator = np.random.default_rng(seed)

    def __repr__(self) -> str:
        return f"ShortDecimals(seed={self.seed})"

    def array(self, *shape, dtype=np.float64, largest=9.0):
        """An array of that shape, between -largest and largest; none is zero."""
        hundredths = self.generator.integers(1, round(100 * largest), size=shape, endpoint=True)
        signs = self.generator.choice([-1, 1], size=shape)
        return np.asarray(signs * hundredths / 100, dtype=dtype)


@pytest.fixture
def rng():
    """Random numbers with a new seed each run; printed on failure, pinned by FASTGRAD_TEST_SEED."""
    pinned = os.environ.get(SEED_VARIABLE, "0" if IN_CI else None)
    return ShortDecimals(int(pinned) if pinned is not None else int(np.random.SeedSequence().entropy % 10**6))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the seed of the `rng` fixture to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    rng = getattr(item, "funcargs", {}).get("rng")
    if report.failed and isinstance(rng, ShortDecimals):
        report.sections.append(
            ("random numbers", f"{rng!r}; the same numbers again with {SEED_VARIABLE}={rng.seed}")
        )
