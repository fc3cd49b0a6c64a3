"""The engine for a fastgrad.Network: it computes only what a perturbation changes.

`engine` answers for a coordinate by one of four ways: a polynomial of its unit (`tables`), compiled kernels
for dense layers (`dense_tail`), NumPy rules from layer to layer (`propagate`, `layer_rules`), or
pre-activations in place of weights (`nodes`). `state` holds what they all start from, `place` one layer
within it, and `tie` tells whether a cost and a network compute the same.
"""
