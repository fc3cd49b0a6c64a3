"""What cannot be checked is refused in torch's terms."""

from __future__ import annotations

import pytest
from torch_cases import batch, cross_entropy, small_net

import fastgrad
from fastgrad.adapters.torch import check_module

torch = pytest.importorskip("torch")

X, Y = batch()
Linear = torch.nn.Linear


def frozen():
    """One of which nothing requires grad."""
    return small_net().requires_grad_(False)


CASES = {
    "no module": (lambda x: x, cross_entropy, (X, Y), "takes a torch.nn.Module; got function <function"),
    "no parameters": (
        torch.nn.Tanh(),
        cross_entropy,
        (X, Y),
        "the module has no parameters: say inputs=True",
    ),
    "frozen": (frozen(), cross_entropy, (X, Y), "no parameter of the module requires grad: all are frozen"),
    "lazy": (
        torch.nn.LazyLinear(3),
        cross_entropy,
        (X, Y),
        "is not initialised yet: call the lazy module once",
    ),
    "meta": (small_net().to("meta"), cross_entropy, (X, Y), "on the meta device: it has no numbers"),
    "data": (small_net(), cross_entropy, X, "data is .inputs, targets. for loss"),
    "sparse": (small_net(), cross_entropy, (X.to_sparse(), Y), "is sparse .torch.sparse_coo.*to_dense"),
    "other device": (
        small_net(),
        cross_entropy,
        (X.to("meta"), Y),
        "a tensor of the data is on the meta device",
    ),
    "no loss": (small_net(), None, (X, Y), "the loss must be callable"),
    "no scalar": (
        small_net(),
        torch.nn.CrossEntropyLoss(reduction="none"),
        (X, Y),
        'one number.*"mean" instead',
    ),
    "no tensor": (small_net(), lambda y, t: y.sum().item(), (X, Y), "a tensor with one number.*got a float"),
    "no graph": (small_net(), lambda y, t: y.detach().sum(), (X, Y), "does not require grad.*detach"),
    "complex": (small_net(), lambda y, t: y.sum() * 1j, (X, Y), "must return a real number"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    """Each is refused with a sentence that says what to do."""
    module, loss, data, sentence = CASES[case]
    with pytest.raises(fastgrad.InputError, match=sentence):
        check_module(module, loss, data)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised():
    """A quantised module is refused: its parameters are integers."""
    with pytest.raises(fastgrad.InputError, match=r"is quantised \(Linear\): its parameters are integers"):
        check_module(torch.ao.nn.quantized.Linear(4, 3), cross_entropy, (X, Y))


def test_no_parameters_but_inputs():
    """The twin of a refusal: a module without parameters is checked by its inputs."""
    report = check_module(torch.nn.Tanh(), cross_entropy, (X, Y), inputs=True)
    assert report.passed
    assert [row.name for row in report.blocks] == ["inputs"]
