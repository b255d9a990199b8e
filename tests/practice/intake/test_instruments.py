import re

import pytest

from practice.intake.instruments import INSTRUMENTS, Instrument, UnknownInstrument, instrument

LOINC = re.compile(r"[0-9]+-[0-9]")

each_instrument = pytest.mark.parametrize("shipped", INSTRUMENTS.values(), ids=lambda it: it.code)


@each_instrument
def test_the_bands_meet_without_gap_and_cover_every_total(shipped: Instrument) -> None:
    totals = [total for band in shipped.bands for total in range(band.low, band.high + 1)]
    assert totals == list(range(max(shipped.values) * len(shipped.items) + 1))


@each_instrument
def test_every_item_and_total_has_a_sound_loinc_code_of_its_own(shipped: Instrument) -> None:
    coded = [item.loinc for item in shipped.items]
    coded += [shipped.loinc_panel, shipped.loinc_total]
    assert all(LOINC.fullmatch(code) and luhn_holds(code) for code in coded)
    assert len(set(coded)) == len(coded)


@each_instrument
def test_the_options_are_those_of_the_shared_loinc_answer_list(shipped: Instrument) -> None:
    answers = [(option.value, option.loinc) for option in shipped.options]
    assert answers == [(0, "LA6568-5"), (1, "LA6569-3"), (2, "LA6570-1"), (3, "LA6571-9")]


@each_instrument
def test_the_source_and_the_terms_stand_beside_the_questions(shipped: Instrument) -> None:
    assert "No permission required" in shipped.terms
    assert re.search(r"\b(19|20)\d\d;", shipped.source)


def test_item_nine_of_the_phq_9_starts_the_risk_path_and_none_of_the_gad_7_does() -> None:
    assert instrument("phq-9").risk_item == 9
    assert instrument("gad-7").risk_item is None


@pytest.mark.parametrize(
    ("code", "band", "low", "high"),
    [
        ("phq-9", "minimal", 0, 4),
        ("phq-9", "mild", 5, 9),
        ("phq-9", "moderate", 10, 14),
        ("phq-9", "moderately-severe", 15, 19),
        ("phq-9", "severe", 20, 27),
        ("gad-7", "minimal", 0, 4),
        ("gad-7", "mild", 5, 9),
        ("gad-7", "moderate", 10, 14),
        ("gad-7", "severe", 15, 21),
    ],
)
def test_the_bands_are_the_published_ones(code: str, band: str, low: int, high: int) -> None:
    assert {instrument(code).band_of(total).code for total in (low, high)} == {band}


@pytest.mark.parametrize("total", [-1, 28])
def test_a_total_beyond_the_sheet_has_no_band(total: int) -> None:
    with pytest.raises(ValueError, match="PHQ-9 has no total"):
        instrument("phq-9").band_of(total)


def test_an_unknown_instrument_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownInstrument, match=r"'phq9'.*gad-7, phq-9"):
        instrument("phq9")


def luhn_holds(code: str) -> bool:
    """LOINC codes end in a check digit (mod 10), which catches a mistyped one."""
    body, check = code.split("-")
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    return (sum(sum(divmod(digit, 10)) for digit in doubled) + int(check)) % 10 == 0
