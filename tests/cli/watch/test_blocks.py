"""What changed of one block."""

from __future__ import annotations

import pytest
from watch_cases import found

from fastgrad.cli.watch import blocks
from fastgrad.cli.watch.sides import sides_of


def side(**options):
    """The only block of a report."""
    [one] = sides_of(found(sizes={"a": (4,)}, **options))
    return one


def test_nothing():
    """A block that is as it was has no change, nor has one that is nowhere."""
    assert blocks.change_of(side(), side()) is None
    assert blocks.change_of(None, None) is None


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ({"wrong": {"a": {0: 1}}}, {}, blocks.MENDED),
        ({}, {"wrong": {"a": {0: 1}}}, blocks.BROKE),
        ({"wrong": {"a": {0: 1}}}, {"wrong": {"a": {1: 1}}}, blocks.OTHERS),
        ({"wrong": {"a": {0: 1}}}, {"undecided": {"a": [0]}}, blocks.FEWER),
        ({"wrong": {"a": {0: 1}}}, {"undecided": {"a": [1]}}, blocks.MENDED),
        ({"wrong": {"a": {0: 1}}}, {"coordinates": [1]}, blocks.NOT_SEEN),
    ],
)
def test_kind(old, new, kind):
    """Mended is what was looked at again and is right; everything else has another word."""
    assert blocks.change_of(side(**old), side(**new)).kind == kind


def test_each_kind_has_its_place():
    """Every kind of change is among those that are said."""
    words = {value for name, value in vars(blocks).items() if name.isupper() and isinstance(value, str)}
    assert words == set(blocks.KINDS)
