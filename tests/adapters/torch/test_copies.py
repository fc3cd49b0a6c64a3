"""Copies of a module and its data."""

from __future__ import annotations

from torch_cases import batch, cross_entropy, drawn, small_net, torch

from fastgrad.adapters.torch.copies import Subject, copied, data_copied


def subject(module, loss=cross_entropy):
    """A module with the batch in single precision."""
    return Subject(module, loss, *batch(torch.float32), "both")


def test_nothing_is_shared():
    """A copy shares no memory with the module and the data."""
    original = subject(small_net(dtype=torch.float32))
    copy = copied(original, None)
    pairs = zip(original.module.parameters(), copy.module.parameters(), strict=True)
    assert all(a.data_ptr() != b.data_ptr() and torch.equal(a, b) for a, b in pairs)
    assert copy.inputs.data_ptr() != original.inputs.data_ptr()


def test_in_double_precision():
    """All floating-point numbers are doubles: parameters, buffers, attributes, weights of the loss, data."""
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).eval()
    net.mask = torch.ones(3)
    loss = torch.nn.CrossEntropyLoss(weight=torch.ones(3))
    copy = copied(subject(net, loss), torch.float64)
    tensors = [*copy.module.parameters(), copy.module[1].running_mean, copy.module.mask, copy.loss.weight]
    assert all(t.dtype is torch.float64 for t in (*tensors, copy.inputs))
    assert copy.targets.dtype is torch.int64
    assert copy.module[1].num_batches_tracked.dtype is torch.int64
    assert net[0].weight.dtype is net.mask.dtype is torch.float32


def test_complex_numbers():
    """A complex tensor is complex in the other precision."""
    assert data_copied([torch.ones(2) * 1j], torch.float64)[0].dtype is torch.complex128


def test_shared_parameters():
    """What is shared is shared in the copy, between module and loss too."""
    net = small_net(dtype=torch.float32)
    loss = torch.nn.Module()
    loss.weight = net[0].weight
    copy = copied(subject(net, loss), torch.float64)
    assert copy.loss.weight is copy.module[0].weight


def test_hooks():
    """Hooks on parameters, which a deep copy forgets, act on the copy's gradient."""
    net = small_net(dtype=torch.float64)
    net[0].weight.register_hook(lambda g: 3 * g)
    copy = copied(Subject(net, lambda y: y.sum(), (drawn(2, 4),), None, "output"), None)
    found = torch.autograd.grad(copy.value(), copy.module[0].weight)[0]
    net[0].weight._backward_hooks.clear()
    plain = torch.autograd.grad(net(copy.inputs[0]).sum(), net[0].weight)[0]
    assert torch.equal(found, 3 * plain)
