import pytest

from practice.intake.instruments import INSTRUMENTS, Instrument, instrument
from practice.intake.scoring import score
from practice.intake.words import LIMITS, result_words


@pytest.mark.parametrize("shipped", INSTRUMENTS.values(), ids=lambda it: it.code)
def test_every_band_has_words_of_its_own(shipped: Instrument) -> None:
    meanings = {result_words(shipped, score(shipped, sheet)).meaning for sheet in rising(shipped)}
    assert len(meanings) == len(shipped.bands)


def test_the_limits_stand_beside_every_total() -> None:
    words = result_words(instrument("gad-7"), score(instrument("gad-7"), [2] * 7))
    assert words.summary == "Your answers add up to 14 of 21, in the range called moderate."
    assert words.limits == LIMITS


def test_an_incomplete_sheet_is_told_without_a_number() -> None:
    phq_9 = instrument("phq-9")
    words = result_words(phq_9, score(phq_9, [3] * 8 + [None]))
    assert "no total" in words.summary
    assert not any(character.isdigit() for character in words.summary + words.meaning)


def rising(shipped: Instrument) -> list[list[int | None]]:
    """One sheet for each total from the lowest to the highest."""
    size, highest = len(shipped.items), max(shipped.values)
    return [
        [min(highest, max(0, total - highest * place)) for place in range(size)]
        for total in range(shipped.highest_total + 1)
    ]
