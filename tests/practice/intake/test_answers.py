"""Which page comes next, and what the answers say together."""

import pytest

from practice.intake.answers import (
    first_open_page,
    is_risky,
    minutes_left,
    page_after,
    page_before,
    responses,
    shown_pages,
    weighed_concerns,
)
from practice.intake.in_words import in_words
from practice.intake.instruments import INSTRUMENTS
from practice.intake.pages import BY_KEY, KEYS, PAGES
from tests.builders.intake import ANSWERS, STORY


def test_the_pages_come_in_the_order_promised():
    assert KEYS[:3] == ("story", "concerns", "concern-weights")
    assert KEYS[3:19] == (
        *(f"phq-9-{n}" for n in range(1, 10)),
        *(f"gad-7-{n}" for n in range(1, 8)),
    )
    assert KEYS[19:] == tuple(
        "place birth-year languages service format payment hours wishes style about-you".split()
    )


def test_the_words_of_each_item_are_the_instruments_own():
    phq = INSTRUMENTS["phq-9"]
    for item in phq.items:
        page = BY_KEY[f"phq-9-{item.number}"]
        assert (page.heading, page.hint) == (item.text, phq.recall)


def test_every_page_says_why_it_asks_and_can_be_put_into_words():
    for page in PAGES:
        assert len(page.why) > 40, page.key
        assert in_words(page.key, ANSWERS[page.key]), page.key
        assert in_words(page.key, None) == ["Skipped"]


def test_weights_are_asked_only_after_concerns_were_chosen():
    concerns = BY_KEY["concerns"]
    assert page_after(concerns, {"concerns": ["grief"]}) is BY_KEY["concern-weights"]
    assert page_after(concerns, {"concerns": None}) is BY_KEY["phq-9-1"]
    assert page_before(BY_KEY["phq-9-1"], {}) is concerns


def test_the_way_forward_and_back_passes_every_page_once():
    page, passed = PAGES[0], []
    while page:
        passed.append(page)
        page = page_after(page, ANSWERS)
    assert tuple(passed) == PAGES
    assert page_before(PAGES[0], ANSWERS) is None


def test_one_resumes_at_the_first_page_neither_answered_nor_skipped():
    assert first_open_page({}) is BY_KEY["story"]
    assert first_open_page({"story": None, "concerns": None}) is BY_KEY["phq-9-1"]
    assert first_open_page(ANSWERS) is None


def test_the_time_left_shrinks_and_is_never_nothing():
    left = [minutes_left(page, ANSWERS) for page in shown_pages(ANSWERS)]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 1


def test_an_unweighed_concern_counts_in_the_middle_and_a_dropped_one_not_at_all():
    answers = {"concerns": ["panic", "grief"], "concern-weights": {"panic": 3, "anger": 1}}
    assert weighed_concerns(answers) == {"panic": 3, "grief": 2}
    assert weighed_concerns({"concerns": None}) == {}


def test_an_item_not_answered_is_a_gap_in_the_sheet():
    assert responses({"gad-7-2": 0, "gad-7-3": None}, INSTRUMENTS["gad-7"]) == [
        None,
        0,
        *[None] * 5,
    ]


@pytest.mark.parametrize(
    ("page", "value", "risky"),
    [
        ("phq-9-9", 1, True),
        ("phq-9-9", 0, False),
        ("phq-9-9", None, False),
        ("phq-9-8", 3, False),
        ("gad-7-7", 3, False),
        ("story", "9", False),
    ],
)
def test_only_the_risk_item_above_zero_starts_the_risk_path(page, value, risky):
    assert is_risky(page, value) is risky


def test_answers_are_said_in_the_words_they_were_given_in():
    assert in_words("story", STORY) == [STORY]
    assert in_words("phq-9-1", 2) == ["More than half the days"]
    assert in_words("payment", ANSWERS["payment"]) == ["I pay myself", "At most $200 a meeting"]
    assert in_words("payment", {"kind": "insurance", "insurer": "medicaid"})[1] == "Medicaid"
    assert in_words("hours", ANSWERS["hours"])[1:] == [
        "Thursday 17:00–21:00",
        "Pacific time (Los Angeles)",
    ]
    assert in_words("wishes", ANSWERS["wishes"]) == ["Gender: Woman (would like)"]
    assert in_words("wishes", {}) == in_words("style", {}) == ["No preference"]
    assert in_words("about-you", ANSWERS["about-you"]) == ["Gender: Woman", "Faith: No faith"]
    assert in_words("style", {"past": 0}) == ["Past or present: in between"]
