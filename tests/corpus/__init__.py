"""Gradients that are right, and gradients that are wrong, with what must be said of each.

A wrong case is the cost of a right one, its twin, with another gradient: the truth is known, and with it what
must be called wrong.
"""

from corpus.cases import Case, Wrong, flat, unflat
from corpus.part7 import PART7_RIGHT, PART7_WRONG
from corpus.right import OWN, RIGHT
from corpus.wrong import WRONG

__all__ = ["OWN", "PART7_RIGHT", "PART7_WRONG", "RIGHT", "WRONG", "Case", "Wrong", "flat", "unflat"]
