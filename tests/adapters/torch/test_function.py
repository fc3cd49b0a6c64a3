"""check_function: any function of tensors."""

from __future__ import annotations

import pytest
from torch_cases import Scaled, Sine, drawn, settled, torch

import fastgrad
from fastgrad.adapters.torch import check_function


def right(x):
    """sin(x) with its own backward."""
    return Scaled.apply(x, 1.0)


def wrong(x):
    """The same, off by one percent."""
    return Scaled.apply(x, 1.01)


class TestVerdict:
    def test_a_custom_function(self):
        """A right backward agrees, and the wrong twin disagrees everywhere."""
        x = drawn(40)
        assert check_function(right, x).verdict == "agree"
        report = check_function(wrong, x)
        assert report.verdict == "disagree"
        assert len(report.wrong) == 40
        assert report.entries[0].output.startswith("output[")

    def test_elementwise_is_recognised(self):
        """A function that acts elementwise is evaluated at all entries at once, and reported one by one."""
        x = drawn(500)
        calls = []
        assert check_function(lambda x: calls.append(1) or right(x), x).engine == "columns"
        assert len(calls) < 150

    def test_one_wrong_entry(self):
        """One entry of many that is wrong is named."""
        x = drawn(30, 20)

        def fn(x):
            return right(x) + (wrong(x[3, 7]) - right(x[3, 7])) * torch.ones(30, 20)[:, :1].eq(2)

        def one(x):
            y = right(x)
            return torch.cat([y.reshape(-1)[:67], wrong(x[3, 7])[None], y.reshape(-1)[68:]]).reshape(30, 20)

        assert [found.label for found in check_function(one, x).wrong] == ["inputs[3, 7]"]
        assert check_function(fn, x).passed

    def test_dense(self):
        """A dense function of two tensors, right and wrong in one of them."""
        A, x = drawn(6, 5), drawn(5, seed=1)
        assert check_function(lambda A, x: right(A @ x), (A, x)).passed
        report = check_function(lambda A, x: A @ wrong(x), (A, x))
        assert {found.block for found in report.wrong} == {"inputs[1]"}


class TestInputs:
    def test_those_that_require_grad(self):
        """Those are checked that require grad, and all floats where none does; integers are left alone."""
        x, y, k = drawn(4).requires_grad_(), drawn(4, seed=1), torch.tensor([0, 2])
        rows = check_function(lambda x, y, k: (x * y)[k], (x, y, k)).blocks
        assert [row.name for row in rows] == ["inputs[0]"]
        rows = check_function(lambda x, y, k: (x * y)[k], (x.detach(), y, k)).blocks
        assert [row.name for row in rows] == ["inputs[0]", "inputs[1]"]

    def test_by_name(self):
        """A dict goes in as keywords."""
        report = check_function(lambda a, b: a * b, {"b": drawn(3), "a": drawn(3, seed=1)})
        assert report.passed
        assert [row.name for row in report.blocks] == ["inputs['b']", "inputs['a']"]

    def test_complex(self):
        """Complex tensors by torch's convention; its conjugate is wrong."""

        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, z, is_right):
                ctx.save_for_backward(z)
                ctx.is_right = is_right
                return z * z

            @staticmethod
            def backward(ctx, upstream):
                (z,) = ctx.saved_tensors
                return upstream * 2 * (z.conj() if ctx.is_right else z), None

        z = torch.complex(drawn(4), drawn(4, seed=1))
        report = check_function(lambda z: Square.apply(z, True), z)
        assert report.passed
        assert report.blocks[0].shape == (4, 2)
        assert any("the last index is 0 for the real part" in note for note in report.notes)
        assert check_function(lambda z: Square.apply(z, False), z).verdict == "disagree"

    @pytest.mark.parametrize(
        "x",
        [drawn(6, 4)[:, ::2], drawn(4, 6).T, drawn(4, 1).expand(4, 3), drawn(8).as_strided((3, 4), (2, 1))],
        ids=["steps", "transposed", "expanded", "overlapping"],
    )
    def test_layouts(self, x):
        """Entries that lie apart, the other way round, or in each other's place are moved one by one."""
        kept = x.clone()
        assert check_function(right, x).passed
        assert check_function(wrong, x).verdict == "disagree"
        assert torch.equal(x, kept)

    def test_single_precision(self):
        """Single precision is checked in double precision, and reported in both."""
        report = check_function(right, drawn(40, dtype=torch.float32))
        assert "autograd in float64: agree; in float32: agree to" in report.witnesses[0]
        assert report.resolution < 1e-5

    def test_single_precision_inside(self):
        """A function that computes in float32 whatever it gets is checked as far as that lets see."""
        report = check_function(lambda x: right(x.float()), drawn(10, dtype=torch.float32))
        assert report.verdict == "agree"
        assert any("in float64 output is float32: it was checked in float32" in note for note in report.notes)
        assert check_function(lambda x: Scaled.apply(x.float(), 1.1), drawn(10)).verdict == "disagree"


class TestFunctions:
    def test_a_module(self):
        """A Module is a function of its inputs; its copy is called, in double precision."""
        net = settled(
            torch.nn.Sequential(torch.nn.Linear(4, 3), Sine(), torch.nn.BatchNorm1d(3)), torch.float32
        )
        before = {name: value.clone() for name, value in net.state_dict().items()}
        assert check_function(net, drawn(6, 4, dtype=torch.float32)).passed
        assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())

    def test_without_grad_mode(self):
        """Where the caller has switched graphs off they are recorded all the same."""
        with torch.no_grad():
            assert check_function(right, drawn(5)).passed
            assert not torch.is_grad_enabled()

    def test_what_has_no_gradient(self):
        """A gradient that is zero where the function moves is wrong."""
        assert check_function(lambda x: x.detach() ** 2, drawn(4)).verdict == "disagree"


REFUSED = {
    "no floats": (right, torch.tensor([1]), "no floating-point tensor among the inputs"),
    "sparse": (right, drawn(3, 3).to_sparse(), r"inputs is sparse .*to_dense"),
    "meta": (right, drawn(3).to("meta"), "inputs is on the meta device"),
    "no tensor": (lambda x: 1.0, drawn(3), "must return floating-point tensors; got float"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    """Each is refused with a sentence that says what to do."""
    fn, inputs, sentence = REFUSED[case]
    with pytest.raises(fastgrad.InputError, match=sentence):
        check_function(fn, inputs)
