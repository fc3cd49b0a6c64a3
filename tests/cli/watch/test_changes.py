"""What changed between two reports, in sentences."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from watch_cases import found

from fastgrad.cli.watch.changes import changes

ALL_OF_W = dict.fromkeys(range(6), 1.0)

# before, now, the first sentence
CASES = {
    "mended": ({"wrong": {"W": ALL_OF_W}}, {}, "DISAGREE -> AGREE, mended W (6 wrong -> 0)"),
    "broke": ({}, {"wrong": {"b": {0: 1}}}, "AGREE -> DISAGREE, broke b (0 -> 1 wrong)"),
    "one mended, one broke": (
        {"wrong": {"W": ALL_OF_W}},
        {"wrong": {"b": {0: 1, 1: 1, 2: 1}}},
        "mended W (6 wrong -> 0), broke b (0 -> 3 wrong)",
    ),
    "fewer": (
        {"wrong": {"W": ALL_OF_W}},
        {"wrong": {"W": {0: 1}}},
        "fewer wrong in W (6 wrong -> 1)",
    ),
    "more": ({"wrong": {"W": {0: 1}}}, {"wrong": {"W": {0: 1, 4: 1}}}, "more wrong in W (1 wrong -> 2)"),
    "others": ({"wrong": {"W": {0: 1}}}, {"wrong": {"W": {4: 1}}}, "others wrong in W (1 wrong)"),
    "decided": (
        {"undecided": {"b": [1, 2]}},
        {},
        "UNDECIDED -> AGREE, decided b (2 undecided -> 0)",
    ),
    "undecided": ({}, {"undecided": {"b": [1]}}, "AGREE -> UNDECIDED, undecided now b (0 -> 1 undecided)"),
    "fewer undecided": (
        {"undecided": {"b": [0, 1]}},
        {"undecided": {"b": [1]}},
        "fewer undecided in b (2 undecided -> 1)",
    ),
    "more undecided": (
        {"undecided": {"b": [0]}},
        {"undecided": {"b": [0, 1]}},
        "more undecided in b (1 undecided -> 2)",
    ),
    "wrong, then undecided": (
        {"wrong": {"b": {1: 1}}},
        {"undecided": {"b": [1]}},
        "DISAGREE -> UNDECIDED, fewer wrong in b (1 wrong -> 0, 0 -> 1 undecided)",
    ),
    "undecided, then wrong": (
        {"undecided": {"b": [1]}},
        {"wrong": {"b": {1: 1}}},
        "UNDECIDED -> DISAGREE, broke b (0 -> 1 wrong, 1 undecided -> 0)",
    ),
    "renamed": ({}, {"sizes": {"W": (2, 3), "bias": (3,)}}, "renamed b -> bias"),
    "renamed and broken": (
        {},
        {"sizes": {"W": (2, 3), "bias": (3,)}, "wrong": {"bias": {1: 1}}},
        "AGREE -> DISAGREE, broke b -> bias (0 -> 1 wrong)",
    ),
    "another shape": (
        {"wrong": {"W": {0: 1}}},
        {"sizes": {"W": (4, 3), "b": (3,)}},
        "DISAGREE -> AGREE, other shape: W ((2, 3) -> (4, 3); 1 wrong -> 0)",
    ),
    "another shape, right": (
        {},
        {"sizes": {"W": (4, 3), "b": (3,)}},
        "other shape: W ((2, 3) -> (4, 3); none wrong)",
    ),
    "new": (
        {},
        {"sizes": {"W": (2, 3), "b": (3,), "c": (2,)}, "wrong": {"c": {0: 1}}},
        "AGREE -> DISAGREE, new c (1 wrong)",
    ),
    "gone": (
        {"wrong": {"b": {0: 1, 1: 1}}},
        {"sizes": {"W": (2, 3)}},
        "DISAGREE -> AGREE, gone b (2 wrong)",
    ),
    "another in its place": (
        {},
        {"sizes": {"W": (2, 3), "c": (4,)}},
        "new c, gone b",
    ),
    "in another order": (
        {"wrong": {"b": {1: 1}}},
        {"sizes": {"b": (3,), "W": (2, 3)}, "wrong": {"b": {1: 1}}},
        "nothing changed",
    ),
    "in another order, mended": (
        {"wrong": {"b": {1: 1}, "W": {1: 1}}},
        {"sizes": {"b": (3,), "W": (2, 3)}, "wrong": {"W": {1: 1}}},
        "mended b (1 wrong -> 0)",
    ),
    "nothing": ({"wrong": {"b": {1: 1}}}, {"wrong": {"b": {1: 1}}}, "nothing changed"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_sentence(case):
    """Verdict before and now, then each block whose count, coordinates, name or shape changed."""
    before, now, said = CASES[case]
    assert changes(found(**before), found(**now))[0] == said


class TestSamples:
    def test_what_was_wrong_is_not_drawn_again(self):
        """A block is not mended where none of its wrong coordinates was looked at again."""
        before, now = found({"W": {0: 1}}, coordinates=[0, 6]), found(coordinates=[1, 6])
        assert changes(before, now)[:2] == (
            "DISAGREE -> AGREE, not checked again W (1 wrong -> 0; 1 of the former were not checked again)",
            "not the same coordinates were checked: 1 of these 2 were before",
        )

    def test_some_are(self):
        """It is said how many of what was wrong were not looked at."""
        before, now = found({"W": {0: 1, 1: 1}}, coordinates=[0, 1]), found(coordinates=[1])
        assert (
            "fewer wrong in W (2 wrong -> 0; 1 of the former were not checked again)"
            in changes(before, now)[0]
        )

    def test_what_is_wrong_was_not_drawn_before(self):
        """It is said how many of what is wrong may have been wrong before."""
        before, now = found({"W": {5: 1}}, coordinates=[0]), found({"W": {5: 1}}, coordinates=[0, 5])
        assert "broke W (0 -> 1 wrong; 1 were not checked before)" in changes(before, now)[0]

    def test_the_same_sample(self):
        """With the same seed the same coordinates are drawn, and nothing is said of them."""
        before, now = (found(w, coordinates=5, seed=1) for w in ({"W": ALL_OF_W}, None))
        assert changes(before, now) == (changes(before, now)[0], *changes(before, now)[1:])
        assert not any("not the same coordinates" in said for said in changes(before, now))


class TestCoordinates:
    def test_wrong_now(self):
        """The worst coordinates that were right are named, with their values; at most three."""
        said = changes(found(), found({"W": {0: 1, 1: 4, 2: 2}, "b": {0: 3}}))
        assert said[1].startswith("wrong now: W[0, 1] (claimed 5, numeric 1), ")
        assert said[1].endswith(" and 1 more")

    def test_right_now(self):
        """In a block that is still wrong, what was mended is named; what is undecided now is not."""
        before = found({"W": {0: 1, 1: 4, 2: 2, 3: 1}})
        assert "right now: W[0, 1], W[0, 2], W[0, 0]" in changes(before, found({"W": {3: 1}}))
        now = found({"W": {3: 1}}, undecided={"W": [1]})
        assert "right now: W[0, 2], W[0, 0]" in changes(before, now)

    def test_right_now_elsewhere(self):
        """A coordinate is named as it was before its block moved, or was renamed."""
        before = found({"b": {0: 1, 2: 1}})
        now = found({"b": {0: 1}}, sizes={"b": (3,), "W": (2, 3)})
        assert "right now: b[2]" in changes(before, now)
        now = found({"c": {0: 1}}, sizes={"W": (2, 3), "c": (3,)})
        assert "right now: b[2]" in changes(before, now)

    @pytest.mark.parametrize(("by", "said"), [(0.5, True), (8.0, True), (3.9, False), (4.0, False)])
    def test_still_wrong(self, by, said):
        """Of the worst coordinate it is said if it is wrong by twice as much, or by half."""
        found_now = changes(found({"W": {1: 4.0}}), found({"W": {1: by}}))
        expected = f"wrong as before: W[0, 1], off by {by:.2g} (was 4)"
        assert found_now == ((expected,) if said else ("nothing changed",))

    def test_still_wrong_elsewhere(self):
        """A coordinate is the same one where its block has moved, and another one is not."""
        moved = {"b": (3,), "W": (2, 3)}
        before = found({"W": {4: 4.0}, "b": {0: 1.0}})
        now = found({"W": {4: 8.0}, "b": {0: 1.0}}, sizes=moved)
        assert changes(before, now) == ("wrong as before: W[1, 1], off by 8 (was 4)",)
        now = found({"W": {4: 4.0}, "b": {0: 9.0}}, sizes=moved)
        assert "wrong as before: b[0], off by 9 (was 1)" in changes(before, now)


class TestTheRest:
    def test_the_cost(self):
        """Another value of the cost is said: who mends a gradient may not have meant to change it."""
        assert changes(found(), found(scale=2.0)) == ("the cost is 2 (was 1)",)

    def test_resolution(self):
        """Of two checks that agree it is said if one saw ten times less, or more."""
        fine = found()
        coarse = dataclasses.replace(fine, seen=dataclasses.replace(fine.seen, seen=20 * fine.resolution))
        [said] = changes(fine, coarse)
        assert said.startswith("seen to be right to ")
        assert " only (was " in said
        [said] = changes(coarse, fine)
        assert " only" not in said

    def test_diagnosis(self):
        """A likely mistake that came or went is said; one in which only numbers changed is not."""
        report = found()
        one, two, other = (
            dataclasses.replace(report, diagnosis=(said,))
            for said in (
                "W: 3 of 4 are off by 1.5e-3; look",
                "W: 2 of 4 are off by -2; look",
                "transposed. Or?",
            )
        )
        assert changes(one, two) == ("nothing changed",)
        assert changes(one, other) == (
            "no longer likely: W: 3 of 4 are off by 1.5e-3",
            "likely now: transposed",
        )
        long = dataclasses.replace(report, diagnosis=("word " * 50,))
        assert changes(report, long) == ("likely now: " + ("word " * 50)[:87] + "...",)

    def test_many_blocks(self):
        """Of many blocks that broke the first eight are named, and the others counted."""
        sizes = {f"w{k}": (1,) for k in range(10)}
        said = changes(found(sizes=sizes), found({name: {0: 1} for name in sizes}, sizes=sizes))[0]
        assert said.endswith("w7 (0 -> 1 wrong) and 2 more")

    def test_hostile_names(self):
        """Names are shown as reports show them."""
        sizes = {"W\x1b[31m": (2,)}
        said = changes(found(sizes=sizes), found({"W\x1b[31m": {0: 1}}, sizes=sizes))
        assert all(sentence.isprintable() for sentence in said)

    def test_nan(self):
        """A claimed NaN is wrong, and mending it is mending."""
        broken = found({"b": {0: np.nan}})
        assert changes(broken, found())[0] == "DISAGREE -> AGREE, mended b (1 wrong -> 0)"
        assert changes(broken, broken) == ("nothing changed",)
        assert "wrong as before: b[0], off by 2 (was nan)" in changes(broken, found({"b": {0: 2}}))
