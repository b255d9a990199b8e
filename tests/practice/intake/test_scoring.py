import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.intake.instruments import INSTRUMENTS, Instrument, instrument
from practice.intake.scoring import OutOfRange, Score, ScoreStatus, WrongLength, score

PHQ_9 = instrument("phq-9")
GAD_7 = instrument("gad-7")


def sheet(*first: int | None, of: Instrument = PHQ_9) -> list[int | None]:
    """The first answers as given, zeros after them."""
    return [*first, *[0] * (len(of.items) - len(first))]


@pytest.mark.parametrize(
    ("responses", "total", "band"),
    [
        (sheet(), 0, "minimal"),
        (sheet(3, 1), 4, "minimal"),
        (sheet(3, 2), 5, "mild"),
        (sheet(3, 3, 3), 9, "mild"),
        (sheet(3, 3, 3, 1), 10, "moderate"),
        (sheet(3, 3, 3, 3, 2), 14, "moderate"),
        (sheet(3, 3, 3, 3, 3), 15, "moderately-severe"),
        (sheet(3, 3, 3, 3, 3, 3, 1), 19, "moderately-severe"),
        (sheet(3, 3, 3, 3, 3, 3, 2), 20, "severe"),
        ([3] * 9, 27, "severe"),
    ],
)
def test_a_complete_phq_9_has_its_total_and_band(
    responses: list[int | None], total: int, band: str
) -> None:
    assert score(PHQ_9, responses) == Score(total, band, ScoreStatus.complete, responses[8] == 3)


def test_a_gad_7_has_no_risk_item_and_so_no_answer_about_risk() -> None:
    assert score(GAD_7, [3] * 7) == Score(21, "severe", ScoreStatus.complete, None)


def test_one_unanswered_item_leaves_no_total_and_no_band() -> None:
    assert score(PHQ_9, sheet(None)) == Score(None, None, ScoreStatus.incomplete, False)


def test_risk_is_judged_on_an_incomplete_sheet_too() -> None:
    assert score(PHQ_9, [None] * 8 + [1]).risk is True


def test_an_unanswered_risk_item_is_neither_risk_nor_its_absence() -> None:
    assert score(PHQ_9, [3] * 8 + [None]).risk is None


def test_a_low_total_does_not_hide_the_risk() -> None:
    assert score(PHQ_9, [0] * 8 + [1]) == Score(1, "minimal", ScoreStatus.complete, True)


@pytest.mark.parametrize("value", [-1, 4, 7, 9])
def test_an_answer_the_instrument_does_not_offer_is_refused_with_its_item(value: int) -> None:
    with pytest.raises(OutOfRange) as refused:
        score(PHQ_9, sheet(0, None, value))
    assert (refused.value.item, refused.value.value) == (3, value)


@pytest.mark.parametrize("length", [0, 8, 10])
def test_a_sheet_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(WrongLength):
        score(PHQ_9, [0] * length)


@given(st.sampled_from(list(INSTRUMENTS.values())), st.data())
def test_any_sheet_is_complete_exactly_when_every_item_is_answered(
    chosen: Instrument, data: st.DataObject
) -> None:
    answers = st.sampled_from([None, *chosen.values])
    size = len(chosen.items)
    responses = data.draw(st.lists(answers, min_size=size, max_size=size))
    result = score(chosen, responses)
    complete = None not in responses
    assert result.total == (sum(filter(None, responses)) if complete else None)
    assert (result.band is not None) == complete == (result.status is ScoreStatus.complete)
