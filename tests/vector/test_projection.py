"""What all vector checks have in common."""

import numpy as np
import pytest

import fastgrad


@pytest.mark.parametrize(
    "check",
    [
        fastgrad.check_vjp,
        fastgrad.check_jvp,
        fastgrad.check_jacobian,
        fastgrad.check_hvp,
        fastgrad.check_hessian,
    ],
)
class TestAll:
    """All five."""

    def test_not_callable(self, check):
        """A function that is none is refused by name."""
        with pytest.raises(fastgrad.InputError, match="must be callable; got array"):
            check(np.ones(2), lambda *a: np.ones(2), np.ones(2))

    def test_unknown_option(self, check):
        """An unknown option is refused before anything of the user's is called."""

        def called(*_):
            raise AssertionError

        with pytest.raises(TypeError, match="unknown option 'sed'"):
            check(called, called, np.ones(2), sed=1)
