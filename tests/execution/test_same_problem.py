"""Whether a file is of the problem that is checked now, and the words for what differs."""

from __future__ import annotations

import pytest

from fastgrad.execution.same_problem import CHANGES, differences, differences_within, with_changes

STORED = {"cost": {"cost()": "1", "SCALE": "2", "CALLS": CHANGES}, "gradient": {}, "data": {"args[0]": "3"}}


def test_no_difference():
    """The same problem has no differences, whatever the order, and where a place changes anyway."""
    now = {"data": {"args[0]": "3"}, "gradient": {}, "cost": {"CALLS": "9", "SCALE": "2", "cost()": "1"}}
    assert differences_within(STORED, now) == []
    assert differences({"a": "1", "b": "2"}, {"b": "2", "a": "1"}) == []


@pytest.mark.parametrize(
    ("part", "places", "words"),
    [
        ("cost", {"cost()": "7"}, "the cost's code or a value that it uses differs (cost())"),
        ("cost", {"helper()": "7"}, "the cost's code or a value that it uses differs (helper())"),
        ("gradient", {"g()": "7"}, "the gradient's code or a value that it uses differs (g())"),
        ("network", {"network.l2": "7"}, "the network differs (network.l2)"),
        ("data", {"args[0]": "7", "args[1]": "7"}, "the data in args differ (args[0], args[1])"),
        ("data", dict.fromkeys("abcde", "7"), "the data in args differ (a, b, c and 2 more)"),
    ],
)
def test_words(part, places, words):
    """The part is named in the user's words, and up to three of its places."""
    now = {**STORED, part: {**STORED.get(part, {}), **places}}
    assert differences_within(STORED, now) == [words]


def test_gone():
    """What is not there any more is a difference."""
    assert differences_within(STORED, {**STORED, "data": {}}) == ["the data in args differ (args[0])"]
    assert differences({"data": "1"}, {}) == ["the data differs"]


def test_versions_are_quoted():
    """Versions of fastgrad and Python, and options, are quoted, since one can read them."""
    assert differences({"python": "3.11", "fastgrad": "1"}, {"python": "3.12", "fastgrad": "2"}) == [
        "the version of Python differs ('3.11' there, '3.12' now)",
        "the fastgrad version differs ('1' there, '2' now)",
    ]


def test_changes_are_marked():
    """What was changed, came or went during a check is not compared any more; the rest is."""
    before = {"cost": {"cost()": "1", "SCALE": "2", "CALLS": "0", "cache": "5"}, "gradient": {}, "data": {}}
    after = {"cost": {"cost()": "1", "SCALE": "2", "CALLS": "9", "buffer": "6"}, "gradient": {}, "data": {}}
    marked = with_changes(before, before, after)
    assert marked["cost"] == {
        "cost()": "1", "SCALE": "2", "CALLS": CHANGES, "cache": CHANGES, "buffer": CHANGES
    }  # fmt: skip
    assert differences_within(marked, after) == differences_within(marked, before) == []
    assert with_changes(marked, after, after) == marked
