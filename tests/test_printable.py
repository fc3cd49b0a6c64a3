"""Whatever a name holds, what is shown of it can be printed, is short, and is no other block's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.printable import LONGEST_NAME, printable, printable_lines, shortened, shown_name, shown_names

# what acts on a terminal or cannot be seen, and what is shown in its place
ACTING = (
    ("\x1b[31mred", r"\x1b[31mred"),
    ("two\nlines", r"two\nlines"),
    ("back\rover", r"back\rover"),
    ("tab\there", r"tab\there"),
    ("\x00\x07\x7f", r"\x00\x07\x7f"),
    ("\x9b31m", r"\x9b31m"),
    ("\u202eright to left", r"\u202eright to left"),
    ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
    ("no\u200bwidth", r"no\u200bwidth"),
    ("\u2028line", r"\u2028line"),
    ("\ud800", r"\ud800"),
    ("\u3164\u2800", r"\u3164\u2800"),
    ("joined\u034f", r"joined\u034f"),
    ("\ufe0f\U000e0100", r"\ufe0f\U000e0100"),
    ("\U000e0041", r"\U000e0041"),
)


class TestPrintable:
    @pytest.mark.parametrize(("text", "shown"), ACTING)
    def test_what_acts_is_escaped(self, text, shown):
        """Control characters, breaks, direction marks, zero widths and surrogates are shown as escapes."""
        assert printable(text) == shown

    @pytest.mark.parametrize("text", ["W1", "enc[0].W", "[bold]x[/bold]", ":smile:", "Gewicht θ", "重み", ""])
    def test_what_can_be_read_is_left(self, text):
        """Plain names, markup that nobody interprets, and other scripts stay as they are."""
        assert printable(text) == text

    @given(st.text())
    def test_any_text(self, text):
        """What comes out is printable, and does not change when it is made printable again."""
        once = printable(text)
        assert once.isprintable()
        assert printable(once) == once

    def test_lines_are_kept_where_they_are_ours(self):
        """A text of several lines keeps its line breaks and tabs, and nothing else that acts."""
        assert printable_lines("a\n\tb\x1b[0m\r") == "a\n\tb\\x1b[0m\\r"


class TestNames:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("AGREE", "'AGREE'"),
            ("DISAGREE 1 of 2", "'DISAGREE 1 of 2'"),
            (
                "\uff35\uff2e\uff24\uff25\uff23\uff29\uff24\uff25\uff24",
                "'\uff35\uff2e\uff24\uff25\uff23\uff29\uff24\uff25\uff24'",
            ),
            (" W", "' W'"),
            ("W  (2,)  all 2", "'W  (2,)  all 2'"),
            ("note: all is well", "'note: all is well'"),
            ("agreement.W", "agreement.W"),
            ("layer:0", "layer:0"),
            ("enc W", "enc W"),
        ],
    )
    def test_what_reads_as_a_sentence_is_quoted(self, name, shown):
        """A name that reads as a verdict, a sentence or several cells is quoted; usual ones are not."""
        assert shown_name(name) == shown
        assert len(shown_name(name * 50)) <= LONGEST_NAME

    @given(st.text(max_size=300), st.integers(5, 100))
    def test_no_longer_than_asked(self, text, longest):
        """A shortened text has its first and last characters and no more than were asked for."""
        short = shortened(text, longest)
        assert len(short) <= longest
        assert printable(text) == short or (
            printable(text).startswith(short[0]) and printable(text).endswith(short[-1]) and "..." in short
        )

    @given(st.lists(st.text("a\n\\(1)b", max_size=12), unique=True, max_size=8))
    def test_no_two_alike(self, names):
        """Different names are shown differently, however much is left out of them."""
        shown = shown_names(names, 8)
        assert len(set(shown)) == len(names)
        assert all(name.isprintable() for name in shown)

    def test_usual_names_are_whole(self):
        """Names as networks have them are shown as they are."""
        names = ["W1", "encoder.layers[11].attention.self.query.weight.of.the.left.tower", "params[0]"]
        assert shown_names(names) == names

    def test_five_hundred_characters(self):
        """A name of 500 characters takes no more room than the longest that is shown whole."""
        [shown] = shown_names(["w" * 500])
        assert len(shown) == LONGEST_NAME
