"""The engine for a fastgrad.Network: only what a perturbation changes is computed."""
