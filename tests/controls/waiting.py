"""Who waits: whom a person should call, and what the list tells of anybody."""

from tests.controls.control import Control

WAITING = "practice/waiting"
RUN_TESTS = "tests/practice/waiting/test_runs.py"
CALL_TESTS = "tests/practice/waiting/test_to_call.py"

CONTROLS = (
    Control(
        "the lead is told first of whoever is severely unwell and has no place",
        "the list says nothing of them",
        "templates/waiting/list.html",
        "{% if listing.to_call.people %}",
        "{% if false %}",
        (
            f"{CALL_TESTS}"
            "::test_the_page_says_first_whom_no_proposal_can_help_and_leads_to_exactly_them",
        ),
    ),
    Control(
        "the lead's day begins with whom to call",
        "only records opened in danger are on it",
        "practice/today/views.py",
        '"to_call": to_call(current_user.user) if is_lead else ToCall(),',
        '"to_call": ToCall(),',
        (f"{CALL_TESTS}::test_the_leads_day_begins_with_whom_to_call",),
    ),
    Control(
        "whoever should be called is found among those who wait",
        "the most acute are taken for not severe",
        f"{WAITING}/without_place.py",
        "severity >= SEVERE",
        "severity == SEVERE",
        (
            f"{CALL_TESTS}"
            "::test_the_page_says_first_whom_no_proposal_can_help_and_leads_to_exactly_them",
        ),
    ),
    Control(
        "a telephone number is shown only of whoever should be called",
        "everybody's is shown",
        f"{WAITING}/listing.py",
        "placement.client if is_to_be_called(placement) else None",
        "placement.client",
        (
            f"{CALL_TESTS}"
            "::test_the_page_of_somebody_whom_nobody_fits_says_which_wishes_stand_in_the_way",
            f"{CALL_TESTS}::test_whoever_has_a_place_proposed_is_reached_by_confirming_it",
        ),
    ),
    Control(
        "a price tells of nobody that they wait",
        "it is kept however few could have the place",
        f"{WAITING}/runs.py",
        "if price and asked[each] >= FEWEST_TOLD",
        "if price",
        (f"{RUN_TESTS}::test_a_price_is_kept_only_where_ten_could_have_the_place",),
    ),
    Control(
        "of two leads who ask at once one begins a proposal",
        "none is marked as being worked out",
        f"{WAITING}/runs.py",
        "asked_by_id=actor.id, being_made=True)",
        "asked_by_id=actor.id)",
        (f"{RUN_TESTS}::test_two_who_ask_at_once_get_one_proposal",),
    ),
)
