"""The pictures show what the page about them says, and are the same file from the same numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pictures():
    """docs/pictures.py as a module."""
    sys.path.insert(0, str(ROOT / "docs"))
    import pictures

    yield pictures
    sys.path.remove(str(ROOT / "docs"))
    sys.modules.pop("pictures", None)


def points(figure, label):
    """The points of what a legend calls so."""
    (found,) = [line for line in figure.axes[0].get_lines() if line.get_label().startswith(label)]
    return np.array(found.get_xdata(), dtype=float), np.array(found.get_ydata(), dtype=float)


def test_two_branches(pictures):
    """The errors follow the branch of truncation at wide steps, and have a best step in between."""
    figure = pictures.error_against_step()
    h, error = points(figure, "error of")
    _, truncation = points(figure, "truncation")
    wide = (h > 1e-4) & (h < 1e-2)
    assert np.allclose(error[wide], truncation[wide], rtol=0.1)
    assert 1e-7 < h[np.argmin(np.where(h > 1e-7, error, 1))] < 1e-5
    asked, _ = points(figure, "distances")
    assert asked.min() < 1e-12  # to measure noise
    assert ((asked > 1e-7) & (asked < 1e-5)).sum() >= 2  # at the best step and twice that


def test_the_two_wrong_entries(pictures):
    """Of 24 entries the two that are off are above what is allowed, and nothing else is."""
    figure = pictures.bounds()
    wrong, off = points(figure, "|claimed - numeric|, disagrees")
    right, _ = points(figure, "|claimed - numeric|, agrees")
    assert sorted(wrong) == [5, 17]
    assert len(right) == 22
    assert off.min() < 1e-5 < off.max()


def test_the_ladder(pictures):
    """Differences are off beyond the kink, and right below it; what is found holds the slope."""
    figure = pictures.ladder()
    axes = figure.axes[0]
    h, d = (np.array(values) for values in axes.containers[0].lines[0].get_data())
    truth = -np.sin(0.5)
    assert np.all(np.abs(d - truth)[h > 4e-3] > 0.05)
    assert np.all(np.abs(d - truth)[(h < 1e-3) & (h > 1e-6)] < 1e-3)
    (band,) = axes.patches
    low, high = band.get_y(), band.get_y() + band.get_height()
    assert low <= truth <= high


def test_directions_keep_their_promise(pictures):
    """No kind of damage is missed more often than 1 in 2^K."""
    figure = pictures.directions()
    _, promised = points(figure, "what is promised")
    for label in ("two entries", "ten entries", "all 64"):
        assert np.all(points(figure, label)[1] <= promised)
    assert list(promised[:2]) == [0.5, 0.25]


def test_what_changes(pictures):
    """A weight changes one column of its own layer, nothing before, and all after."""
    figure = pictures.incremental()
    said = [axes.get_xlabel() for axes in figure.axes]
    assert said[:3] == ["10 of 120 change", "90 of 90 change", "40 of 40 change"]
    assert said[3:6] == ["0 of 120 change", "10 of 90 change", "40 of 40 change"]
    assert said[6:] == ["0 of 120 change", "0 of 90 change", "10 of 40 change"]


def test_the_clipped_block(pictures):
    """The map of a report shows each of its wrong entries, and the rest as it is."""
    figure = pictures.clipped_block()
    shown = figure.axes[0].get_images()[0].get_array()
    report = pictures.clipped.report()
    assert [found.block for found in report.wrong] == ["W1"] * 4
    assert np.argwhere(shown >= 5).tolist() == sorted(list(found.index) for found in report.wrong)
    assert "clipped" in report.diagnosis[0]


def test_files(pictures, tmp_path):
    """Each picture is an SVG that asks for no font and no file, and is the same when it is drawn again."""
    pictures.draw_all(tmp_path / "a")
    pictures.draw_all(tmp_path / "b")
    made = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert made == sorted(f"{name}.svg" for name in pictures.PICTURES)
    for name in made:
        text = (tmp_path / "a" / name).read_text()
        assert text == (tmp_path / "b" / name).read_text()
        assert "<text" not in text
        assert "<image" not in text or "data:image/png" in text
