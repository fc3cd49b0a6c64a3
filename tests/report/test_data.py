"""The data of a report is that of the Report, without its methods."""

from __future__ import annotations

import dataclasses

import pytest
from report_cases import agreeing

from fastgrad.report.data import ReportData
from fastgrad.report.json import to_json
from fastgrad.report.report import Report
from fastgrad.report.text import to_text


def test_a_report_adds_no_field():
    """What a report knows stands in its data."""
    assert [f.name for f in dataclasses.fields(Report)] == [f.name for f in dataclasses.fields(ReportData)]


@pytest.mark.parametrize("face", [to_text, to_json])
def test_faces_need_the_data_only(face):
    """Text and JSON can be made from the data alone."""
    report = agreeing()
    data = ReportData(**{f.name: getattr(report, f.name) for f in dataclasses.fields(ReportData)})
    assert face(data) == face(report)
