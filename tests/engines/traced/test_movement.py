"""Operations that move entries: where each entry of the result comes from."""

import numpy as np
import pytest

from fastgrad.engines.traced.changes import Dense, Ragged, Sparse
from fastgrad.engines.traced.movement import movements_of, moves_entries
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters


def movement_of(function, *leaves):
    """The movement of the first operation of a cost, and the tape."""
    tape = record(lambda p: np.sum(function(*p)), Parameters([np.asarray(x) for x in leaves]), ())
    assert moves_entries(tape.operations[0])
    return movements_of(tape.operations[0], tape)[0], tape


X = np.arange(1.0, 7.0).reshape(2, 3)


def test_sources_and_constants():
    """Entries of each input are told from constants, though these be the same numbers."""
    movement, _ = movement_of(lambda x, y: np.concatenate([x, [[1.0, np.nan, 3.0]], y]), X, X)
    assert movement.parts[0].to.tolist() == [0, 1, 2, 3, 4, 5]
    assert movement.parts[1].to.tolist() == [9, 10, 11, 12, 13, 14]
    assert movement.parts[1].source.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_view_is_one():
    """What is one input seen another way is known as such, with its strides."""
    assert movement_of(lambda x: x.T, X)[0].whole == (0, 1, 3)
    assert movement_of(lambda x: x[::-1, 1:], X)[0].whole == (4, -3, 1)
    assert (
        movement_of(lambda x: np.broadcast_to(x[0], (4, 3)), X)[1].operations[1].function is np.broadcast_to
    )
    assert movement_of(lambda x: x[:, [2, 0, 1]], X)[0].whole is None


def test_few_entries_stay_few():
    """A moved entry is followed to where it goes, also to several places or to none."""
    movement, tape = movement_of(lambda x: np.tile(x, (2, 1)), X)
    change = movement.applied(
        {0: Sparse(np.array([[1], [5]]), np.array([[9.0], [8.0]]))}, tape.base, tape.base[1]
    )
    assert change.where.tolist() == [[1, 7], [5, 11]]
    assert change.new.tolist() == [[9.0, 9.0], [8.0, 8.0]]
    movement, tape = movement_of(lambda x: x[0], X)
    assert movement.applied({0: Sparse(np.array([[5]]), np.array([[9.0]]))}, tape.base, tape.base[1]) is None


def test_points_that_differ_in_what_they_change():
    """Where one point changes something and another nothing, they are to be evaluated apart."""
    movement, tape = movement_of(lambda x: x[0], X)
    change = Sparse(np.array([[0], [5]]), np.array([[9.0], [9.0]]))
    with pytest.raises(Ragged) as raised:
        movement.applied({0: change}, tape.base, tape.base[1])
    assert raised.value.groups.tolist() == [1, 0]


def test_whole_values():
    """Whole values are moved at all points, beside what stays as it is."""
    movement, tape = movement_of(lambda x: np.pad(x, ((0, 0), (1, 0)), constant_values=7.0), X)
    change = movement.applied({0: Dense(np.stack([X, -X]))}, tape.base, tape.base[1])
    assert change.new[1].tolist() == [[7, -1, -2, -3], [7, -4, -5, -6]]


def test_an_index_that_depends_on_parameters_moves_nothing():
    """Where an index or a fill value depends on the parameters, the operation is evaluated."""
    tape = record(lambda x: np.sum(np.take_along_axis(x, np.argsort(x), 1)), Parameters(X), ())
    assert [moves_entries(operation) for operation in tape.operations] == [False, False, False]
    tape = record(lambda x: np.sum(np.pad(x, 1, constant_values=x[0, 0])), Parameters(X), ())
    assert not moves_entries(tape.operations[1])
    tape = record(lambda x: np.sum(np.pad(x, 1, mode="mean")), Parameters(X), ())
    assert not moves_entries(tape.operations[0])
