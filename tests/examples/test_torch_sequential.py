"""examples/torch_sequential.py: a torch.nn.Sequential as a Network and back, for every layer it knows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestTorchSequential:
    """A torch.nn.Sequential becomes a Network that computes the same, and gets its parameters back."""

    def models(self, nn):
        """Models of all layers the recipe knows, with the shape of a sample."""
        images = [nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 4, 2)]
        images += [nn.GELU(), nn.MaxPool2d(2, 1), nn.AvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)]
        features = [nn.Linear(6, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 7), nn.LayerNorm(7)]
        for activation in (nn.SiLU(), nn.Sigmoid(), nn.LeakyReLU(0.2), nn.ELU(0.7), nn.Softplus()):
            features += [activation, nn.Linear(7, 7)]
        return {"images": (images, (2, 8, 8)), "features": ([*features, nn.Linear(7, 5)], (6,))}

    @pytest.mark.parametrize("name", ["images", "features"])
    def test_same_cost_gradient_and_way_back(self, name):
        """Cost and gradient agree to rounding, and other parameters find their way into the model."""
        torch = pytest.importorskip("torch")
        recipe = example("torch_sequential")
        torch.manual_seed(0)
        layers, shape = self.models(torch.nn)[name]
        model, loss = torch.nn.Sequential(*layers).double(), torch.nn.CrossEntropyLoss()
        x, y = torch.randn(6, *shape, dtype=torch.float64), torch.randint(0, 5, (6,))
        net, params = recipe.network_of(model, loss), recipe.blocks_of(model)
        moved = {k: v + 0.1 * np.cos(np.arange(v.size)).reshape(v.shape) for k, v in params.items()}
        for blocks in (params, moved):
            recipe.load_blocks(model, blocks)
            model.train()
            assert net.cost(blocks, x.numpy(), y.numpy()) == pytest.approx(
                float(loss(model(x), y).detach()), rel=1e-12
            )
            theirs = recipe.gradients_of(model, loss, x, y)
            ours = net.gradient(blocks, x.numpy(), y.numpy())
            for key in blocks:
                assert np.allclose(ours[key], theirs[key], rtol=1e-9, atol=1e-12)
