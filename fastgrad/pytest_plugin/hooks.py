"""What pytest calls: flags, configuration, fixtures. Each hands on to the module that has the idea."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from fastgrad.pytest_plugin.settings import SETTINGS, Settings, add_options
from fastgrad.pytest_plugin.summary import Summary

if TYPE_CHECKING:
    from fastgrad.pytest_plugin.checker import Checker, GradientChecker


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags and the entries of the ini file."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Let Python load fastgrad as it loads other libraries, and not pytest's rewriting of assertions.

    pytest rewrites all modules of a distribution that has a plugin. fastgrad has a hundred and more that no
    test asserts in, and they took twice as long to load for it, also from what pytest keeps on disk: 0.6 s
    in place of 0.3. There is no public way out; without this one, loading is slow and nothing else.
    """
    hook = early_config.pluginmanager.rewrite_hook
    getattr(hook, "_must_rewrite", set()).discard("fastgrad")
    hook.mark_rewrite()  # nothing, but it forgets what was looked up before


def pytest_configure(config: pytest.Config) -> None:
    """Read flags and ini file, before anything is collected; listen to what the tests found."""
    settings = config.stash[SETTINGS] = Settings(config)
    config.pluginmanager.register(Summary(settings.folder), "fastgrad-summary")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist whether others run the same tests, and write reports beside its own."""
    node.workerinput["fastgrad_each"] = node.config.getoption("dist", "no") == "each"


@pytest.fixture
def fastgrad_check(request: pytest.FixtureRequest) -> Iterator[Checker]:
    """Check a Problem, or call any function that returns a fastgrad.Report; fail unless it agrees.

    fastgrad_check(problem), fastgrad_check(fastgrad.check_gradient, cost, gradient, params). Reports are kept
    in fastgrad_check.reports.
    """
    from fastgrad.pytest_plugin.checker import Checker

    checker = Checker(request.node, request.config.stash[SETTINGS])
    yield checker
    checker.let_go()


@pytest.fixture
def check_gradient(fastgrad_check: Checker) -> GradientChecker:
    """Check a gradient as fastgrad.check_gradient does, and fail unless it agrees.

    check_gradient(cost, gradient, params, args=(), **options) returns the report, and keeps it in
    check_gradient.reports.
    """
    from fastgrad.pytest_plugin.checker import GradientChecker

    return GradientChecker(fastgrad_check)
