"""JAX: gradients of functions of pytrees, and jax.test_util.check_grads with a verdict on each coordinate."""

from fastgrad.adapters.jax.function import check_function
from fastgrad.adapters.jax.grads import check_grads

__all__ = ["check_function", "check_grads"]
