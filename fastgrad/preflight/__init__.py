"""The plain checks before any difference is taken: of the cost, the gradient function, the complex step."""
