"""The lines of a cost in which wrong blocks are used."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import report_of
from revisit_cases import REPORTS, exponentials, of

import fastgrad
from fastgrad.report.code_lines import LONGEST_LINE, CodeLine, CodeLines, code_lines
from fastgrad.report.revisit import GONE

pytestmark = pytest.mark.usefixtures("clock")

DATA = np.random.default_rng(3).normal(size=(10, 3))
WEIGHTS = {"W1": np.full((3, 4), 0.3), "b1": np.linspace(-1, 1, 4), "W2": np.linspace(-0.5, 0.5, 4)}


def hidden(p):
    """One layer."""
    z = DATA @ p["W1"]
    return np.tanh(z + p["b1"])


def cost(p):
    """A cost of two functions."""
    out = hidden(p) @ p["W2"]
    return 0.5 * np.sum(out**2)


def gradient_wrong_in(*blocks):
    """The gradient, 10% off in some blocks."""

    def gradient(p):
        h = hidden(p)
        out = h @ p["W2"]
        dz = np.outer(out, p["W2"]) * (1 - h**2)
        right = {"W1": DATA.T @ dz, "b1": dz.sum(axis=0), "W2": h.T @ out}
        return {name: g * (1.1 if name in blocks else 1.0) for name, g in right.items()}

    return gradient


def number_of(text):
    """The number of the first line of this file that is this text."""
    with open(__file__) as file:
        return next(k for k, line in enumerate(file, 1) if line.strip() == text)


@pytest.mark.parametrize("engine", ["python", "traced"])
class TestLines:
    def test_of_several_functions(self, engine):
        """Each wrong block has the line of the function that uses it, with its text, in order of blocks."""
        report = fastgrad.check_gradient(cost, gradient_wrong_in("W2", "W1"), WEIGHTS, engine=engine)
        name, first, second = "test_code_lines.py", 'z = DATA @ p["W1"]', 'out = hidden(p) @ p["W2"]'
        assert report.code_lines() == CodeLines(
            (
                CodeLine("W1", name, number_of(first), first, ("matmul",)),
                CodeLine("W2", name, number_of(second), second, ("matmul",)),
            )
        )

    def test_only_wrong_blocks(self, engine):
        """A block that is right has no line, nor has a right gradient; nothing is said then."""
        report = fastgrad.check_gradient(cost, gradient_wrong_in("b1"), WEIGHTS, engine=engine)
        [line] = report.code_lines().lines
        assert (line.block, line.source, line.operations) == (
            "b1",
            'return np.tanh(z + p["b1"])',
            ("add",),
        )
        right = fastgrad.check_gradient(cost, gradient_wrong_in(), WEIGHTS, engine=engine)
        assert right.code_lines() == CodeLines()

    def test_of_a_lambda(self, engine):
        """A lambda has a line as a function has."""
        report = of(
            lambda x: np.sum(np.sin(x[:2])) + np.sum(np.exp(x[2:])),
            lambda x: np.concatenate([np.cos(x[:2]), 1.1 * np.exp(x[2:])]),
            engine=engine,
        )
        [line] = report.code_lines().lines
        assert line.source == "lambda x: np.sum(np.sin(x[:2])) + np.sum(np.exp(x[2:])),"
        assert line.operations == ("getitem", "exp")

    def test_of_code_without_a_file(self, engine):
        """Where the text of a line cannot be read there is its number alone."""
        names = {"np": np}
        exec(compile("\ndef cost(x):\n    return np.sum(np.exp(x))\n", "<typed>", "exec"), names)
        report = of(names["cost"], engine=engine)
        assert report.code_lines().lines == (CodeLine("params", "<typed>", 3, "", ("exp",)),)


def test_a_few_lines_of_each_block():
    """A block that is used all over the cost has its first lines."""

    def everywhere(x):
        a = np.sum(np.sin(x))
        b = np.sum(np.cos(x))
        c = np.sum(np.exp(x))
        d = np.sum(np.tanh(x))
        return a + b + c + d

    lines = of(everywhere, np.ones(4)).code_lines().lines
    assert [line.source[0] for line in lines] == ["a", "b", "c"]


def test_the_worst_blocks():
    """Where only some blocks are asked for, they are the worst ones, in the user's order."""
    planted = {"a": {(0,): 0.5}, "b": {(1,): 0.1}, "c": {(0,): 8.0}}
    report = report_of(planted, tuple((name, (2,)) for name in "abc"))
    assert [line.block for line in code_lines(report.revisit, 2).lines] == ["a", "c"]
    assert [line.block for line in report.code_lines().lines] == ["a", "b", "c"]


def test_of_vector_functions():
    """Of a Jacobian the lines are those of the function."""
    report = fastgrad.check_jacobian(lambda x: np.sin(DATA @ x), lambda x: np.zeros((10, 3)), np.ones(3))
    [line] = report.code_lines().lines
    assert (line.block, line.operations) == ("params", ("matmul",))


def test_user_text_is_printable(tmp_path):
    """Names of files and text of lines cannot act on a terminal, and long lines are cut."""
    path = tmp_path / "a\x1b[31m.py"
    path.write_text(f"def cost(x):\n    return np.sum(np.exp(x))  # \x1b[31m {'long ' * 99}\n")
    names = {"np": np}
    exec(compile(path.read_text(), str(path), "exec"), names)
    [line] = of(names["cost"], engine="python").code_lines().lines
    assert line.file == "a\\x1b[31m.py"
    assert line.source.startswith("return np.sum(np.exp(x))  # \\x1b[31m long")
    assert len(line.source) <= LONGEST_LINE


class TestNone:
    def test_no_line_of_the_users(self):
        """A function of NumPy's that is the cost itself has no line."""
        said = "no line of the cost is known to use a wrong block"
        report = of(np.sum, np.full(4, 1.1), engine="python")
        assert report.code_lines() == CodeLines((), said)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("batched", "a cost that takes a batch is not recorded"),
            ("network", "the cost is that of a fastgrad.Network, and has no lines of the user's"),
        ],
    )
    def test_engines(self, name, said):
        """Costs of which no line can be told are named."""
        assert REPORTS[name]().code_lines() == CodeLines((), said)

    def test_compiled(self):
        """So are compiled ones, where anything is compiled."""
        from engine_cases import jitted_waves

        from fastgrad.engines.choose import is_numba_function

        if is_numba_function(jitted_waves):
            said = "a cost that Numba compiled is not recorded"
            assert REPORTS["compiled"]().code_lines() == CodeLines((), said)

    def test_a_cost_that_cannot_be_recorded(self):
        """The reason says why, with the line."""

        def floats(x):
            return sum(np.exp(float(number)) for number in x)

        found = of(floats, engine="python").code_lines()
        assert found.lines == ()
        assert found.sentence.startswith("the cost cannot be recorded: test_code_lines.py:")

    def test_a_slow_cost(self, clock):
        """A cost that takes long is not called again."""

        def slow(x):
            clock.now += 2.0
            return exponentials(x)

        report = of(slow, engine="python")
        before = clock.now
        said = "the cost takes 2 s: it was not called again to be recorded"
        assert report.code_lines() == CodeLines((), said)
        assert clock.now == before

    def test_let_go(self):
        """Nothing is left to be asked of a report that was let go."""
        report = of()
        report.revisit.let_go()
        assert report.code_lines() == CodeLines((), GONE)
