"""What is fastest for a module is measured and taken."""

from __future__ import annotations

import numpy as np
from torch_cases import batch, cross_entropy, drawn, settled, small_net, torch

from fastgrad.adapters.torch import check_module, ways
from fastgrad.adapters.torch.batches import LayerBatch, TensorBatch
from fastgrad.adapters.torch.copies import copied
from fastgrad.adapters.torch.loss_cost import LossCost
from fastgrad.adapters.torch.refusals import subject_of
from fastgrad.adapters.torch.ways import Candidates, batched_way
from fastgrad.engines import alternatives
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

nn = torch.nn


class Residual(nn.Module):
    """A linear layer beside its input; a weight that is also in a penalty; a branch that is called twice."""

    def __init__(self):
        super().__init__()
        self.once, self.penalised, self.twice = nn.Linear(9, 9), nn.Linear(9, 9), nn.Linear(9, 9)
        self.norm = nn.LayerNorm(9)

    def forward(self, x):
        """The output and the penalty."""
        x = x + self.once(x).tanh()
        x = self.norm(self.penalised(x))
        return self.twice(self.twice(x).tanh()), self.penalised.weight.detach().pow(2).sum()


def loss(output):
    """The sum of both."""
    return output[0].pow(2).sum() + output[1]


def plain_engine():
    """The plain engine of it."""
    cost = LossCost(copied(subject_of(settled(Residual()), loss, (drawn(5, 9),)), None))
    plain = PythonEngine(cost, Parameters(cost.at))
    plain.baseline()
    return plain


def test_candidates():
    """The output of a layer is batched only for what is used once, by that layer."""
    plain = plain_engine()
    candidates = Candidates(plain.cost)
    kinds = {
        block.name: {type(batch) for batch in candidates.of(number)}
        for number, block in enumerate(plain.parameters.blocks)
    }
    both, tensor = {LayerBatch, TensorBatch}, {TensorBatch}
    assert kinds["once.weight"] == kinds["once.bias"] == kinds["penalised.bias"] == both
    assert kinds["penalised.weight"] == kinds["twice.weight"] == kinds["norm.weight"] == tensor


def test_engine(monkeypatch):
    """The batched engine gives what the plain one gives, block by block."""
    monkeypatch.setattr(ways, "_seconds_of_a_pass", lambda plain: 1.0)  # so that batches are always faster
    plain = plain_engine()
    engine = batched_way(plain)
    assert len(engine.batches) == 3  # of tensors with enough entries
    indices = np.arange(plain.parameters.size)
    offsets = 1e-3 * np.array([[-1.0, 1.0]]) * np.ones((len(indices), 1))
    assert np.allclose(engine.values(indices, offsets), plain.values(indices, offsets), rtol=1e-12)
    assert "3 of 8 tensors" in engine.notes[0]


def test_nothing_is_faster(monkeypatch):
    """Where no batch is faster there is no such engine."""
    monkeypatch.setattr(ways, "_seconds_of_a_pass", lambda plain: 0.0)
    assert batched_way(plain_engine()) is None


def test_a_branch_on_numbers():
    """A module that vmap cannot take is evaluated plainly, to the same verdict."""

    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(9, 9)

        def forward(self, x):
            y = self.layer(x)
            return y.tanh() if y.sum().item() > -1e9 else y

    for _ in range(2):
        report = check_module(settled(Branching()), lambda y: y.pow(2).sum(), (drawn(50, 9),))
        assert report.verdict == "agree"
        assert report.engine == "python"


def test_detached_penalty(monkeypatch):
    """A part of the cost that autograd does not see is seen by the fast ways too."""
    monkeypatch.setattr(ways, "_seconds_of_a_pass", lambda plain: 1.0)
    report = check_module(settled(Residual()), loss, (drawn(5, 9),))
    assert {found.block for found in report.wrong} == {"penalised.weight"}


def test_names_of_a_lowered_module(monkeypatch):
    """The report of a module that is evaluated as a network has torch's names and its order of axes."""
    # Other ways are tried, and the network is taken, whatever the clock says.
    monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: True)
    monkeypatch.setattr(alternatives, "FASTER", 1e9)
    net = settled(nn.Sequential(nn.Linear(64, 30), nn.Tanh(), nn.Linear(30, 3)))
    data = drawn(40, 64), torch.arange(40) % 3
    net[0].weight.register_hook(lambda g: g + 0.1 * (torch.arange(30 * 64).reshape(30, 64) == 19 * 64 + 38))
    report = check_module(net, cross_entropy, data)
    assert report.engine == "network"
    assert [found.label for found in report.wrong] == ["0.weight[19, 38]"]


def test_small_modules_are_evaluated_plainly():
    """Where a check takes no time nothing else is tried."""
    assert check_module(small_net(), cross_entropy, batch()).engine == "python"
