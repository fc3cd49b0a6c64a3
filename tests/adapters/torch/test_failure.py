"""The error of a failed gradcheck."""

from __future__ import annotations

import importlib
import pickle

import pytest
from torch_cases import torch

from fastgrad.adapters.torch.failure import failure, failure_class


def test_it_is_torchs():
    """Who catches torch's error catches it; it says what is wrong, and carries a report."""
    assert torch is not None
    GradcheckError = importlib.import_module("torch.autograd.gradcheck").GradcheckError
    with pytest.raises(GradcheckError, match="wrong") as caught:
        raise failure("it is wrong", "a report")
    assert caught.value.report == "a report"
    assert failure("without").report is None


def test_between_processes():
    """It survives a trip between processes."""
    twin = pickle.loads(pickle.dumps(failure("it is wrong")))
    assert isinstance(twin, failure_class())
    assert str(twin) == "it is wrong"
