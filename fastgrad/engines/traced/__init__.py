"""Plain NumPy costs, recorded once as a tape of operations and evaluated at many perturbed points at a time."""
