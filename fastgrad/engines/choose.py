"""Which engine evaluates a problem's cost: the one asked for, or the fastest that fits.

`coordinates` calls `choose_engine` before anything is evaluated, and moves coordinates with the engine it
gets.
"""

from __future__ import annotations

import sys

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.differences.stencils import Stencil, stencil_dtype
from fastgrad.engines.alternatives import Alternatives
from fastgrad.engines.numbers import DType
from fastgrad.engines.protocol import Engine
from fastgrad.errors import InputError, warn_user
from fastgrad.printable import shortened
from fastgrad.problem.as_given import AsGiven, as_given
from fastgrad.problem.columns import Columns
from fastgrad.problem.describe import repr_of
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem

ENGINES = ("python", "compiled", "batched", "network", "traced")
"""The engines that `engine=` takes, beside "auto"."""

NEEDS_NODES = (
    'perturb="nodes" needs an engine that knows the pre-activations, engine="network": '
    "Network.problem(params, X, Y) makes such a problem, Problem(..., structure=network) ties a cost to one"
)

CALLED_FROM_PYTHON = (
    "the Numba cost gets {kind}, which cannot be moved in compiled code: it was called from Python. An array "
    "in its place would be moved in a compiled loop"
)


def choose_engine(
    problem: Problem,
    parameters: Parameters,
    stencil: Stencil,
    engine: str = "auto",
    vectorized: bool = False,
    perturb: str = "parameters",
    indices: IndexArray | None = None,
) -> Engine:
    """The engine asked for, or with "auto" the fastest one that fits the cost.

    Parameters
    ----------
    problem, parameters : what is checked
    stencil : the stencil of the check; its dtype and its number of points matter here
    engine : one of ENGINES, or "auto": batched for a vectorized cost, network for a Network, compiled for a
        Numba function, python for any other callable (which `coordinates.engines` replaces by traced where
        that is faster)
    vectorized : whether the cost takes a batch of parameter vectors
    perturb : "parameters", "nodes" (the pre-activations of Dense layers), or "auto" for the less work
    indices : the coordinates that are checked, on which the choice of "auto" depends; None for all

    Raises
    ------
    InputError
        For an unknown engine, or one that does not fit the cost.
    """
    is_name = isinstance(engine, str)
    by_columns = is_name and engine == "auto" and not stencil.is_complex
    if isinstance(problem.structure, Columns) and by_columns:
        return _columns(problem, parameters, problem.structure)
    name = _automatic(problem, stencil, vectorized) if is_name and engine == "auto" else engine
    if not is_name or name not in ENGINES:
        raise InputError(
            f"unknown engine {engine!r}: the engines are auto, {', '.join(ENGINES)}", code="FG420"
        )
    if vectorized and name != "batched":
        raise InputError(f'vectorized=True needs engine="batched" (or "auto"); got {engine!r}', code="FG223")
    dtype = stencil_dtype(stencil)
    if name == "batched":
        return _batched(problem, parameters, stencil, dtype, vectorized)
    if name == "compiled":
        return _compiled(problem, parameters, dtype)
    if name == "network":
        found = _network(problem, parameters, stencil)
        return _perturbing(found, perturb, np.arange(parameters.size) if indices is None else indices)
    if name == "traced" or (perturb != "parameters" and engine == "auto"):
        traced = _traced(problem, parameters, stencil, perturb if engine == "auto" else "parameters")
        if traced is not None:
            return _perturbing(traced, perturb, np.arange(parameters.size) if indices is None else indices)
    if perturb == "nodes":
        raise InputError(NEEDS_NODES, code="FG606")
    from fastgrad.engines.python import PythonEngine

    plain = PythonEngine(problem.cost, parameters, problem.args, dtype)
    if isinstance(problem.cost, AsGiven) and is_numba_function(problem.cost.function):
        plain.notes = (CALLED_FROM_PYTHON.format(kind=problem.cost.kind),)
    return plain


def is_numba_function(function: object) -> bool:
    """Whether a function was compiled by Numba; answered without importing Numba."""
    if "numba" not in sys.modules:
        return False
    from fastgrad.kernels.jit import is_jitted

    return is_jitted(function)


def is_networks_own(function: object, structure: object, name: str) -> bool:
    """Whether a function is that method of a Network of fastgrad's own layers, which keeps no state."""
    if structure is None:
        return False
    from fastgrad.networks.known import is_own_method  # imported late, since it loads all layers

    return is_own_method(function, structure, name)


def _automatic(problem: Problem, stencil: Stencil, vectorized: bool) -> str:
    if vectorized:
        return "batched"
    offers = isinstance(problem.structure, Alternatives)  # which stand in for the python engine
    if problem.structure is not None and not offers and not stencil.is_complex:
        return "network"
    return "compiled" if is_numba_function(problem.cost) else "python"


def _perturbing(engine: Engine, perturb: str, indices: IndexArray) -> Engine:
    """The engine that moves what `perturb` says.

    An engine that stands in for the network engine, because the cost and its network differ, has no nodes.
    """
    if perturb == "parameters":
        return engine
    through_nodes = getattr(engine, "through_nodes", None)
    if through_nodes is None:
        if perturb == "auto":
            return engine
        raise InputError(NEEDS_NODES, code="FG606")
    found: Engine = through_nodes(perturb, indices)
    return found


def _batched(
    problem: Problem, parameters: Parameters, stencil: Stencil, dtype: DType, vectorized: bool
) -> Engine:
    from fastgrad.engines.batched import BatchedEngine

    if not vectorized:
        raise InputError(
            'engine="batched" needs a cost that takes a batch (k, n) and returns (k,): say '
            "vectorized=True if yours does",
            code="FG223",
        )
    return BatchedEngine(problem.cost, parameters, problem.args, dtype, len(stencil.evaluated))


def _columns(problem: Problem, parameters: Parameters, columns: Columns) -> Engine:
    from fastgrad.engines.columns import ColumnsEngine

    function = as_given(columns.function, parameters)
    return ColumnsEngine(problem.cost, parameters, problem.args, columns, function)


def _network(problem: Problem, parameters: Parameters, stencil: Stencil) -> Engine:
    if problem.structure is None:
        raise InputError(
            'engine="network" needs a Problem with a structure: Network.problem(params, X, Y) makes one',
            code="FG601",
        )
    if stencil.is_complex:
        raise InputError(
            'engine="network" takes real steps only: use engine="python" with method="complex"', code="FG602"
        )
    from fastgrad.engines.network.engine import NetworkEngine
    from fastgrad.engines.network.layer_rules import NotArrays
    from fastgrad.engines.network.tie import disagreement, disagreement_of_parts, is_own_cost, own_methods
    from fastgrad.networks import Network

    if isinstance(problem.structure, Alternatives):
        raise InputError(
            'engine="network" needs a fastgrad.Network; leave engine="auto", which takes the fastest way '
            "that is known for this cost, a network where it computes the same",
            code="FG601",
        )
    if not isinstance(problem.structure, Network):
        raise InputError(
            "structure= must be a fastgrad.Network that computes the cost; got "
            f"{type(problem.structure).__name__}",
            code="FG601",
        )
    found = own_methods(problem.structure)
    if found is not None:
        return _cost_itself(problem, parameters, found)
    if not is_own_cost(problem):
        found = disagreement(problem, problem.structure, parameters)
        if found is not None:
            return _cost_itself(problem, parameters, found, warn=True)
    try:
        engine = NetworkEngine(problem.cost, parameters, problem.args, problem.structure)
    except NotArrays as error:
        return _cost_itself(
            problem, parameters, f"a layer of the network gives {error} where others give arrays"
        )
    found = disagreement_of_parts(engine)
    return engine if found is None else _cost_itself(problem, parameters, found, warn=True)


def _traced(problem: Problem, parameters: Parameters, stencil: Stencil, perturb: str) -> Engine | None:
    """The engine for the recorded cost; None where it cannot be recorded and need not."""
    from fastgrad.engines.traced.choose import required_engine

    try:
        return required_engine(problem, parameters, stencil)
    except InputError as error:
        if perturb == "parameters":
            raise
        if perturb == "nodes":
            raise InputError(f"{NEEDS_NODES}. {error.message}", code="FG606") from None
        return None


def _cost_itself(problem: Problem, parameters: Parameters, why: str, warn: bool = False) -> Engine:
    """The python engine in place of the network engine, with a note that says why."""
    from fastgrad.engines.python import PythonEngine

    note = f"{why}; so the cost itself was evaluated, by the python engine"
    if warn:
        warn_user(note)
    plain = PythonEngine(problem.cost, parameters, problem.args)
    plain.notes = (note,)
    return plain


def _compiled(problem: Problem, parameters: Parameters, dtype: DType) -> Engine:
    if isinstance(problem.cost, AsGiven):
        raise InputError(
            f'engine="compiled" moves arrays, and the cost gets {problem.cost.kind}: pass an array in its '
            'place, or say engine="python"',
            code="FG603",
        )
    if not is_numba_function(problem.cost):
        raise InputError(
            'engine="compiled" needs a cost that is a Numba function (decorated with numba.njit); '
            f"got {shortened(repr_of(problem.cost))}",
            code="FG603",
        )
    from fastgrad.engines.compiled import CompiledEngine

    return CompiledEngine(problem.cost, parameters, problem.args, dtype)
