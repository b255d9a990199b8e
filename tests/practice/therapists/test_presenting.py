"""How hours and labels are said."""

from datetime import time

import pytest

from practice.hours import WeeklyWindow
from practice.therapists.models import Therapist
from practice.therapists.presenting import (
    days_in_words,
    hours_by_daypart,
    in_words,
    payments_of,
)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([0, 1, 2, 3, 4], "Monday to Friday"),
        ([4, 0, 2, 1, 1], "Monday to Wednesday, Friday"),
        ([0, 1], "Monday, Tuesday"),
        ([6], "Sunday"),
        ([], ""),
    ],
)
def test_three_days_in_a_row_are_said_as_a_span(days, words):
    assert days_in_words(days) == words


def test_parts_of_the_day_on_the_same_days_are_said_together():
    week = [WeeklyWindow(day, time(9), time(17)) for day in range(5)]
    week.append(WeeklyWindow(1, time(17), time(20)))
    assert hours_by_daypart(week) == [
        ("Mornings and afternoons", "Monday to Friday"),
        ("Evenings", "Tuesday"),
    ]


def test_less_than_an_hour_is_no_part_of_the_day():
    assert hours_by_daypart([WeeklyWindow(0, time(11, 1), time(13))]) == [("Afternoons", "Monday")]
    assert hours_by_daypart([WeeklyWindow(0, time(11), time(13))]) == [
        ("Mornings and afternoons", "Monday")
    ]
    assert hours_by_daypart([]) == []


def test_words_are_joined_as_people_say_them():
    assert in_words(["a", "b", "c"]) == "a, b and c"
    assert in_words(["a"]) == "a"
    assert in_words([]) == ""


def test_a_plan_is_named_instead_of_the_word_insurance():
    named = Therapist(payments=["self-pay", "medicaid", "insurance"])
    assert payments_of(named) == ["Clients who pay themselves", "Medicaid"]
    assert payments_of(Therapist(payments=["insurance"])) == ["Insurance"]
