"""Where a checkpoint may be."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from problems import sphere

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution.checkpoint_path import path_of, require_usable, shown

X = np.ones(3)


def checked(numerical, gradient, **options):
    """A check of a gradient of the sphere, or only the numerical one."""
    if numerical:
        return fastgrad.numerical_gradient(sphere, X, **options)
    return fastgrad.check_gradient(sphere, gradient, X, **options)


@pytest.mark.parametrize("given", [3, 3.5, True, b"run", "", "a\0b", ["run"], object()])
@pytest.mark.parametrize("numerical", [False, True])
def test_no_path(given, numerical):
    """What is no path is refused in words, before the gradient is asked."""

    def gradient(x):
        raise AssertionError

    said = f'checkpoint must be the path of a file, as in checkpoint="check.db"; got {given!r:.60}'
    with pytest.raises(InputError, match=re.escape(said)):
        checked(numerical, gradient, checkpoint=given)


def test_paths(tmp_path):
    """Text and Path are paths, and are made absolute; a file that is not there yet can be used."""
    assert path_of("run") == path_of(Path("run")) == Path.cwd() / "run"
    assert path_of(np.str_("run")) == Path.cwd() / "run"
    require_usable(tmp_path / "run")


@pytest.mark.parametrize("given", [".", "..", "/dev/null"])
def test_folders_and_devices(given):
    """A folder or a device is refused."""
    with pytest.raises(InputError, match="a checkpoint is a file, and this is a folder or a device"):
        require_usable(given)


def test_no_folder(tmp_path):
    """A file in a folder that is not there is refused, with the folder's name."""
    said = f"{tmp_path}/none/run: there is no folder {tmp_path}/none for this checkpoint"
    with pytest.raises(InputError, match=re.escape(said)):
        require_usable(tmp_path / "none" / "run")


def test_a_name_that_is_too_long(tmp_path):
    """What the system refuses is said with its own words."""
    with pytest.raises(InputError, match=r"cannot be read or written.*File name too long"):
        require_usable(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("run 1", "run 1"),
        ("a\nb", r"a\nb"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\udcff", r"\udcff"),
        ("läuft", "läuft"),
    ],
)
def test_shown(name, expected):
    """A path is printed on one line, and can do nothing to a terminal."""
    assert shown(Path(name)) == expected


@pytest.mark.parametrize(
    "given",
    [np.inf, np.nan, -0.5, 0.0, 1.5, 3.0, -3, 0, True, "some", "", "ALL", b"all", None, [0.5], [True, False]],
)
@pytest.mark.parametrize("numerical", [False, True])
def test_no_coordinates(given, numerical, tmp_path):
    """Coordinates that are none are refused in a sentence, and no file is made."""
    path = tmp_path / "run"
    with pytest.raises(InputError, match=r"^coordinates"):
        checked(numerical, 2 * X, coordinates=given, checkpoint=path)
    assert not path.exists()
