"""Who gives way: whoever it costs least, and nobody where a place is open."""

from dataclasses import replace

import pytest

from practice.waiting.changing import Board, GivesWay, Seat

ANN, BEN, KIM = range(3)


def seat(key, therapist, *candidates, priority=30):
    return Seat(key, candidates, therapist, priority)


def test_where_a_place_is_open_nobody_gives_way():
    board = Board([seat(ANN, None, ("rosa", 900)), seat(BEN, "rosa", ("rosa", 800))], {"rosa": 2})
    assert board.gives_way(ANN, "rosa") is None
    assert board.gives_way(BEN, "rosa") is None


def test_whoever_loses_least_by_another_open_place_moves():
    board = Board(
        [
            seat(ANN, None, ("rosa", 900)),
            seat(BEN, "rosa", ("rosa", 800), ("lena", 790)),
            seat(KIM, "rosa", ("rosa", 850), ("lena", 700)),
        ],
        {"rosa": 2, "lena": 1},
    )
    assert board.gives_way(ANN, "rosa") == GivesWay(BEN, "lena", 10)


def test_the_place_that_one_leaves_is_open_to_the_other():
    board = Board(
        [
            seat(ANN, "lena", ("rosa", 900), ("lena", 600)),
            seat(BEN, "rosa", ("rosa", 800), ("lena", 750)),
        ],
        {"rosa": 1, "lena": 1},
    )
    assert board.gives_way(ANN, "rosa") == GivesWay(BEN, "lena", 50)


def test_moving_comes_before_waiting_on_and_then_the_last_in_priority_waits_on():
    seats = [
        seat(ANN, None, ("rosa", 900)),
        seat(BEN, "rosa", ("rosa", 100), priority=90),
        seat(KIM, "rosa", ("rosa", 950), priority=40),
    ]
    assert Board(seats, {"rosa": 2}).gives_way(ANN, "rosa") == GivesWay(KIM, None, 950)
    seats[1] = seat(BEN, "rosa", ("rosa", 900), ("lena", 1), priority=90)
    board = Board(seats, {"rosa": 2, "lena": 1})
    assert board.gives_way(ANN, "rosa") == GivesWay(BEN, "lena", 899)


@pytest.mark.parametrize(
    ("places", "possible"), [({}, False), ({"rosa": 0}, False), ({"rosa": 1}, True)]
)
def test_without_a_place_nobody_can_be_given_one(places, possible):
    board = Board([seat(ANN, None, ("rosa", 900))], places)
    assert board.is_possible("rosa") is possible


def test_whoever_stays_never_gives_way():
    ben, kim = seat(BEN, "rosa", ("rosa", 100)), seat(KIM, "rosa", ("rosa", 900))
    board = Board([seat(ANN, None, ("rosa", 900)), replace(ben, stays=True), kim], {"rosa": 2})
    assert board.gives_way(ANN, "rosa") == GivesWay(KIM, None, 900)
    board = Board([seat(ANN, None, ("rosa", 900)), replace(ben, stays=True)], {"rosa": 1})
    assert board.gives_way(ANN, "rosa") is None
    assert not board.is_possible("rosa")


def test_a_place_that_nobody_is_proposed_for_is_open_to_whoever_lists_it():
    seats = [
        seat(ANN, None, ("rosa", 900), ("lena", 800), ("vera", 700)),
        seat(BEN, "rosa", ("rosa", 100)),
    ]
    assert Board(seats, {"rosa": 1, "lena": 1, "vera": 1}).open_to(ANN) == "lena"
    assert Board(seats, {"rosa": 1}).open_to(ANN) is None
