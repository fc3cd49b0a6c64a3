"""A torch.nn.Sequential as a fastgrad.Network and back: torch's own gradient, checked parameter by parameter.

    pip install torch
    python examples/torch_sequential.py

Copy `network_of`, `blocks_of` and `gradients_of` into your project and add the layers you use. fastgrad's
Dense weight is (inputs, outputs), the transpose of torch.nn.Linear's; everything else is laid out alike.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import fastgrad


def layer_of(module: nn.Module) -> object:
    """The fastgrad layer that computes what a torch module computes in training mode."""
    if isinstance(module, nn.Linear):
        return fastgrad.Dense(module.in_features, module.out_features)
    if isinstance(module, nn.Conv2d):
        plain = module.dilation == (1, 1) and module.groups == 1 and module.padding_mode == "zeros"
        square = all(len(set(pair)) == 1 for pair in (module.kernel_size, module.stride, module.padding))
        if not (plain and square):
            raise ValueError(
                f"{module}: square kernels, strides and zero padding only, no dilation or groups"
            )
        (size, _), (stride, _), (padding, _) = module.kernel_size, module.stride, module.padding
        return fastgrad.Conv2D(module.in_channels, module.out_channels, size, stride, padding)
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return fastgrad.BatchNorm(module.num_features, module.eps)
    if isinstance(module, nn.LayerNorm):
        return fastgrad.LayerNorm(module.normalized_shape[-1], module.eps)
    if isinstance(module, nn.Embedding):
        return fastgrad.Embedding(module.num_embeddings, module.embedding_dim)
    simple = {
        nn.MaxPool2d: lambda m: fastgrad.MaxPool2D(m.kernel_size, m.stride),
        nn.AvgPool2d: lambda m: fastgrad.AvgPool2D(m.kernel_size, m.stride),
        nn.Flatten: lambda m: fastgrad.Flatten(),
        nn.Tanh: lambda m: fastgrad.Tanh(),
        nn.Sigmoid: lambda m: fastgrad.Sigmoid(),
        nn.ReLU: lambda m: fastgrad.ReLU(),
        nn.LeakyReLU: lambda m: fastgrad.LeakyReLU(m.negative_slope),
        nn.ELU: lambda m: fastgrad.ELU(m.alpha),
        nn.Softplus: lambda m: fastgrad.Softplus(),
        nn.SiLU: lambda m: fastgrad.SiLU(),
        nn.GELU: lambda m: fastgrad.GELU(),
    }
    if type(module) not in simple:
        raise ValueError(f"no fastgrad layer for {module}: add it to layer_of")
    return simple[type(module)](module)


LOSSES = {
    nn.CrossEntropyLoss: fastgrad.SoftmaxCrossEntropy,
    nn.MSELoss: fastgrad.MeanSquaredError,
    nn.BCEWithLogitsLoss: fastgrad.LogisticLoss,
}
"""Each with torch's default reduction, the mean."""

OURS = {"weight": "weight", "bias": "bias"}
NORMALISATION = {"weight": "scale", "bias": "shift"}


def network_of(model: nn.Sequential, loss: nn.Module) -> fastgrad.Network:
    """The network of a Sequential and a loss with mean reduction."""
    return fastgrad.Network([layer_of(module) for module in model], LOSSES[type(loss)]())


def blocks_of(model: nn.Sequential, tensor_of=lambda p: p) -> dict[str, np.ndarray]:
    """The model's parameters, or what `tensor_of` takes from each, as a Network's blocks (copies)."""
    blocks = {}
    for k, module in enumerate(model):
        names = NORMALISATION if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm) else OURS
        for name, parameter in module.named_parameters():
            array = tensor_of(parameter).detach().cpu().numpy().copy()
            blocks[f"{k}.{names[name]}"] = (
                array.T.copy() if isinstance(module, nn.Linear) and array.ndim == 2 else array
            )
    return blocks


def load_blocks(model: nn.Sequential, blocks: dict[str, np.ndarray]) -> None:
    """Put a Network's blocks into the model: the way back."""
    with torch.no_grad():
        for k, module in enumerate(model):
            names = (
                NORMALISATION if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm) else OURS
            )
            for name, parameter in module.named_parameters():
                block = torch.from_numpy(blocks[f"{k}.{names[name]}"])
                parameter.copy_(block.T if isinstance(module, nn.Linear) and block.ndim == 2 else block)


def gradients_of(
    model: nn.Sequential, loss: nn.Module, x: torch.Tensor, y: torch.Tensor
) -> dict[str, np.ndarray]:
    """What torch's backward says, as blocks."""
    model.train()
    model.zero_grad()
    loss(model(x), y).backward()
    return blocks_of(model, lambda p: p.grad)


def main() -> None:
    """Check torch's own gradient of a small convolutional network, and the same with a planted mistake."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    ).double()
    loss = nn.CrossEntropyLoss()
    x, y = torch.randn(8, 1, 8, 8, dtype=torch.float64), torch.randint(0, 10, (8,))
    claimed = gradients_of(model, loss, x, y)
    net, params = network_of(model, loss), blocks_of(model)
    print(fastgrad.check(net.problem(params, x.numpy(), y.numpy(), gradient=claimed), perturb="auto"))
    claimed["5.weight"][3, 7] *= 1.01
    print(fastgrad.check(net.problem(params, x.numpy(), y.numpy(), gradient=claimed), perturb="auto"))


if __name__ == "__main__":
    main()
