import pytest

from practice.matches.market.acuity import acuity


def sheets(phq=(), gad=()):
    return {f"phq-9-{n}": value for n, value in enumerate(phq, 1)} | {
        f"gad-7-{n}": value for n, value in enumerate(gad, 1)
    }


@pytest.mark.parametrize(
    ("phq", "gad", "expected"),
    [
        ((1, 1, 1, 1, 0, 0, 0, 0, 0), (), 0),
        ((2, 2, 2, 2, 2, 0, 0, 0, 0), (), 1),
        ((), (3, 3, 3, 3, 3, 3, 3), 1),
        ((2, 2, 2, 2, 2, 2, 2, 2, 0), (), 2),
        ((3, 3, 3, 3, 3, 3, 3, 3, 0), (0,) * 7, 2),
        ((0, 0, 0, 0, 0, 0, 0, 0, 1), (), 2),
        ((3, 3, 3, 3, 3, 3, 3, 0, 1), (), 3),
        ((0, 0, 0, 0, 0, 0, 0, 0, 2), (), 3),
    ],
)
def test_the_highest_row_that_fits_counts(phq, gad, expected):
    assert acuity(sheets(phq, gad)) == expected


def test_the_risk_item_counts_on_a_sheet_that_is_not_complete():
    assert acuity({"phq-9-9": 3}) == 3


def test_an_incomplete_sheet_says_nothing_by_its_missing_total():
    assert acuity({"phq-9-1": 3, "phq-9-2": None}) is None


def test_nothing_answered_leaves_nobody_out():
    assert acuity({}) is None
