"""The demonstration on real digits."""

from __future__ import annotations

import re

import pytest

from fastgrad.cli.demos import digits
from fastgrad.cli.main import main


def test_digits_command(capsys):
    """`fastgrad demo digits` checks all 2,410 parameters and names the planted bug by block and index."""
    pytest.importorskip("sklearn")
    assert main(["demo", "digits"]) == 0
    out = capsys.readouterr().out
    [said] = re.findall(r"^AGREE to ([1-9]e-\d\d): the gradient is right at all 2,410 coordinates", out, re.M)
    assert float(said) <= 1e-3
    assert "DISAGREE: 1 of 2,410 checked coordinates is wrong; it is W2[17, 3]" in out


def test_digits_without_scikit_learn(monkeypatch, capsys):
    """Without scikit-learn the demo says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    assert main(["demo", "digits"]) == 2
    assert "pip install 'fastgrad[demo]'" in capsys.readouterr().err


def test_digits_data():
    """The digits are 1,797 images of 64 pixels from 0 to 1."""
    pytest.importorskip("sklearn")
    images, labels = digits.data()
    assert images.shape == (1797, 64)
    assert (images.min(), images.max(), set(labels.tolist())) == (0, 1, set(range(10)))
