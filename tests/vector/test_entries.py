"""Wrong entries are named."""

import numpy as np
import pytest
from vector_cases import CASES

import fastgrad


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("kind", ["jacobian", "vjp", "jvp"])
def test_named(case, kind):
    """The entry that is off is named, with what was claimed and found, whatever kind the claim has."""
    J = np.asarray(
        case.jacobian(case.x)
        if isinstance(case.jacobian(case.x), np.ndarray)
        else case.jacobian(case.x).toarray()
    )
    k, i = 9, 9
    wrong = J.copy()
    wrong[k, i] *= 1.25
    shape = np.shape(case.function(case.x))
    given = {
        "jacobian": lambda x: wrong,
        "vjp": lambda x, u: (wrong.T @ np.reshape(u, -1)).reshape(np.shape(x)),
        "jvp": lambda x, v: (wrong @ np.reshape(v, -1)).reshape(shape),
    }[kind]

    report = getattr(fastgrad, f"check_{kind}")(case.function, given, case.x)

    (entry,) = report.entries
    assert (entry.output_index, entry.flat_index) == (k, i)
    assert entry.claimed == pytest.approx(wrong[k, i])
    assert abs(entry.numeric - J[k, i]) <= entry.error_bound
    assert "wrong entries of the Jacobian" in str(report)
    assert entry.output in str(report)


def test_budget():
    """With a limit of evaluations none are looked for beyond it."""
    case = CASES["dense"]
    report = fastgrad.check_vjp(case.function, lambda x, u: 2 * case.vjp(x, u), case.x, max_evaluations=2000)
    assert report.verdict == "disagree"
    assert report.entries == ()
