"""Whatever the options of a check: no exception from inside, no warning, nothing right called wrong.

FASTGRAD_EXAMPLES says how many problems are tried (CONTRIBUTING.md).
"""

from __future__ import annotations

import json
import os

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


def checked(case):
    """The report; None where the options do not go together."""
    batch = case.options.get("vectorized") and case.structure == "array"
    options = case.options | {"vectorized": bool(batch)}
    claim = case.claim(case.params) if case.as_values else case.claim
    try:
        return fastgrad.check_gradient(case.batch if batch else case.value, claim, case.params, **options)
    except InputError as error:
        if not str(error).startswith(REFUSED):
            raise
        return None


@given(cases())
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_all_options(case):
    """A right gradient is never called wrong, nor is a right entry beside one that is off by 1%.

    Nor is there an exception, but an InputError about options that do not go together, or a warning. The
    report can be read.
    """
    report = checked(case)
    if report is None:
        return
    assert {finding.flat_index for finding in report.wrong} <= {case.at}
    assert str(report).startswith(report.verdict.upper())
    assert json.loads(report.to_json())["verdict"] == report.verdict
    if case.options.get("max_evaluations"):
        assert report.evaluations <= case.options["max_evaluations"]
