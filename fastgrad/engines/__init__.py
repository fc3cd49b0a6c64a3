"""Engines: ways of evaluating the cost at many points that each differ from the parameters in one coordinate.

`choose` picks the engine for a problem, `execution` calls it on all workers. Coordinates and offsets go in,
(m,) and (m, S); values of the cost come out, (m, S). `protocol` says what an engine is, and each other module
is one.
"""
