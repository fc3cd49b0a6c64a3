"""What two values at a step may hide, as it is learnt from coordinates alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.coordinates.calibration import UNSEEN, Hidden, Scales

GROUPS = np.array([3, 3, 7])

changes = st.lists(st.one_of(st.floats(0, 9), st.just(np.nan)), min_size=3, max_size=3).map(np.array)


def learnt(*several):
    """What is hidden after several lessons of truncation and bend at GROUPS."""
    hidden = Hidden()
    for truncation, bend in several:
        hidden.learn(GROUPS, np.array(truncation), np.array(bend))
    return hidden


class TestHidden:
    def test_before_anything_is_known(self):
        """Of a group that was not looked at any truncation is possible, and no step is changed."""
        hidden = Hidden()
        assert hidden.truncation_of(GROUPS).tolist() == [np.inf] * 3
        assert hidden.bend_of(GROUPS).tolist() == [0.0] * 3
        assert hidden.stretched_by(GROUPS).tolist() == [1.0] * 3

    def test_the_largest_of_a_group_counts(self):
        """A group is allowed twice UNSEEN times the largest truncation of its members, and no more."""
        hidden = learnt(([1.0, 2.0, 0.5], [0.25, 0.125, 4.0]))
        assert hidden.truncation_of(GROUPS).tolist() == [4 * UNSEEN, 4 * UNSEEN, UNSEEN]
        assert hidden.bend_of(GROUPS).tolist() == [0.25, 0.25, 4.0]
        assert hidden.truncation_of(np.array([7, 9, 3])).tolist() == [UNSEEN, np.inf, 4 * UNSEEN]

    def test_what_has_no_value_says_nothing(self):
        """A member without a value, or with a kink, is left aside; without any other nothing is known."""
        hidden = learnt(([np.nan, 2.0, np.nan], [np.nan, 0.5, np.inf]))
        assert hidden.truncation_of(GROUPS).tolist() == [4 * UNSEEN, 4 * UNSEEN, np.inf]
        assert hidden.bend_of(GROUPS).tolist() == [0.5, 0.5, 0.0]

    @given(st.lists(st.tuples(changes, changes), min_size=1, max_size=4), st.randoms(use_true_random=False))
    def test_the_order_of_lessons_does_not_matter(self, lessons, random):
        """What was learnt does not depend on the order, nor on how coordinates come in parts."""
        shuffled = lessons.copy()
        random.shuffle(shuffled)
        for ask in (Hidden.truncation_of, Hidden.bend_of):
            assert ask(learnt(*shuffled), GROUPS).tolist() == ask(learnt(*lessons), GROUPS).tolist()

    def test_more_is_learnt_later(self):
        """A later coordinate with more truncation counts too, and one with less takes nothing back."""
        assert learnt(([1.0] * 3, [1.0] * 3), ([2.0] * 3, [0.5] * 3)).truncation_of(GROUPS)[0] == 4 * UNSEEN
        assert learnt(([2.0] * 3, [1.0] * 3), ([1.0] * 3, [0.5] * 3)).bend_of(GROUPS)[0] == 1.0

    def test_steps_are_stretched_by_group(self):
        """A group's steps are multiplied, twice if they did not fit twice, and no other's."""
        hidden = Hidden()
        hidden.stretch(3, 0.25)
        hidden.stretch(3, 0.5)
        assert hidden.stretched_by(GROUPS).tolist() == [0.125, 0.125, 1.0]

    def test_none_are_asked_for(self):
        """Asked for no coordinates it returns none."""
        assert learnt(([1.0] * 3, [1.0] * 3)).truncation_of(np.empty(0, dtype=np.intp)).tolist() == []


@pytest.mark.parametrize("offset", [2.0, -2.0])
def test_noise_at_an_offset(offset):
    """The noise of a value is a constant and a part that grows with how far a coordinate is moved."""
    one = np.ones(1)
    scales = Scales(one, one, one, 0.5 * one, 0.25 * one, np.zeros(1, dtype=np.intp))
    assert scales.noise_at(np.array([offset])).tolist() == [1.0]
