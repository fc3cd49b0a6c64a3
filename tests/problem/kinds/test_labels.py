"""Labels in words, and an index put into the order of another one."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem.kinds.labels import NAMED, aligned_positions, in_words


class Index:
    """The methods of a pandas Index that are used, on a list."""

    def __init__(self, labels):
        self.labels = list(labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, k):
        return self.labels[k]

    def equals(self, other):
        """Whether the labels are the same in the same order."""
        return self.labels == other.labels

    @property
    def is_unique(self):
        """Whether no label stands there twice."""
        return len(set(self.labels)) == len(self.labels)

    def get_indexer(self, other):
        """Where the other's labels stand; -1 for those that do not."""
        return np.array([self.labels.index(label) if label in self.labels else -1 for label in other.labels])


# label, how it is written
WORDS = (
    ("alpha", "'alpha'"),
    (3, "3"),
    (np.int64(3), "3"),
    (0.5, "0.5"),
    (np.float64(0.5), "0.5"),
    (np.str_("a"), "'a'"),
    (("a", np.int64(1)), "('a', 1)"),
    (("a",), "('a',)"),
    (None, "None"),
    (datetime.date(2020, 1, 2), "'2020-01-02'"),
    (np.datetime64("2020-01-02"), "'2020-01-02'"),
    ("two\nlines\x1b[0m", r"'two\nlines\x1b[0m'"),
)


class TestWords:
    @pytest.mark.parametrize(("label", "words"), WORDS, ids=str)
    def test_as_the_user_writes_it(self, label, words):
        """Strings are quoted, numbers of NumPy's are plain, dates are quoted, nothing acts on a terminal."""
        assert in_words(label) == words

    def test_long_labels_are_cut(self):
        """A label of 500 characters is shown in part."""
        assert len(in_words("x" * 500)) <= 80


class TestAligned:
    # mine, theirs, positions
    ORDERS = (
        ("abc", "abc", [0, 1, 2]),
        ("abc", "cab", [1, 2, 0]),
        ("a", "a", [0]),
        ("", "", []),
        ("aab", "aab", [0, 1, 2]),
    )

    @pytest.mark.parametrize(("mine", "theirs", "positions"), ORDERS)
    def test_positions(self, mine, theirs, positions):
        """The positions put the other labels into the order of these."""
        assert aligned_positions(Index(mine), Index(theirs), "g").tolist() == positions

    # mine, theirs, what is said
    REFUSED = (
        (
            "abc",
            "abx",
            "other labels than the parameter; missing: 'c'; not among the parameter's: 'x'. Give it",
        ),
        ("abc", "ab", "other labels than the parameter; missing: 'c'. Give it"),
        ("ab", "abc", "other labels than the parameter; not among the parameter's: 'c'. Give it"),
        ("aab", "aba", "the labels in another order, and some of them stand there twice"),
        ("ab", "aab", "the labels in another order, and some of them stand there twice"),
    )

    @pytest.mark.parametrize(("mine", "theirs", "said"), REFUSED)
    def test_other_labels_are_named(self, mine, theirs, said):
        """Labels that are missing or unknown are named; those that stand there twice cannot be aligned."""
        with pytest.raises(InputError) as caught:
            aligned_positions(Index(mine), Index(theirs), "the gradient of W")
        assert f"the gradient of W has {said}" in str(caught.value)

    def test_the_axis_is_named(self):
        """With two axes the message says which."""
        with pytest.raises(InputError, match="has other labels of its columns than the parameter"):
            aligned_positions(Index("ab"), Index("ac"), "the gradient of W", "columns")

    def test_many_labels(self):
        """Of many other labels some are named, and the others counted."""
        with pytest.raises(InputError, match=rf"and {1000 - NAMED} more; not among"):
            aligned_positions(Index(range(1000)), Index(range(1000, 2000)), "g")
