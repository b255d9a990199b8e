"""What a preview says of groups: counts, shares, and nothing of a small group."""

import pytest

from practice.oversight.weights.figures import NOT_SAID, Seen, figures_of
from practice.oversight.weights.words import told

GROUPS = {"age": "25 to 34", "language": "English only", "payment": "I pay myself", "state": "Ohio"}
LIST, OTHER = ("a", "b", "c"), ("d", "b", "c")


def somebody(after=LIST, before=LIST, hours=(500.0, 500.0), moved=(0.0, 0.0), **groups):
    return Seen(GROUPS | groups, before, after, {"hours": hours}, *moved)


def people(count, **values):
    return [somebody(**values) for _ in range(count)]


def test_another_order_is_somebody_else_first_and_nobody_new():
    one = somebody(after=("b", "a", "c"))
    assert one.is_somebody_else_first
    assert not one.is_somebody_new
    other = somebody(after=("a", "b", "d"))
    assert not other.is_somebody_else_first
    assert other.is_somebody_new


def test_up_to_twenty_of_a_thousand_more_is_about_the_same():
    seen = [
        *people(50),
        *people(3, moved=(60.0, 40.0)),
        *people(5, moved=(61.0, 40.0)),
        *people(7, moved=(40.0, 61.0)),
    ]
    everybody = figures_of(seen, 20)["everybody"]
    assert (everybody["people"], everybody["gain"], everybody["lose"]) == (65, 5, 7)
    assert everybody["gained"] == pytest.approx((180 + 305 + 280) / 65, abs=0.05)


def test_whoever_finds_nobody_is_said_and_not_counted():
    figures = figures_of([*people(50), *people(4, before=(), after=())], 20)
    assert (figures["people"], figures["nobody"]) == (50, 4)
    assert figures["everybody"]["people"] == 50


def test_of_fewer_than_fifty_people_nothing_is_told():
    figures = figures_of(people(49, after=OTHER), 20)
    assert figures["people"] == 49
    assert (figures["everybody"], figures["groups"], figures["factors"]) == (None, {}, [])
    assert figures["therapists"] is None
    assert told(figures).everybody is None


def test_a_group_of_forty_nine_has_no_figure_nor_has_the_next_smallest():
    seen = [*people(200), *people(90, state="Utah"), *people(49, state="Iowa", after=OTHER)]
    ohio, *others = sorted(figures_of(seen, 20)["groups"]["state"], key=len, reverse=True)
    assert (ohio["group"], ohio["people"]) == ("Ohio", 200)
    assert others == [{"group": "Iowa"}, {"group": "Utah"}]


@pytest.mark.parametrize("silent", [1, 30, 49])
def test_those_who_did_not_say_cannot_be_had_by_subtraction(silent):
    seen = [*people(100), *people(70, age="35 to 44"), *people(silent, age=None, after=OTHER)]
    groups = figures_of(seen, 20)["groups"]["age"]
    kept_back = [each["group"] for each in groups if "people" not in each]
    assert kept_back == ["35 to 44", NOT_SAID]
    shown = sum(each["people"] for each in groups if "people" in each)
    assert 170 + silent - shown >= 50


def test_a_factor_that_few_said_something_about_has_no_line():
    seen = people(49) + [Seen(GROUPS, LIST, LIST, {"price": (1.0, 2.0)}) for _ in range(60)]
    assert [each["factor"] for each in figures_of(seen, 20)["factors"]] == ["price"]


def test_therapists_are_told_of_in_sum_and_only_when_there_are_ten():
    seen = [*people(50), *people(50, before=("x", "y", "z"), after=LIST)]
    side = figures_of(seen, 10)["therapists"]
    assert side["before"] == {"ever": 6, "tenth": 50 / 300}
    assert side["after"] == {"ever": 3, "tenth": 100 / 300}
    assert figures_of(seen, 9)["therapists"] is None


def test_the_words_say_who_gains_and_who_loses():
    seen = [
        *people(50, after=OTHER, hours=(500.0, 600.0), moved=(90.0, 10.0)),
        *people(150, hours=(600.0, 500.0), moved=(5.0, 30.0), state="Utah"),
    ]
    page = told(figures_of(seen, 20))
    said = [one.replace("\N{NO-BREAK SPACE}", " ") for one in page.sentences]
    assert said == [
        "25 % of them would see somebody else first.",
        "25 % of them would have somebody new among their first three.",
        "By the new weights the first three fit better by 26.2 of 1000 on average; by those in "
        "force they fit worse by 25.0.",
        "25 % of them gain clearly more than they give up, 75 % of them clearly less.",
    ]
    state = page.attributes[-1]
    assert state.heading == "State"
    ohio, utah = state.sides
    assert (ohio.proposal, ohio.proposal_share) == ("90.0", 1)
    assert (utah.arrival, utah.arrival_share) == ("30.0", pytest.approx(1 / 3))
    assert page.factors == [("Hours", "200", 575, 525, "−50")]


@pytest.mark.parametrize("losing", [0, 1, 5])
def test_a_few_who_lose_are_never_told_of_as_nobody(losing):
    seen = [*people(153 - losing), *people(losing, moved=(0.0, 60.0), after=OTHER)]
    page = told(figures_of(seen, 20))
    said = [one.replace("\N{NO-BREAK SPACE}", " ") for one in page.sentences]
    assert said[0] == "At most 4 % of them would see somebody else first."
    assert said[3].endswith(", at most 4 % of them clearly less.")
    assert page.everybody.lose == "at most 4\N{NO-BREAK SPACE}%"
    assert losing / 153 <= 0.04


def test_one_person_more_changes_no_number_of_people_on_the_page():
    one, other = (told(figures_of(people(count), 20)) for count in (151, 152))
    assert one.everybody.people == other.everybody.people == "150"
    assert one.factors[0][1] == other.factors[0][1] == "150"


def test_one_person_more_changes_no_share_on_the_page():
    seen = [*people(40), *people(21, after=OTHER, moved=(60.0, 0.0))]
    one, other = told(figures_of(seen, 20)), told(figures_of([*seen, seen[-1]], 20))
    assert one.sentences[:2] == other.sentences[:2]
    assert one.sentences[3] == other.sentences[3]
    assert (one.everybody.first, one.everybody.gain) == (
        other.everybody.first,
        "33\N{NO-BREAK SPACE}%",
    )
