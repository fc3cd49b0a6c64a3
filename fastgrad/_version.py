"""The version of fastgrad, which hatch, the checkpoint and the JSON report read."""

__version__ = "0.1.0"
