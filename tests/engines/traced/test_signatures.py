"""The names of a function's arguments."""

import numpy as np

from fastgrad.engines.traced.signatures import signature_of


def test_signature_of():
    """NumPy's functions in Python tell their arguments; what tells none has no signature, and is no error."""
    assert list(signature_of(np.sort).parameters)[:2] == ["a", "axis"]
    assert signature_of(type) is None
