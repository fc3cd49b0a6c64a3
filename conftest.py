"""What pytest leaves alone: modules that need a library which is not installed."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("jax") else ["fastgrad/adapters/jax/*", "tests/jax_cases.py"]
