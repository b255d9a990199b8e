"""Figures for a page: the lines add up to the total that stands under them."""

from hypothesis import given
from hypothesis import strategies as st

from matching import about_as_close, shown_total, thousandths

points = st.dictionaries(st.text(max_size=3), st.integers(0, 300_000), max_size=9)


@given(points)
def test_the_lines_add_up_to_the_total_shown(points: dict[str, int]) -> None:
    assert sum(thousandths(points).values()) == shown_total(sum(points.values()))


@given(points)
def test_no_line_is_off_by_a_whole_thousandth(points: dict[str, int]) -> None:
    shown = thousandths(points)
    assert list(shown) == list(points)
    assert all(abs(1000 * shown[each] - points[each]) < 1000 for each in points)


def test_whoever_lost_most_gets_the_thousandth_and_of_equals_the_first() -> None:
    assert thousandths({"a": 1_400, "b": 1_700, "c": 1_300}) == {"a": 1, "b": 2, "c": 1}
    assert thousandths({"a": 1_400, "b": 1_700, "c": 1_400}) == {"a": 2, "b": 2, "c": 1}
    assert thousandths({"a": 500, "b": 500}) == {"a": 1, "b": 0}


def test_twenty_thousandths_are_about_as_close_and_no_more() -> None:
    assert about_as_close(800_000, 780_000)
    assert about_as_close(780_000, 800_000)
    assert not about_as_close(800_000, 779_999)
