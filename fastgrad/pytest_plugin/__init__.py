"""The plugin of pytest: fixtures that check a gradient and assert, a summary, and reports in files.

pytest loads this package in every run of every project that has fastgrad installed. So what it imports at its
start is the standard library that pytest has loaded by then: `fastgrad` itself finds its names when they are
asked for, and the checks, NumPy included, are loaded by the first fixture that is used.
"""

from fastgrad.pytest_plugin.hooks import check_gradient as check_gradient
from fastgrad.pytest_plugin.hooks import fastgrad_check as fastgrad_check
from fastgrad.pytest_plugin.hooks import pytest_addoption as pytest_addoption
from fastgrad.pytest_plugin.hooks import pytest_configure as pytest_configure
from fastgrad.pytest_plugin.hooks import pytest_configure_node as pytest_configure_node
from fastgrad.pytest_plugin.hooks import pytest_load_initial_conftests as pytest_load_initial_conftests
