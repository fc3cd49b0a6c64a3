"""Plain NumPy costs, recorded once as a tape of operations and evaluated at many points at a time."""
