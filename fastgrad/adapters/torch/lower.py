"""A torch Sequential of known layers as a fastgrad.Network, which is evaluated incrementally.

A rule for a layer gives the layer of fastgrad that computes the same, and how its blocks follow from the
tensors. Only layers of exactly these classes are taken, without hooks: what a subclass does is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.adapters.torch.loss_cost import LossCost
from fastgrad.arrays import IndexArray
from fastgrad.engines.mapped import MappedEngine
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

LOWERED = "the module was evaluated as a fastgrad.Network, which gave the same as its forward pass"


@dataclass(frozen=True)
class Lowered:
    """One layer of fastgrad in place of one of torch.

    Parameters
    ----------
    layer : of fastgrad.networks
    blocks : by its block's name, the name of the tensor, and the order of the tensor's axes in the block
    """

    layer: Any
    blocks: tuple[tuple[str, str, tuple[int, ...]], ...] = ()


def network_way(plain: PythonEngine) -> Engine | None:
    """The engine for the network that computes a module's cost; None where it is not known to.

    Parameters
    ----------
    plain : the engine for a LossCost
    """
    cost: Any = plain.cost
    if not isinstance(cost, LossCost) or cost.by_inputs or cost.subject.takes != "both":
        return None
    layers, loss = _layers_of(cost.subject.module), _loss_of(cost.subject.loss)
    if not layers or loss is None or not _are_plain(cost):
        return None
    try:
        return _engine(plain, cost, layers, loss)
    except (InputError, KeyError):  # sizes or targets that the network does not take
        return None


def _engine(plain: PythonEngine, cost: LossCost, layers: list[tuple[str, Lowered]], loss: Any) -> Engine:
    from fastgrad.engines.network.engine import NetworkEngine
    from fastgrad.networks import Network

    network = Network([lowered.layer for _, lowered in layers], loss)
    blocks, to_inner = _blocks(plain.parameters, cost.subject.module, layers, network)
    X, Y = network.check_batch(blocks, _numbers(cost.subject.inputs), _numbers(cost.subject.targets))
    inner = NetworkEngine(network.cost, Parameters(blocks), (X, Y), network)
    inner.baseline()
    engine = MappedEngine(plain, inner, to_inner)
    engine.notes = (LOWERED, *engine.notes)
    return engine


def _blocks(
    ours: Parameters, module: Any, layers: list[tuple[str, Lowered]], network: Any
) -> tuple[dict[str, npt.NDArray[Any]], IndexArray]:
    """The network's blocks with the module's numbers, and which of its parameters each of `ours` is."""
    blocks = {name: block.astype(np.float64) for name, block in network.initial_parameters().items()}
    starts = dict(zip(blocks, np.cumsum([0, *(b.size for b in blocks.values())]), strict=False))
    tensors, by_name = dict(module.named_parameters()), {b.name: b for b in ours.blocks}
    to_inner = np.full(ours.size, -1, dtype=np.intp)
    for number, (prefix, lowered) in enumerate(layers):
        for inner, name, axes in lowered.blocks:
            at, tensor = f"{number}.{inner}", tensors.get(f"{prefix}{name}")
            if tensor is None:  # a layer without a bias
                blocks[at][...] = 0.0
                continue
            blocks[at] = np.ascontiguousarray(tensor.detach().cpu().double().numpy().transpose(axes))
            block = by_name.get(f"{prefix}{name}")
            if block is not None:
                places = starts[at] + np.arange(block.size).reshape(blocks[at].shape)
                to_inner[block.start : block.stop] = places.transpose(np.argsort(axes)).reshape(-1)
    if (to_inner < 0).any():
        raise KeyError("a parameter that no layer has")
    return blocks, to_inner


def _numbers(tensor: Any) -> npt.NDArray[Any]:
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise KeyError("no tensor")
    return np.asarray(tensor.detach().cpu().numpy())


def _are_plain(cost: LossCost) -> bool:
    """Whether no hook acts, and no tensor is used twice."""
    modules = [part for module in cost.subject.modules for part in module.modules()]
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    if any(getattr(part, name) for part in modules for name in hooks) or any(
        "forward" in vars(p) for p in modules
    ):
        return False
    named = list(cost.subject.module.named_parameters(remove_duplicate=False))
    return len({id(p) for _, p in named}) == len(named)


def _layers_of(module: Any, prefix: str = "") -> list[tuple[str, Lowered]]:
    """The layers of a Sequential, nested ones unrolled, by how their names begin; none if one is unknown."""
    import torch

    if type(module) is not torch.nn.Sequential:
        return []
    found: list[tuple[str, Lowered]] = []
    for name, part in module.named_children():
        inside = f"{prefix}{name}."
        if type(part) is torch.nn.Sequential:
            nested = _layers_of(part, inside)
            if not nested:
                return []
            found += nested
            continue
        rule = _rules().get(type(part))
        lowered = None if rule is None else rule(part)
        if lowered is None:
            return []
        if lowered.layer is not None:
            found.append((inside, lowered))
    return found


NOTHING = Lowered(None)
"""For a layer that gives what it gets."""


def _rules() -> dict[Any, Callable[[Any], Lowered | None]]:
    import torch

    from fastgrad import networks as fg

    nn = torch.nn
    return {
        nn.Linear: lambda m: Lowered(
            fg.Dense(m.in_features, m.out_features), (("weight", "weight", (1, 0)), ("bias", "bias", (0,)))
        ),
        nn.Conv2d: _convolution,
        nn.Flatten: lambda m: Lowered(fg.Flatten()) if (m.start_dim, m.end_dim) == (1, -1) else None,
        nn.Identity: lambda m: NOTHING,
        nn.Dropout: lambda m: NOTHING if not m.training or m.p == 0 else None,
        nn.Tanh: lambda m: Lowered(fg.Tanh()),
        nn.Sigmoid: lambda m: Lowered(fg.Sigmoid()),
        nn.ReLU: lambda m: Lowered(fg.ReLU()),
        nn.SiLU: lambda m: Lowered(fg.SiLU()),
        nn.GELU: lambda m: Lowered(fg.GELU()) if m.approximate == "none" else None,
        nn.Softplus: lambda m: Lowered(fg.Softplus()) if m.beta == 1 else None,
        nn.ELU: lambda m: Lowered(fg.ELU(m.alpha)),
        nn.LeakyReLU: lambda m: Lowered(fg.LeakyReLU(m.negative_slope)),
    }


def _convolution(m: Any) -> Lowered | None:
    from fastgrad.networks import Conv2D

    (size, other), (stride, along), pad = m.kernel_size, m.stride, m.padding
    is_square = size == other and stride == along and not isinstance(pad, str) and pad[0] == pad[1]
    if not is_square or m.groups != 1 or set(m.dilation) != {1} or m.padding_mode != "zeros":
        return None
    layer = Conv2D(m.in_channels, m.out_channels, size, stride, pad[0])
    return Lowered(layer, (("weight", "weight", (0, 1, 2, 3)), ("bias", "bias", (0,))))


def _loss_of(loss: Any) -> Any:
    """The loss of fastgrad that computes the same; None where there is none."""
    import torch

    from fastgrad import networks as fg

    plain = {
        torch.nn.functional.cross_entropy: fg.SoftmaxCrossEntropy(),
        torch.nn.functional.mse_loss: fg.MeanSquaredError(),
        torch.nn.functional.binary_cross_entropy_with_logits: fg.LogisticLoss(),
    }
    if not isinstance(loss, torch.nn.Module):
        return plain.get(loss)
    if getattr(loss, "reduction", None) != "mean" or getattr(loss, "weight", None) is not None:
        return None
    if type(loss) is torch.nn.CrossEntropyLoss:
        return fg.SoftmaxCrossEntropy() if loss.label_smoothing == 0 else None
    if type(loss) is torch.nn.MSELoss:
        return fg.MeanSquaredError()
    if type(loss) is torch.nn.BCEWithLogitsLoss:
        return fg.LogisticLoss() if loss.pos_weight is None else None
    return None
