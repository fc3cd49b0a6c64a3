"""A function of tensors as a function of arrays."""

from __future__ import annotations

import numpy as np
import pytest
from torch_cases import drawn, torch

from fastgrad.adapters.torch.tensor_function import TensorFunction, like, to_block
from fastgrad.errors import InputError


def made(fn, *inputs, moved=None):
    """The function at these inputs, as a tuple or one tensor."""
    given = inputs[0] if len(inputs) == 1 else inputs
    return TensorFunction(fn, given, list(range(len(inputs))) if moved is None else moved)


def test_outputs():
    """Tensors among the outputs have names; None, integers and what is not differentiable are left out."""

    def fn(x, y):
        return {"sum": x + y, "none": None, "index": x.argmax(), "fixed": x.detach()}, [x * y, 3]

    function = made(fn, drawn(3), drawn(3, seed=1))
    found = function(function.at)
    assert list(found) == ["output[0]['sum']", "output[1][0]"]
    assert np.array_equal(found["output[1][0]"], function.at["inputs[0]"] * function.at["inputs[1]"])


def test_nothing_requires_grad():
    """Where no output requires grad all of floating-point numbers are looked at, with a gradient of zeros."""
    function = made(lambda x: x.detach() * 2, drawn(3))
    found = function(function.at)
    assert list(found) == ["output"]
    assert not function.vjp(function.at, found)["inputs"].any()


def test_products():
    """vjp and jvp are those of autograd, also of complex tensors."""
    z = torch.complex(drawn(4), drawn(4, seed=1))
    function = made(lambda z: z * z, z)
    u, v = (np.random.default_rng(k).normal(size=(4, 2)) for k in (0, 1))
    J_v = function.jvp(function.at, {"inputs": v})["output"]
    J_u = function.vjp(function.at, {"output": u})["inputs"]
    assert np.allclose(J_v @ [1, 1j], 2 * z.detach().numpy() * (v @ [1, 1j]))
    assert np.sum(u * J_v) == pytest.approx(np.sum(J_u * v))


def test_strides():
    """The function gets tensors that lie in memory as the user's do."""
    seen = []
    function = made(lambda x: seen.append(x.stride()) or x * 2, drawn(4, 3).T)
    function(function.at)
    assert seen == [(1, 3)]


def test_where_it_is_called():
    """Arrays that an engine writes to in place are seen, and graphs are those of the numbers asked for."""
    function = made(lambda x: x**3, drawn(3))
    u = {"output": np.ones(3)}
    first = function.vjp(function.at, u)["inputs"]
    function.at["inputs"][0] += 1.0
    second = function.vjp(function.at, u)["inputs"]
    assert second[0] != first[0]
    assert np.allclose(second, 3 * function.at["inputs"] ** 2)


def test_a_graph_serves_many_products():
    """Products at one place call the function once; a call elsewhere in between makes another graph."""
    calls = []
    function = made(lambda x: calls.append(1) or x**3, drawn(3))
    u = {"output": np.ones(3)}
    for _ in range(3):
        function.vjp(function.at, u)
    assert len(calls) == 1
    function({"inputs": np.zeros(3)})
    function.vjp(function.at, u)
    assert len(calls) == 3


def test_fewer_outputs():
    """Another number of outputs at another place is refused."""
    function = made(lambda x: (x, x) if x.sum() < 1 else (x,), torch.zeros(2, dtype=torch.float64))
    function(function.at)
    with pytest.raises(InputError, match="as many outputs at each call"):
        function({"inputs": np.ones(2)})


@pytest.mark.parametrize(
    ("fn", "sentence"),
    [
        (lambda x: x.sum().item(), "must return floating-point tensors; got float"),
        (lambda x: None, "must return floating-point tensors; got NoneType"),
        (lambda x: x.argmax(), "must return floating-point tensors; got Tensor"),
        (lambda x: x.to_sparse(), "output is sparse .*to_dense"),
    ],
)
def test_refused(fn, sentence):
    """What is no dense floating-point tensor is refused as an output."""
    function = made(fn, drawn(3))
    with pytest.raises(InputError, match=sentence):
        function(function.at)


def test_random_numbers():
    """A function that draws draws the same each time."""
    function = made(lambda x: x * torch.rand(3, dtype=torch.float64), drawn(3))
    first = function(function.at)["output"]
    assert np.array_equal(function(function.at)["output"], first)


def test_blocks():
    """Blocks and tensors are each other's, many at a time as well."""
    z = torch.complex(drawn(2, 3), drawn(2, 3, seed=1))
    assert torch.equal(like(to_block(z), z), z)
    two = like(np.stack([to_block(z), 2 * to_block(z)]), z, 2)
    assert torch.equal(two[1], 2 * z)
