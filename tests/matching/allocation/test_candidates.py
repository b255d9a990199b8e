"""What is refused of a waiting list, with the row and the field, and what is put in order."""

from typing import Any

import numpy as np
import pytest

from matching.allocation.candidates import NOBODY, Candidates
from matching.errors import BadRow

CAPACITY = {"t": 1, "u": 2}


@pytest.mark.parametrize(
    ("lists", "capacity", "row", "field", "reason"),
    [
        ([[("t", 5)], [("v", 5)]], CAPACITY, 1, "therapist", "not among the therapists"),
        ([[("t", 5)], [("u", 1), ("t", 3), ("u", 2)]], CAPACITY, 1, "therapist", "twice"),
        ([[("t", 5)], [("u", float("nan"))]], CAPACITY, 1, "score", "whole number"),
        ([[("t", 5)], [("u", 2.5)]], CAPACITY, 1, "score", "whole number"),
        ([[("t", 5)], [("u", -1)]], CAPACITY, 1, "score", "from 0 to 1000000"),
        ([[("t", 5)], [("u", 1_000_001)]], CAPACITY, 1, "score", "from 0 to 1000000"),
        ([[("t", 5)], [("u", "5")]], CAPACITY, 1, "score", "whole number"),
        ([[("t", True)]], CAPACITY, 0, "score", "whole number"),
        ([], {"t": 1, "u": -1}, 1, "capacity", "from 0 to 10000"),
        ([], {"t": 1, "u": float("nan")}, 1, "capacity", "whole number"),
        ([], {"t": 1, "u": float("inf")}, 1, "capacity", "whole number"),
        ([], {"t": 1, "u": None}, 1, "capacity", "whole number"),
    ],
)
def test_a_bad_list_is_refused_with_its_row_and_field(
    lists: list[Any], capacity: dict[str, Any], row: int, field: str, reason: str
) -> None:
    with pytest.raises(BadRow, match=reason) as refused:
        Candidates.of(lists, capacity)
    assert (refused.value.row, refused.value.field) == (row, field)


@pytest.mark.parametrize(
    ("therapist", "score", "capacity", "row", "field"),
    [
        ([[0], [2]], [[1], [1]], [1, 1], 1, "therapist"),
        ([[0], [-2]], [[1], [1]], [1, 1], 1, "therapist"),
        ([[0, 1], [1, 1]], [[1, 1], [1, 1]], [1, 1], 1, "therapist"),
        ([[0], [1]], [[1.0], [np.nan]], [1, 1], 1, "score"),
        ([[0], [1]], [[1], [1]], [1, -1], 1, "capacity"),
        ([[0], [1]], [[1], [1]], [1, np.nan], 1, "capacity"),
        ([[0], [1]], [[1]], [1, 1], 0, "score"),
        ([0, 1], [1, 1], [1, 1], 0, "score"),
    ],
)
def test_bad_columns_are_refused_with_their_row_and_field(
    therapist: list[Any], score: list[Any], capacity: list[Any], row: int, field: str
) -> None:
    with pytest.raises(BadRow) as refused:
        Candidates(np.array(therapist), np.array(score), np.array(capacity))
    assert (refused.value.row, refused.value.field) == (row, field)


def test_lists_stand_by_falling_score_and_equals_as_they_came() -> None:
    found = Candidates.of([[("u", 5), ("t", 5)], [("t", 1), ("u", 7)], [("u", 3)]], CAPACITY)
    assert found.therapist.tolist() == [[1, 0], [1, 0], [1, NOBODY]]
    assert found.score.tolist() == [[5, 5], [7, 1], [3, 0]]


def test_what_stands_beside_nobody_counts_for_nothing() -> None:
    found = Candidates(np.array([[NOBODY, 0, NOBODY]]), np.array([[9, 5, -7]]), np.array([1]))
    assert found.therapist.tolist() == [[0, NOBODY, NOBODY]]
    assert found.score.tolist() == [[5, 0, 0]]
    assert found.best.tolist() == [5]


def test_leaving_candidates_out_changes_nothing_else() -> None:
    found = Candidates.of([[("u", 5), ("t", 4)]], {"t": 1, "u": 0})
    assert found.with_places.therapist.tolist() == [[NOBODY, 0]]
    assert found.with_places.score_of(np.array([0])).tolist() == [4]
    assert found.therapist.tolist() == [[1, 0]]
