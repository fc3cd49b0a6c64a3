"""torch's own list of operators through `gradcheck`: fastgrad's verdict beside torch's.

scripts/torch_operators [--planted] [--only NAME]

Every operator of torch.testing's `op_db` that has a derivative: its first sample in float64 on the CPU whose
inputs have entries. With --planted also with an error of 1% in the largest entry of the gradient.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree

from fastgrad.adapters.torch import check_function
from fastgrad.errors import InputError

OFF = 1.01
"""By what a planted error multiplies an entry."""


@dataclass(frozen=True)
class Sample:
    """An operator with one sample: fn(*inputs), where all inputs require a gradient."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[torch.Tensor, ...]


def samples(only: str | None) -> Iterator[Sample | str]:
    """The first sample of each differentiable operator; its name where there is none."""
    from torch.testing._internal.common_methods_invocations import op_db

    for op in op_db:
        name = op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")
        if not op.supports_autograd or (only and only not in name):
            continue
        if torch.float64 not in op.supported_backward_dtypes("cpu"):
            continue
        torch.manual_seed(0)
        try:
            made = (_sample(op, name, s) for s in op.sample_inputs("cpu", torch.float64, requires_grad=True))
            found = next((s for s in made if s.inputs and all(t.numel() for t in s.inputs)), None)
        except Exception:  # an operator may need what this build has not
            found = None
        yield found or name


def _sample(op: Any, name: str, sample: Any) -> Sample:
    leaves, spec = _pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
    moved = [k for k, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]

    def function(*inputs: torch.Tensor) -> Any:
        given = list(leaves)
        for k, tensor in zip(moved, inputs, strict=True):
            given[k] = tensor
        first, args, kwargs = _pytree.tree_unflatten(given, spec)
        output = op.gradcheck_wrapper(op.get_op(), first, *args, **kwargs)
        return sample.output_process_fn_grad(output) if sample.output_process_fn_grad else output

    return Sample(name, function, tuple(leaves[k] for k in moved))


class Off(torch.autograd.Function):
    """The identity, whose backward is off in one entry: the largest."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """A copy."""
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        """All but one entry as it is."""
        found = g.clone(memory_format=torch.contiguous_format)
        flat = found.view(-1)
        k = Off.entry if Off.entry is not None else int(flat.abs().argmax())
        flat[k] *= OFF
        return found

    entry: int | None = None


def _number(t: torch.Tensor) -> torch.Tensor:
    """A number on which every entry has an influence of its own."""
    weights = torch.linspace(1, 2, t.numel(), dtype=torch.float64).reshape(t.shape)
    return (weights * ((t.real + t.imag) if t.is_complex() else t)).sum()


def with_error(sample: Sample) -> Sample | None:
    """The sample with one wrong entry in a gradient; None where all gradients are zero."""
    output = sample.function(*sample.inputs)
    tensors = [t for t in _pytree.tree_leaves(output) if isinstance(t, torch.Tensor) and t.requires_grad]
    total = sum(_number(t) for t in tensors)
    gradients = torch.autograd.grad(total, sample.inputs, allow_unused=True)
    sizes = [0.0 if g is None or not g.numel() else float(g.abs().max()) for g in gradients]
    if not any(sizes):
        return None
    position = next(k for k, size in enumerate(sizes) if size)
    entry = int(gradients[position].reshape(-1).abs().argmax())

    def function(*inputs: torch.Tensor) -> Any:
        Off.entry = entry
        given = list(inputs)
        given[position] = Off.apply(given[position])
        return sample.function(*given)

    return Sample(sample.name, function, sample.inputs)


def of_torch(sample: Sample) -> str:
    """What torch's own check says."""
    try:
        passed = torch.autograd.gradcheck(sample.function, sample.inputs, raise_exception=False)
    except Exception as error:
        return f"refused: {type(error).__name__}"
    return "passes" if passed else "fails"


def of_fastgrad(sample: Sample) -> tuple[str, str]:
    """fastgrad's verdict, and the first line of its report."""
    try:
        report = check_function(sample.function, sample.inputs)
    except (InputError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        return "refused", f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return report.verdict, str(report).splitlines()[0]


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of a call, and its seconds."""
    began = time.perf_counter()
    found = run()
    return found, time.perf_counter() - began


def main() -> None:
    """Run all operators and print the table, then each difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    table: Counter[tuple[str, str]] = Counter()
    planted: Counter[str] = Counter()
    seconds, missing, lines, slow = [0.0, 0.0], [], [], []
    for sample in samples(arguments.only):
        if isinstance(sample, str):
            missing.append(sample)
            continue
        theirs, a = timed(lambda: of_torch(sample))  # noqa: B023
        (ours, line), b = timed(lambda: of_fastgrad(sample))  # noqa: B023
        seconds = [seconds[0] + a, seconds[1] + b]
        slow.append((b, a, sample.name))
        table[theirs.split(":")[0], ours] += 1
        if (theirs, ours) != ("passes", "agree"):
            lines.append(f"{sample.name}: torch {theirs}; {line}")
        if arguments.planted and ours == "agree":
            wrong = with_error(sample)
            if wrong is not None:
                verdict, line = of_fastgrad(wrong)
                planted[verdict] += 1
                if verdict != "disagree":
                    lines.append(f"{sample.name}, planted: {line}")
    print(
        f"| torch {torch.__version__} | agree | disagree | undecided | refused |\n|---|---:|---:|---:|---:|"
    )
    for theirs in ("passes", "fails", "refused"):
        row = [table[theirs, ours] for ours in ("agree", "disagree", "undecided", "refused")]
        print(f"| {theirs} | {' | '.join(map(str, row))} |")
    print(f"\n{sum(table.values())} operators; {len(missing)} without a sample: {', '.join(missing)}")
    print(f"seconds: torch {seconds[0]:.1f}, fastgrad {seconds[1]:.1f}, ratio {seconds[1] / seconds[0]:.2f}")
    if planted:
        print(f"planted errors of 1%: {dict(planted)}")
    print("slowest:", ", ".join(f"{name} {b:.2f} s (torch {a:.2f})" for b, a, name in sorted(slow)[-8:]))
    print("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
