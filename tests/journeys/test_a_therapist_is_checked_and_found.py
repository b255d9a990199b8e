"""From an application to the first match: nothing counts before a person has looked it up."""

from datetime import timedelta

from practice.accounts.models import Role
from practice.therapists.models import ApplicationState
from tests.builders.accounts import make_client
from tests.builders.credentials import make_applicant
from tests.builders.intake import make_intake
from tests.builders.therapists import valid_npi
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    a_year_ahead,
    add_second_step,
    add_user,
    building,
    fill_in_account,
    sign_in,
)
from tests.journeys.town import Town

NPI = valid_npi(20261122)
NUMBER = "PY60412233"
BOARD = "Washington State Department of Health"
SUBJECT = "Something is waiting for you at Attune"
ASKED = "Please say in which years you worked with panic."


def test_a_therapist_applies_is_asked_for_more_is_verified_and_found(
    town: Town, browse: Browse
) -> None:
    with building(town) as session:
        add_user(town, "Ines Ward", Role.administrator, session=session)
    ana, ines = browse(), browse(width=DESK)
    apply(town, ana)
    fill_in_the_profile(ana)
    add_a_licence(town, ana)
    send(ana)
    ask_for_more(ines)
    answer_what_was_asked(town, ana)
    look_the_licence_up(town, ines)
    look_the_npi_up(ines)
    verify(ines)
    set_hours_and_capacity(town, ana)
    assert_visitors_find_her(browse(width=DESK))
    assert_a_client_is_offered_her(town, browse())


def apply(town: Town, ana: Anybody) -> None:
    ana.open("/")
    ana.follow("Apply to be listed")
    fill_in_account(town, ana, "Ana")
    add_second_step(town, ana)
    assert ana.heading == "Begin your application"
    ana.fill("Your name, as on your licence", "Ana Ruiz")
    ana.fill("Your profession", "Psychologist")
    ana.fill("Where you practise from", "Washington")
    ana.press("Make my profile")
    assert ana.heading == "My profile"
    assert ana.sees("What is missing")


def fill_in_the_profile(ana: Anybody) -> None:
    """Each section in turn, as the profile asks for it."""
    go_to_what_is_missing(ana, "About you")
    ana.fill("One sentence in your own voice", "We begin where you are.")
    ana.fill("About you", "I have worked with adults in Seattle for twelve years.")
    ana.press("Save")
    go_to_what_is_missing(ana, "Concerns you work with")
    ana.tick("Panic attacks")
    ana.tick("Grief after a death")
    ana.press("Save")
    assert ana.heading == "How well you know them"
    ana.tick("I know this best")
    ana.press("Save")
    go_to_what_is_missing(ana, "Whom you work with")
    ana.tick("Individual therapy")
    ana.press("Save")
    go_to_what_is_missing(ana, "How you work")
    say_how_she_works(ana)
    go_to_what_is_missing(ana, "Fees and payment")
    ana.tick("Clients who pay themselves")
    ana.fill("Your fee for a session", "135")
    ana.press("Save")
    go_to_what_is_missing(ana, "Profession and NPI")
    ana.fill("Your NPI", NPI[:-1] + str((int(NPI[-1]) + 1) % 10))
    ana.press("Save")
    assert ana.sees("These digits do not fit together.")
    ana.fill("Your NPI", NPI)
    ana.press("Save")


def go_to_what_is_missing(ana: Anybody, section: str) -> None:
    ana.follow("Add the first of these")
    assert ana.heading == section


def say_how_she_works(ana: Anybody) -> None:
    ana.tick("Cognitive behavioural therapy (CBT)")
    ana.tick("English")
    ana.tick("Online, by video")
    ana.press("Save")
    assert ana.sees("You meet online, so people need a link.")
    ana.fill("Link to your video room", "https://meet.example.test/ana")
    ana.press("Save")


def add_a_licence(town: Town, ana: Anybody) -> None:
    go_to_what_is_missing(ana, "Your licences")
    ana.follow("Add a licence")
    ana.fill("The place where it lets you practise", "Washington")
    ana.fill("Number", NUMBER)
    ana.fill("Who issued it", BOARD)
    ana.fill("Valid until", "2020-01-31")
    ana.press("Save")
    assert ana.sees("This day has passed. Please renew the licence first.")
    ana.fill("Valid until", a_year_ahead(town).isoformat())
    ana.press("Save")
    assert ana.heading == "Your licences"


def send(ana: Anybody) -> None:
    ana.follow("My profile")
    assert ana.sees("Everything is there")
    ana.press("Send my application")
    assert ana.sees("Your application is on its way.")
    # Nothing is shown to anybody before a person has looked.
    ana.open("/therapists")
    assert not ana.has_link("Ana Ruiz")


def ask_for_more(ines: Anybody) -> None:
    sign_in(ines, "Ines")
    assert ines.heading == "Credentials"
    ines.follow("Ana Ruiz")
    ines.press("Take into review")
    assert ines.sees("What stands against verifying this application")
    ines.tick("Ask for more")
    ines.fill("Why, for the record", "The profile says little about panic.")
    ines.press("Decide")
    assert ines.sees("Please say what is needed, or why, in words for the therapist.")
    ines.fill("What the therapist reads", ASKED)
    ines.press("Decide")
    assert ines.sees("Decided, and the therapist is told that something waits.")


def answer_what_was_asked(town: Town, ana: Anybody) -> None:
    mail = town.mails_to("ana@example.test")[-1]
    assert mail.subject == SUBJECT
    assert ASKED not in mail.body
    ana.follow("My profile")
    assert ana.sees(ASKED)
    ana.follow("Change About you")
    ana.fill("About you", "Twelve years in Seattle; since 2018 mostly with panic.")
    ana.press("Save")
    ana.press("Send my application")
    assert ana.sees("Your application is on its way.")


def look_the_licence_up(town: Town, ines: Anybody) -> None:
    ines.follow("Credentials")
    ines.follow("Ana Ruiz")
    ines.press("Take into review")
    ines.follow(NUMBER)
    ines.tick("Verify")
    ines.fill("Why, for the record", "Everything is as she says.")
    ines.press("Decide")
    assert ines.sees("This cannot be verified yet. Nothing has been looked up yet.")
    ines.fill("Where you looked", BOARD)
    ines.fill("What it said, word for word", "RUIZ, ANA. Psychologist. Status: Active.")
    ines.fill("Name as it stands there", "Ruiz, Ana M.")
    ines.fill("Number as it stands there", "PY 60412233")
    ines.fill("Valid until, as it stands there", a_year_ahead(town).isoformat())
    ines.press("Record it")
    assert ines.sees("Nothing stands against verifying this licence")
    assert ines.sees("RUIZ, ANA. Psychologist. Status: Active.")
    ines.tick("Verify")
    ines.fill("Why, for the record", "The board shows the same name, number and day.")
    ines.press("Decide")
    assert ines.sees("Licence: verified")


def look_the_npi_up(ines: Anybody) -> None:
    ines.follow("Ana Ruiz")
    assert ines.sees("The NPI has not been looked up.")
    ines.fill("Name as it stands there", "ANA RUIZ")
    ines.fill("Profession as it stands there", "Psychologist")
    ines.press("Record it")
    assert ines.sees("Nothing stands against verifying this application")


def verify(ines: Anybody) -> None:
    ines.tick("Verify")
    ines.fill("Why, for the record", "Licence and NPI agree with what she declares.")
    ines.press("Decide")
    assert ines.sees("Application: verified")
    ines.follow("Credentials")
    assert ines.sees("Nothing waits")
    ines.follow("Who did what")
    assert ines.sees("Ines Ward")


def set_hours_and_capacity(town: Town, ana: Anybody) -> None:
    assert town.mails_to("ana@example.test")[-1].subject == SUBJECT
    ana.follow("My profile")
    assert ana.sees("Not at the moment")
    ana.follow("Change my hours")
    ana.fill("From", "09:00")
    ana.press("Save my hours")
    assert ana.sees("Please write both times, or neither.")
    ana.fill("To", "17:00")
    ana.press("Save my hours")
    ana.fill("How many new people you can take now", "2")
    ana.press("Save")
    assert ana.sees("People can find you in Washington.")


def assert_visitors_find_her(visitor: Anybody) -> None:
    visitor.open("/")
    assert visitor.sees("1 of 1")
    visitor.follow("Therapists")
    visitor.follow("Ana Ruiz")
    assert visitor.sees(f"Washington licence {NUMBER}")
    assert visitor.sees(f"checked with {BOARD}")
    assert visitor.sees("Verified by us")
    assert visitor.sees("Says so themselves")
    assert not visitor.sees("https://meet.example.test/ana")
    visitor.open("/therapists")
    visitor.fill("Where you are", "Oregon")
    visitor.press("Show who fits")
    assert not visitor.has_link("Ana Ruiz")


def assert_a_client_is_offered_her(town: Town, sam: Anybody) -> None:
    hours = {"zone": "America/Los_Angeles", "windows": ["mon 08:00-17:00"]}
    with building(town) as session:
        user = add_user(town, "Sam", Role.client, session=session)
        make_intake(
            session, make_client(session, user=user, at=town.clock.now()),
            hours=hours, wishes={}, at=town.clock.now(),
        )  # fmt: skip
    sign_in(sam, "Sam")
    sam.follow("Matches")
    assert sam.heading == "One person who fits well"
    assert sam.has_link("Ana Ruiz")


def test_administrators_neither_find_nor_open_their_own_application(
    town: Town, browse: Browse
) -> None:
    with building(town) as session:
        both = add_user(town, "Ines Ward", Role.administrator, Role.therapist, session=session)
        at = town.clock.now()
        own = make_applicant(session, "Ines Ward", user=both, expires_on=a_year_ahead(town), at=at)
        other = make_applicant(session, "Lee Park", expires_on=a_year_ahead(town), at=at)
        addresses = own.application.public_id, own.licences[0].public_id
        theirs = other.application.public_id
    ines = browse()
    sign_in(ines, "Ines", at="/sign-in?next=/credentials")
    assert ines.has_link("Lee Park")
    assert not ines.has_link("Ines Ward")
    for address in (f"/credentials/{addresses[0]}", f"/credentials/licences/{addresses[1]}"):
        ines.open(address)
        assert ines.heading == "We could not find that page"
    ines.open(f"/credentials/{theirs}")
    assert ines.heading == "Lee Park"


def test_a_verified_decision_is_only_undone_by_two(town: Town, browse: Browse) -> None:
    with building(town) as session:
        for name in ("Ines Ward", "Omar Diaz"):
            add_user(town, name, Role.administrator, session=session)
        lee = make_applicant(
            session,
            "Lee Park",
            state=ApplicationState.rejected,
            expires_on=a_year_ahead(town),
            at=town.clock.now() - timedelta(days=3),
        )
        address = f"/credentials/{lee.application.public_id}"
    ines, omar = browse(), browse()
    sign_in(ines, "Ines", at=f"/sign-in?next={address}")
    ines.tick("Open it again")
    ines.fill("Why, for the record", "The board has corrected its page.")
    ines.press("Decide")
    assert ines.sees("This waits for somebody other than you.")
    assert ines.sees("rejected")
    sign_in(omar, "Omar", at=f"/sign-in?next={address}")
    omar.press("Confirm it")
    assert omar.sees("Confirmed by you both. It is done.")
    assert omar.sees("confirmed by Omar Diaz")
