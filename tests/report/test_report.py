"""What can be done with a report."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from report_cases import agreeing, report_of, undecided_report, wrong

import fastgrad


class TestReport:
    def test_flat_arrays(self):
        """The flat arrays hold indices, claims, estimates and bounds of the checked coordinates."""
        report = report_of({"b": {0: 0.5}}, coordinates=[6, 2])
        assert report.indices.tolist() == [2, 6]
        assert report.claimed.tolist() == [1.0, 1.5]
        assert report.numeric.tolist() == pytest.approx([1.0, 1.0])
        assert (np.abs(report.numeric - 1) <= report.error_bound).all()

    @pytest.mark.parametrize(
        ("make", "passed"), [(agreeing, True), (wrong, False), (undecided_report, False)]
    )
    def test_passed(self, make, passed):
        """Only "agree" is passed."""
        assert make().passed is passed

    def test_raise_if_failed(self):
        """A failed report raises its own text; one that agrees does nothing."""
        agreeing().raise_if_failed()
        for report in (wrong(), undecided_report()):
            with pytest.raises(fastgrad.GradientError) as error:
                report.raise_if_failed()
            assert str(report) in str(error.value)
            assert error.value.report is report

    def test_survives_pickling(self):
        """A report reaches another process whole, with its text and its findings."""
        other = pickle.loads(pickle.dumps(wrong()))
        assert str(other) == str(wrong())
        assert list(other.wrong) == list(wrong().wrong)
        assert other.to_json() == wrong().to_json()


def test_truth():
    """A report is true where the gradient is right: `assert check_gradient(...)` is a test."""
    assert report_of({})
    assert not report_of({"W": {(0, 0): 1.0}})
    assert not undecided_report()


def test_everything_is_zero():
    """Where every derivative is claimed to be zero, and is, the first line says that little was seen."""
    said = "every derivative is claimed to be zero here, and is: a wrong factor or sign would not show"
    at_minimum = fastgrad.check_gradient(lambda x: x @ x, lambda x: -5 * x, np.zeros(3))
    assert said in str(at_minimum).partition("\n")[0]
    assert said not in str(report_of({}))


def test_a_folder_that_is_not_there(tmp_path):
    """The path is named that was given."""
    with pytest.raises(FileNotFoundError) as caught:
        report_of({}).to_html(tmp_path / "missing" / "page.html")
    assert caught.value.filename == str(tmp_path / "missing" / "page.html")


def test_title(tmp_path):
    """What was checked is in the title of a page and at its top."""
    page = report_of({}).to_html(title="net.py:<problem>")
    assert "<title>agree: net.py:&lt;problem&gt; - fastgrad</title>" in page
    assert page.count("net.py:&lt;problem&gt;") == 2
