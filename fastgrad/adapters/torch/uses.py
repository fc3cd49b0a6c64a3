"""Where a forward pass uses each parameter, seen by watching one.

What moves the output of a layer in place of its weight is right only if the weight is used by that layer,
once, and nowhere else: in no penalty, and in no other layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import optree

READS = frozenset(
    {"shape", "dtype", "device", "requires_grad", "ndim", "is_leaf", "layout", "grad_fn", "size", "dim"}
)
"""What code may ask of a tensor that does not depend on its numbers."""


def uses(call: Callable[[], Any], tensors: Sequence[Any]) -> Counter[int]:
    """How many operations of a call take each tensor, by its id.

    Parameters
    ----------
    call : a forward pass
    tensors : whose uses are counted
    """
    from torch.overrides import TorchFunctionMode, resolve_name

    wanted = {id(t) for t in tensors}
    found: Counter[int] = Counter()

    class Watching(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = (resolve_name(func) or "").removesuffix(".__get__").rpartition(".")[2]
            if name not in READS:
                given: Any = (args, kwargs or {})
                leaves: list[Any] = optree.tree_leaves(given, none_is_leaf=True)
                found.update(id(leaf) for leaf in leaves if id(leaf) in wanted)
            return func(*args, **(kwargs or {}))

    with Watching():
        call()
    return found
