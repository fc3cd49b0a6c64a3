"""Checks in torch's terms: of modules, of functions of tensors, and gradcheck as torch spells it.

torch is imported when one of these is called.
"""

from fastgrad.adapters.torch.function import check_function as check_function
from fastgrad.adapters.torch.gradcheck import gradcheck as gradcheck
from fastgrad.adapters.torch.gradcheck import gradgradcheck as gradgradcheck
from fastgrad.adapters.torch.module import check_module as check_module

__all__ = ["check_function", "check_module", "gradcheck", "gradgradcheck"]
