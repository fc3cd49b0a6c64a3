"""check_module: a torch Module's gradients in one call."""

from __future__ import annotations

import copy

import pytest
from torch_cases import Sine, batch, cross_entropy, drawn, settled, small_net

import fastgrad
from fastgrad.adapters.torch import check_module

torch = pytest.importorskip("torch")


class TestVerdict:
    def test_right(self):
        """A right module agrees, and its blocks have torch's names and shapes."""
        report = check_module(small_net(), cross_entropy, batch())
        assert report.verdict == "agree"
        rows = {row.name: row.shape for row in report.blocks}
        assert rows == {"0.weight": (5, 4), "0.bias": (5,), "2.weight": (3, 5), "2.bias": (3,)}
        assert len(report.indices) == 43

    def test_wrong(self):
        """The twin whose backward is off by one percent disagrees, before that layer only."""
        report = check_module(small_net(1.01), cross_entropy, batch())
        assert report.verdict == "disagree"
        assert {found.block for found in report.wrong} == {"0.weight", "0.bias"}
        assert report.wrong[0].label == f"{report.wrong[0].block}{list(report.wrong[0].index)}"

    def test_inputs(self):
        """With inputs=True the gradient by the inputs is checked, by that name."""
        report = check_module(small_net(1.01), cross_entropy, batch(), inputs=True)
        assert {found.block for found in report.wrong} == {"0.weight", "0.bias", "inputs"}
        assert check_module(small_net(), cross_entropy, batch(), inputs=True).passed


class TestData:
    def test_inputs_by_position_and_by_name(self):
        """A tuple goes in as module(*inputs), a dict as module(**inputs); integers are left alone."""
        net = settled(torch.nn.Bilinear(3, 4, 2))
        a, b = drawn(5, 3), drawn(5, 4)
        loss = lambda y, t: ((y - t) ** 2).sum()  # noqa: E731
        by_position = check_module(net, loss, ((a, b), 1.0), inputs=True)
        by_name = check_module(net, loss, ({"input1": a, "input2": b}, 1.0), inputs=True)
        assert by_position.passed
        assert by_name.passed
        assert [r.name for r in by_position.blocks[-2:]] == ["inputs[0]", "inputs[1]"]
        assert [r.name for r in by_name.blocks[-2:]] == ["inputs['input1']", "inputs['input2']"]

    def test_loss_of_the_output(self):
        """With data=(inputs,) the loss takes the output alone."""
        X, _ = batch()
        assert check_module(small_net(), lambda y: y.pow(2).sum(), (X,)).passed

    def test_loss_of_the_module(self):
        """Without data the loss takes the module, which is a copy of the user's."""
        X, _ = batch()
        net, seen = small_net(1.01), []

        def loss(module):
            seen.append(module)
            return module(X).pow(2).sum() + sum(p.pow(2).sum() for p in module.parameters())

        assert check_module(net, loss).verdict == "disagree"
        assert net not in seen


class TestAsTorchTreatsThem:
    def test_frozen(self):
        """What requires no grad is not checked, and the report says which."""
        net = small_net()
        net[0].requires_grad_(False)
        report = check_module(net, cross_entropy, batch())
        assert [row.name for row in report.blocks] == ["2.weight", "2.bias"]
        assert "not checked, since they do not require grad: 0.weight, 0.bias" in report.notes

    def test_shared(self):
        """A shared parameter is one block, by the first of its names, with the sum of its gradients."""
        net = settled(torch.nn.Sequential(torch.nn.Linear(4, 4), Sine(), torch.nn.Linear(4, 4)))
        net[2].weight = net[0].weight
        report = check_module(net, lambda y: y.pow(2).sum(), (drawn(6, 4),))
        assert report.passed
        assert [row.name for row in report.blocks] == ["0.weight", "0.bias", "2.bias"]

    def test_unused(self):
        """An unused parameter, whose gradient is None, is zero."""
        net = small_net()
        net.register_parameter("spare", torch.nn.Parameter(drawn(2)))
        report = check_module(net, cross_entropy, batch())
        assert report.passed
        assert (report.claimed[:2] == 0).all()
        assert report.blocks[0].name == "spare"

    def test_detached(self):
        """A parameter that autograd does not see and the loss depends on disagrees."""
        net = small_net()
        X, _ = batch()
        loss = lambda m: m(X).pow(2).sum() + (m[2].bias.detach() ** 3).sum()  # noqa: E731
        assert {found.block for found in check_module(net, loss).wrong} == {"2.bias"}


class TestLeftAsItWas:
    def kept(self, net):
        """All that a check might change."""
        state = {name: value.clone() for name, value in net.state_dict().items()}
        grads = [None if p.grad is None else p.grad.clone() for p in net.parameters()]
        return state, grads, [m.training for m in net.modules()], torch.get_rng_state()

    def same(self, before, after):
        """Whether it is the same."""
        return (
            all(torch.equal(before[0][name], after[0][name]) for name in before[0])
            and all(a is b is None or torch.equal(a, b) for a, b in zip(before[1], after[1], strict=True))
            and before[2] == after[2]
            and torch.equal(before[3], after[3])
        )

    def net(self, factor=1.0):
        """One with buffers that change and a random mask."""
        parts = torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.4), Sine(factor)
        net = settled(torch.nn.Sequential(*parts, torch.nn.Linear(5, 3)))
        cross_entropy(net(batch()[0]), batch()[1]).backward()
        return net

    def test_batch_normalisation_and_dropout(self):
        """Both work in training mode, right and wrong, and leave buffers, grads and generators alone."""
        net = self.net()
        before = self.kept(net)
        assert check_module(net, cross_entropy, batch(), inputs=True).passed
        assert self.same(before, self.kept(net))
        assert check_module(self.net(1.02), cross_entropy, batch()).verdict == "disagree"

    def test_after_an_exception(self):
        """The same after an exception in the middle of a check."""
        net = self.net()
        before, calls = self.kept(net), []

        def loss(y, t):
            calls.append(1)
            if len(calls) > 20:
                raise KeyError("loss")
            return cross_entropy(y, t)

        with pytest.raises(KeyError, match="loss"):
            check_module(net, loss, batch())
        assert self.same(before, self.kept(net))

    def test_inputs_written_to(self):
        """A module that writes to its inputs gets new ones each time, and the user's stay as they are."""
        net = settled(torch.nn.Sequential(torch.nn.ELU(inplace=True), torch.nn.Linear(4, 3)))
        X, Y = batch()
        kept = copy.deepcopy(X)
        assert check_module(net, cross_entropy, (X, Y), inputs=True).passed
        assert check_module(net, cross_entropy, (X, Y)).passed
        assert torch.equal(X, kept)


class Rotated(torch.nn.Module):
    """A complex matrix, whose gradient is torch's or its conjugate."""

    def __init__(self, is_right):
        super().__init__()
        self.matrix = torch.nn.Parameter(torch.complex(drawn(4, 3), drawn(4, 3, seed=5)))
        if not is_right:
            self.matrix.register_hook(lambda g: g.conj())

    def forward(self, x):
        """Absolute squares."""
        return (x.to(self.matrix.dtype) @ self.matrix).abs() ** 2 + (x @ self.matrix.imag) ** 3


def test_complex_parameters():
    """A complex parameter is checked by real and imaginary parts, by torch's convention."""
    data = (drawn(5, 4, seed=2),)
    report = check_module(Rotated(True), lambda y: y.sum(), data)
    assert report.passed
    assert report.blocks[0].shape == (4, 3, 2)
    assert any("the last index is 0 for the real part" in note for note in report.notes)
    wrong = check_module(Rotated(False), lambda y: y.sum(), data)
    assert {found.index[-1] for found in wrong.wrong} == {1}


def test_workers():
    """Worker processes give the same report."""
    net, data = small_net(), batch()
    one, two = (check_module(net, cross_entropy, data, n_jobs=n, backend="loky") for n in (1, 2))
    assert one.verdict == two.verdict == "agree"
    assert (one.numeric == two.numeric).all()


def test_checkpoint(tmp_path):
    """A check goes on from its checkpoint, and not from that of another module."""
    path, net = tmp_path / "kept", small_net()
    check_module(net, cross_entropy, batch(), checkpoint=path)
    assert check_module(net, cross_entropy, batch(), checkpoint=path).reused > 50
    with pytest.raises(fastgrad.InputError, match="of another problem"):
        check_module(small_net(1.1), cross_entropy, batch(), checkpoint=path)


@pytest.mark.usefixtures("clock")
class TestAskedAgain:
    def test_curves_of_a_copy(self):
        """Curves move the copy of the check: the module, its training and all generators stay as they are."""
        module = torch.nn.Sequential(small_net(1.01), torch.nn.Dropout(0.5))
        report = check_module(module, cross_entropy, batch())
        before, state = copy.deepcopy(module.state_dict()), torch.get_rng_state()
        assert len(report.step_curves().curves) == 4
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())

    def test_not_of_the_module_itself(self):
        """A module that the check moved and put back is not moved again."""
        module = small_net()

        def loss(output, targets):
            return cross_entropy(output, targets) + sum(p.pow(2).sum() for p in module.parameters())

        report = check_module(module, loss, batch())
        assert any("the module itself was moved" in note for note in report.notes)
        assert report.step_curves().curves == ()
        assert "was let go" in report.step_curves().sentence

    def test_no_lines(self):
        """No line of a module is told, for torch's arrays are not recorded."""
        report = check_module(small_net(1.01), cross_entropy, batch())
        assert report.code_lines().sentence == "a cost of another library's arrays is not recorded"
