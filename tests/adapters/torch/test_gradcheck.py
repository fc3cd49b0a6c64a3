"""gradcheck and gradgradcheck with torch's signatures."""

from __future__ import annotations

import importlib
import inspect

import pytest
from torch_cases import Scaled, drawn, torch

import fastgrad
from fastgrad.adapters.torch import gradcheck, gradgradcheck
from fastgrad.adapters.torch.gradcheck import Backward, differentiable

GradcheckError = importlib.import_module("torch.autograd.gradcheck").GradcheckError


def graded(*shape, seed=0):
    """Numbers that require grad."""
    return drawn(*shape, seed=seed).requires_grad_()


def right(x):
    """sin(x) with its own backward."""
    return Scaled.apply(x, 1.0)


def wrong(x):
    """The same, off by one percent."""
    return Scaled.apply(x, 1.01)


class TestSignature:
    @pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
    def test_the_same_as_torchs(self, name):
        """Names, order, kinds and defaults of the arguments are torch's."""
        ours, theirs = (inspect.signature(f) for f in (globals()[name], getattr(torch.autograd, name)))
        for one, other in zip(ours.parameters.values(), theirs.parameters.values(), strict=True):
            assert (one.name, one.kind, one.default) == (other.name, other.kind, other.default)

    def test_answers(self):
        """True for a right gradient, torch's error for a wrong one, False where no error is wanted."""
        assert gradcheck(right, graded(5)) is True
        with pytest.raises(GradcheckError) as caught:
            gradcheck(wrong, graded(5))
        assert caught.value.report.verdict == "disagree"
        assert "DISAGREE: 5 of 5" in str(caught.value)
        assert gradcheck(wrong, graded(5), raise_exception=False) is False


class TestBetterThanTorch:
    """Cases in which torch's own check errs."""

    def test_one_entry_of_a_thousand(self):
        """One entry of a thousand that is off by 100%, which fast_mode misses."""

        class OneWrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, upstream):
                found = upstream.clone()
                found[17] *= 2
                return found

        x = graded(1000)
        assert torch.autograd.gradcheck(OneWrong.apply, x, fast_mode=True)
        with pytest.raises(GradcheckError, match=r"inputs\[17\]"):
            gradcheck(OneWrong.apply, x, fast_mode=True)

    def test_a_kink_close_by(self):
        """A right gradient beside a kink, which torch accuses."""
        x = torch.tensor([-1e-7, 1.0], dtype=torch.float64, requires_grad=True)
        assert not torch.autograd.gradcheck(torch.relu, x, raise_exception=False)
        assert gradcheck(torch.relu, x)

    def test_at_a_kink(self):
        """At a kink itself nothing is said to be right."""
        x = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(torch.abs, x)
        with pytest.raises(GradcheckError, match="kink") as caught:
            gradcheck(torch.abs, x)
        assert caught.value.report.verdict == "undecided"


class TestTolerances:
    def test_given(self):
        """What is off by design passes with tolerances that are wide enough, and with no others."""
        x = graded(5)
        assert gradcheck(wrong, x, rtol=0.02)
        assert gradcheck(wrong, x, atol=0.02)
        assert not gradcheck(wrong, x, rtol=0.005, raise_exception=False)

    def test_torchs_defaults_are_no_wish(self):
        """An error that torch's defaults let pass is found."""
        x, slightly = graded(5), lambda x: Scaled.apply(x, 1.0005)
        assert torch.autograd.gradcheck(slightly, x)
        assert not gradcheck(slightly, x, raise_exception=False)


class TestModes:
    def test_forward(self):
        """Forward mode is checked where it is asked for."""

        class Forward(torch.autograd.Function):
            factor = 1.0

            @staticmethod
            def forward(x):
                return x.sin()

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)
                ctx.save_for_forward(*inputs)

            @staticmethod
            def backward(ctx, upstream):
                return upstream * ctx.saved_tensors[0].cos()

            @classmethod
            def jvp(cls, ctx, tangent):
                return cls.factor * tangent * ctx.saved_tensors[0].cos()

        class Wrong(Forward):
            factor = 1.01

        x = graded(5)
        assert gradcheck(Forward.apply, x, check_forward_ad=True)
        assert gradcheck(Wrong.apply, x)
        assert not gradcheck(Wrong.apply, x, check_forward_ad=True, raise_exception=False)
        assert gradcheck(wrong, x, check_forward_ad=False, check_backward_ad=True, rtol=0.1)

    def test_no_forward_mode(self):
        """A function without a forward mode fails where that is asked for."""
        with pytest.raises(GradcheckError, match="forward mode is not implemented"):
            gradcheck(right, graded(5), check_forward_ad=True)

    def test_nothing_to_check(self):
        """Neither mode is no check."""
        with pytest.raises(fastgrad.InputError, match="nothing is left to check"):
            gradcheck(right, graded(5), check_backward_ad=False)

    def test_single_precision(self):
        """Inputs in single precision are checked in double precision, without a warning."""
        x = drawn(5, dtype=torch.float32).requires_grad_()
        assert gradcheck(right, x)
        assert not gradcheck(wrong, x, raise_exception=False)


class TestInputs:
    def test_none_requires_grad(self):
        """As in torch, some input must require grad."""
        with pytest.raises(fastgrad.InputError, match="at least one input tensor to require gradient"):
            gradcheck(right, drawn(5))

    def test_no_entries(self):
        """An empty tensor has no entry that could be wrong."""
        assert gradcheck(right, graded(0))
        assert gradcheck(lambda x: x[:0], graded(3))

    def test_left_alone(self):
        """Inputs, their grads, and generators are as before."""
        x = graded(5)
        x.grad = torch.ones_like(x)
        kept, state = x.detach().clone(), torch.get_rng_state()
        gradcheck(lambda x: right(x) * torch.rand(5).double(), x)
        assert torch.equal(x, kept)
        assert torch.equal(x.grad, torch.ones_like(x))
        assert torch.equal(torch.get_rng_state(), state)

    def test_outputs_of_other_kinds(self):
        """None, integers, and what is not differentiable are left alone, as torch leaves them."""
        assert gradcheck(lambda x: (right(x), None, x.argmax(), x.detach() * 3), graded(5))


class TestSecondOrder:
    def test_right_and_wrong(self):
        """A backward that is right, and whose own derivative is right or wrong."""

        class Cubed(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, is_right):
                ctx.save_for_backward(x)
                ctx.is_right = is_right
                return x**3

            @staticmethod
            def backward(ctx, upstream):
                (x,) = ctx.saved_tensors
                return upstream * 3 * (x if ctx.is_right else x.detach()) * x, None

        x = graded(5)
        assert gradcheck(lambda x: Cubed.apply(x, False), x)
        assert gradgradcheck(lambda x: Cubed.apply(x, True), x)
        with pytest.raises(GradcheckError, match=r"inputs\[0\]"):
            gradgradcheck(lambda x: Cubed.apply(x, False), x)

    def test_several_inputs_and_outputs(self):
        """The gradients of the outputs are moved too; drawn ones may lie apart in memory."""
        inputs = graded(3, 3), graded(3, 3, seed=1), 2
        fn = lambda a, b, k: (a @ b, a**k)  # noqa: E731
        assert gradgradcheck(fn, inputs, gen_non_contig_grad_outputs=True)
        assert gradgradcheck(fn, inputs, (graded(3, 3, seed=2), graded(3, 3, seed=3)))
        assert gradgradcheck(torch.tanh, graded(4), check_fwd_over_rev=True)

    def test_no_backward(self):
        """A function without differentiable outputs has no backward pass."""
        with pytest.raises(fastgrad.InputError, match="no output requires grad"):
            gradgradcheck(lambda x: x.detach(), graded(4))

    def test_backward(self):
        """The backward pass is a function of the inputs and of the gradients of the outputs."""
        a, b, u = graded(3), graded(3, seed=1), graded(3, seed=2)
        found = Backward(lambda a, b: (a * b, None), 1)(a, b, u)
        assert torch.equal(found[0], u * b)
        assert torch.equal(found[1], u * a)
        assert len(differentiable((a * b, None, a.detach(), 3))) == 1


def test_a_failure_keeps_no_graph():
    """The report of the exception calls nothing of torch's any more."""
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong, (graded(3),))
    assert caught.value.report.wrong
    assert "was let go" in caught.value.report.step_curves().sentence
