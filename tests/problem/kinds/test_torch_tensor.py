"""Tensors of torch: made again for each call, with dtype, device and requires_grad as they were given."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import epsilon_of, to_number
from fastgrad.errors import InputError
from fastgrad.problem.kinds.torch_tensor import to_array
from fastgrad.problem.parameters import Parameters

torch = pytest.importorskip("torch")

X = [0.5, -1.0, 2.0]


def squares(p):
    """The sum of squares, a tensor with a graph where the parameter requires a gradient."""
    return (p**2).sum()


def by_backward(p):
    """The gradient as torch's tutorials take it."""
    if not p.requires_grad:
        p = p.clone().requires_grad_()
    squares(p).backward()
    return p.grad


def tensor(dtype=None, requires_grad=False):
    """Parameters."""
    return torch.tensor(X, dtype=dtype or torch.float64, requires_grad=requires_grad)


@pytest.fixture(scope="module")
def net():
    """A small module in float64."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()


class TestMadeAgain:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("requires_grad", [False, True])
    def test_as_given(self, dtype, requires_grad):
        """Cost and gradient get a tensor of the same dtype that requires a gradient as the given one does."""
        seen = []

        def cost(p):
            seen.append((type(p), p.dtype, p.requires_grad, p.is_leaf))
            return squares(p)

        report = fastgrad.check_gradient(
            cost, lambda p: (cost(p), by_backward(p))[1], tensor(dtype, requires_grad)
        )
        assert report.verdict == "agree"
        assert set(seen) == {(torch.Tensor, dtype, requires_grad, True)}

    def test_a_module_parameter(self):
        """A torch.nn.Parameter stays one."""
        seen = []
        fastgrad.check_gradient(
            lambda p: seen.append(type(p)) or squares(p), by_backward, torch.nn.Parameter(tensor())
        )
        assert set(seen) == {torch.nn.Parameter}

    def test_nothing_accumulates(self):
        """What backward leaves in .grad is gone at the next call: the same gradient comes each time."""
        report = fastgrad.check_gradient(squares, by_backward, tensor(requires_grad=True))
        assert (report.verdict, report.notes) == ("agree", ())

    def test_the_users_tensor_is_left_alone(self):
        """Neither the numbers nor .grad of the given tensor change."""
        given = tensor(requires_grad=True)
        fastgrad.check_gradient(squares, by_backward, given)
        assert given.tolist() == X
        assert given.grad is None

    def test_a_result_of_other_tensors(self):
        """A tensor that was computed from others is taken with its numbers alone."""
        report = fastgrad.check_gradient(squares, by_backward, tensor(requires_grad=True) * 2)
        assert report.passed

    @pytest.mark.parametrize(
        "given", [tensor()[::2], torch.ones(2, 3, dtype=torch.float64).T, torch.tensor(2.0)]
    )
    def test_any_layout(self, given):
        """Strided, transposed and single numbers are taken."""
        assert fastgrad.check_gradient(squares, by_backward, given).passed

    def test_a_cost_that_writes_into_it_is_refused(self):
        """A tensor shares the memory of the working copy: what the cost writes is seen."""

        def cost(p):
            p[1] = 7.0
            return p.sum()

        with pytest.raises(InputError, match=r"the cost changes its parameters: params\[1\] was -1"):
            fastgrad.check_gradient(cost, np.ones(3), tensor())

    def test_other_processes(self):
        """Worker processes get tensors too."""
        p = torch.linspace(0, 1, 60, dtype=torch.float64)
        report = fastgrad.check_gradient(squares, by_backward, p, n_jobs=2, backend="loky")
        assert report.passed


class TestGradients:
    # what comes of the gradient
    MADE = (
        lambda g: g,
        lambda g: g.detach(),
        lambda g: g.numpy(),
        lambda g: g.tolist(),
        lambda g: list(g),
        lambda g: g.to_sparse(),
        lambda g: g.clone().requires_grad_(),
        lambda g: g.float(),
        lambda g: (squares(tensor(requires_grad=True)), g),
    )

    @pytest.mark.parametrize("made", MADE)
    def test_of_any_make(self, made):
        """With or without a graph, sparse, as an array or a list, or beside the loss: it is compared."""
        given = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
        assert fastgrad.check_gradient(squares, lambda p: made(2 * p), given).passed

    def test_of_half_precision(self):
        """bfloat16, which NumPy does not have, is read as float32."""
        found = to_array(torch.tensor([0.5, 1.0], dtype=torch.bfloat16), "g")
        assert (found.dtype, found.tolist()) == (np.float32, [0.5, 1.0])

    def test_autograd_grad(self):
        """The tuple that torch.autograd.grad gives for a list of tensors is a gradient of the list."""
        params = [tensor(requires_grad=True), torch.ones(2, 2, dtype=torch.float64, requires_grad=True)]

        def cost(p):
            return squares(p[0]) + squares(p[1])

        report = fastgrad.check_gradient(cost, lambda p: torch.autograd.grad(cost(p), p), params)
        assert (report.verdict, report.notes) == ("agree", ())

    def test_a_wrong_one_is_named(self):
        """A wrong entry is found and named."""
        report = fastgrad.check_gradient(squares, lambda p: 2 * p + torch.tensor([0, 0.1, 0]), tensor())
        assert [f.label for f in report.wrong] == ["params[1]"]

    def test_missing(self):
        """A .grad that backward did not fill is None, and refused as missing."""
        with pytest.raises(InputError, match=r"NoneType None\. Is a return missing"):
            fastgrad.check_gradient(squares, lambda p: p.grad, tensor(requires_grad=True))


class TestModules:
    def cost(self, net, params):
        """The mean square of what a module gives."""
        X = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)
        return (torch.func.functional_call(net, params, (X,)) ** 2).mean()

    def test_named_parameters(self, net):
        """The parameters of a module by name, with a gradient by backward, are checked as they are."""

        def gradient(params):
            self.cost(net, params).backward()
            return {name: p.grad for name, p in params.items()}

        params = dict(net.named_parameters())
        report = fastgrad.check_gradient(lambda p: self.cost(net, p), gradient, params)
        assert report.verdict == "agree"
        assert [row.name for row in report.blocks] == ["0.weight", "0.bias", "2.weight", "2.bias"]

    # what is given in place of them, what is said
    OTHERS = (
        (lambda net: net, r"is a torch Module: pass its tensors, dict\(net.named_parameters\(\)\)"),
        (lambda net: net.parameters(), r"It can be read only once: pass list\(...\) of it"),
    )

    @pytest.mark.parametrize(("given", "said"), OTHERS)
    def test_other_things_are_refused(self, net, given, said):
        """A module and its generator of parameters are refused with what to pass."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_gradient(lambda p: 1.0, np.ones(3), given(net))


class TestRefused:
    # tensor, what is said
    PARAMETERS = (
        (torch.ones(2, dtype=torch.float16), r"got Tensor of torch.float16, shape \(2,\). .*pass .float\(\)"),
        (torch.ones(2, dtype=torch.bfloat16), r"Differences of a cost in half precision .*pass .float\(\)"),
        (torch.ones(2, dtype=torch.int64), r"An integer cannot be perturbed: pass .double\(\)"),
        (torch.tensor([True]), r"An integer cannot be perturbed: pass .double\(\)"),
        (torch.ones(2).to_sparse(), r"must be a dense tensor; got .* Pass .to_dense\(\)"),
        (torch.ones(2, device="meta"), "is on the meta device: it has no numbers"),
        (torch.tensor([1.0, float("nan")]), r"parameter W\[1\] is nan"),
    )

    @pytest.mark.parametrize(("given", "said"), PARAMETERS)
    def test_parameters(self, given, said):
        """What cannot be differenced is refused by name, with what to write."""
        with pytest.raises(InputError, match=rf"parameter W.*{said}" if "nan" not in said else said):
            Parameters({"W": given})


class TestNumbers:
    def test_of_a_cost(self):
        """A cost may return a tensor with or without a graph; its dtype is its precision."""
        value = squares(torch.tensor([1.0, 2.0], requires_grad=True))
        assert to_number(value) == 5.0
        assert epsilon_of(value) == np.finfo(np.float32).eps
        assert epsilon_of(squares(tensor())) == np.finfo(np.float64).eps

    def test_more_than_one(self):
        """A tensor of several numbers is refused as an array is."""
        with pytest.raises(InputError, match=r"got Tensor of torch.float64, shape \(3,\). Sum it"):
            to_number(tensor())

    def test_vectorized(self):
        """A vectorized cost gets a batch of tensors and may return one."""
        report = fastgrad.check_gradient(
            lambda batch: (batch**2).sum(1), by_backward, tensor(requires_grad=True), vectorized=True
        )
        assert (report.verdict, report.engine) == ("agree", "batched")

    def test_complex_step(self):
        """A cost of tensors carries the complex step."""
        report = fastgrad.check_gradient(squares, by_backward, tensor(), method="complex")
        assert report.relative_error < 1e-15

    def test_directions(self):
        """Random directions move tensors too."""
        p = torch.linspace(-1, 1, 3000, dtype=torch.float64)
        report = fastgrad.check_gradient(squares, by_backward, p, coordinates=20, probes=3)
        assert report.coverage.certificate is not None

    def test_relative_error(self):
        """Tensors with a graph can be compared with arrays."""
        assert fastgrad.relative_error(tensor(requires_grad=True), np.array(X)) == 0.0
