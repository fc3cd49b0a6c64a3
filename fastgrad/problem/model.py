"""A statistical model, as of statsmodels: which methods it has, and what its coordinates are called.

`Problem.from_model` and `forms.model` call these functions. statsmodels itself is never imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgrad.arrays import FloatArray
from fastgrad.errors import InputError
from fastgrad.problem.block import parameter_leaf
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.named_vector import NamedVector

METHODS = {
    "loglike": ("loglike", "loglikelihood", "log_likelihood", "logl", "log_prob", "logp"),
    "score": ("score", "gradient", "grad", "jac", "dlogp"),
    "hessian": ("hessian", "hess", "d2logp"),
}
"""What the methods of a model are called, those of statsmodels first."""


def method_called(model: Any, what: str, name: str | None) -> str:
    """The name of a model's method.

    Parameters
    ----------
    model : the user's
    what : a key of METHODS, which is the keyword that names the method too
    name : as the user gave it; None for the first of METHODS that the model has

    Raises
    ------
    InputError
        For a class, and where the model has no such method.
    """
    if isinstance(model, type):
        raise InputError(f"a model is an object, not a class: pass {model.__name__}(...)", code="FG120")
    tried = METHODS[what] if name is None else (name,)
    for one in tried:
        if callable(getattr(model, one, None)):
            return one
    raise InputError(
        f"{type(model).__name__} has no method {' or '.join(tried)}; another name can be given with {what}=",
        code="FG121",
    )


def flat_parameters(params: Any) -> tuple[FloatArray, tuple[Any, ...] | None]:
    """Parameters as one vector, and the names that their labels give its entries; None where there are none.

    A matrix, as of a multinomial model, is taken column by column, as statsmodels does.

    Raises
    ------
    InputError
        Unless they are one array of floats, with one axis or two.
    """
    if isinstance(params, NamedVector):
        return params.values, params.names
    array, form = parameter_leaf(params, "params", is_root=True)
    if array.ndim not in (1, 2):
        raise InputError(f"params must be a vector of all parameters; got {describe(params)}", code="FG123")
    flat = array.reshape(-1, order="F")
    if form is None or form.label is None:
        return flat, None
    axes = [params.index] if array.ndim == 1 else [params.index, params.columns]
    return flat, tuple(_column_by_column([list(axis) for axis in axes]))


def coordinate_names(model: Any, size: int, names: Sequence[Any] | None) -> tuple[Any, ...] | None:
    """The names of a model's coordinates; None where nobody gave any.

    Parameters
    ----------
    model : the user's, which may have param_names, or exog_names
    size : of the vector of parameters
    names : as the user gave them, which come first

    Raises
    ------
    InputError
        Where the user gave another number of names.
    """
    if names is not None:
        if isinstance(names, str) or len(names) != size:
            raise InputError(
                f"names= must be a name for each of the {size:,} parameters; got {describe(names)}",
                code="FG124",
            )
        return tuple(names)
    for names_of in (_param_names, _exog_names, _exog_and_extra_names, _names_of_equations):
        found = names_of(model)
        if len(found) == size:
            return tuple(found)
    known = _exog_names(model)
    return (*known, *range(len(known), size)) if 0 < len(known) < size else None


def _param_names(model: Any) -> list[Any]:
    return _list_of(model, "param_names")


def _exog_names(model: Any) -> list[Any]:
    return _list_of(model, "exog_names")


def _exog_and_extra_names(model: Any) -> list[Any]:
    """With the names of what a model has beside its regressors, such as alpha."""
    return _exog_names(model) + _list_of(model, "extra_params_names")


def _names_of_equations(model: Any) -> list[Any]:
    """(name, equation) for a multinomial model of J outcomes, which has J - 1 equations."""
    J, names = getattr(model, "J", None), _exog_names(model)
    return _column_by_column([names, list(range(int(J) - 1))]) if isinstance(J, int | np.integer) else []


def _list_of(model: Any, name: str) -> list[Any]:
    found: Any = getattr(model, name, None)
    is_some = isinstance(found, list | tuple) or hasattr(found, "tolist")
    return list(found) if is_some else []


def _column_by_column(axes: list[list[Any]]) -> list[Any]:
    if len(axes) == 1:
        return axes[0]
    return [(row, column) for column in axes[1] for row in axes[0]]
