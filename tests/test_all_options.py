"""Whatever the options of a check: no exception from inside, no warning, nothing right called wrong.

FASTGRAD_EXAMPLES says how many problems are tried (CONTRIBUTING.md).
"""

from __future__ import annotations

import json
import os
import tempfile

from hypothesis import HealthCheck, given, settings
from option_cases import cases

import fastgrad
from fastgrad.errors import InputError

EXAMPLES = int(os.environ.get("FASTGRAD_EXAMPLES", "50"))

REFUSED = (
    "wrong_fraction= says how many coordinates are drawn",
    "the step 1e-",  # vanishes against the parameters
    'vectorized=True needs engine="batched"',
    "max_evaluations must be an integer of at least 3",  # of a vectorized cost
)
"""How messages begin about options that do not go together, all of which are documented."""


def checked(case, **more):
    """The report; None where the options do not go together."""
    batch = case.options.get("vectorized") and case.structure == "array"
    options = case.options | {"vectorized": bool(batch)} | more
    claim = case.claim(case.params) if case.as_values else case.claim
    try:
        return fastgrad.check_gradient(case.batch if batch else case.value, claim, case.params, **options)
    except InputError as error:
        if not str(error).startswith(REFUSED):
            raise
        return None


def checked_twice(case):
    """The report of a check that is kept in a file, and is made again from there."""
    with tempfile.TemporaryDirectory() as folder:
        first, again = (checked(case, checkpoint=f"{folder}/check") for _ in range(2))
    assert (first is None) == (again is None)
    if first is not None and not (first.stopped or again.stopped):
        assert first.verdict == again.verdict
    return again


@given(cases())
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_all_options(case):
    """A right gradient is never called wrong, nor is a right entry beside one that is off by 1%.

    Nor is there an exception, but an InputError about options that do not go together, or a warning. The
    report can be read, and says no more evaluations than max_evaluations allows.
    """
    report = checked_twice(case) if case.checkpoint else checked(case)
    if report is None:
        return
    assert {finding.flat_index for finding in report.wrong} <= {case.at}
    assert str(report).startswith(report.verdict.upper())
    assert json.loads(report.to_json())["verdict"] == report.verdict
    limit = case.options.get("max_evaluations")
    assert limit is None or report.evaluations - report.spent.get("comparing with the checkpoint", 0) <= limit
